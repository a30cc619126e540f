"""Event filter patterns of stream mappings, as far as the template uses them.

A pattern is an object whose leaves are lists of alternatives: strings, or `{"exists": true}`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from local import Json
from local.cloudformation import TemplateError

Pattern = Mapping[str, Any]


def check(pattern: Pattern) -> None:
    """Raises TemplateError when the pattern has a form that `matches` does not know."""
    for name, expected in pattern.items():
        if isinstance(expected, Mapping):
            check(expected)
        elif not (isinstance(expected, list) and expected and all(map(_is_known, expected))):
            raise TemplateError(f"filter pattern {name}: {expected!r} is not understood")


def _is_known(alternative: Json) -> bool:
    return isinstance(alternative, str) or alternative in ({"exists": True}, {"exists": False})


def matches(patterns: Iterable[Pattern], event: Mapping[str, Any]) -> bool:
    """Whether one of the patterns matches, or there is none."""
    wanted = tuple(patterns)
    return not wanted or any(_matches(pattern, event) for pattern in wanted)


def _matches(pattern: Pattern, event: Json) -> bool:
    for name, expected in pattern.items():
        value = event.get(name) if isinstance(event, Mapping) else None
        if isinstance(expected, Mapping):
            if not _matches(expected, value):
                return False
        elif not any(_fits(alternative, value) for alternative in expected):
            return False
    return True


def _fits(alternative: Json, value: Json) -> bool:
    if isinstance(alternative, str):
        return bool(value == alternative)
    return (value is not None) is alternative["exists"]
