"""How far a product's days are attributed, and with what."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from telemetry.domain.overrides import Overrides
from telemetry.domain.profiles.views import Totals


@dataclass(frozen=True, slots=True)
class Range:
    """Days, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class View:
    """One attribution of a product's days. View 0 is what closing makes; others attribute a range of days `anew`.

    `first` is the first day that is closed, `closed` the last one whose rows are kept and added to all tenures,
    `listed` the last one with lists; `totals` are that day's. `base` is the view from which days outside
    the range come.
    """

    number: int
    made_at: datetime
    base: int | None = None
    anew: Range | None = None
    first: date | None = None
    closed: date | None = None
    listed: date | None = None
    listed_at: datetime | None = None
    totals: Totals | None = None
    network_file: str | None = None
    """Of the last day that was attributed: SHA-256 in hex, None without a file."""
    most_listed: int = 0


class Current(NamedTuple):
    """The number of the view that is shown, and the greatest that ever was: those beyond it are under way."""

    view: int = 0
    latest: int = 0


@dataclass(frozen=True, slots=True)
class Pin:
    """What a day is attributed with, written down before its records are read; every later run takes the same.

    `network_file` is the SHA-256 (hex) of the file, None without one; `lists` says which domain lists there were.
    """

    network_file: str | None
    overrides: Overrides
    lists: str
    made_at: datetime
