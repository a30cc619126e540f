"""Events again, from the bytes their records keep."""

from telemetry.dialects import getkeymanager, reo
from telemetry.dialects.body.fields import Fields
from telemetry.dialects.body.reader import Element, read_stored
from telemetry.domain.event import Dialect, Event
from telemetry.domain.record import Record
from telemetry.domain.record_search import Contents


def event_of(record: Record) -> Event:
    """What a record's bytes say, read as its dialect reads them today."""
    return _event_of(record.dialect, read_stored(record.raw, record.format))


def contents_of(record: Record) -> Contents:
    """The same, with what only people look at."""
    element = read_stored(record.raw, record.format)
    event, payload = _event_of(record.dialect, element), element.value
    fields = payload if isinstance(payload, dict) else {}
    if record.dialect is Dialect.REO:
        usage = fields.get("payload")
        return Contents(event, None, usage.get("meta") if isinstance(usage, dict) else None, payload)
    return Contents(event, Fields(fields).text("data_type"), fields.get("metadata"), payload)


def _event_of(dialect: Dialect, element: Element) -> Event:
    match dialect:
        case Dialect.GETKEYMANAGER:
            return getkeymanager.event_of(element)
        case Dialect.REO:
            return reo.event_of(element)
