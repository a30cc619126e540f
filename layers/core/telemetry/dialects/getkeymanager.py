"""The GetKeyManager dialect: SDK telemetry (PROTOCOLS.md §1)."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from telemetry.dialects.body.fields import Fields
from telemetry.dialects.body.reader import Element, read, read_one
from telemetry.domain.errors import (
    AddressNotAllowed,
    CapabilityMissing,
    Forbidden,
    KeyInactive,
    TelemetryError,
)
from telemetry.domain.event import (
    Dialect,
    Event,
    Format,
    company_of,
    normalise_country,
    normalise_group,
    normalise_license,
    normalise_user,
    parse_time,
)

DATA_SAVED = 830
MALFORMED_DATA_SAVED = 831
BAD_REQUEST = 422

Answer = dict[str, Any]

_VALUE_FIELDS = {
    "numeric-single-value": ("numeric_data_single_value",),
    "numeric-xy-axis": ("numeric_data_x", "numeric_data_y"),
    "text": ("text_data",),
}
_INDEX = re.compile("[0-9]+")
_FORM_BOOLEANS = {"true": True, "1": True, "false": False, "0": False, "": False}
_MESSAGES = {DATA_SAVED: "Correct format data saved", MALFORMED_DATA_SAVED: "Incorrect format data saved"}
# (HTTP status, code, message) by error; the first class that fits
_REFUSALS: tuple[tuple[type[TelemetryError], tuple[int, int, str]], ...] = (
    (KeyInactive, (401, 101, "Inactive or Expired API Key")),
    (CapabilityMissing, (401, 102, "API Key Lacks The Required Capability")),
    (AddressNotAllowed, (401, 103, "IP Address Not Allowed")),
    (Forbidden, (403, 150, "Access Denied")),
    (TelemetryError, (401, 100, "Invalid API Key")),
)


@dataclass(frozen=True, slots=True)
class Submission:
    """The events of one request. A batch is answered event by event, even when it holds one."""

    events: tuple[Event, ...]
    is_batch: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one event.

    `telemetry_id` is None when it is not stored; `status` is `stored`, `duplicate`, `conflict` or `failed`.
    """

    telemetry_id: str | None
    status: str
    is_flagged: bool
    errors: Mapping[str, Sequence[str]]

    @property
    def code(self) -> int:
        return MALFORMED_DATA_SAVED if self.errors else DATA_SAVED


def parse(body: bytes, content_type: str) -> Submission:
    """Understands a body as far as it goes. Never fails: what is wrong is in the events."""
    return Submission(*read(body, content_type, event_of))


def element(raw: bytes) -> Event:
    """One event from its own bytes, as a record keeps them."""
    return event_of(read_one(raw))


def event_of(element: Element) -> Event:
    """One event, as it lies in a batch or in a record."""
    if element.wrong:
        wrong = {"body": [f"{element.wrong}."]}
        return Event(raw=element.raw, dialect=Dialect.GETKEYMANAGER, format=element.format, errors=wrong)
    return parse_event(element.raw, element.value, element.format)


def parse_event(raw: bytes, value: object, format_: Format = Format.JSON) -> Event:
    """One event from its bytes and the value they hold."""
    if not isinstance(value, dict):
        return event_of(Element(raw, None, "An event must be an object"))
    fields = Fields(value)
    _check_value(fields)
    event_at = parse_time(value.get("event_at"))
    if "event_at" in fields and event_at is None:
        fields.complain("event_at", "The event at is not a valid date.")
    if "data_group" not in fields:
        fields.complain("data_group", "The data group field is required.")
    fields.require_object("metadata")
    user_id = normalise_user(fields.text("user_identifier", integer_allowed=True))
    return Event(
        raw=raw,
        dialect=Dialect.GETKEYMANAGER,
        format=format_,
        product_id=fields.text("product_id", integer_allowed=True),
        product_version=fields.text("product_version"),
        license_key=normalise_license(fields.text("license_key")),
        user_id=user_id,
        hwid=fields.identifier("hwid"),
        activation_identifier=fields.identifier("activation_identifier"),
        data_type=_data_type(fields),
        group=normalise_group(fields.text("data_group")),
        company=company_of(None, user_id),
        country=normalise_country(fields.text("country")),
        event_id=fields.text("event_id", integer_allowed=True),
        event_at=event_at,
        client_flags=_client_flags(fields, format_),
        errors=dict(fields.errors),
    )


def with_product_error(event: Event) -> dict[str, Sequence[str]]:
    """The event's errors plus the one for a product nobody registered."""
    message = "The selected product id is invalid." if event.product_id else "The product id field is required."
    return {**event.errors, "product_id": [*event.errors.get("product_id", ()), message]}


def answer(result: Result, now: datetime) -> Answer:
    """The answer to a single event: HTTP 200, also for bad data."""
    response = status_of(result.code, _MESSAGES[result.code], as_list(result.errors), now)
    return {**envelope(response), "telemetry_id": result.telemetry_id, "is_flagged": result.is_flagged}


def batch_answer(results: Sequence[Result], now: datetime) -> Answer:
    """The answer to a batch: one result per event, in order."""
    code = max((result.code for result in results), default=DATA_SAVED)
    return {
        "response": status_of(code, _MESSAGES[code], [], now),
        "results": [
            {
                "telemetry_id": result.telemetry_id,
                "status": result.status,
                "is_flagged": result.is_flagged,
                "errors": as_list(result.errors),
            }
            for result in results
        ],
    }


def refusal(error: TelemetryError, now: datetime) -> tuple[int, Answer]:
    """HTTP status and body for a key that is not good, or not good for this."""
    status, code, message = next(found for kind, found in _REFUSALS if isinstance(error, kind))
    return status, {"response": status_of(code, message, [], now)}


def failure(status: int, message: str, now: datetime) -> Answer:
    """The body of a 413, 429, 5xx."""
    return {"response": status_of(status, message, [], now)}


def bad_request(field: str, message: str, now: datetime) -> Answer:
    """The body of a 400. (In this dialect code 400 means that a licence was deactivated.)"""
    return {"response": status_of(BAD_REQUEST, message, {field: [message]}, now)}


def envelope(response: Answer) -> Answer:
    """What every answer wraps its response in. Without a signature: SDKs then check none."""
    return {
        "response": response,
        "response_base64": b64encode(json.dumps(response, separators=(",", ":")).encode()).decode(),
        "private_key_used": "global",
    }


def status_of(code: int, message: str, errors: object, now: datetime) -> Answer:
    """The beginning of every response."""
    return {"code": code, "message": message, "errors": errors, "timestamp": int(now.timestamp())}


def as_list(errors: Mapping[str, Sequence[str]]) -> object:
    """PHP clients know an empty list and a filled object."""
    return {name: list(messages) for name, messages in errors.items()} if errors else []


def _check_value(fields: Fields) -> None:
    """The value that `data_type` announces must be there, and be of that type."""
    data_type = fields.value("data_type")
    if "data_type" not in fields:
        fields.complain("data_type", "The data type field is required.")
    elif not isinstance(data_type, str) or data_type not in _VALUE_FIELDS:
        fields.complain("data_type", "The selected data type is invalid.")
    elif data_type == "text":
        if "text_data" not in fields:
            fields.complain("text_data", "The text data field is required.")
        fields.text("text_data")
    else:
        for name in _VALUE_FIELDS[data_type]:
            fields.require_number(name)


def _data_type(fields: Fields) -> str | None:
    """As it is shown, known or not; `_check_value` has said what is wrong with it."""
    return Fields({"data_type": fields.value("data_type")}).text("data_type")


def _client_flags(fields: Fields, format_: Format) -> tuple[str, ...]:
    """SDK-side findings: a list of names, or an object whose true members count (in a form, `true` and `1` are)."""
    flags = fields.value("flags") if "flags" in fields else None
    if isinstance(flags, dict) and format_ is not Format.JSON and all(map(_INDEX.fullmatch, flags)):
        flags = list(flags.values())  # `flags[0]=vm`, as http_build_query writes a list
    elif isinstance(flags, dict) and format_ is not Format.JSON:
        flags = {name: _FORM_BOOLEANS.get(str(value).lower()) for name, value in flags.items()}
    if isinstance(flags, list) and all(isinstance(name, str) for name in flags):
        return tuple(flags)
    if isinstance(flags, dict) and all(isinstance(value, bool) for value in flags.values()):
        return tuple(name for name, value in flags.items() if value)
    if flags is not None:
        fields.complain("flags", "The flags must be a list of strings or an object of booleans.")
    return ()
