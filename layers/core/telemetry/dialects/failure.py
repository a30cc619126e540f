"""What a dialect answers to an error."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

Answer = dict[str, Any]
"""The JSON body of an answer."""

RETRY_AFTER: Mapping[str, str] = MappingProxyType({"Retry-After": "5"})
"""The header that asks a client to send again after so many seconds."""

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Failure(NamedTuple):
    """An answer to a request that failed: HTTP status, body, and headers beside the content type."""

    status: int
    body: Answer
    headers: Mapping[str, str] = _NO_HEADERS
