"""The Reo.Dev dialect: product usage (docs/protocols.md)."""

from datetime import datetime
from typing import Any

from telemetry.dialects.body.fields import Fields
from telemetry.dialects.body.reader import Element, read_one
from telemetry.dialects.failure import RETRY_AFTER, Answer, Failure
from telemetry.domain.errors import Forbidden, StoreUnavailable, Unauthenticated
from telemetry.domain.event import Dialect, Event, address_in, company_of, normalise_group, normalise_user, parse_time
from telemetry.domain.record_contents import Contents, Said

UPLOADED: Answer = {"response_code": "200", "response": "Data Uploaded", "status": "success"}
AUTHENTICATION_FAILURE: Answer = {"response_code": 400, "response": "Authentication Failure", "status": "failure"}

MOST_USES = 1_000_000
"""The largest `count` of a record of aggregated usage."""

_ANONYMOUS = "ANONYMOUS"
_USER_ID_TYPES = frozenset({"EMAIL", "SOCIAL", "LINKEDIN", "GITHUB", "USERNAME", _ANONYMOUS})


def parse(body: bytes) -> Event:
    """Reads as much of a body as can be read. Never fails: `errors` of the event says what is wrong."""
    return event_of(read_one(body))


def event_of(element: Element) -> Event:
    """The event of a body, or of a record."""
    if (payload := _payload(element)) is not None:
        return _parse_payload(element.raw, payload)
    wrong = element.wrong or "payload must be an object"
    return Event(raw=element.raw, dialect=Dialect.REO, errors={"body": [wrong]})


def contents_of(element: Element) -> Contents:
    """The event of an element, with what is only shown."""
    payload = _payload(element) or {}
    return Contents(event_of(element), None, payload.get("meta"), element.value)


def said_in(element: Element) -> Said:
    """What an element says, for a list of records. Product usage has a kind and details, no typed value."""
    payload = _payload(element)
    if payload is None:
        return Said()
    fields = Fields(payload)
    return Said(
        user_identifier=fields.text("user_id"),
        product_id=fields.text("product_id"),
        data_group=fields.text("activity_type"),
        data=fields.value("meta"),
    )


def failure(error: Exception, _now: datetime) -> Failure:
    """The answer to an error. For a key that is not good, or not good for this, the dialect has only one answer."""
    match error:
        case Unauthenticated() | Forbidden():
            return Failure(400, AUTHENTICATION_FAILURE)
        case StoreUnavailable():
            return Failure(503, _failed(503, "Temporarily unavailable, please send again"), RETRY_AFTER)
        case _:
            return Failure(500, _failed(500, "Internal error"))


def _failed(status: int, message: str) -> Answer:
    return {"response_code": status, "response": message, "status": "failure"}


def _payload(element: Element) -> dict[str, Any] | None:
    payload = element.value.get("payload") if isinstance(element.value, dict) else None
    return payload if isinstance(payload, dict) else None


def _parse_payload(body: bytes, payload: dict[str, Any]) -> Event:
    fields = Fields(payload)
    is_aggregated = "mode" in fields or "count" in fields
    user_id = normalise_user(fields.text("user_id", integer_allowed=True))
    for name in _required(has_user=user_id is not None, is_aggregated=is_aggregated):
        if name not in fields:
            fields.complain(name, "required")
    fields.text("user_agent")
    address = address_in(said := fields.text("ip_addr"))
    if said and address is None:
        fields.complain("ip_addr", "not an IP address")
    domain = fields.text("domain")
    if is_aggregated and not (said or domain):
        fields.complain("domain", "required where there is no ip_addr")
    count = _count(fields) if is_aggregated else None
    user_id_type = (fields.text("user_id_type") or "").upper()
    if user_id_type and user_id_type not in _USER_ID_TYPES:
        fields.complain("user_id_type", "unknown")
    fields.require_object("meta")
    event_at = parse_time(payload.get("event_at"))
    if "event_at" in fields and event_at is None:
        fields.complain("event_at", "not a time")
    return Event(
        raw=body,
        dialect=Dialect.REO,
        product_id=fields.text("product_id", integer_allowed=True),
        user_id=user_id,
        is_anonymous=user_id_type == _ANONYMOUS,
        group=normalise_group(fields.text("activity_type")),
        count=count if address or domain else None,
        address=address,
        company=company_of(domain, user_id),
        event_id=fields.text("event_id", integer_allowed=True),
        event_at=event_at,
        environment_text=fields.text("environment"),
        source=fields.text("source"),
        user_id_type=user_id_type if user_id_type in _USER_ID_TYPES else None,
        errors=dict(fields.errors),
    )


def _required(*, has_user: bool, is_aggregated: bool) -> tuple[str, ...]:
    """The fields that must be there. Usage that the client has summed up needs no user."""
    always = ("activity_type", "source", "event_at", "product_id")
    if is_aggregated:
        return (*always, "count")
    return always if has_user else (*always, "user_agent")


def _count(fields: Fields) -> int | None:
    """How many uses. Anything but an integer from 1 to MOST_USES is an error, and None: one use."""
    value = fields.value("count")
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_USES:
        return value
    if "count" in fields:
        fields.complain("count", f"must be an integer from 1 to {MOST_USES}")
    return None
