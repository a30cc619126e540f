"""The description of the API: valid, complete, and of nothing that is not there."""

import json
import re
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from local.payloads import Router
from local.template import DEFAULT_PATH, read_template
from telemetry.description.problems import EXPLANATIONS
from telemetry.description.recorded_examples import FOLDER
from telemetry.description.words import ENUMERATIONS
from telemetry.domain.environment import Environment
from telemetry.domain.failed_call import Cause
from telemetry.domain.finance_answers import FlaggedRecords
from telemetry.domain.flags import Flag, FlagClass
from telemetry.domain.window import Range
from telemetry.web.problems import ALL
from tests.described import api, differences, operation_of, operations, resolved
from tests.lambdas import http_event, load_function

ROUTES = read_template().routes
GREEDY = "{proxy+}"
FUNCTIONS = sorted({route.function for route in ROUTES})
DIALECTS = ("GetKeyManager", "Reo", "PowerAuth")


def test_it_is_valid_and_every_reference_leads_somewhere() -> None:
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(dict(api()))] == []
    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(api())))
    assert references
    for reference in references:
        assert resolved({"$ref": reference})


def test_no_component_is_there_for_nothing() -> None:
    text = json.dumps(api())
    unused = {name for name in api()["components"]["schemas"] if f'"#/components/schemas/{name}"' not in text}
    assert unused == {"FailedCallCause", "RecordWithBody"}  # named in descriptions


# ── routes


def test_every_route_of_the_template_is_described() -> None:
    """HEAD is answered as GET. What greedy routes take beside the operations below them is no route."""
    for route in ROUTES:
        if route.path != DEFAULT_PATH and GREEDY not in route.path:
            assert operation_of(route.method, route.path), route


def test_every_operation_reaches_the_function_that_serves_it() -> None:
    router = Router(ROUTES)
    served = {name: set(routes_of(load_function(name))) for name in FUNCTIONS}
    for operation in operations():
        path = re.sub(r"\{\w+\}", "x", operation.path)
        found = router.find(operation.method, path)
        assert found, operation
        assert (operation.method, shape(operation.path)) in served[found[0].function], operation


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_route_of_a_function_is_described(function: str) -> None:
    described = {(operation.method, shape(operation.path)) for operation in operations()}
    assert set(routes_of(load_function(function))) <= described


def routes_of(function: ModuleType) -> Iterator[tuple[str, str]]:
    """Of a resolver; ingest has a dictionary, and unknown_route none."""
    yield from (("POST", path) for path in getattr(function, "ROUTES", ()))
    if not hasattr(function, "app"):
        return
    for route in (*function.app._static_routes, *function.app._dynamic_routes):
        yield route.method, shape(route.path)


def shape(path: str) -> str:
    """A path without the names of its parameters."""
    return re.sub(r"<\w+>|\{\w+\}", "{}", path)


# ── operations


def test_every_operation_says_what_it_does_who_may_and_what_comes_of_it() -> None:
    ids = [operation.described["operationId"] for operation in operations()]
    assert len(ids) == len(set(ids))
    tags = {tag["name"] for tag in api()["tags"]}
    for operation in operations():
        described = operation.described
        assert described["summary"], operation
        assert set(described["tags"]) <= tags, operation
        assert described["security"], operation
        assert {"429"} < set(described["responses"]), operation
        assert any(status[0] in "23" for status in described["responses"]), operation
        for status, answer in described["responses"].items():
            assert resolved(answer)["description"], (operation, status)


def test_every_parameter_says_what_it_means() -> None:
    for operation in operations():
        for parameter in operation.described.get("parameters", ()):
            assert parameter.get("description"), (operation.path, parameter["name"])


def test_every_operation_of_a_dialect_has_examples() -> None:
    for operation in operations():
        if any(name in operation.described["tags"][0] for name in DIALECTS):
            asked = list(examples(operation.described.get("requestBody", {})))
            answered = list(examples(operation.described["responses"]["200"]))
            assert answered, operation
            assert asked or operation.method == "GET", operation


def test_every_operation_shows_what_is_sent_and_answered() -> None:
    """In JSON and in files; pages and forms speak for themselves, and the document is not an example of itself."""
    shown = {"application/json", "application/x-ndjson", "application/octet-stream", "text/csv"}
    for operation in operations():
        described = operation.described
        answers = [answer for status, answer in described["responses"].items() if status[0] == "2"]
        for body in (described.get("requestBody", {}), *answers):
            for media_type, content in body.get("content", {}).items():
                has_example = "examples" in content or described["operationId"] == "get_description"
                assert has_example or media_type not in shown, (described["operationId"], media_type)


def test_every_recorded_example_is_of_an_operation() -> None:
    ids = {operation.described["operationId"] for operation in operations()}
    assert {file.stem for file in FOLDER.glob("*.json")} - ids == set()


def test_every_example_is_what_it_is_an_example_of() -> None:
    components = {"components": api()["components"]}
    checked = 0
    for operation in operations():
        described = operation.described
        for content in (described.get("requestBody", {}), *map(resolved, described["responses"].values())):
            for schema, value in examples(content):
                errors = Draft202012Validator({**schema, **components}, validate_formats=True).iter_errors(value)
                assert [error.message for error in errors] == [], operation
                checked += 1
    assert checked > 150


def examples(described: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """Each with the schema it should fit."""
    for content in described.get("content", {}).values():
        for example in content.get("examples", {}).values():
            yield content["schema"], example["value"]


# ── words


def test_every_problem_is_explained() -> None:
    assert set(EXPLANATIONS) == set(ALL)


def test_every_flag_that_finance_counts_has_a_number() -> None:
    counted = {flag.value for flag in Flag if flag.flag_class in {FlagClass.PIRACY, FlagClass.LICENSE}}
    assert set(FlaggedRecords.__annotations__) == counted | {"records", "flagged", "piracy", "license"}


def test_every_enumeration_with_words_is_described() -> None:
    schemas = api()["components"]["schemas"]
    for name, words in ENUMERATIONS.items():
        values = schemas["SpikeCause" if name == "Cause" else name]["oneOf"]
        assert [each["const"] for each in values] == list(words.values)
        assert all(each["title"] and each["description"] for each in values)


def test_what_the_page_takes_from_here_is_all_there_is() -> None:
    known = {"Flag": list(Flag), "Range": list(Range), "Environment": list(Environment), "FailedCallCause": list(Cause)}
    for name, values in known.items():
        assert list(ENUMERATIONS[name].values) == values
    classes = {name: words["x-class"] for name, words in ENUMERATIONS["Flag"].values.items()}
    assert classes == {flag.value: flag.flag_class.value for flag in Flag}


# ── comparing answers with it


def test_an_answer_that_is_not_described_is_found() -> None:
    event = http_event("/api/v1/telemetry", "{}", {})
    json_ = {"content-type": "application/json"}
    stored = {"response_code": "200", "response": "Data Uploaded", "status": "success"}
    usage = http_event("/api/product/usage/", "{}", {})
    assert found(usage, 200, json_, stored) == []
    assert found(usage, 200, json_, stored | {"more": 1}) != []
    assert found(usage, 200, json_, {}) != []
    assert found(usage, 200, {"content-type": "text/html"}, stored) != []
    assert found(usage, 204, json_, stored) != []
    assert found(event, 401, json_, {"response": {"code": 100}}) != []
    assert found(http_event("/nothing", "", {}), 200, json_, {}) != []
    assert found(http_event("/nothing", "", {}), 404, json_, {}) == []


def found(event: Mapping[str, Any], status: int, headers: Mapping[str, str], body: object) -> list[str]:
    return list(differences(event, {"statusCode": status, "headers": headers, "body": json.dumps(body)}))
