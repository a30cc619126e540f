"""Keeps the values of a batch of a records stream, after it is counted: exactly once, by a position of its own.

Counting neither waits for it nor depends on it, but for a while: where storage refuses, the batch comes again as it
does when counting fails, until its records are PATIENCE old. Then, or after any other failure, the batch is left out,
and its days say that they are not complete.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from telemetry.domain.active_users import Outdated
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.hourly_counts import HourKey
from telemetry.domain.instant import hour_of
from telemetry.domain.values.kept import HourValues, Kept
from telemetry.domain.values.summary import Values
from telemetry.retry import Attempts, Wait, wait_with_jitter
from telemetry.services.rollup import Batch, Seen, is_after, sequence_number

PATIENCE = timedelta(minutes=15)
"""Streams keep records for a day: this is far from losing any, and longer than most of what passes by itself."""

MOST_HOURS = 90
"""Products' hours of one transaction, which takes 100 items."""

MOST_BYTES = 3_000_000
"""Of one transaction, which takes 4 MB; how much it may be at most."""

MOST_ADDED = 1_024
"""Bytes, at most, by which one more record makes an hour larger; and what an hour takes before it has any value."""

LARGEST_HOUR = 375_000
"""Bytes, at most, of an hour with all that it has room for (tests/integration/test_item_sizes.py)."""


class ValueHours(Protocol):
    """Where values are kept (storage.values.ValueStore)."""

    def kept(self, shard: str, hours: Collection[HourKey]) -> Kept: ...
    def keep(
        self, shard: str, before: str | None, after: str, hours: Mapping[HourKey, HourValues], now: datetime
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class ValueKeeper:
    """Keeps values of one environment."""

    store: ValueHours
    wait: Wait = wait_with_jitter

    def keep(self, batch: Batch, seen: Sequence[Seen], now: datetime) -> None:
        """`seen` are the batch's records that could be read; the same ones again change nothing.

        Raises StoreUnavailable when the batch is to come again, and what else keeps it from being kept: then it is left
        out, and who calls it goes on.
        """
        attempts = Attempts(self.wait)
        while batch.records:
            try:
                self._keep(batch, seen, now)
            except (Outdated, StoreUnavailable) as exc:
                attempts.failed(exc)
            else:
                return

    def _keep(self, batch: Batch, seen: Sequence[Seen], now: datetime) -> None:
        """In as many transactions as it takes."""
        kept = self.store.kept(batch.shard, sorted({_hour(each) for each in seen}))
        position, hours = kept.position, dict(kept.hours)
        fresh = [each for each in seen if is_after(each.record, position)]
        for end, some in _runs(batch, fresh, hours):
            if position is not None and int(end) <= int(position):
                continue
            changed = {_hour(each): hours.setdefault(_hour(each), HourValues(Values())) for each in some}
            for each in some:
                changed[_hour(each)].values.add(each.observation, each.event)
            self.store.keep(batch.shard, position, end, changed, now)
            position = end
            for key, hour in changed.items():
                grown = min(hour.stored_bytes + MOST_ADDED * (len(some) + 1), LARGEST_HOUR)
                hours[key] = replace(hour, version=hour.version + 1, stored_bytes=grown)


def is_patient(seen: Sequence[Seen], now: datetime) -> bool:
    """Whether a batch that storage refused is to come again."""
    return any(now - each.observation.received_at < PATIENCE for each in seen)


def _runs(
    batch: Batch, fresh: Sequence[Seen], hours: Mapping[HourKey, HourValues]
) -> Iterator[tuple[str, Sequence[Seen]]]:
    """The records of each transaction, and up to which sequence number it comes; the last one ends with the batch."""
    run, size_of = list[Seen](), dict[HourKey, int]()
    for each in fresh:
        key = _hour(each)
        before = size_of.get(key) or (hours[key].stored_bytes if key in hours else 0) + MOST_ADDED
        size_of[key] = min(before + MOST_ADDED, LARGEST_HOUR)
        if run and (len(size_of) > MOST_HOURS or sum(size_of.values()) > MOST_BYTES):
            yield sequence_number(run[-1].record), run
            run, size_of = [], {key: size_of[key]}
        run.append(each)
    yield sequence_number(batch.records[-1]), run


def _hour(seen: Seen) -> HourKey:
    return HourKey(seen.observation.sighting.product, hour_of(seen.observation.received_at))
