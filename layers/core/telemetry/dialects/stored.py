"""What records say, read again from the bytes they keep: in the dialect each record came in.

This is the registry of dialects that have events. `_reader_of` is the only place that goes from a `Dialect` to its
module.
"""

import json
from typing import Protocol, assert_never

from telemetry.dialects import getkeymanager, reo
from telemetry.dialects.body.reader import Element, read_stored
from telemetry.domain.event import Dialect, Event
from telemetry.domain.record import Record
from telemetry.domain.record_contents import Contents, Said

_LARGEST_ROW = 16_384  # bytes of JSON
_LARGEST_VALUE = 1_024  # bytes of JSON


class _Reader(Protocol):
    """What a dialect's module does with a record's body. No function fails: what cannot be read is left out."""

    def event_of(self, element: Element, /) -> Event:
        """The event that is counted and judged."""

    def contents_of(self, element: Element, /) -> Contents:
        """The event with what is only shown, to staff."""

    def said_in(self, element: Element, /) -> Said:
        """What a list of records tells."""


def event_of(record: Record) -> Event:
    """The event in a record's bytes, as its dialect reads them today."""
    return _reader_of(record.dialect).event_of(_element(record))


def contents_of(record: Record) -> Contents:
    """The event in a record's bytes, with what is only shown."""
    return _reader_of(record.dialect).contents_of(_element(record))


def said_in(record: Record) -> Said:
    """What a record's bytes say, for a list. Long values of a very large record are left out."""
    return _bounded(_reader_of(record.dialect).said_in(_element(record)))


def _reader_of(dialect: Dialect) -> _Reader:
    match dialect:
        case Dialect.GETKEYMANAGER:
            return getkeymanager
        case Dialect.REO:
            return reo
        case _:
            assert_never(dialect)


def _element(record: Record) -> Element:
    return read_stored(record.raw, record.format)


def _bounded(said: Said) -> Said:
    """A page of a hundred rows must fit into an answer; who wants all of a large body reads the record."""
    values = {name: getattr(said, name) for name in Said.__dataclass_fields__}
    sizes = {name: len(json.dumps(value)) for name, value in values.items()}
    if sum(sizes.values()) <= _LARGEST_ROW:
        return said
    return Said(**{name: value for name, value in values.items() if sizes[name] <= _LARGEST_VALUE})
