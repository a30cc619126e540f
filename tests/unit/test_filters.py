from typing import Any

import pytest

from local import Json, filters
from local.cloudformation import TemplateError
from local.template import read_template

HEADS = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"g": {"S": [{"exists": True}]}}}}


def change(name: str, image: dict[str, Any] | None) -> dict[str, Any]:
    return {"eventName": name, "dynamodb": {"Keys": {}} | ({"NewImage": image} if image is not None else {})}


@pytest.mark.parametrize(
    ("patterns", "event", "expected"),
    [
        ([HEADS], change("INSERT", {"g": {"S": "a"}}), True),
        ([HEADS], change("INSERT", {"g": {"N": "1"}}), False),
        ([HEADS], change("INSERT", {"p": {"S": "a"}}), False),
        ([HEADS], change("REMOVE", None), False),
        ([HEADS], change("MODIFY", {"g": {"S": "a"}}), False),
        ([HEADS, {"eventName": ["MODIFY", "REMOVE"]}], change("REMOVE", None), True),
        ([{"userIdentity": [{"exists": False}]}], change("REMOVE", None), True),
        ([], change("REMOVE", None), True),
    ],
)
def test_matches(patterns: list[filters.Pattern], event: dict[str, Any], *, expected: bool) -> None:
    assert filters.matches(patterns, event) is expected


@pytest.mark.parametrize("leaf", [[], "INSERT", [{"prefix": "I"}], [1], [{"exists": "yes"}]])
def test_unknown_forms_are_errors(leaf: Json) -> None:
    with pytest.raises(TemplateError, match="eventName"):
        filters.check({"eventName": leaf})


def test_the_templates_patterns_are_known() -> None:
    for mapping in read_template().streams:
        for pattern in mapping.patterns:
            filters.check(pattern)
