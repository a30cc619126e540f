"""Records read bit by bit, newest first: what every search over them is made of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, Self

from telemetry.domain.flags import Flag
from telemetry.domain.judge import Verdict
from telemetry.domain.window import Window
from telemetry.storage.index_partition import CLEAN, EVERY_CLASS, FLAGGED, UNJUDGED
from telemetry.storage.record_browser import RecordBrowser
from telemetry.storage.record_runs import Position, Step
from telemetry.storage.selection import Listed, Selection


class Found(NamedTuple):
    """A record that is looked for, its place in the list, and what was said of it later."""

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
    """What is looked for: with `partitions` of the base table in these, by event time; else by receipt."""

    selection: Selection
    partitions: Sequence[str] | None = None
    window: Window | None = None
    is_flagged: bool | None = None
    flag: Flag | None = None

    def fits(self, found: Found) -> bool:
        """What cannot be told before later judgements are known."""
        return self.is_flagged in {None, found.is_flagged} and (self.flag is None or self.flag in found.flags)


@dataclass(slots=True)
class Reader:
    """What is looked for, bit by bit. After `rest` begins what was not read yet; None: there is no more."""

    browser: RecordBrowser
    walk: Iterator[Step]
    wanted: Wanted
    rest: Position | None

    @classmethod
    def of(cls, browser: RecordBrowser, wanted: Wanted, after: Position | None, count: int) -> Self:
        """From a position on; `count` is how much will be taken, more or less. Raises InvalidCursor."""
        selection, partitions, window = wanted.selection, wanted.partitions, wanted.window
        if partitions is None:
            walk = browser.by_receipt(selection, window, after, count)
        else:
            walk = browser.by_event_time(partitions, selection, window, after, count)
        return cls(browser, walk, wanted, after)

    def read(self, count: int) -> list[Found]:
        """The next so many; fewer at the end, or when the effort is spent: then there may be more at `rest`.

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
        """At most so many; at least one, if there is one."""
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
