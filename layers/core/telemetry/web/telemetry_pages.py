"""Pages of telemetry that is read back: by number, or by the `next` of the page before."""

import json

from telemetry.domain.environment import Environment
from telemetry.domain.keyring import Keyring
from telemetry.domain.telemetry_query import PageStart, TelemetryQuery
from telemetry.web.paging import sealed, unsealed


def place_of(query: TelemetryQuery, environment: Environment, keyring: Keyring) -> PageStart:
    """The place where the page that is asked for begins. Raises InvalidCursor."""
    if query.next is None:
        return PageStart(skip=(query.page - 1) * query.per_page)
    after, skip = json.loads(unsealed(query.next, _list(query, environment), keyring))
    return PageStart(tuple(after), skip)


def next_of(place: PageStart | None, query: TelemetryQuery, environment: Environment, keyring: Keyring) -> str | None:
    """The `next` of a place. It is good only for the list with these filters in this environment."""
    if place is None:
        return None
    return sealed(json.dumps(place, separators=(",", ":")), _list(query, environment), keyring)


def _list(query: TelemetryQuery, environment: Environment) -> str:
    return json.dumps(["telemetry", environment, *query.filters])
