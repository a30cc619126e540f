"""Keeps the values of a batch of a records stream, after it is counted: each exactly once.

A product's hour is read, added to, and put back by a write of its own, on condition that nobody changed it meanwhile.
It carries how far it has each shard of the stream, so records that come again, in whatever batches, add nothing.

Counting neither waits for this nor depends on it, but for a while: where storage refuses, the batch comes again as it
does when counting fails, until its records are PATIENCE old. Then, or after any other failure, what is not kept is left
out, and its day says that it is not complete.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from telemetry.domain.active_users import Outdated
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.hourly_counts import HourKey
from telemetry.domain.instant import hour_of
from telemetry.domain.values.kept import HourValues
from telemetry.retry import Attempts, Wait, wait_with_jitter
from telemetry.services.rollup import Batch, Seen, is_after, sequence_number

PATIENCE = timedelta(minutes=15)
"""Streams keep records for a day: this is far from losing any, and longer than most of what passes by itself."""


class ValueHours(Protocol):
    """Where values are kept (storage.values.ValueStore)."""

    def kept(self, shard: str, hours: Collection[HourKey]) -> Mapping[HourKey, HourValues]: ...
    def keep(self, shard: str, key: HourKey, hour: HourValues) -> None: ...


@dataclass(frozen=True, slots=True)
class ValueKeeper:
    """Keeps values of one environment."""

    store: ValueHours
    wait: Wait = wait_with_jitter

    def keep(self, batch: Batch, seen: Sequence[Seen]) -> None:
        """`seen` are the batch's records that could be read; the same ones again change nothing.

        Raises StoreUnavailable when the batch is to come again, and whatever else keeps it from going on.
        """
        waiting: dict[HourKey, list[Seen]] = {}
        for each in seen:
            key = HourKey(each.observation.sighting.product, hour_of(each.observation.received_at))
            waiting.setdefault(key, []).append(each)
        attempts = Attempts(self.wait)
        while waiting:
            try:
                kept = self.store.kept(batch.shard, waiting)
                for key in list(waiting):
                    self._keep(batch.shard, key, kept.get(key, HourValues()), waiting[key])
                    del waiting[key]
                    attempts.succeeded()
            except (Outdated, StoreUnavailable) as exc:
                attempts.failed(exc)

    def _keep(self, shard: str, key: HourKey, hour: HourValues, seen: Sequence[Seen]) -> None:
        fresh = [each for each in seen if is_after(each.record, hour.positions.get(shard))]
        if fresh:
            for each in fresh:
                hour.values.add(each.observation, each.event)
            hour.positions[shard] = sequence_number(fresh[-1].record)
            self.store.keep(shard, key, hour)


def is_patient(seen: Sequence[Seen], now: datetime) -> bool:
    """Whether a batch that storage refused is to come again."""
    return any(now - each.observation.received_at < PATIENCE for each in seen)
