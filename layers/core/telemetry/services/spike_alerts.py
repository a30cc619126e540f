"""Episodes of spikes, as they are told to staff."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from telemetry.domain.spikes import Episode
from telemetry.domain.window import Window
from telemetry.services.license_watch import Holder, LicenseWatch

MOST_ALERTS = 200
"""That are told at a time, the latest."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which episodes are asked for; None where any will do. With a window, those that had a spike in it."""

    is_open: bool | None = None
    product: str | None = None
    window: Window | None = None

    def fit(self, episode: Episode, now: datetime) -> bool:
        """Whether this is one of them."""
        return (
            self.is_open in {None, episode.closed_at(now) is None}
            and self.product in {None, episode.opened.product}
            and (
                self.window is None
                or (episode.opened.hour < self.window.until and episode.last_seen >= self.window.since)
            )
        )


def spike_alerts(
    episodes: Iterable[Episode], wanted: Wanted, watch: LicenseWatch, now: datetime
) -> list[tuple[Episode, Holder | None]]:
    """The latest of them, each with whose licence opened it, if one did. Raises StoreUnavailable."""
    found = sorted((each for each in episodes if wanted.fit(each, now)), key=lambda each: each.opened.hour)
    latest = found[: -MOST_ALERTS - 1 : -1]
    used = [(each.opened.license, each.opened.product) for each in latest if each.opened.license]
    holders = watch.holders(used)
    return [(each, holders.get(each.opened.license, Holder()) if each.opened.license else None) for each in latest]
