"""What all functions behind the API share."""

from dataclasses import dataclass
from functools import cached_property

from telemetry.domain.keyring import Keyring
from telemetry.services.failed_calls import FailedCallLog, SummedCalls
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.failed_calls import FailedCallStore
from telemetry.storage.secret import keyring
from telemetry.web.authentication import Authenticator
from telemetry.wiring.wired import Wiring


@dataclass(frozen=True)
class ApiWiring(Wiring):
    """The registry, and who may call."""

    @property
    def registry(self) -> str:
        return self.settings.tables.registry

    @property
    def keyring(self) -> Keyring:
        """The keyring of the deployment. Raises what storage.secret.keyring raises."""
        return keyring()

    @cached_property
    def authenticator(self) -> Authenticator:
        """Knows the registry's API keys."""
        return Authenticator(ApiKeyStore(self.registry), self.keyring, clock=self.clock.seconds)

    @cached_property
    def unrouted(self) -> SummedCalls:
        """Counts requests that reach no route."""
        return SummedCalls(FailedCallLog(FailedCallStore(self.registry)))
