"""Cursors: signed positions in a list, valid for that list only."""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from telemetry.domain.errors import InvalidCursor
from telemetry.domain.keyring import Keyring, Purpose
from telemetry.web.http import Request

LARGEST_PAGE = 200
USUAL_PAGE = 50

_MAC_BYTES = 16
_NOT_FILTERS = {"api_key", "cursor", "limit"}


def sealed(position: str, list_: str, keyring: Keyring) -> str:
    """The cursor of a position in a list; `list_` identifies the list."""
    return urlsafe_b64encode(_mac(position, list_, keyring) + position.encode()).decode().rstrip("=")


def unsealed(cursor: str, list_: str, keyring: Keyring) -> str:
    """The position in a cursor, given for this list. Raises InvalidCursor."""
    try:
        decoded = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        mac, position = decoded[:_MAC_BYTES], decoded[_MAC_BYTES:].decode()
    except (binascii.Error, ValueError) as exc:
        raise InvalidCursor from exc
    if not hmac.compare_digest(mac, _mac(position, list_, keyring)):
        raise InvalidCursor
    return position


def position_of(cursor: str | None, request: Request, keyring: Keyring) -> str | None:
    """The position in a cursor, if there is one, given for the request's list. Raises InvalidCursor."""
    return None if cursor is None else unsealed(cursor, _list(request), keyring)


def next_link(request: Request, position: str | None, keyring: Keyring) -> dict[str, str]:
    """The Link header (RFC 8288) from a page to the next one, which begins after a position (None: no next page)."""
    return {} if position is None else link_with(request, cursor=cursor_of(request, position, keyring))


def cursor_of(request: Request, position: str, keyring: Keyring) -> str:
    """The cursor of a position in the request's list."""
    return sealed(position, _list(request), keyring)


def link_with(request: Request, **changes: str) -> dict[str, str]:
    """The Link header to the next page: the same request with some parameters changed, and without its key."""
    query = {name: value for name, value in request.query.items() if name != "api_key"} | changes
    return {"Link": f'<{quote(request.path)}?{urlencode(query)}>; rel="next"'}


def _mac(position: str, list_: str, keyring: Keyring) -> bytes:
    message = "\0".join((list_, position))
    return keyring.mac(Purpose.CURSORS, message.encode("utf-8", "surrogatepass"))[:_MAC_BYTES]


def _list(request: Request) -> str:
    """The route and all filters, including the environment."""
    return "\0".join((request.path, _filters(request.query)))


def _filters(query: Mapping[str, str]) -> str:
    return urlencode(sorted((name, value) for name, value in query.items() if name not in _NOT_FILTERS))
