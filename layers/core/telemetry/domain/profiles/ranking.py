"""How lists of companies and developers are sorted."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import TypeVar

from telemetry.domain.profiles.cards import WINDOW_DAYS, Activity, CompanyCard, DeveloperCard, Order

QUIET_DAYS = 14
"""Without any use."""

C = TypeVar("C", CompanyCard, DeveloperCard)


def ranked_companies(cards: Iterable[CompanyCard], order: Order, day: date) -> list[CompanyCard]:
    """Those that an order means, as of a closed day: the foremost first."""
    return _ranked(
        cards, order, day, lambda card: (card.developers, card.developers_before), lambda card: card.company.id
    )


def ranked_developers(cards: Iterable[DeveloperCard], order: Order, day: date) -> list[DeveloperCard]:
    """Those that an order means, as of a closed day: the foremost first."""
    return _ranked(
        cards,
        order,
        day,
        lambda card: (card.activity.days, card.activity.days_before),
        lambda card: card.fingerprint.hex(),
    )


def _ranked(
    cards: Iterable[C], order: Order, day: date, counted: Callable[[C], tuple[int, int]], id_: Callable[[C], str]
) -> list[C]:
    """`counted` gives the numbers of the last 30 days and of the 30 before."""

    def rank(card: C) -> tuple[float, ...] | None:
        now, before = counted(card)
        match order:
            case Order.ACTIVE:
                return (now, sum(card.activity.uses.values())) if now else None
            case Order.NEW:
                age = (day - card.activity.first).days
                return (-age, now) if age < WINDOW_DAYS else None
            case Order.GROWING:
                return (now - before, now) if now > before else None
            case Order.QUIET:
                return (sum(card.activity.weeks[-6:-2]),) if _is_quiet(card.activity, day) else None

    ranks = [(rank(card), card) for card in cards]
    meant = [(tuple(-each for each in found), card) for found, card in ranks if found is not None]
    return [card for _, card in sorted(meant, key=lambda each: (each[0], id_(each[1])))]


def _is_quiet(activity: Activity, day: date) -> bool:
    weeks = activity.weeks[-6:-2]
    return (day - activity.last).days >= QUIET_DAYS and sum(1 for uses in weeks if uses) >= 2
