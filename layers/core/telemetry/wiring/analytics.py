"""The wiring of the analytics function."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Self

from telemetry.clock import Clock
from telemetry.dialects.stored import contents_of, event_of, said_in
from telemetry.domain.environment import Environment
from telemetry.domain.event import normalise_user
from telemetry.domain.ids import trimmed
from telemetry.domain.keyring import Identity
from telemetry.domain.product import ActivityType, Product
from telemetry.domain.retention import oldest_day
from telemetry.domain.search import Asked
from telemetry.services.administration.stores import Stores
from telemetry.services.attributions import Attributions
from telemetry.services.license_watch import LicenseMemory, LicenseWatch
from telemetry.services.overview import Overviews
from telemetry.services.profiles.finder import ProfileFinder
from telemetry.services.profiles.ports import Profiles
from telemetry.services.profiles.reader import ProfileReader
from telemetry.services.profiles.stores import ProfileStores
from telemetry.services.record_search import RecordSearch
from telemetry.services.search import Search
from telemetry.services.spike_alerts import SpikeAlerts
from telemetry.services.spike_evidence import EvidenceReader
from telemetry.services.system_logs import SystemLogReader
from telemetry.services.telemetry_query import TelemetrySearch
from telemetry.services.values.reading import ValueReader
from telemetry.settings import AnalyticsSettings
from telemetry.storage.closed_day_memory import ClosedDayMemory
from telemetry.storage.day_summaries import SummaryStore
from telemetry.storage.domain_lists import domain_lists
from telemetry.storage.effort import Effort
from telemetry.storage.failed_calls import FailedCallStore
from telemetry.storage.hourly_counts import HourlyCountStore
from telemetry.storage.index_sizes import IndexSizes
from telemetry.storage.licensing_counters import LicensingCounters, RememberedCalls
from telemetry.storage.network_file_places import file_place
from telemetry.storage.network_files import NetworkFiles
from telemetry.storage.overrides import OverridesStore
from telemetry.storage.profiles.forgotten import ForgottenStore, RememberedForgotten
from telemetry.storage.profiles.today import TodayStore
from telemetry.storage.record_browser import RecordBrowser
from telemetry.storage.spike_handling import HandlingStore
from telemetry.storage.spikes import EpisodeStore
from telemetry.storage.values import ValueStore
from telemetry.wiring.closed_days import ClosedDayStores
from telemetry.wiring.records import RecordStores
from telemetry.wiring.staff import StaffWiring


@dataclass(frozen=True)
class AnalyticsWiring(StaffWiring, ClosedDayStores, RecordStores):
    """What reads records and aggregates."""

    settings: AnalyticsSettings
    index_sizes: IndexSizes
    """What earlier searches found out, for later ones."""
    most_records: int = 20_000
    """How many records one search may look at."""
    most_requests: int = 200
    """How many requests one search may make, not counting those for the last two days and for bodies that are shown."""

    @classmethod
    def from_env(cls, clock: Clock) -> Self:
        """Raises ConfigurationError."""
        return cls(AnalyticsSettings.from_env(), clock, IndexSizes(clock.seconds))

    @cached_property
    def stores(self) -> Stores:
        return Stores.of(self.registry, self.settings.retention_days, self.keyring)

    def browser(self, environment: Environment, now: datetime, seconds: float) -> RecordBrowser:
        """Reads records that are within the retention, for at most so many seconds."""
        oldest = oldest_day(now, self.stores.retention.get(environment).days)
        effort = Effort(self.most_records, seconds, self.most_requests)
        return RecordBrowser(self.records(environment), now, oldest, effort, self.index_sizes)

    def telemetry_search(
        self, environment: Environment, products: Collection[str], now: datetime, seconds: Callable[[], float]
    ) -> TelemetrySearch:
        """Finds records of these products for SDK keys, for as many seconds as are left when it begins."""
        forgotten = self._forgotten(environment)
        browser = self.browser(environment, now, seconds())
        return TelemetrySearch(browser, sorted(products), said_in, self.keyring, forgotten)

    def record_search(self, environment: Environment, now: datetime, seconds: Callable[[], float]) -> RecordSearch:
        """As `telemetry_search`, for staff."""
        forgotten, products = self._forgotten(environment), sorted(self.stores.products.all())
        browser = self.browser(environment, now, seconds())
        return RecordSearch(environment, browser, products, self.stores, contents_of, forgotten)

    def search(
        self, text: str, environment: Environment, environments: Collection[Environment], now: datetime, seconds: float
    ) -> Search:
        """One search, for staff who see these environments."""
        aggregates, forgotten = self.aggregates(environment), self._forgotten(environment)()
        return Search(
            Asked(text),
            environment,
            environments,
            self.stores,
            self.ledger(environment),
            self.browser(environment, now, seconds),
            ProfileFinder(ProfileStores.of(aggregates), forgotten),
        )

    def _forgotten(self, environment: Environment) -> Callable[[], frozenset[bytes]]:
        """Read before the search's time is taken, and hardly ever again in it."""
        remembered = self.forgotten[environment]
        remembered.all()
        return remembered.all

    @cached_property
    def forgotten(self) -> Mapping[Environment, RememberedForgotten]:
        """Who is not told any more, in each environment."""
        return {
            each: RememberedForgotten(ForgottenStore(self.registry, each), self.clock.seconds) for each in Environment
        }

    @cached_property
    def overviews(self) -> Mapping[Environment, Overviews]:
        """One per environment; each remembers closed days, and hours that are over."""
        return {environment: self._overviews(environment) for environment in Environment}

    def _overviews(self, environment: Environment) -> Overviews:
        table, reports = self.aggregates(environment), self.day_reports(environment)
        return Overviews(
            ClosedDayMemory(reports.totals).between,
            reports.latest,
            ClosedDayMemory(SummaryStore(table).read).between,
            HourlyCountStore(table),
            self.ledger(environment),
            RememberedCalls(LicensingCounters(table), self.clock.now).of,
        )

    def product(self, id_: str) -> Product | None:
        """None for what is no product."""
        return self.stores.products.named([id_], consistent=False).get(id_)

    def activity_types(self, product: str | None) -> Mapping[str, ActivityType]:
        """Those that a product lists; none of what is no product."""
        found = self.product(product) if product else None
        return found.activity_types if found else {}

    def values(self, environment: Environment) -> ValueReader:
        """Reads what products' telemetry says."""
        return ValueReader(ValueStore(self.aggregates(environment)), self.ledger(environment).closing)

    def is_told(self, environment: Environment) -> Callable[[str], bool]:
        """Whether a text may be told: not if it is the id of a user or device who is forgotten."""
        forgotten, keyring = self.forgotten[environment].all(), self.keyring

        def is_told(text: str) -> bool:
            user = keyring.fingerprint_if(Identity.USER, normalise_user(text))
            return user not in forgotten and keyring.fingerprint(Identity.DEVICE, trimmed(text)) not in forgotten

        return is_told

    def profiles(self, environment: Environment) -> Profiles:
        """Reads developers and companies of products whose profiles are turned on."""
        table, forgotten = self.aggregates(environment), self.forgotten[environment].all()
        return ProfileReader(ProfileStores.of(table), TodayStore(table), self.ledger(environment), forgotten)

    @cached_property
    def attributions(self) -> Attributions:
        """Remembers the network file, as it was when it was first needed."""
        place = self.settings.network_file
        files = NetworkFiles(file_place(place)) if place else None
        return Attributions(OverridesStore(self.registry).get, domain_lists, files)

    @cached_property
    def license_memories(self) -> Mapping[Environment, LicenseMemory]:
        """What is remembered of the licences of each environment."""
        return {each: LicenseMemory(self.day_reports(each), self.clock.seconds) for each in Environment}

    def license_watch(self, environment: Environment) -> LicenseWatch:
        """For one answer."""
        return LicenseWatch(
            environment,
            self.day_reports(environment),
            self.day_records(environment),
            self.records(environment),
            self.stores,
            event_of,
            self.license_memories[environment],
        )

    @cached_property
    def spike_evidence(self) -> Mapping[Environment, EvidenceReader]:
        """One per environment; each remembers what episodes that have ended came to."""
        return {each: EvidenceReader(HourlyCountStore(self.aggregates(each))) for each in Environment}

    def spike_alerts(self, environment: Environment) -> SpikeAlerts:
        """For one answer."""
        table = self.aggregates(environment)
        evidence, watch = self.spike_evidence[environment], self.license_watch(environment)
        return SpikeAlerts(EpisodeStore(table), HandlingStore(table), evidence, watch, self.stores.api_keys)

    def system_logs(self, environment: Environment) -> SystemLogReader:
        calls, reports = FailedCallStore(self.registry), self.day_reports(environment)
        return SystemLogReader(environment, calls, self.stores.audit, reports)
