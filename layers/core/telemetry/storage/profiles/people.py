"""Developers: their profiles, the companies they were at, the devices that link them, in a partition each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from telemetry.domain.active_users import Outdated
from telemetry.domain.profiles.people import DeviceUsers, Profile
from telemetry.storage.batches import batch_get
from telemetry.storage.changes import Logged, Write, commit
from telemetry.storage.errors import conditions, store
from telemetry.storage.profiles.keys import (
    PROFILE,
    USERS,
    at_company,
    developer_key,
    fingerprint_of,
    fingerprint_text,
)
from telemetry.storage.tables import AnyItem, KeyedItem, bind

_UNLINKED = "unlinked#"


class ProfileItem(KeyedItem):
    """A profile. `devices` are first days by fingerprint."""

    sk = UnicodeAttribute(range_key=True, default=PROFILE)
    version = NumberAttribute(attr_name="v")
    first = UnicodeAttribute()
    name_ = UnicodeAttribute(attr_name="name", null=True)
    id_type = UnicodeAttribute(null=True)
    devices = JSONAttribute()


class DeviceUsersItem(KeyedItem):
    """The users of a device: first days by fingerprint."""

    sk = UnicodeAttribute(range_key=True, default=USERS)
    version = NumberAttribute(attr_name="v")
    users = JSONAttribute()
    forgotten = NumberAttribute(default=0)


class MarkItem(KeyedItem):
    """A company that a developer was at (`at#0#acme.com`), or one with whom it is not linked (`unlinked#<fp>`)."""


class Developer(NamedTuple):
    """All that a developer's partition has. `companies` has None where no company was known."""

    profile: Profile | None
    users: DeviceUsers
    companies: tuple[str | None, ...]
    unlinked: frozenset[bytes]


@store("profiles")
@dataclass(frozen=True, slots=True)
class PeopleStore:
    """Developers, in an environment's aggregates. Raises StoreUnavailable."""

    table: str

    def profiles(
        self, product: str, fingerprints: Collection[bytes], *, consistent: bool = True
    ) -> dict[bytes, Profile]:
        """Those that are there."""
        by_key = {developer_key(product, each): each for each in fingerprints}
        model = bind(ProfileItem, self.table)
        found = batch_get(model, [(key, PROFILE) for key in by_key], consistent_read=consistent)
        return {by_key[item.pk]: _profile(item) for item in found}

    def put_profile(self, product: str, fingerprint: bytes, profile: Profile) -> None:
        """Stores a profile that was read at its version. Raises Outdated where it is another by now."""
        model = bind(ProfileItem, self.table)
        item = model(
            developer_key(product, fingerprint),
            version=profile.version + 1,
            first=profile.first.isoformat(),
            name_=profile.name,
            id_type=profile.id_type,
            devices=_days_to_json(profile.devices),
        )
        unchanged = model.version == profile.version if profile.version else model.pk.does_not_exist()
        with conditions(Outdated("The profile is another")):
            item.save(condition=unchanged)

    def users(self, product: str, devices: Collection[bytes], *, consistent: bool = True) -> dict[bytes, DeviceUsers]:
        """Of each device, whom it was seen with."""
        by_key = {developer_key(product, each): each for each in devices}
        model = bind(DeviceUsersItem, self.table)
        found = batch_get(model, [(key, USERS) for key in by_key], consistent_read=consistent)
        known = {by_key[item.pk]: _users(item) for item in found}
        return {each: known.get(each, DeviceUsers()) for each in devices}

    def put_users(self, product: str, device: bytes, users: DeviceUsers) -> None:
        """As `put_profile`."""
        model = bind(DeviceUsersItem, self.table)
        item = model(
            developer_key(product, device),
            version=users.version + 1,
            users=_days_to_json(users.users),
            forgotten=users.forgotten,
        )
        unchanged = model.version == users.version if users.version else model.pk.does_not_exist()
        with conditions(Outdated("The users are others")):
            item.save(condition=unchanged)

    def note_company(self, view: int, product: str, fingerprint: bytes, company: str | None) -> None:
        """That a developer was at a company, or at none that is known; again and again is the same as once."""
        bind(MarkItem, self.table)(developer_key(product, fingerprint), at_company(view, company)).save()

    def unlink(self, product: str, fingerprint: bytes, other: bytes, logged: Logged) -> bool:
        """Says of two that they are not linked, whatever they were seen with. False where that was said before."""
        model = bind(MarkItem, self.table)
        marks = self._unlinked(product, fingerprint, other)
        return commit(logged.registry, [Write(mark, model.pk.does_not_exist()) for mark in marks], logged.entry)

    def link_again(self, product: str, fingerprint: bytes, other: bytes, logged: Logged) -> bool:
        """Takes `unlink` back. False where there is nothing to take back."""
        model = bind(MarkItem, self.table)
        marks = self._unlinked(product, fingerprint, other)
        writes = [Write(mark, model.pk.exists(), deletes=True) for mark in marks]
        return commit(logged.registry, writes, logged.entry)

    def developer(self, view: int, product: str, fingerprint: bytes, *, consistent: bool = False) -> Developer:
        """One request."""
        profile, users, companies, unlinked = None, DeviceUsers(), list[str | None](), set[bytes]()
        at = at_company(view, None)
        found = bind(AnyItem, self.table).query(developer_key(product, fingerprint), consistent_read=consistent)
        for sort, raw in ((item.sk, item.raw) for item in found):
            if sort == PROFILE:
                profile = _profile(ProfileItem.from_raw_data(raw))
            elif sort == USERS:
                users = _users(DeviceUsersItem.from_raw_data(raw))
            elif sort.startswith(at):
                companies.append(sort.removeprefix(at) or None)
            elif sort.startswith(_UNLINKED):
                unlinked.add(fingerprint_of(sort.removeprefix(_UNLINKED)))
        return Developer(profile, users, tuple(companies), frozenset(unlinked))

    def _unlinked(self, product: str, fingerprint: bytes, other: bytes) -> list[MarkItem]:
        """Each knows the other."""
        model = bind(MarkItem, self.table)
        return [
            model(developer_key(product, one), f"{_UNLINKED}{fingerprint_text(two)}")
            for one, two in ((fingerprint, other), (other, fingerprint))
        ]


def _profile(item: ProfileItem) -> Profile:
    return Profile(
        first=date.fromisoformat(item.first),
        name=item.name_,
        id_type=item.id_type,
        devices=_days_of_json(item.devices),
        version=int(item.version),
    )


def _users(item: DeviceUsersItem) -> DeviceUsers:
    return DeviceUsers(_days_of_json(item.users), int(item.forgotten), int(item.version))


def _days_to_json(days: Mapping[bytes, date]) -> dict[str, str]:
    return {fingerprint_text(each): day.isoformat() for each, day in days.items()}


def _days_of_json(said: Mapping[str, str]) -> dict[bytes, date]:
    return {fingerprint_of(each): date.fromisoformat(day) for each, day in said.items()}
