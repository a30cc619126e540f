"""Events again, from the bytes their records keep."""

from typing import Any

from telemetry.dialects import getkeymanager, reo
from telemetry.dialects.fields import Fields
from telemetry.dialects.json_text import NotJson, loads
from telemetry.domain.event import Dialect, Event
from telemetry.domain.record import Record
from telemetry.domain.record_search import Contents


def event_of(record: Record) -> Event:
    """What a record's bytes say, read as its dialect reads them today."""
    match record.dialect:
        case Dialect.GETKEYMANAGER:
            return getkeymanager.element(record.raw)
        case Dialect.REO:
            return reo.parse(record.raw)


def contents_of(record: Record) -> Contents:
    """The same, with what only people look at."""
    payload = _json(record.raw)
    fields = payload if isinstance(payload, dict) else {}
    if record.dialect is Dialect.REO:
        usage = fields.get("payload")
        return Contents(event_of(record), None, usage.get("meta") if isinstance(usage, dict) else None, payload)
    return Contents(event_of(record), Fields(fields).text("data_type"), fields.get("metadata"), payload)


def _json(raw: bytes) -> Any:  # noqa: ANN401 (JSON is any of six types)
    try:
        return loads(raw)
    except NotJson:
        return None
