"""Enough of CloudFormation to read our own template: tags, `Fn::ForEach` and the intrinsic functions it uses."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from local import Json
from local.errors import CommandError

_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")
_FOR_EACH = "Fn::ForEach::"


class TemplateError(CommandError):
    """The template says something the local runner does not understand; the message says where and what."""


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags turned into their long form."""


def _short_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Json]:
    value: Json
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:
        raise TemplateError(f"!{suffix}: {node.start_mark}")
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_tag)


@cache
def load(path: Path) -> dict[str, Json]:
    """The document with loops still in it. Kept, so never change what this returns."""
    with path.open(encoding="utf-8") as file:
        document = yaml.load(file, _Loader)  # noqa: S506 (a SafeLoader)
    if not isinstance(document, dict):
        raise TemplateError(f"{path}: not a template")
    return document


def expand_loops(value: Json) -> Json:
    """Writes out every `Fn::ForEach::<name>: [identifier, [values…], {keys: body}]`."""
    if isinstance(value, list):
        return [expand_loops(item) for item in value]
    if not isinstance(value, dict):
        return value
    expanded: dict[str, Json] = {}
    for key, item in value.items():
        entries = _iterations(key, item) if key.startswith(_FOR_EACH) else [(key, expand_loops(item))]
        for name, body in entries:
            if name in expanded:
                raise TemplateError(f"{name} is written twice")
            expanded[name] = body
    return expanded


def _iterations(loop: str, item: Json) -> list[tuple[str, Json]]:
    match item:
        case [str(identifier), list(values), dict(bodies)] if all(isinstance(v, str) for v in values):
            return [
                entry
                for value in values
                for entry in expand_loops(_replace(bodies, f"${{{identifier}}}", value)).items()
            ]
    raise TemplateError(f"{loop}: expected [identifier, [strings…], {{…}}]")


def _replace(value: Json, old: str, new: str) -> Json:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, list):
        return [_replace(item, old, new) for item in value]
    if isinstance(value, dict):
        return {_replace(key, old, new): _replace(item, old, new) for key, item in value.items()}
    return value


class Resolver:
    """Gives intrinsic functions their values.

    `references` are the values of Ref (parameters, pseudo parameters, resources), `attributes` those of GetAtt.
    """

    def __init__(
        self,
        references: Mapping[str, Json],
        attributes: Mapping[tuple[str, str], str],
        mappings: Mapping[str, Json],
    ) -> None:
        self._references = references
        self._attributes = attributes
        self._mappings = mappings

    def resolve(self, value: Json) -> Json:
        """The value without intrinsic functions; raises TemplateError on those it does not know."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument)
        return {key: self.resolve(item) for key, item in value.items()}

    def _call(self, name: str, argument: Json) -> Json:
        resolved = argument if name == "Fn::Sub" else self.resolve(argument)
        match name, resolved:
            case "Ref", str():
                return self._reference(resolved)
            case "Fn::GetAtt", [str(resource), str(attribute)]:
                return self._attribute(resource, attribute)
            case "Fn::FindInMap", [str(mapping), str(top), str(second)]:
                return self._find(mapping, top, second)
            case "Fn::Sub", str():
                return self._substitute(resolved, {})
            case "Fn::Sub", [str(text), dict(variables)]:
                return self._substitute(text, self.resolve(variables))
            case "Fn::Equals", [left, right]:
                return bool(left == right)
            case "Fn::Not", [bool(value)]:
                return not value
        raise TemplateError(f"{name} {argument!r} is not understood")

    def _reference(self, name: str) -> Json:
        try:
            return self._references[name]
        except KeyError:
            raise TemplateError(f"Ref {name} is not understood") from None

    def _attribute(self, resource: str, attribute: str) -> str:
        try:
            return self._attributes[resource, attribute]
        except KeyError:
            raise TemplateError(f"GetAtt {resource}.{attribute} is not understood") from None

    def _find(self, mapping: str, top: str, second: str) -> Json:
        try:
            return self._mappings[mapping][top][second]
        except KeyError:
            raise TemplateError(f"FindInMap {mapping}.{top}.{second}: no such entry") from None

    def _substitute(self, text: str, variables: Mapping[str, Json]) -> str:
        def value(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in variables:
                return str(variables[name])
            if "." in name:
                return self._attribute(*name.split(".", 1))
            return str(self._reference(name))

        return _PLACEHOLDER.sub(value, text)
