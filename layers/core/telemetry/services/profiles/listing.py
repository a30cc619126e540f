"""Pages of lists. What no filter narrows is read as it was made at closing; with a filter all cards are looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from telemetry.domain.profiles.cards import Order
from telemetry.domain.profiles.ranking import ranked_companies, ranked_developers
from telemetry.domain.profiles.search import Wanted
from telemetry.domain.profiles.views import Closed, CompanyRow, DeveloperRow, Listing
from telemetry.services.profiles.ports import Profiles

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class AskedPage:
    """Which page of a product's list: at most `limit` from the `start`th on of those `wanted`."""

    product: str
    wanted: Wanted
    order: Order
    start: int
    limit: int
    today: date
    view: int | None


def company_page(profiles: Profiles, asked: AskedPage) -> Listing[CompanyRow]:
    """Some companies. It is not looked up whether those that a filter found are active today."""
    if asked.wanted.is_any:
        return profiles.companies(asked.product, asked.order, asked.start, asked.limit, asked.today, asked.view)
    closed = profiles.closed(asked.product, asked.view)
    if closed is None:
        return Listing(None, (), (), 0, None)
    found = filter(asked.wanted.fits_company, profiles.all_companies(asked.product, asked.view))
    ranked = ranked_companies(found, asked.order, closed.day)
    return _page(closed, [CompanyRow(card.company, card, is_active_today=False) for card in ranked], asked)


def developer_page(profiles: Profiles, asked: AskedPage) -> Listing[DeveloperRow]:
    """Some developers. It is not looked up whether those that a filter found are active today."""
    if asked.wanted.is_any:
        return profiles.developers(asked.product, asked.order, asked.start, asked.limit, asked.today, asked.view)
    closed = profiles.closed(asked.product, asked.view)
    if closed is None:
        return Listing(None, (), (), 0, None)
    found = filter(asked.wanted.fits_developer, profiles.all_developers(asked.product, asked.view))
    rows = [
        DeveloperRow(card.fingerprint, card.name, card.id_type, card.company, card, is_active_today=False)
        for card in ranked_developers(found, asked.order, closed.day)
    ]
    return _page(closed, rows, asked)


def _page(closed: Closed, rows: Sequence[R], asked: AskedPage) -> Listing[R]:
    end = asked.start + asked.limit
    return Listing(closed, rows[asked.start : end], (), len(rows), end if end < len(rows) else None)
