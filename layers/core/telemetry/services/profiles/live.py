"""Notes who is active today, beside counting: for lists that are as of the last closed day. And tells it again.

Nobody waits for it, and nothing depends on it: what it does not note, or notes twice, is in no number.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from cachetools import LRUCache

from telemetry.domain.active_users import ActorKey, Audience, Place
from telemetry.domain.event import Event
from telemetry.domain.product import Product
from telemetry.domain.profiles.today import (
    CompanyDay,
    CompanyToday,
    DeveloperOf,
    DeveloperToday,
    Use,
    company_today,
    developer_today,
)
from telemetry.domain.sighting import Observation
from telemetry.retry import Deadline
from telemetry.services.ports import Ledger
from telemetry.services.profiles.attributor import Attributor
from telemetry.storage.profiles.today import RETENTION

SECONDS = 5.0
"""For all that one batch gives to note."""

MOST_NEW = 500
"""Items that one batch may write: a second or two. Who is left out is noted when it is seen again."""

PAUSE_SECONDS = 30
"""After a failure: while storage refuses, few batches wait for what cannot be noted."""

VIEW_SECONDS = 60

MOST_REMEMBERED = 50_000
"""Companies' days, and developers, that a process remembers of each environment: at most 30 MB."""

_A_DAY = timedelta(days=1)

Counted = tuple[Observation, Event | None]
K = TypeVar("K", bound=Hashable)


class Today(Protocol):
    """What is noted in one environment (storage.profiles.today.TodayStore)."""

    def views(self, products: Collection[str]) -> Mapping[str, int]: ...
    def noted_companies(self, companies: Collection[CompanyDay]) -> set[CompanyDay]: ...
    def known_companies(self, companies: Collection[CompanyDay], views: Mapping[str, int]) -> set[CompanyDay]: ...
    def known_developers(self, developers: Collection[DeveloperOf]) -> set[DeveloperOf]: ...
    def noted_developers(self, developers: Collection[DeveloperOf], days: Iterable[date]) -> set[DeveloperOf]: ...
    def note_company(self, product: str, day: date, noted: CompanyToday) -> bool: ...
    def note_developer(self, product: str, day: date, noted: DeveloperToday) -> bool: ...


@dataclass(frozen=True, slots=True)
class Noted:
    """What became of a batch. `left_out`: for what there was no time or room; all records of a batch in a pause."""

    written: int = 0
    left_out: int = 0


def _remembered() -> MutableMapping[Hashable, bool]:
    return LRUCache(MOST_REMEMBERED)


@dataclass(slots=True)
class LiveProfiles:
    """Notes companies and new developers of one environment, of products that want profiles.

    `products` finds products by id, as they were at most a minute ago. A process remembers the companies of days, and
    the developers, that are certainly noted or known: for these nothing is asked.
    """

    today: Today
    products: Callable[[Collection[str]], Mapping[str, Product]]
    attributor: Attributor
    clock: Callable[[], float]
    deadline: Callable[[], Deadline] = field(default=lambda: Deadline(SECONDS))
    most_new: int = MOST_NEW
    _companies: MutableMapping[Hashable, bool] = field(default_factory=_remembered)
    _developers: MutableMapping[Hashable, bool] = field(default_factory=_remembered)
    _views: dict[str, tuple[int, float]] = field(default_factory=dict)
    _failed_at: float = float("-inf")

    def note(self, counted: Sequence[Counted], now: datetime) -> Noted:
        """To be called when a batch is counted; the same records again change nothing.

        What was received so long ago that it would be gone when it is written is left alone.
        Raises whatever keeps it from going on, and rests for a while then: who calls it goes on all the same.
        """
        if self.clock() - self._failed_at < PAUSE_SECONDS:
            return Noted(left_out=len(counted))
        deadline = self.deadline()
        try:
            with deadline.in_force():
                return self._noted([each for each in counted if each[0].received_at > now - RETENTION], deadline)
        except Exception:
            self._failed_at = self.clock()
            raise

    def _noted(self, counted: Sequence[Counted], deadline: Deadline) -> Noted:
        written = left_out = 0
        for remember, write in self._new(self._uses(counted)):
            if written >= self.most_new or deadline.is_over:
                left_out += 1
                continue
            write()
            remember()
            written += 1
        return Noted(written, left_out)

    def _uses(self, counted: Sequence[Counted]) -> list[Use]:
        """Those of products with profiles."""
        known = self.products({seen.sighting.product for seen, _ in counted})
        wanted = [
            (seen, event)
            for seen, event in counted
            if seen.sighting.product in known and known[seen.sighting.product].profiles
        ]
        if not wanted:
            return []
        attribute = self.attributor.now()
        return [Use(seen, event, attribute(seen.company, seen.address)) for seen, event in wanted]

    def _new(self, uses: Sequence[Use]) -> Iterator[tuple[Callable[[], None], Callable[[], bool]]]:
        """What to remember and to write of each company and developer that is not noted; companies first."""
        of_company = _grouped(uses, _company_of, self._companies)
        noted = self.today.noted_companies(of_company) if of_company else set[CompanyDay]()
        _remember(self._companies, noted)
        if unnoted := [each for each in of_company if each not in noted]:
            known = self.today.known_companies(unnoted, self._current_views({each.product for each in unnoted}))
            for company in unnoted:
                about = company_today(of_company[company], is_new=company not in known)
                yield (
                    partial(_remember, self._companies, [company]),
                    partial(self.today.note_company, company.product, company.day, about),
                )
        of_developer = _grouped(uses, _developer_of, self._developers)
        familiar = self._familiar(of_developer)
        _remember(self._developers, familiar)
        for developer, seen in of_developer.items():
            if developer not in familiar:
                first = min(each.observation.sighting.day for each in seen)
                person = developer_today(each for each in seen if each.observation.sighting.day == first)
                yield (
                    partial(_remember, self._developers, [developer]),
                    partial(self.today.note_developer, developer.product, first, person),
                )

    def _familiar(self, developers: Mapping[DeveloperOf, Sequence[Use]]) -> set[DeveloperOf]:
        """Those that a closed day knows, else those that are noted for the last two days: most are of the first."""
        known = self.today.known_developers(developers) if developers else set[DeveloperOf]()
        unknown = [each for each in developers if each not in known]
        if not unknown:
            return known
        days = {each.observation.sighting.day for developer in unknown for each in developers[developer]}
        return known | self.today.noted_developers(unknown, sorted(days | {day - _A_DAY for day in days}))

    def _current_views(self, products: Collection[str]) -> dict[str, int]:
        now = self.clock()
        if old := [each for each in products if now - self._views.get(each, (0, float("-inf")))[1] > VIEW_SECONDS]:
            self._views.update({product: (view, now) for product, view in self.today.views(old).items()})
        return {each: self._views[each][0] for each in products}


def active_developers(ledger: Ledger, product: str, day: date, fingerprints: Collection[bytes]) -> set[bytes]:
    """Which of these developers rollup has counted on a day: a request for each hundred.

    One more where some use more products than the first part of an actor has room for. Whoever counts as an actor is
    among all users, devices too that nobody used by name.
    """
    place, ordinal = Place(product, Audience.ALL_USERS), day.toordinal()
    found = ledger.actors([ActorKey(each) for each in fingerprints], consistent=False)
    apart = [
        ActorKey(key.fingerprint, product) for key, each in found.items() if each.is_full and place not in each.history
    ]
    if apart:
        found |= ledger.actors(apart, consistent=False)
    return {key.fingerprint for key, each in found.items() if ordinal in each.history.get(place, ())}


def _company_of(use: Use) -> CompanyDay | None:
    who = use.observation.sighting
    return CompanyDay(who.product, who.day, use.behind.id) if use.behind.is_company and use.behind.id else None


def _developer_of(use: Use) -> DeveloperOf | None:
    who = use.observation.sighting
    return DeveloperOf(who.product, who.actor) if who.actor else None


def _grouped(
    uses: Iterable[Use], key_of: Callable[[Use], K | None], remembered: Mapping[Hashable, bool]
) -> dict[K, list[Use]]:
    """By what is not remembered yet."""
    found: dict[K, list[Use]] = {}
    for use in uses:
        key = key_of(use)
        if key is not None and not remembered.get(key):
            found.setdefault(key, []).append(use)
    return found


def _remember(memory: MutableMapping[Hashable, bool], keys: Iterable[Hashable]) -> None:
    memory.update(dict.fromkeys(keys, True))
