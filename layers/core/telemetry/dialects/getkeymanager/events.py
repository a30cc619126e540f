"""The GetKeyManager dialect: events of SDKs (docs/protocols.md)."""

import re
from dataclasses import dataclass, replace
from typing import Any

from telemetry.dialects.body.fields import Fields
from telemetry.dialects.body.reader import Element, read, read_one
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
from telemetry.domain.record_contents import Contents, Said
from telemetry.domain.values.value import Pair, Value, ValueType

_VALUE_FIELDS = {
    "numeric-single-value": ("numeric_data_single_value",),
    "numeric-xy-axis": ("numeric_data_x", "numeric_data_y"),
    "text": ("text_data",),
}
_INDEX = re.compile("[0-9]+")
_FORM_BOOLEANS = {"true": True, "1": True, "false": False, "0": False, "": False}


@dataclass(frozen=True, slots=True)
class Submission:
    """The events of one request. A batch is answered event by event, even when it holds one."""

    events: tuple[Event, ...]
    is_batch: bool = False


def parse(body: bytes, content_type: str) -> Submission:
    """Reads as much of a body as can be read. Never fails: `errors` of the events say what is wrong."""
    return Submission(*read(body, content_type, event_of))


def parse_one(raw: bytes) -> Event:
    """One event, from its own bytes."""
    return event_of(read_one(raw))


def event_of(element: Element) -> Event:
    """The event of an element of a batch, or of a record."""
    value = element.value
    if element.wrong or not isinstance(value, dict):
        wrong = {"body": [f"{element.wrong or 'An event must be an object'}."]}
        return Event(raw=element.raw, dialect=Dialect.GETKEYMANAGER, format=element.format, errors=wrong)
    fields = Fields(value)
    _check_value(fields)
    event_at = parse_time(value.get("event_at"))
    if "event_at" in fields and event_at is None:
        fields.complain("event_at", "The event at is not a valid date.")
    if "data_group" not in fields:
        fields.complain("data_group", "The data group field is required.")
    fields.require_object("metadata")
    user_id = normalise_user(fields.text("user_identifier", integer_allowed=True))
    event = Event(
        raw=element.raw,
        dialect=Dialect.GETKEYMANAGER,
        format=element.format,
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
        client_flags=_client_flags(fields, element.format),
        errors=dict(fields.errors),
    )
    return event if event.errors else replace(event, value=_value(event.data_type, fields))


def contents_of(element: Element) -> Contents:
    """The event of an element, with what is only shown."""
    fields = element.value if isinstance(element.value, dict) else {}
    return Contents(event_of(element), Fields(fields).text("data_type"), fields.get("metadata"), element.value)


def said_in(element: Element) -> Said:
    """What an element says, for a list of records."""
    if not isinstance(element.value, dict):
        return Said()
    fields = Fields(element.value)
    data_type = fields.text("data_type")
    return Said(
        user_identifier=fields.text("user_identifier"),
        license_key=fields.text("license_key"),
        activation_identifier=fields.text("activation_identifier") or fields.text("hwid"),
        product_id=fields.text("product_id"),
        product_version=fields.text("product_version"),
        data_type=data_type,
        data_group=fields.text("data_group"),
        data=_data(data_type, fields),
    )


def _data(data_type: str | None, fields: Fields) -> Any:  # noqa: ANN401 (any JSON value)
    match data_type:
        case "numeric-single-value":
            return fields.value("numeric_data_single_value")
        case "numeric-xy-axis":
            return {"x": fields.value("numeric_data_x"), "y": fields.value("numeric_data_y")}
        case "text":
            return fields.value("text_data")
        case _:
            return None


def _value(data_type: str | None, fields: Fields) -> Value | None:
    """The value that `_check_value` found to be right; None where a number is larger than any double."""
    match data_type:
        case ValueType.NUMBER:
            return fields.number("numeric_data_single_value")
        case ValueType.PAIR:
            x, y = fields.number("numeric_data_x"), fields.number("numeric_data_y")
            return None if x is None or y is None else Pair(x, y)
        case ValueType.TEXT:
            return fields.text("text_data")
        case _:
            return None


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
    """The data type as it is shown, known or not. `_check_value` has said what is wrong with it."""
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
