"""Episodes of spikes, as staff see them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from telemetry.domain.api_key import ApiKey
from telemetry.domain.spikes import Episode
from telemetry.domain.window import Window
from telemetry.services.api_keys import known_key
from telemetry.services.license_watch import Holder, LicenseWatch
from telemetry.storage.api_keys import ApiKeyStore

MOST_ALERTS = 200
"""Alerts in one answer, the latest ones."""


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
    """An episode, with the holder of the licence or the API key that opened it, if it is still known."""

    episode: Episode
    holder: Holder | None
    api_key: ApiKey | None


def spike_alerts(
    episodes: Iterable[Episode], wanted: AlertFilter, watch: LicenseWatch, api_keys: ApiKeyStore, now: datetime
) -> list[SpikeAlert]:
    """The latest of them. Raises StoreUnavailable."""
    fitting = (each for each in episodes if wanted.fit(each, now))
    found = sorted(fitting, key=lambda each: (wanted.or_open and each.closed_at(now) is None, each.opened.hour))
    latest = found[: -MOST_ALERTS - 1 : -1]
    spikes = [each.opened for each in latest]
    holders = watch.holders([(spike.license, spike.product) for spike in spikes if spike.license and spike.product])
    keys = {id_: known_key(id_, api_keys) for id_ in {spike.api_key_id for spike in spikes} if id_}
    return [
        SpikeAlert(
            each,
            holders.get(each.opened.license, Holder()) if each.opened.license else None,
            keys.get(each.opened.api_key_id or ""),
        )
        for each in latest
    ]
