"""Reads records in small steps, newest first. Every search over records is made of this."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, Self, TypeVar

from telemetry.domain.flags import Flag
from telemetry.domain.judge import Verdict
from telemetry.domain.telemetry_query import PageStart
from telemetry.domain.window import Window
from telemetry.storage.effort import Effort
from telemetry.storage.index_partition import CLEAN, EVERY_CLASS, FLAGGED, UNJUDGED
from telemetry.storage.record_browser import RecordBrowser
from telemetry.storage.record_runs import Position, Step
from telemetry.storage.selection import Listed, Selection

T = TypeVar("T")


class Found(NamedTuple):
    """A record that matches, its place in the list, and its later judgement."""

    at: Position
    listed: Listed
    judged_later: Verdict | None

    @property
    def flags(self) -> frozenset[Flag]:
        """With those it got later."""
        return self.listed.flags | self.judged_later.flags if self.judged_later else self.listed.flags

    @property
    def is_flagged(self) -> bool:
        """By a flag, also one that only a later version knows."""
        return bool(self.flags) or self.listed.is_flagged


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records match. With `partitions`, the base table is read, by event time; else the index, by receipt."""

    selection: Selection
    partitions: Sequence[str] | None = None
    window: Window | None = None
    is_flagged: bool | None = None
    flag: Flag | None = None

    def fits(self, found: Found) -> bool:
        """Whether it matches, as far as that depends on later judgements."""
        return self.is_flagged in {None, found.is_flagged} and (self.flag is None or self.flag in found.flags)


class FoundPage(NamedTuple):
    """Some of the records that match, and where the rest begins; None: there is no more."""

    found: Sequence[Found]
    rest: PageStart | None

    def shown(self, rows: Iterable[tuple[Found, T]], effort: Effort) -> tuple[list[T], PageStart | None]:
        """What was made of each record found, and where the rest begins; when it gets late, as much as was made."""
        made: list[T] = []
        for one, row in rows:
            made.append(row)
            if effort.is_late and one is not self.found[-1]:
                return made, PageStart(one.at)
        return made, self.rest


@dataclass(slots=True)
class Reader:
    """The records that match, read in small steps. What is not read yet begins after `rest`; None: no more."""

    browser: RecordBrowser
    walk: Iterator[Step]
    wanted: Wanted
    rest: Position | None

    @classmethod
    def of(cls, browser: RecordBrowser, wanted: Wanted, after: Position | None, count: int) -> Self:
        """From a position on; `count` is about how many will be read. Raises InvalidCursor."""
        selection, partitions, window = wanted.selection, wanted.partitions, wanted.window
        if partitions is None:
            walk = browser.by_receipt(selection, window, after, count)
        else:
            walk = browser.by_event_time(partitions, selection, window, after, count)
        return cls(browser, walk, wanted, after)

    def page(self, count: int, skip: int = 0) -> FoundPage:
        """The next `count` after the first `skip`. Raises as `read` does."""
        end = skip + count
        found = self.read(end + 1)
        if len(found) > end:
            return FoundPage(found[skip:end], PageStart(found[end - 1].at))
        rest = None if self.rest is None else PageStart(self.rest, max(0, skip - len(found)))
        return FoundPage(found[skip:], rest)

    def read(self, count: int) -> list[Found]:
        """The next `count`; fewer at the end, or when the effort is spent: then there may be more at `rest`.

        Raises StoreUnavailable.
        """
        found: list[Found] = []
        while steps := self._steps(count - len(found)):
            self.rest = steps[-1].at
            found += [one for one in self._judged(steps) if self.wanted.fits(one)]
            if len(found) == count or self.browser.effort.is_spent:
                return found
        if not self.browser.effort.is_cut_short:
            self.rest = None
        return found

    def _steps(self, count: int) -> list[Step]:
        """At most `count`; at least one, if there is one."""
        steps = []
        for step in islice(self.walk, count):
            steps.append(step)
            self.browser.effort.note(records=1)
            if self.browser.effort.is_spent:
                break
        return steps

    def _judged(self, steps: Sequence[Step]) -> Iterator[Found]:
        unjudged = [record.key for _, record in steps if record and record.record_class == UNJUDGED]
        verdicts = self.browser.judgements(unjudged) if unjudged else {}
        return (Found(at, record, verdicts.get(record.key)) for at, record in steps if record)


def classes_of(is_flagged: bool | None) -> Sequence[str]:  # noqa: FBT001 (a filter of three values)
    """Where such records may be. The unjudged may be either, once judged."""
    if is_flagged is None:
        return EVERY_CLASS
    return (FLAGGED, UNJUDGED) if is_flagged else (CLEAN, UNJUDGED)
