"""Reads developers and companies: as of the last closed day, and who of them is active today."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from telemetry.domain.profiles.cards import CompanyCard, DeveloperCard, Order
from telemetry.domain.profiles.closing import View
from telemetry.domain.profiles.people import DeviceUsers, Profile
from telemetry.domain.profiles.rows import NOBODY
from telemetry.domain.profiles.tenure import Tenure
from telemetry.domain.profiles.views import (
    AtCompany,
    Attributed,
    Closed,
    CompanyRow,
    CompanyView,
    DeveloperRow,
    DeveloperView,
    Link,
    Listing,
)
from telemetry.services.ports import Ledger
from telemetry.services.profiles.live import active_developers
from telemetry.services.profiles.stores import ProfileStores, ranking_of
from telemetry.storage.profiles.people import Developer
from telemetry.storage.profiles.tenures import TenureKey
from telemetry.storage.profiles.today import TodayStore

MOST_NEW = 8
"""How many of those that are new today are shown: the latest. With more, a page would take over 20 read units."""


@dataclass(frozen=True, slots=True)
class ProfileReader:
    """Developers and companies of one environment. `view` None is the view that is shown. Raises StoreUnavailable."""

    stores: ProfileStores
    today: TodayStore
    ledger: Ledger
    forgotten: frozenset[bytes]

    def closed(self, product: str, view: int | None = None) -> Closed | None:
        """What there is of a product; None before the first day is closed, and of a view that is not there."""
        found = self._view(product, view)
        return _closed(found) if found else None

    def companies(
        self, product: str, order: Order, start: int, limit: int, today: date, view: int | None = None
    ) -> Listing[CompanyRow]:
        """A page of a list, from the card with the number `start` on."""
        found = self._view(product, view)
        new = self._new_companies(product, today, found) if start == 0 else []
        if found is None or found.listed is None:
            return Listing(None, [], new, 0, None)
        cards, total = self.stores.lists.companies(found.number, product, found.listed, order, start, limit)
        active = self.today.active_companies(product, today, [each.company.id for each in cards]) if cards else ()
        rows = [CompanyRow(card.company, card, card.company.id in active) for card in cards]
        return Listing(_closed(found), rows, new, total, _rest(start, limit, total))

    def developers(
        self, product: str, order: Order, start: int, limit: int, today: date, view: int | None = None
    ) -> Listing[DeveloperRow]:
        """As `companies`."""
        new = self._new_developers(product, today) if start == 0 else []
        found = self._view(product, view)
        if found is None or found.listed is None:
            return Listing(None, [], new, 0, None)
        cards, total = self.stores.lists.developers(found.number, product, found.listed, order, start, limit)
        active = active_developers(self.ledger, product, today, [each.fingerprint for each in cards]) if cards else ()
        rows = [
            DeveloperRow(card.fingerprint, card.name, card.id_type, card.company, card, card.fingerprint in active)
            for card in map(self._without_forgotten, cards)
        ]
        return Listing(_closed(found), rows, new, total, _rest(start, limit, total))

    def company(
        self, product: str, company: str, after: bytes | None, limit: int, today: date, view: int | None = None
    ) -> CompanyView | None:
        """A company with a page of its developers, None for one that was never seen."""
        found = self._view(product, view)
        number = found.number if found else view or 0
        nobody = self.stores.tenures.nobodys(number, product, [company], consistent=False).get(company)
        if nobody is None or nobody.company is None or found is None or found.closed is None:
            return None
        day = found.listed or found.closed
        people, rest = self.stores.tenures.at(number, product, company, after, limit)
        developers = [self._at(fingerprint, tenure, max(day, tenure.last)) for fingerprint, tenure in people]
        card = self.stores.lists.company(number, product, day, company)
        seen = [card.activity.last] if card else []
        return CompanyView(
            closed=_closed(found),
            company=card.company if card else nobody.company,
            card=card,
            first=nobody.first,
            last=max([nobody.last, *seen, *(each.activity.last for each in developers)]),
            anonymous=self._at(NOBODY, nobody, max(day, nobody.last)) if nobody.days else None,
            developers=developers,
            rest=rest,
            is_active_today=company in self.today.active_companies(product, today, [company]),
        )

    def developer(self, product: str, fingerprint: bytes, today: date, view: int | None = None) -> DeveloperView | None:
        """A developer with all it did, None for one that was never seen, or not before today."""
        found = self._view(product, view)
        if found is None or found.closed is None:
            return None
        known = self.stores.people.developer(found.number, product, fingerprint)
        if known.profile is None:
            return None
        is_forgotten = fingerprint in self.forgotten
        profile = known.profile.forgotten() if is_forgotten else known.profile
        keys = [TenureKey(company, fingerprint) for company in known.companies]
        tenures = self.stores.tenures.get(found.number, product, keys, consistent=False).values()
        at = [self._at(fingerprint, each, max(found.closed, each.last)) for each in tenures]
        devices = (
            {} if is_forgotten else self.stores.people.users(product, [*profile.devices, fingerprint], consistent=False)
        )
        return DeveloperView(
            closed=_closed(found),
            fingerprint=fingerprint,
            name=profile.name,
            id_type=profile.id_type,
            first=profile.first,
            at=sorted(at, key=lambda each: (each.activity.last, each.activity.days), reverse=True),
            links=self._links(product, fingerprint, known, profile, devices),
            shared_devices=sum(each.is_shared for each in devices.values()),
            is_active_today=fingerprint in active_developers(self.ledger, product, today, [fingerprint]),
            is_forgotten=is_forgotten,
            card=self._card(product, fingerprint, found),
        )

    def all_companies(self, product: str, view: int | None = None) -> Iterator[CompanyCard]:
        """All that were active in the last 13 weeks, in the same order each time. Reads the rows of closed days."""
        found = self._view(product, view)
        if found and found.listed:
            yield from ranking_of(self.stores.rows, product, found, found.listed).companies()

    def all_developers(self, product: str, view: int | None = None) -> Iterator[DeveloperCard]:
        """As `all_companies`."""
        found = self._view(product, view)
        if found is None or found.listed is None:
            return
        cards = list(ranking_of(self.stores.rows, product, found, found.listed).developers())
        profiles = self.stores.people.profiles(product, [card.fingerprint for card in cards], consistent=False)
        for card in cards:
            profile = profiles.get(card.fingerprint)
            named = replace(card, name=profile.name, id_type=profile.id_type) if profile else card
            yield self._without_forgotten(named)

    def _view(self, product: str, view: int | None) -> View | None:
        number, views = self.stores.views.shown(product)
        return views.get(number if view is None else view)

    def _card(self, product: str, fingerprint: bytes, view: View) -> DeveloperCard | None:
        found = view.listed and self.stores.lists.developer(view.number, product, view.listed, fingerprint)
        return self._without_forgotten(found) if found else None

    def _new_companies(self, product: str, today: date, view: View | None) -> list[CompanyRow]:
        """What rollup took for new may be known by now: a day may have been closed since, or the first of all."""
        new = self.today.new_companies(product, today, MOST_NEW)
        ids = [each.company.id for each in new]
        known = self.stores.tenures.nobodys(view.number, product, ids, consistent=False) if view else {}
        return [
            CompanyRow(each.company, None, is_active_today=True, is_new=True)
            for each in new
            if each.company.id not in known
        ]

    def _new_developers(self, product: str, today: date) -> list[DeveloperRow]:
        new = self.today.new_developers(product, today, MOST_NEW)
        known = self.stores.people.profiles(product, [each.fingerprint for each in new], consistent=False)
        return [
            DeveloperRow(
                each.fingerprint, each.name, each.id_type, each.company, None, is_active_today=True, is_new=True
            )
            for each in new
            if each.fingerprint not in self.forgotten and each.fingerprint not in known
        ]

    def _without_forgotten(self, card: DeveloperCard) -> DeveloperCard:
        return replace(card, name=None, id_type=None) if card.fingerprint in self.forgotten else card

    def _at(self, fingerprint: bytes, tenure: Tenure, day: date) -> AtCompany:
        is_forgotten = fingerprint in self.forgotten
        return AtCompany(
            company=tenure.company,
            fingerprint=fingerprint,
            name=None if is_forgotten else tenure.name,
            id_type=None if is_forgotten else tenure.id_type,
            activity=tenure.activity(day),
            uses=tenure.uses,
            versions=tenure.versions,
            countries=tenure.countries,
            is_forgotten=is_forgotten,
        )

    def _links(
        self, product: str, fingerprint: bytes, known: Developer, profile: Profile, devices: dict[bytes, DeviceUsers]
    ) -> list[Link]:
        """The users of its devices, and these themselves; of a device its users."""
        tied: dict[bytes, tuple[bytes, date]] = {}
        for device, users in devices.items():
            if users.is_shared or device in self.forgotten:
                continue
            if device != fingerprint:
                tied.setdefault(device, (device, profile.devices[device]))
            for user, day in users.users.items():
                if user != fingerprint and user not in self.forgotten:
                    tied.setdefault(user, (device, max(day, profile.devices.get(device, day))))
        profiles = self.stores.people.profiles(product, list(tied), consistent=False)
        return [
            Link(
                fingerprint=other,
                name=profiles[other].name if other in profiles else None,
                id_type=profiles[other].id_type if other in profiles else None,
                device=device,
                seen_on=day,
                is_undone=other in known.unlinked,
            )
            for other, (device, day) in sorted(tied.items(), key=lambda each: (each[1][1], each[0]))
        ]


def _closed(view: View) -> Closed | None:
    """None as long as there is no list."""
    if view.listed is None or view.listed_at is None or view.totals is None:
        return None
    attributed = Attributed(view.number, view.made_at, view.network_file)
    return Closed(view.listed, view.listed_at, view.totals, attributed, view.most_listed)


def _rest(start: int, limit: int, total: int) -> int | None:
    return start + limit if start + limit < total else None
