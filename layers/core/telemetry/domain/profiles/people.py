"""What is kept of a developer besides what it did: when it came, how it is called, and what it was seen with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from telemetry.domain.profiles.rows import MOST_DEVICES

MOST_USERS = 3
"""Of a device that links them. One with more is shared, and links nobody."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A developer of a product, whatever company it is at.

    `name` is the id that it sends, None where that is not known or forgotten. `devices` are those a user was seen with,
    by the first day: the first eight. `version` grows with each change; 0: not stored yet.
    """

    first: date
    name: str | None = None
    id_type: str | None = None
    devices: Mapping[bytes, date] = field(default_factory=dict)
    version: int = 0

    def with_devices(self, devices: Iterable[bytes], day: date) -> "Profile":
        """Seen with devices on a day."""
        return replace(self, devices=_first_seen(self.devices, devices, day, MOST_DEVICES))

    def forgotten(self) -> "Profile":
        """Without all that says who it is. That it was there stays, for it was counted."""
        return replace(self, name=None, id_type=None, devices={})


@dataclass(frozen=True, slots=True)
class DeviceUsers:
    """The users a device was seen with, by the first day: at most one more than may be linked.

    `forgotten` are those of whom is known only that they were there: a shared device stays one.
    """

    users: Mapping[bytes, date] = field(default_factory=dict)
    forgotten: int = 0
    version: int = 0

    @property
    def is_shared(self) -> bool:
        return len(self.users) + self.forgotten > MOST_USERS

    def with_user(self, user: bytes, day: date) -> "DeviceUsers":
        """Seen with a user on a day."""
        return replace(self, users=_first_seen(self.users, [user], day, MOST_USERS + 1 - self.forgotten))

    def without(self, user: bytes) -> "DeviceUsers":
        """Without all that says which user it was; the same where it was not seen."""
        if user not in self.users:
            return self
        others = {each: day for each, day in self.users.items() if each != user}
        return replace(self, users=others, forgotten=self.forgotten + 1)


def _first_seen(known: Mapping[bytes, date], seen: Iterable[bytes], day: date, most: int) -> Mapping[bytes, date]:
    found = dict(known)
    for each in seen:
        if each in found or len(found) < most:
            found[each] = min(day, found.get(each, day))
    return found
