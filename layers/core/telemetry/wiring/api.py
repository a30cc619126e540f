"""What all functions behind the API share."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from telemetry.clock import Clock
from telemetry.domain.keyring import Keyring
from telemetry.services.failed_calls import SummedCalls
from telemetry.settings import Settings
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.secret import keyring
from telemetry.web.authentication import Authenticator


@dataclass(frozen=True)
class ApiWiring:
    """Stores and services are made when they are first used, so that no request waits for one it does not need."""

    settings: Settings
    clock: Clock

    @classmethod
    def from_env(cls, clock: Clock) -> Self:
        """Raises ConfigurationError."""
        return cls(Settings.from_env(), clock)

    @property
    def registry(self) -> str:
        """The registry table."""
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
        return SummedCalls.into(self.registry)
