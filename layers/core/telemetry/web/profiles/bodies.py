"""Answers about developers and companies."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from telemetry.domain.attribution import AttributionSource
from telemetry.domain.environment import Environment
from telemetry.domain.product import ActivityLevel, ActivityType
from telemetry.domain.profiles.cards import Activity, CompanyCard, CompanyName, DeveloperCard
from telemetry.domain.profiles.ids import FINGERPRINT_BYTES, id_of
from telemetry.domain.profiles.uses import classified
from telemetry.domain.profiles.views import (
    AtCompany,
    Closed,
    CompanyRow,
    CompanyView,
    DeveloperRow,
    DeveloperView,
    Link,
    Listing,
    Totals,
)
from telemetry.web.profiles import answers
from telemetry.web.profiles.queries import CompanyListQuery, DeveloperListQuery, ProfileListQuery
from telemetry.web.records import instant

WITHOUT_FILE = (
    "There was no network file, so only domains tell companies. Missing are companies that only an address tells, and "
    "all countries."
)


@dataclass(frozen=True, slots=True)
class ProfileShape:
    """How developers and companies of a product are shown. `known` are its activity types, as they are set now."""

    environment: Environment
    product: str
    is_on: bool = False
    known: Mapping[str, ActivityType] = field(default_factory=dict)

    # ── lists

    def companies(self, query: CompanyListQuery, found: Listing[CompanyRow], next_: str | None) -> answers.CompanyList:
        """A page."""
        is_looked_up = query.wanted.is_any
        return {
            **self._list(query, found.closed, found.total, next_),
            "items": [self.company_row(row, is_looked_up=is_looked_up) for row in found.rows],
            "new": [self.company_row(row, is_looked_up=is_looked_up) for row in found.new],
        }

    def developers(
        self, query: DeveloperListQuery, found: Listing[DeveloperRow], next_: str | None
    ) -> answers.DeveloperList:
        """A page."""
        is_looked_up = query.wanted.is_any
        return {
            **self._list(query, found.closed, found.total, next_),
            "items": [self.developer_row(row, is_looked_up=is_looked_up) for row in found.rows],
            "new": [self.developer_row(row, is_looked_up=is_looked_up) for row in found.new],
        }

    def company_totals(self, query: CompanyListQuery, closed: Closed | None) -> answers.CompanyList:
        """What a viewer gets."""
        return {**self._list(query, closed, None, None), "items": [], "new": []}

    def developer_totals(self, query: DeveloperListQuery, closed: Closed | None) -> answers.DeveloperList:
        """What a viewer gets."""
        return {**self._list(query, closed, None, None), "items": [], "new": []}

    def _list(
        self, query: ProfileListQuery, closed: Closed | None, total: int | None, next_: str | None
    ) -> answers.ProfileList:
        return {
            **self._about(closed),
            "order": query.order,
            "listed": closed.listed if closed else None,
            "total": total,
            "totals": self._totals(closed.totals) if closed else None,
            "next": next_,
        }

    def company_row(self, row: CompanyRow, *, is_looked_up: bool) -> answers.CompanyItem:
        """A company in a list; `is_looked_up`: whether it is known if it was active today."""
        card = row.card
        return {
            **_company(row.company),
            "developers": card.developers if card else None,
            "developers_before": card.developers_before if card else None,
            "activity": self._activity(card.activity) if card else None,
            "countries": list(card.countries) if card else [],
            "active_today": row.is_active_today if is_looked_up else None,
            "new_today": row.is_new,
        }

    def developer_row(self, row: DeveloperRow, *, is_looked_up: bool) -> answers.DeveloperItem:
        """A developer in a list; `is_looked_up`: whether it is known if it was active today."""
        card = row.card
        return {
            **_developer(row.fingerprint, row.name, row.id_type),
            "company": _company(row.company) if row.company else None,
            "carried": card is not None and card.is_carried,
            "activity": self._activity(card.activity) if card else None,
            "active_today": row.is_active_today if is_looked_up else None,
            "new_today": row.is_new,
        }

    def company_card(self, card: CompanyCard) -> answers.CompanyItem:
        """A line of an export."""
        return self.company_row(CompanyRow(card.company, card, is_active_today=False), is_looked_up=False)

    def developer_card(self, card: DeveloperCard) -> answers.DeveloperItem:
        """A line of an export."""
        row = DeveloperRow(card.fingerprint, card.name, card.id_type, card.company, card, is_active_today=False)
        return self.developer_row(row, is_looked_up=False)

    # ── one of them

    def company(self, view: CompanyView, next_: str | None) -> answers.CompanyDetail:
        """A company, and a page of its developers."""
        card = view.card
        return {
            **self._about(view.closed),
            "company": _company(view.company),
            "first_day": view.first.isoformat(),
            "last_day": view.last.isoformat(),
            "active_today": view.is_active_today,
            "developers": card.developers if card else None,
            "developers_before": card.developers_before if card else None,
            "activity": self._activity(card.activity) if card else None,
            "countries": list(card.countries) if card else [],
            "anonymous": self._at(view.anonymous) if view.anonymous else None,
            "items": [self._at(each) for each in view.developers],
            "next": next_,
        }

    def developer(self, view: DeveloperView) -> answers.DeveloperDetail:
        """A developer with all details."""
        card = view.card
        return {
            **self._about(view.closed),
            **_developer(view.fingerprint, view.name, view.id_type),
            "forgotten": view.is_forgotten,
            "first_day": view.first.isoformat(),
            "active_today": view.is_active_today,
            "company": _company(card.company) if card and card.company else None,
            "carried": card is not None and card.is_carried,
            "activity": self._activity(card.activity) if card else None,
            "at": [self._at(each) for each in view.at],
            "links": [_link(each) for each in view.links],
            "shared_devices": view.shared_devices,
        }

    # ── parts

    def _about(self, closed: Closed | None) -> answers.ProfilesAbout:
        file = closed.attributed.network_file if closed else None
        return {
            "environment": self.environment,
            "product": self.product,
            "profiles": self.is_on,
            "closed_day": closed.day.isoformat() if closed else None,
            "closed_at": instant(closed.closed_at) if closed else None,
            "view": closed.attributed.view if closed else None,
            "network_file": file,
            "missing": WITHOUT_FILE if closed and file is None else None,
        }

    def _totals(self, totals: Totals) -> answers.ProfileTotals:
        return {
            "developers": totals.developers,
            "companies": totals.companies,
            "uses": self.uses(totals.uses),
            "unattributed": self.uses(totals.unattributed),
        }

    def _activity(self, activity: Activity) -> answers.ProfileActivity:
        return {
            "first_day": activity.first.isoformat(),
            "last_day": activity.last.isoformat(),
            "active_days": activity.days,
            "active_days_before": activity.days_before,
            "uses": self.uses(activity.uses),
            "weeks": list(activity.weeks),
        }

    def uses(self, uses: Mapping[str, int]) -> answers.ProfileUses:
        """Uses by activity type, with their sums by level."""
        found = classified(uses, self.known)

        def sum_of(level: ActivityLevel | None) -> int:
            return sum(each.uses for each in found if each.level is level)

        return {
            "total": sum(uses.values()),
            "primary": sum_of(ActivityLevel.PRIMARY),
            "secondary": sum_of(ActivityLevel.SECONDARY),
            "unclassified": sum_of(None),
            "activities": [
                {
                    "activity_type": each.activity_type,
                    "label": each.label,
                    "level": each.level.value if each.level else "unclassified",
                    "uses": each.uses,
                }
                for each in found
            ],
        }

    def _at(self, at: AtCompany) -> answers.UseAtCompany:
        is_somebody = len(at.fingerprint) == FINGERPRINT_BYTES
        return {
            "developer": _developer(at.fingerprint, at.name, at.id_type) if is_somebody else None,
            "forgotten": at.is_forgotten,
            "company": _company(at.company) if at.company else None,
            "activity": self._activity(at.activity),
            "uses": self.uses(at.uses),
            "versions": list(at.versions),
            "countries": list(at.countries),
        }


def _company(company: CompanyName) -> answers.ProfileCompany:
    return {
        "id": company.id,
        "name": company.name,
        "source": AttributionSource(company.source),
        "confidence": company.confidence,
    }


def _developer(fingerprint: bytes, name: str | None, id_type: str | None) -> answers.DeveloperName:
    return {"id": id_of(fingerprint), "name": name, "id_type": id_type}


def _link(link: Link) -> answers.ProfileLink:
    return {
        **_developer(link.fingerprint, link.name, link.id_type),
        "device": id_of(link.device),
        "seen_on": link.seen_on.isoformat(),
        "undone": link.is_undone,
    }
