"""What all functions for staff share."""

from dataclasses import dataclass
from functools import cached_property

from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.sessions import SessionStore
from telemetry.web.authentication import Authenticator
from telemetry.wiring.api import ApiWiring


@dataclass(frozen=True)
class StaffWiring(ApiWiring):
    """Staff authenticate with an API key or a session."""

    @cached_property
    def authenticator(self) -> Authenticator:
        """Knows the registry's API keys and sessions."""
        sessions = SessionStore(self.registry)
        return Authenticator(ApiKeyStore(self.registry), self.keyring, sessions, self.clock.seconds)
