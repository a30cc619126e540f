"""Watches what rollup counts, and opens one alert for each episode of spikes."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from cachetools import LRUCache

from telemetry.domain.active_users import Outdated
from telemetry.domain.environment import Environment
from telemetry.domain.flags import decode, is_billable
from telemetry.domain.hourly_counts import (
    DEVICE_BYTES,
    SUSPECT,
    HourCounts,
    HourKey,
    Kind,
    LicenseDay,
    events_by_key,
    of_key,
    points_at_a_license,
)
from telemetry.domain.instant import hour_of
from telemetry.domain.sighting import CATALOGUE, Observation
from telemetry.domain.spikes import (
    FLOOR,
    HISTORY,
    KEY_FLOOR,
    LICENSE_FLOOR,
    Cause,
    Episode,
    Spike,
    most_expected,
    most_expected_of_key,
)
from telemetry.retry import Attempts, Wait, wait_with_jitter
from telemetry.services.ports import HourlyCounters

SEVERAL = 4
"""Licences whose devices are noted side by side, and not one after the other."""

MOST_NOTED = 50_000
"""Devices under licences that a process remembers of each environment."""


class Episodes(Protocol):
    """The episodes of one environment (storage.spikes.EpisodeStore)."""

    def latest(self, subject: str) -> Episode | None: ...
    def open(self, episode: Episode, before: Episode | None) -> None: ...
    def extend(self, episode: Episode, spike: Spike) -> None: ...
    def announced(self, episode: Episode) -> None: ...


class Topic(Protocol):
    """Where alerts are published (messages.alerts.AlertTopic)."""

    def publish(self, subject: str, message: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class SpikeWatch:
    """Looks at the hours, licences and API keys that a batch touched.

    `_expected` and `_expected_of_keys` remember what an hour may hold, of a product and of each key; `_noted` the
    devices that are noted under licences, `_full` the licences that have no room for more.
    """

    environment: Environment
    counters: HourlyCounters
    episodes: Episodes
    topic: Topic
    wait: Wait = wait_with_jitter
    _expected: MutableMapping[HourKey, int] = field(default_factory=lambda: LRUCache(256))
    _expected_of_keys: MutableMapping[datetime, Mapping[str, int]] = field(default_factory=lambda: LRUCache(4))
    _noted: MutableMapping[tuple[LicenseDay, bytes], bool] = field(default_factory=lambda: LRUCache(MOST_NOTED))
    _full: MutableMapping[LicenseDay, bool] = field(default_factory=lambda: LRUCache(1_000))

    def look(self, observations: Iterable[Observation]) -> None:
        """To be called after these were counted; again is the same as once.

        Raises StoreUnavailable: the batch is to come again.
        """
        records = list(observations)
        suspects = [seen for seen in records if not is_billable(seen.flags)]
        self._note_devices(suspects)
        hours = self._counted(records, suspects)
        for spike in (*self._hours(hours), *self._licenses(suspects), *self._keys(records, hours)):
            episode = self._episode_of(spike)
            if not episode.is_announced:
                self.topic.publish(*self._alert(episode))
                self.episodes.announced(episode)

    def _note_devices(self, suspects: Iterable[Observation]) -> None:
        """Which devices flags point at a licence with, so that an alert can tell how many: each once a process."""
        new: dict[LicenseDay, set[bytes]] = {}
        for seen in suspects:
            if seen.license and seen.sighting.device and points_at_a_license(seen.flags):
                of = LicenseDay(seen.sighting.product, seen.sighting.day, seen.license)
                device = seen.sighting.device[:DEVICE_BYTES]
                if (of, device) not in self._noted and of not in self._full:
                    new.setdefault(of, set()).add(device)
        for (of, devices), has_room in zip(new.items(), self._noted_all(new), strict=True):
            if has_room:
                self._noted.update(((of, device), True) for device in devices)
            else:
                self._full[of] = True

    def _noted_all(self, new: Mapping[LicenseDay, Collection[bytes]]) -> list[bool]:
        if len(new) < SEVERAL:
            return [self.counters.note_devices(of, devices) for of, devices in new.items()]
        from telemetry.storage.side_by_side import side_by_side  # noqa: PLC0415 (most batches need no threads)

        return side_by_side(lambda of: self.counters.note_devices(of, new[of]), new)

    def _counted(self, records: Sequence[Observation], suspects: Sequence[Observation]) -> Mapping[HourKey, HourCounts]:
        """In one request: the hours of products with suspects, and those of the catalogue, for the keys.

        Read again though rollup has just read them: of several shards the last sees all only after its own addition.
        """
        keys = {HourKey(seen.sighting.product, hour_of(seen.received_at)) for seen in suspects}
        keys |= {HourKey(CATALOGUE, hour_of(seen.received_at)) for seen in records}
        return self.counters.known(sorted(keys)) if keys else {}

    def _hours(self, hours: Mapping[HourKey, HourCounts]) -> Iterator[Spike]:
        for key, counts in sorted(hours.items(), key=lambda item: item[0]):
            count = counts[SUSPECT]
            if key.scope != CATALOGUE and count >= FLOOR and count > (expected := self._most_expected(key)):
                yield Spike(key.scope, key.hour, Cause.HOUR, count, expected, flags=_flags(counts))

    def _licenses(self, suspects: Sequence[Observation]) -> Iterator[Spike]:
        hours: dict[LicenseDay, datetime] = {}
        for seen in suspects:
            if seen.license and points_at_a_license(seen.flags):
                day = LicenseDay(seen.sighting.product, seen.sighting.day, seen.license)
                hours[day] = max(hours.get(day, seen.received_at), seen.received_at)
        for license_, count in self.counters.license_counts(list(hours)).items() if hours else ():
            if count >= LICENSE_FLOOR:
                hour, most = hour_of(hours[license_]), LICENSE_FLOOR - 1
                yield Spike(license_.product, hour, Cause.LICENSE, count, most, license_.license)

    def _keys(self, records: Iterable[Observation], hours: Mapping[HourKey, HourCounts]) -> Iterator[Spike]:
        """A history is read only for an hour in which a key has reached KEY_FLOOR."""
        for hour, id_ in sorted({(hour_of(seen.received_at), seen.api_key_id) for seen in records}):
            count = hours.get(HourKey(CATALOGUE, hour), Counter())[of_key(id_)]
            if count >= KEY_FLOOR and count > (expected := self._most_expected_of_key(hour, id_)):
                yield Spike(None, hour, Cause.API_KEY, count, expected, api_key_id=id_)

    def _most_expected_of_key(self, hour: datetime, id_: str) -> int:
        if hour not in self._expected_of_keys:
            history: dict[str, list[int]] = {}
            for _, counts in self.counters.hours(CATALOGUE, hour - HISTORY, hour - timedelta(hours=1)):
                for each, count in events_by_key(counts).items():
                    history.setdefault(each, []).append(count)
            self._expected_of_keys[hour] = {each: most_expected_of_key(counts) for each, counts in history.items()}
        return self._expected_of_keys[hour].get(id_, most_expected_of_key(()))

    def _most_expected(self, key: HourKey) -> int:
        if key not in self._expected:
            history = self.counters.suspects(key.scope, key.hour - HISTORY, key.hour - timedelta(hours=1))
            self._expected[key] = most_expected(history.values())
        return self._expected[key]

    def _episode_of(self, spike: Spike) -> Episode:
        attempts = Attempts(self.wait)
        while True:
            latest = self.episodes.latest(spike.subject)
            if latest and latest.covers(spike.hour):
                if latest.learns_from(spike):
                    self.episodes.extend(latest, spike)
                return latest
            opened = Episode(spike, spike.hour)
            try:
                self.episodes.open(opened, latest)
            except Outdated as exc:
                attempts.failed(exc)
            else:
                return opened

    def _alert(self, episode: Episode) -> tuple[str, dict[str, Any]]:
        """Subject and message."""
        spike, of_key = episode.opened, episode.opened.cause is Cause.API_KEY
        whose = {"api_key_id": spike.api_key_id} if of_key else {"product": spike.product}
        message = {
            "environment": self.environment.value,
            **whose,
            "cause": spike.cause.value,
            "hour": spike.hour.isoformat(),
            "events" if of_key else "flagged": spike.count,
            "most_expected": spike.expected,
            "episode": episode.id,
        }
        return f"Events with API key {spike.api_key_id}" if of_key else f"Flagged records: {spike.product}", message


def _flags(counts: HourCounts) -> dict[str, int]:
    """The piracy and licence flags of an hour, by code."""
    flags = {each.name: number for each, number in counts.items() if each.kind is Kind.FLAG}
    return {code: number for code, number in flags.items() if not is_billable(decode(code))}
