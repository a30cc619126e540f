"""The wiring of the ingest function."""

from dataclasses import dataclass
from functools import cached_property

from telemetry.domain.environment import Environment
from telemetry.services.failed_calls import FailedCallLog
from telemetry.services.ingest import Ingest
from telemetry.settings import IngestSettings
from telemetry.storage.failed_calls import FailedCallStore
from telemetry.storage.license_lookup import LicenseLookup
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.products import Catalogue, ProductStore
from telemetry.storage.retention import RememberedRetention, RetentionStore
from telemetry.storage.tables import dynamodb_client
from telemetry.web.authentication import Authenticator, Credentials
from telemetry.wiring.api import ApiWiring
from telemetry.wiring.records import RecordStores


@dataclass(frozen=True)
class IngestWiring(ApiWiring, RecordStores):
    """What stores events and counts failed calls."""

    settings: IngestSettings
    settings_type = IngestSettings

    @cached_property
    def ingest(self) -> Ingest:
        """Stores events in the environment that their key opens."""
        seconds, retention = self.clock.seconds, RetentionStore(self.registry, self.settings.retention_days)
        return Ingest(
            records=self.records,
            products=Catalogue(ProductStore(self.registry), seconds).find_all,
            licenses=LicenseLookup(LicenseStore(self.registry, self.keyring), self.keyring, seconds).views,
            keyring=self.keyring,
            retention_days=RememberedRetention(retention, seconds).days,
            license_cache_seconds=self.settings.license_cache_seconds,
            clock=seconds,
        )

    @cached_property
    def failure_log(self) -> FailedCallLog:
        return FailedCallLog(FailedCallStore(self.registry))

    def prepare(self) -> None:
        """Makes what every request needs: the client, and what the secret is read for."""
        dynamodb_client()
        _ = self.authenticator, self.ingest

    def environment_of(self, credentials: Credentials) -> Environment | None:
        """The environment of a key that was just looked up.

        This reads nothing. When a request fails because the secret cannot be read, nothing tries to read it again.
        """
        authenticator: Authenticator | None = vars(self).get("authenticator")
        return authenticator.environment_of(credentials) if authenticator else None
