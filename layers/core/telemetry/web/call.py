"""One call of a function that routes by itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from telemetry.web.deadline import Context
from telemetry.web.http import Request


@dataclass
class Call:
    """An API Gateway event (payload format 2.0) while it is answered."""

    event: Mapping[str, Any]
    context: Context
    body_key: Callable[[bytes, str], str | None] | None = None
    """Finds the key in the body, once it is known that it may be there."""

    @property
    def method(self) -> str:
        return str(self.event["requestContext"]["http"]["method"]).upper()

    @property
    def path(self) -> str:
        return str(self.event["rawPath"])

    @property
    def source_ip(self) -> str:
        return str(self.event["requestContext"]["http"]["sourceIp"])

    @cached_property
    def request(self) -> Request:
        """Read once, because inflating a body takes time."""
        return Request.from_event(self.event)
