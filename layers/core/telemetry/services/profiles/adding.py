"""Adds the rows of a closed day to what is known of each developer and company."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date

from telemetry.domain.active_users import Outdated
from telemetry.domain.profiles.cards import shown
from telemetry.domain.profiles.people import Profile
from telemetry.domain.profiles.rows import NOBODY, Row, nobodys_together
from telemetry.domain.profiles.span import MOST_AT_ONCE, Span
from telemetry.domain.profiles.tenure import Tenure, added
from telemetry.domain.record import RecordKey
from telemetry.services.profiles.forget import forget_names
from telemetry.services.profiles.stores import ProfileStores
from telemetry.services.recount import Allowance
from telemetry.storage.batches import grouped
from telemetry.storage.profiles.tenures import TenureKey
from telemetry.storage.side_by_side import side_by_side

_AT_ONCE = 500

Identities = Callable[[Sequence[RecordKey]], Mapping[RecordKey, tuple[str | None, str | None]]]
"""The id that each record names, and how it calls it."""


@dataclass(slots=True)
class _Company:
    """What a day's rows say of a company: one of them, and what nobody by name did, in a row of each part at most."""

    row: Row | None = None
    nobodys: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TenureAdder:
    """Adds to tenures of one environment. `most` companies are in memory at a time."""

    stores: ProfileStores
    identities: Identities
    forgotten: Callable[[], Collection[bytes]]
    allowance: Allowance
    most: int = MOST_AT_ONCE

    def add(self, product: str, view: int, day: date, shards: Sequence[int]) -> bool:
        """Adds the day's rows to tenures, as far as there is time: the next run passes over those that have the day.

        Companies come last: that they are known says that somebody was there.
        """
        forgotten = frozenset(self.forgotten())
        kept = self.stores.rows.kept(view, product, day, shards)
        parts = [(shard, part) for shard in shards for part in range(kept[shard].parts)]
        added_ = self.stores.rows.added(view, product, day, parts) if len(parts) > len(shards) else ()
        for shard, part in (each for each in parts if each not in added_):
            for some in grouped(self.stores.rows.read_part(view, product, day, shard, part), _AT_ONCE):
                if self.allowance.is_over:
                    return False
                named = [row for row in some if row.fingerprint != NOBODY]
                self._add_developers(product, view, day, named, forgotten)
            if len(parts) > len(shards):
                self.stores.rows.note_added(view, product, day, shard, part)
        return self._add_companies(product, view, day)

    def _add_companies(self, product: str, view: int, day: date) -> bool:
        """As many at once as memory holds, in order of their ids."""
        start: bytes | None = b""
        while start is not None:
            span = Span(_Company, start, self.most)
            for row in self.stores.rows.read(view, product, day):
                if row.company and (company := span.at(row.company.id.encode())):
                    company.row = row
                    company.nobodys += [row] if row.fingerprint == NOBODY else []
            for some in grouped((company for _, company in span.items()), _AT_ONCE):
                if self.allowance.is_over:
                    return False
                self._add_some_companies(product, view, day, some)
            start = span.end
        return True

    def _add_some_companies(self, product: str, view: int, day: date, some: Sequence[_Company]) -> None:
        names = {each.row.company.id: each for each in some if each.row and each.row.company}
        known = self.stores.tenures.nobodys(view, product, names)

        def add(id_: str) -> None:
            company, before = names[id_], known.get(id_)
            if company.nobodys:
                (row,) = nobodys_together(company.nobodys)
                self._put(product, view, TenureKey(id_, NOBODY), row, day, before, None)
            elif before is None and company.row:
                seen = Tenure(company.row.company, day, day, day, None, days=0)
                self._put_if_new(product, view, TenureKey(id_, NOBODY), seen)

        side_by_side(add, names)

    def _add_developers(
        self, product: str, view: int, day: date, rows: Sequence[Row], forgotten: Collection[bytes]
    ) -> None:
        profiles = self.stores.people.profiles(product, [row.fingerprint for row in rows])
        tenures = self.stores.tenures.get(view, product, [_key(row) for row in rows])
        new = [row for row in rows if row.fingerprint not in profiles and row.fingerprint not in forgotten]
        names = self.identities([row.key for row in new if row.key])

        def add(row: Row) -> None:
            profile = self._profile(product, day, row, profiles.get(row.fingerprint), names, forgotten)
            before = tenures.get(_key(row))
            if before is None:
                self.stores.people.note_company(view, product, row.fingerprint, _key(row).company)
            self._put(product, view, _key(row), row, day, before, profile)

        side_by_side(add, rows)
        for each in {row.fingerprint for row in rows} & frozenset(self.forgotten()):
            # by now: who was forgotten meanwhile was named once more, and what forgetting did not come to is done here
            forget_names(self.stores, product, each)

    def _profile(
        self,
        product: str,
        day: date,
        row: Row,
        known: Profile | None,
        names: Mapping[RecordKey, tuple[str | None, str | None]],
        forgotten: Collection[bytes],
    ) -> Profile:
        """The profile of a row's developer, stored if it is another by this row; its devices know it then, too."""
        while True:
            name, id_type = names.get(row.key, (None, None)) if row.key else (None, None)
            before = known or Profile(row.first, shown(name) if name else None, id_type)
            after = before.forgotten() if row.fingerprint in forgotten else before.with_devices(row.devices, day)
            if known and after == known:
                return known
            for device in after.devices.keys() - before.devices.keys() if known else after.devices:
                self._note_user(product, device, row.fingerprint, day)
            try:
                self.stores.people.put_profile(product, row.fingerprint, after)
            except Outdated:
                known = self.stores.people.profiles(product, [row.fingerprint]).get(row.fingerprint)
                continue
            return after

    def _note_user(self, product: str, device: bytes, user: bytes, day: date) -> None:
        while True:
            before = self.stores.people.users(product, [device])[device]
            after = before.with_user(user, day)
            if after == before:
                return
            with suppress(Outdated):
                self.stores.people.put_users(product, device, after)
                return

    def _put(
        self, product: str, view: int, key: TenureKey, row: Row, day: date, before: Tenure | None, who: Profile | None
    ) -> None:
        """Adds a row to a tenure, unless it has the day."""
        while (after := added(before, row, day)) is not before:
            named = replace(after, name=who.name, id_type=who.id_type) if who else after
            try:
                self.stores.tenures.put(view, product, key, named, before)
            except Outdated:  # another run has added the day, and maybe later ones
                before = self.stores.tenures.get(view, product, [key]).get(key)
                continue
            return

    def _put_if_new(self, product: str, view: int, key: TenureKey, tenure: Tenure) -> None:
        with suppress(Outdated):
            self.stores.tenures.put(view, product, key, tenure, None)


def _key(row: Row) -> TenureKey:
    return TenureKey(row.company.id if row.company else None, row.fingerprint)
