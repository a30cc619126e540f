"""What is kept of developers and companies, all stores of it together."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from telemetry.domain.profiles.closing import View
from telemetry.domain.profiles.ranking import DAYS, Ranking
from telemetry.storage.profiles.lists import ListStore
from telemetry.storage.profiles.people import PeopleStore
from telemetry.storage.profiles.rows import RowStore
from telemetry.storage.profiles.tenures import TenureStore
from telemetry.storage.profiles.views import ViewStore


@dataclass(frozen=True, slots=True)
class ProfileStores:
    """What is kept of developers and companies of one environment."""

    views: ViewStore
    rows: RowStore
    tenures: TenureStore
    people: PeopleStore
    lists: ListStore

    @classmethod
    def of(cls, aggregates: str) -> "ProfileStores":
        """In an aggregates table."""
        return cls(
            ViewStore(aggregates),
            RowStore(aggregates),
            TenureStore(aggregates),
            PeopleStore(aggregates),
            ListStore(aggregates),
        )


def ranking_of(rows: RowStore, product: str, view: View, day: date) -> Ranking:
    """Everybody of the 13 weeks up to a closed day."""
    ranking = Ranking(day)
    for each in days_between(max(view.first or day, day - timedelta(days=DAYS - 1)), day):
        ranking.add(each, rows.read(view.number, product, each))
    return ranking


def days_between(first: date, last: date) -> Iterator[date]:
    """Both included, in order."""
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
