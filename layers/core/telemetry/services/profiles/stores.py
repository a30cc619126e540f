"""The stores of what is kept of developers and companies."""

from dataclasses import dataclass

from telemetry.storage.profiles.lists import ListStore
from telemetry.storage.profiles.people import PeopleStore
from telemetry.storage.profiles.rows import RowStore
from telemetry.storage.profiles.tenures import TenureStore
from telemetry.storage.profiles.views import ViewStore


@dataclass(frozen=True, slots=True)
class Stores:
    """What is kept of developers and companies of one environment."""

    views: ViewStore
    rows: RowStore
    tenures: TenureStore
    people: PeopleStore
    lists: ListStore

    @classmethod
    def of(cls, aggregates: str) -> "Stores":
        """In an aggregates table."""
        return cls(
            ViewStore(aggregates),
            RowStore(aggregates),
            TenureStore(aggregates),
            PeopleStore(aggregates),
            ListStore(aggregates),
        )
