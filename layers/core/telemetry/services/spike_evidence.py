"""How much an episode of spikes has come to since it began, from what rollup counts."""

from collections import Counter
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from cachetools import LRUCache

from telemetry.domain.hourly_counts import MOST_DEVICES, SUSPECT, LicenseDay, of_key
from telemetry.domain.instant import midnight
from telemetry.domain.sighting import CATALOGUE
from telemetry.domain.spikes import Cause, Episode
from telemetry.services.ports import HourlyCounters

MOST_DAYS = 31
"""UTC days of an episode that are counted, the last ones."""

_REMEMBERED = 1_000


class FlaggedLicense(NamedTuple):
    """What flags point at a licence with, by its fingerprint. `is_least`: there may be more devices."""

    license: str
    records: int
    devices: int
    is_least: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was counted on the UTC days from `first` to `last`: of an episode's product or API key, and its licences.

    `records` are those with a piracy or licence flag, or all that came with the key. The most flagged licence is first.
    """

    first: date
    last: date
    records: int
    licenses: Sequence[FlaggedLicense]


class EndedEpisode(NamedTuple):
    """What tells an episode apart that has ended: nothing else of it counts here."""

    id: str
    last_seen: datetime
    others: frozenset[str]


@dataclass(frozen=True, slots=True)
class EvidenceReader:
    """Counts in one environment: three requests for an episode, none for one that has ended and was counted before.

    Raises StoreUnavailable.
    """

    counters: HourlyCounters
    _ended: MutableMapping[EndedEpisode, Evidence] = field(default_factory=lambda: LRUCache(_REMEMBERED))

    def of(self, episode: Episode, now: datetime) -> Evidence:
        """From the day on which it began to today, or to its last spike if it has ended: whole UTC days."""
        key = EndedEpisode(episode.id, episode.last_seen, episode.others)
        if key in self._ended:
            return self._ended[key]
        has_ended = episode.closed_at(now) is not None
        last = (episode.last_seen if has_ended else now).astimezone(UTC).date()
        first = max(episode.opened.hour.date(), last - timedelta(days=MOST_DAYS - 1))
        evidence = Evidence(first, last, self._records(episode, first, last), self._licenses(episode, first, last))
        if has_ended:
            self._ended[key] = evidence
        return evidence

    def _records(self, episode: Episode, first: date, last: date) -> int:
        spike, until = episode.opened, midnight(last) + timedelta(hours=23)
        scope = CATALOGUE if spike.product is None else spike.product
        measure = of_key(spike.api_key_id or "") if spike.cause is Cause.API_KEY else SUSPECT
        return sum(counts[measure] for _, counts in self.counters.hours(scope, midnight(first), until, [measure]))

    def _licenses(self, episode: Episode, first: date, last: date) -> list[FlaggedLicense]:
        product, days = episode.opened.product or "", range((last - first).days + 1)
        asked = [LicenseDay(product, first + timedelta(days=day), each) for each in episode.licenses for day in days]
        records = Counter[str]()
        devices: dict[str, set[bytes]] = {}
        least = set[str]()
        for of, (count, seen) in self.counters.flagged_days(asked).items() if asked else ():
            records[of.license] += count
            devices.setdefault(of.license, set()).update(seen)
            if len(seen) >= MOST_DEVICES:
                least.add(of.license)
        found = sorted(records.items(), key=lambda item: (-item[1], item[0]))
        return [FlaggedLicense(name, count, len(devices[name]), name in least) for name, count in found]
