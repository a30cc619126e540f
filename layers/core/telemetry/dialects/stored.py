"""Events again, from the bytes their records keep."""

from telemetry.dialects import getkeymanager, reo
from telemetry.domain.event import Dialect, Event
from telemetry.domain.record import Record


def event_of(record: Record) -> Event:
    """What a record's bytes say, read as its dialect reads them today."""
    match record.dialect:
        case Dialect.GETKEYMANAGER:
            return getkeymanager.element(record.raw)
        case Dialect.REO:
            return reo.parse(record.raw)
