"""Episodes of spikes, as staff see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from telemetry.domain.api_key import ApiKey
from telemetry.domain.spike_handling import Handling
from telemetry.domain.spikes import Episode
from telemetry.domain.window import Window
from telemetry.services.api_keys import known_key
from telemetry.services.license_watch import Holder, LicenseWatch
from telemetry.services.spike_evidence import Evidence, EvidenceReader
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.spike_handling import HandlingStore
from telemetry.storage.spikes import EpisodeStore

MOST_ALERTS = 200
"""Alerts in one answer, the latest ones."""

MOST_COUNTED = 20
"""Of these, the first ones, so many are counted as they are now."""


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which episodes are asked for; None where any will do. With a window, those that had a spike in it.

    `or_open`: or that are open, wherever they began; these then come first.
    """

    is_open: bool | None = None
    product: str | None = None
    window: Window | None = None
    or_open: bool = False

    def fit(self, episode: Episode, now: datetime) -> bool:
        return (
            self.is_open in {None, episode.closed_at(now) is None}
            and self.product in {None, episode.opened.product}
            and (
                self.window is None
                or (self.or_open and episode.closed_at(now) is None)
                or (episode.opened.hour < self.window.until and episode.last_seen >= self.window.since)
            )
        )


class SpikeAlert(NamedTuple):
    """An episode, with what is known of it: of its licences the holders, by fingerprint, or its API key.

    `evidence` is None of one of which nothing is left, and of the later ones in a long answer.
    """

    episode: Episode
    evidence: Evidence | None
    handling: Handling
    holders: Mapping[str, Holder]
    api_key: ApiKey | None


@dataclass(frozen=True, slots=True)
class SpikeAlerts:
    """The alerts of one environment. Raises StoreUnavailable."""

    episodes: EpisodeStore
    handlings: HandlingStore
    evidence: EvidenceReader
    watch: LicenseWatch
    api_keys: ApiKeyStore

    def read(self, wanted: AlertFilter, now: datetime) -> list[SpikeAlert]:
        """The latest of them."""
        fitting = (each for each in self.episodes.all() if wanted.fit(each, now))
        found = sorted(fitting, key=lambda each: (wanted.or_open and each.closed_at(now) is None, each.opened.hour))
        latest = found[: -MOST_ALERTS - 1 : -1]
        counted = {each.id: self._evidence(each, now) for each in latest[:MOST_COUNTED]}
        handlings = self.handlings.many([each.id for each in latest])
        holders = self._holders(latest)
        keys = {id_: known_key(id_, self.api_keys) for id_ in {each.opened.api_key_id for each in latest} if id_}
        return [
            SpikeAlert(
                each,
                counted.get(each.id),
                handlings.get(each.id, Handling(each.id)),
                {license_: holders[license_] for license_ in each.licenses},
                keys.get(each.opened.api_key_id or ""),
            )
            for each in latest
        ]

    def _evidence(self, episode: Episode, now: datetime) -> Evidence | None:
        found = self.evidence.of(episode, now)
        return found if found.records else None

    def _holders(self, episodes: Sequence[Episode]) -> Mapping[str, Holder]:
        used = [(license_, each.opened.product or "") for each in episodes for license_ in each.licenses]
        return self.watch.holders(used) if used else {}
