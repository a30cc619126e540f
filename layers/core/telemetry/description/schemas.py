"""JSON Schemas of models, for the components of the document."""

import ast
import inspect
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
from textwrap import dedent
from typing import Any, Literal, is_typeddict

from pydantic import BaseModel, TypeAdapter

from telemetry.description.words import ENUMERATIONS

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]

REFERENCE = "#/components/schemas/{model}"

_OTHER_NAMES = {
    "Cause": "SpikeCause",
    "Format": "ExportFormat",
    "Order": "ProfileOrder",
    "State": "AlertState",
    "ShownSession": "Session",
}
"""Classes whose names say too little beside all the others."""


class Schemas:
    """The components that a document refers to, by name."""

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}

    def of(self, model: Any, mode: Mode = "serialization") -> Schema:  # noqa: ANN401 (whatever pydantic takes)
        """The schema of a type; of a model or an enumeration, the reference to its component."""
        schema = TypeAdapter(model).json_schema(mode=mode, ref_template=REFERENCE)
        for name, found in schema.pop("$defs", {}).items():
            self.add(name, found)
        if not _is_component(model):
            return dict(tidied(schema))
        if "$ref" not in schema:
            self.add(model.__name__, schema)
        return {"$ref": REFERENCE.format(model=_name(model.__name__))}

    def add(self, name: str, schema: Schema) -> None:
        """Adds a component. Raises ValueError when there is another one of this name."""
        found = tidied(schema)
        if name in ENUMERATIONS:
            found = annotated(name)
        known = self.components.setdefault(_name(name), found)
        if _shape(known) != _shape(found):
            raise ValueError(f"two different components are called {name}")

    def document_fields(self, models: dict[str, type]) -> None:
        """Adds what attribute docstrings say to the components of these TypedDicts."""
        for name, model in models.items():
            if name in self.components:
                _add_documentation(self.components[name], model)


def annotated(name: str) -> Schema:
    """An enumeration whose values say what they mean."""
    words = ENUMERATIONS[name]
    values = [{"const": value, **said} for value, said in words.values.items()]
    return {"type": "string", "description": words.meaning, "oneOf": values}


def tidied(schema: Any) -> Any:  # noqa: ANN401 (any JSON)
    """A schema without the titles that pydantic makes of names, and with the document's references."""
    if isinstance(schema, list):
        return [tidied(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found: Schema = {}
    for keyword, value in schema.items():
        if keyword == "title" and isinstance(value, str):
            continue
        if keyword in {"properties", "patternProperties"}:
            found[keyword] = {name: tidied(each) for name, each in value.items()}
        elif keyword == "$ref":
            place, _, name = value.rpartition("/")
            found[keyword] = f"{place}/{_name(name)}"
        elif keyword in {"const", "default", "enum", "example", "examples"}:
            found[keyword] = value
        else:
            found[keyword] = tidied(value)
    return found


def not_null(schema: Schema) -> Schema:
    """A schema without the alternative null: parameters have none."""
    others = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(others) != 1:
        return schema
    rest = {keyword: value for keyword, value in schema.items() if keyword not in {"anyOf", "default"}}
    return {**rest, **others[0]}


def typed_dicts(*modules: object) -> dict[str, type]:
    """The TypedDicts of modules, by name."""
    return {name: each for module in modules for name, each in vars(module).items() if is_typeddict(each)}


def _name(name: str) -> str:
    return _OTHER_NAMES.get(name, name)


def _is_component(model: object) -> bool:
    return is_typeddict(model) or (isinstance(model, type) and issubclass(model, BaseModel | Enum))


def _shape(schema: Any) -> Any:  # noqa: ANN401 (any JSON)
    """A schema without descriptions: the same model may come with and without those of its fields."""
    if isinstance(schema, dict):
        return {keyword: _shape(value) for keyword, value in schema.items() if keyword != "description"}
    return [_shape(each) for each in schema] if isinstance(schema, list) else schema


def _add_documentation(schema: Schema, model: type) -> None:
    for field, text in _documented(model):
        if field in schema.get("properties", {}):
            schema["properties"][field].setdefault("description", text)


def _documented(model: type) -> Iterator[tuple[str, str]]:
    """Each field of a TypedDict with the docstring under it, also those of the TypedDicts it extends."""
    for base in getattr(model, "__orig_bases__", ()):
        if is_typeddict(base):
            yield from _documented(base)
    try:
        (class_,) = ast.parse(dedent(inspect.getsource(model))).body
    except (OSError, TypeError, SyntaxError):
        return
    lines = list(getattr(class_, "body", ()))
    for field, after in pairwise(lines):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            yield field.target.id, str(after.value.value)
