"""What staff say of an episode of spikes: that they have seen it, and for how long they want to hear no more of it.

It is kept beside the episode and changes nothing of it: a muted one goes on, and is only shown less.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from telemetry.domain.staff import Author


class MuteFor(StrEnum):
    """How long an episode is muted."""

    DAY = "24h"
    WEEK = "7d"
    EPISODE = "episode"


_TIMES = {MuteFor.DAY: timedelta(days=1), MuteFor.WEEK: timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class Said:
    """Who said something, and when."""

    key_id: str
    key_name: str
    at: datetime

    @classmethod
    def by(cls, author: Author) -> "Said":
        return cls(author.key_id, author.key_name, author.at)


@dataclass(frozen=True, slots=True)
class Handling:
    """What was said of one episode. `muted_until` is None where it is muted until it ends.

    `version` counts changes, 0 before the first.
    """

    episode: str
    acknowledged: Said | None = None
    muted: Said | None = None
    muted_until: datetime | None = None
    version: int = 0

    def acknowledge(self, author: Author) -> "Handling":
        """Seen by somebody; who was first stays."""
        return replace(self, acknowledged=self.acknowledged or Said.by(author))

    def mute(self, author: Author, time: MuteFor) -> "Handling":
        """Muted from now on, whatever was said before; who mutes has seen it."""
        until = author.at + _TIMES[time] if time in _TIMES else None
        return replace(self.acknowledge(author), muted=Said.by(author), muted_until=until)

    def unmute(self) -> "Handling":
        return replace(self, muted=None, muted_until=None)

    def is_muted(self, now: datetime) -> bool:
        """Whether its time is not over. (An episode that has ended is not muted: there is nothing to mute.)"""
        return self.muted is not None and (self.muted_until is None or now < self.muted_until)
