"""Requests made from the description of the API, with every kind of key: all is answered as described.

`tests/described.py` compares each answer with the document. Here it is said in addition which valid requests may be
refused: only those for which the document has no words.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st

from local.payloads import Request, Router, event
from local.template import read_template
from telemetry.description.examples import EVENTS, USAGE
from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.services.api_keys import issue_staff_key
from tests.described import api
from tests.lambdas import Context, load_function
from tests.worlds.deployment import Deployment

ROUTER = Router(read_template().routes)
HOST = "http://api.example"
JSON = {"content-type": "application/json"}
KEYS_HERE = {"authorization", "x-api-key", "cookie", "x-csrf-token", "host"}
MOST_EXAMPLES = 25

NOT_IN_A_SCHEMA = re.compile(
    "|".join(
        (
            # what several parameters or fields say together
            "Give either `range`, or both `from` and `to`",
            "Must be before `to`",
            "first_day must not be after last_day",
            "Must be another one",
            "Must not be in the future",
            "Must be a full hour",
            "By the hour, a window has at most",
            "A window has at most",
            "No day follows this one",
            "must not be before 'from'",
            "must make no more than",
            "The page must end within the first",
            # an id that nobody can see
            "has no visible character",
            "cannot be given together with 'month'",
            "is missing",
            "SDK keys have capabilities",
            "Nothing to change",
            "cannot be null",
            # what was not given for this list, or is not closed
            "invalid-cursor",
            "The next is not of an answer to the same search",
            "is not closed yet",
            "Closed are the days from",
            "Keeps no profiles",
            # a key that is not good for this: in one dialect that is a 400
            "Authentication Failure",
            # what is registered
            "There is no such (product|customer)",
            # what a text may not be; an integer may have a point in a schema
            "String should have at least",
            "must be an integer",
            "Input should be a valid integer",
            "Clients send this when they have none",
            "A time has a zone, and whole seconds",
            "Names nobody",
            "Must have .* bytes of UTF-8",
            "must have 1 to 64 bytes of UTF-8",
            "must be a (day|month), as",
            "A time before 1970",
            "does not appear to be an IPv4 or IPv6 network",
            "A staff API key is needed",
            # what the vendor may say of networks and domains
            "is no network; write one as",
            "is no domain; write one as",
            "is no company's id; write it as",
            "leads back to",
            "is too wide",
            "among (public_mail|own_domains|ignored_companies)",
            "is nobody's domain",
            "is no company's domain",
        )
    )
)
"""Why our own routes refuse a request that fits the schema."""


@pytest.mark.slow
@pytest.mark.parametrize("tag", [tag["name"] for tag in api()["tags"]])
def test_what_is_described_is_answered_as_described(deployment: Deployment, tag: str) -> None:
    site = Site(deployment)
    site.send_examples()
    found: list[Any] = list(schemathesis.openapi.from_dict(dict(api())).get_all_operations())
    own = [each.ok() for each in found if tag in each.ok().definition.raw["tags"]]
    assert own
    for operation in own:
        is_alias = "x-alias-of" in operation.definition.raw
        ask(site, operation, 1 if is_alias else MOST_EXAMPLES)


def ask(site: "Site", operation: Any, most: int) -> None:  # noqa: ANN401 (schemathesis' own)
    @settings(
        max_examples=most,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(case=operation.as_strategy(), who=st.sampled_from(sorted(site.keys) + [fitting_key(operation)] * 5))
    def answered(case: "schemathesis.Case[Any]", who: str) -> None:
        answer = site.send(case, who)
        assert answer is None or is_right(answer), (
            f"{operation.label} {who} {case.query} {case.body!r}: {answer['body']}"
        )

    answered()


def fitting_key(operation: Any) -> str:  # noqa: ANN401 (schemathesis' own)
    """The kind of key that the operation is for: staff keys are not taken from the query."""
    return "sdk" if {"query": []} in operation.definition.raw["security"] else "super_admin"


def is_right(answer: Mapping[str, Any]) -> bool:
    """Whether a valid request may be answered so. Made-up ids and versions find nothing."""
    status, body = answer["statusCode"], answer.get("body", "")
    if status < 400 or status in {401, 403, 404, 409, 412}:
        return True
    if status in {400, 422}:
        return NOT_IN_A_SCHEMA.search(body) is not None
    return status == 429 and "too-many-attempts" in body


class Site:
    """A deployment with records, the functions behind the gateway, and a key of every kind."""

    def __init__(self, deployment: Deployment) -> None:
        self._functions: dict[str, ModuleType] = {}
        staff = {
            role.value: issue_staff_key(
                role, frozenset(Environment), role, deployment.keyring, deployment.api_keys
            ).secret
            for role in Role
        }
        self.keys = staff | {"sdk": deployment.keys[Environment.PRODUCTION], "nobody": ""}

    def send_examples(self) -> None:
        for path, examples in (("/api/v1/telemetry", EVENTS), ("/api/product/usage", USAGE)):
            for example in examples.values():
                sent = requests.Request("POST", HOST + path, data=json.dumps(example), headers=JSON).prepare()
                self._ask(sent, "sdk")

    def send(self, case: "schemathesis.Case[Any]", who: str) -> Mapping[str, Any] | None:
        """None where API Gateway would not take the request."""
        case.cookies.clear()
        case.query.pop("api_key", None)
        for name in [name for name in case.headers if name.lower() in KEYS_HERE]:
            del case.headers[name]
        arguments = case.as_transport_kwargs(base_url=HOST)
        arguments = {name: value for name, value in arguments.items() if name not in {"timeout", "verify", "cert"}}
        return self._ask(requests.Request(**arguments).prepare(), who)

    def _ask(self, sent: requests.PreparedRequest, who: str) -> Mapping[str, Any] | None:
        assert sent.url
        assert sent.method
        parts = urlsplit(sent.url)
        headers = [(str(name).lower(), _text(value)) for name, value in sent.headers.items()]
        headers += [("x-api-key", self.keys[who])] if self.keys[who] else []
        body: Any = sent.body or b""
        body = body.encode() if isinstance(body, str) else body
        path = unquote(parts.path)
        asked = Request(sent.method, path, parts.query, headers, body, "HTTP/1.1", "203.0.113.7")
        found = ROUTER.find(asked.method, asked.path)
        if found is None:
            return None
        route, parameters = found
        function = self._functions.setdefault(route.function, load_function(route.function))
        made = event(asked, route, parameters, "JKJaXmPLvHcESHA=", datetime.now(UTC))
        answer: Mapping[str, Any] = json.loads(json.dumps(function.handler(made, Context(milliseconds_left=20_000))))
        return answer


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
