"""The wiring of the licensing function."""

from dataclasses import dataclass
from functools import cached_property

from telemetry.domain.environment import Environment
from telemetry.services.licensing import Licensing
from telemetry.storage.activations import ActivationStore
from telemetry.storage.idempotency import IdempotencyStore
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.licensing_counters import LicensingCounters
from telemetry.storage.products import REREAD_SECONDS, Catalogue, ProductStore
from telemetry.wiring.api import ApiWiring


@dataclass(frozen=True)
class LicensingWiring(ApiWiring):
    """What answers devices and counts the answers."""

    @cached_property
    def licensing(self) -> Licensing:
        """Reads licences each time, and products at most every two seconds."""
        catalogue = Catalogue(ProductStore(self.registry), self.clock.seconds)
        return Licensing(
            licenses=LicenseStore(self.registry, self.keyring),
            activations=ActivationStore(self.registry, self.keyring),
            product=lambda product_id: catalogue.find(product_id, REREAD_SECONDS),
            keyring=self.keyring,
        )

    @property
    def idempotency_keys(self) -> IdempotencyStore:
        """Answers that are kept for repeated requests."""
        return IdempotencyStore(self.registry)

    def counters(self, environment: Environment) -> LicensingCounters:
        return LicensingCounters(self.settings.tables.aggregates(environment))
