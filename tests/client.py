"""A client of one function: requests as API Gateway hands them over, answers as their sender reads them."""

import json
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.lambdas import Context, http_event


@dataclass(frozen=True)
class Answer:
    """What a function answered: header names in lower case, and the body as text (base64 when `is_base64`)."""

    status: int
    headers: Mapping[str, str]
    text: str
    cookies: Sequence[str] = ()
    is_base64: bool = False
    size: int = field(default=0, compare=False)
    """Of the result in JSON, which Lambda limits to 6 MB."""

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> Self:
        """`result` is what the handler returned."""
        headers = {name.lower(): value for name, value in result.get("headers", {}).items()}
        is_base64 = bool(result.get("isBase64Encoded"))
        text, cookies = result.get("body", ""), result.get("cookies", ())
        return cls(result["statusCode"], headers, text, cookies, is_base64, len(json.dumps(result)))

    @property
    def body(self) -> Any:  # noqa: ANN401
        """From JSON; None when there is none."""
        return json.loads(self.text) if self.text else None

    @property
    def content(self) -> bytes:
        return b64decode(self.text) if self.is_base64 else self.text.encode()

    @property
    def link(self) -> tuple[str, dict[str, str]]:
        """Path and query of the next page."""
        found = re.fullmatch('<(.*)>; rel="next"', self.headers["link"])
        assert found
        parts = urlsplit(found[1])
        return parts.path, dict(parse_qsl(parts.query))

    @property
    def next(self) -> dict[str, str] | None:
        """The query of the next page; None on the last one."""
        return self.link[1] if "link" in self.headers else None


@dataclass(frozen=True)
class Client:
    """Asks a function, with these headers and this query in every request and `base` before every path.

    A header of a single request takes the place of one of the client's; None leaves it out.
    """

    function: ModuleType
    headers: Mapping[str, str | None] = field(default_factory=dict)
    base: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    context: Context = field(default_factory=lambda: Context(milliseconds_left=20_000))

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Answer:
        """Text and bytes are sent as they are, anything else as JSON."""
        sent = {"content-type": "application/json", **self.headers, **(headers or {})}
        event = http_event(
            self.base + path,
            body if isinstance(body, str | bytes) else "" if body is None else json.dumps(body),
            {name: value for name, value in sent.items() if value is not None},
            {**self.query, **(query or {})},
            method,
        )
        return self.send(event)

    def send(self, event: dict[str, Any], context: Context | None = None) -> Answer:
        """An event that is made already."""
        return Answer.of(self.function.handler(event, context or self.context))

    def get(self, path: str, query: Mapping[str, str] | None = None, **headers: str | None) -> Answer:
        return self.request("GET", path, None, query, headers_of(headers))

    def post(self, path: str, body: object, **headers: str | None) -> Answer:
        return self.request("POST", path, body, None, headers_of(headers))


def headers_of(arguments: Mapping[str, str | None]) -> dict[str, str | None]:
    """Headers that were written as arguments: if_match for if-match."""
    return {name.replace("_", "-"): value for name, value in arguments.items()}


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}
