"""Watches what rollup counts, and opens one alert for each episode of spikes."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from cachetools import LRUCache

from telemetry.domain.active_users import Outdated
from telemetry.domain.activity import SUSPECT, Activity, HourKey, Kind, LicenseDay, hour_of, points_at_a_license
from telemetry.domain.environment import Environment
from telemetry.domain.flags import decode, is_billable
from telemetry.domain.sighting import Observation
from telemetry.domain.spikes import FLOOR, HISTORY, LICENSE_FLOOR, Cause, Episode, Spike, most_expected
from telemetry.services.attempts import Attempts, Wait, wait_with_jitter


class Counters(Protocol):
    """What rollup has counted in one environment."""

    def known(self, hours: Sequence[HourKey]) -> Mapping[HourKey, Activity]: ...

    def suspects(self, scope: str, first: datetime, last: datetime) -> Mapping[datetime, int]: ...

    def license_counts(self, licenses: Sequence[LicenseDay]) -> Mapping[LicenseDay, int]: ...


class Episodes(Protocol):
    """The episodes of one environment."""

    def latest(self, product: str) -> Episode | None: ...

    def open(self, episode: Episode, before: Episode | None) -> None:
        """Raises Outdated when `before` is no longer the latest."""

    def extend(self, episode: Episode, hour: datetime) -> None: ...

    def announced(self, episode: Episode) -> None: ...


class Topic(Protocol):
    """Where people are told."""

    def publish(self, subject: str, message: Mapping[str, Any]) -> None:
        """Returns when it is taken."""


@dataclass(frozen=True, slots=True)
class SpikeWatch:
    """Looks at the hours and licences that a batch touched. `_expected` remembers what an hour may hold."""

    environment: Environment
    counters: Counters
    episodes: Episodes
    topic: Topic
    wait: Wait = wait_with_jitter
    _expected: MutableMapping[HourKey, int] = field(default_factory=lambda: LRUCache(256))

    def look(self, observations: Iterable[Observation]) -> None:
        """To be called after these were counted; again is the same as once.

        Raises StoreUnavailable: the batch is to come again.
        """
        suspects = [seen for seen in observations if not is_billable(seen.flags)]
        for spike in (*self._hours(suspects), *self._licenses(suspects)):
            episode = self._episode_of(spike)
            if not episode.is_announced:
                self.topic.publish(f"Flagged records: {spike.product}", self._message(episode))
                self.episodes.announced(episode)

    def _hours(self, suspects: Sequence[Observation]) -> Iterator[Spike]:
        keys = sorted({HourKey(seen.sighting.product, hour_of(seen.received_at)) for seen in suspects})
        for key, activity in sorted(self.counters.known(keys).items()) if keys else ():
            count = activity[SUSPECT]
            if count >= FLOOR and count > (expected := self._most_expected(key)):
                yield Spike(key.scope, key.hour, Cause.HOUR, count, expected, flags=_flags(activity))

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

    def _most_expected(self, key: HourKey) -> int:
        if key not in self._expected:
            history = self.counters.suspects(key.scope, key.hour - HISTORY, key.hour - timedelta(hours=1))
            self._expected[key] = most_expected(history.values())
        return self._expected[key]

    def _episode_of(self, spike: Spike) -> Episode:
        attempts = Attempts(self.wait)
        while True:
            latest = self.episodes.latest(spike.product)
            if latest and latest.covers(spike.hour):
                if spike.hour > latest.last_seen:
                    self.episodes.extend(latest, spike.hour)
                return latest
            opened = Episode(spike, spike.hour)
            try:
                self.episodes.open(opened, latest)
            except Outdated as exc:
                attempts.failed(exc)
            else:
                return opened

    def _message(self, episode: Episode) -> dict[str, Any]:
        spike = episode.opened
        return {
            "environment": self.environment.value,
            "product": spike.product,
            "cause": spike.cause.value,
            "hour": spike.hour.isoformat(),
            "flagged": spike.count,
            "most_expected": spike.expected,
            "episode": episode.id,
        }


def _flags(activity: Activity) -> dict[str, int]:
    """The piracy and licence flags of an hour, by code."""
    counts = {each.name: number for each, number in activity.items() if each.kind is Kind.FLAG}
    return {code: number for code, number in counts.items() if not is_billable(decode(code))}
