"""What ingest asks of licences, remembered for a while."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from cachetools import LRUCache

from telemetry.domain.environment import Environment
from telemetry.domain.event import Event
from telemetry.domain.judge import LicenseView
from telemetry.domain.keyring import Identity, Keyring
from telemetry.domain.license import License, license_id, license_id_of

_REMEMBERED = 20_000  # of either kind: random keys must not fill the memory

K = TypeVar("K")
V = TypeVar("V")


class Licenses(Protocol):
    """Where licences are read."""

    def known(
        self, ids: Collection[str], activations: Collection[tuple[str, str]]
    ) -> tuple[Mapping[str, License], Collection[tuple[str, str]]]:
        """Which licences there are, and which (licence id, identifier) are active."""


class LicenseLookup:
    """Views of the licences of events. All that is not remembered of a batch is read in one request."""

    def __init__(self, licenses: Licenses, keyring: Keyring, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = licenses
        self._keyring = keyring
        self._clock = clock
        self._licenses: LRUCache[str, tuple[float, License | None]] = LRUCache(_REMEMBERED)
        self._activations: LRUCache[tuple[str, str], tuple[float, bool]] = LRUCache(_REMEMBERED)

    def views(self, events: Sequence[Event], environment: Environment, since: float) -> list[LicenseView]:
        """What is known of each event's licence, no fact of it read before `since` (by the lookup's clock).

        Raises StoreUnavailable when something must be read and cannot be.
        """
        licenses: dict[str, License | None] = {}
        activations: dict[tuple[str, str], bool] = {}
        for event in events:
            here = self._id(environment, event)
            if here:
                licenses |= dict.fromkeys(self._ids(event))
                activations |= dict.fromkeys(((here, name) for name in event.device_ids), False)
        stale_licenses = _remembered(self._licenses, licenses, since)
        stale_activations = _remembered(self._activations, activations, since)
        if stale_licenses or stale_activations:
            now = self._clock()
            found, active = self._source.known(stale_licenses, stale_activations)
            for id_ in stale_licenses:
                licenses[id_] = found.get(id_)
                self._licenses[id_] = now, licenses[id_]
            for pair in stale_activations:
                activations[pair] = pair in active
                self._activations[pair] = now, activations[pair]
        return [self._view(event, environment, licenses, activations) for event in events]

    def _view(
        self,
        event: Event,
        environment: Environment,
        licenses: dict[str, License | None],
        activations: dict[tuple[str, str], bool],
    ) -> LicenseView:
        here = self._id(environment, event)
        if here is None:
            return LicenseView()
        if licenses[here] is None:
            return LicenseView(is_elsewhere=any(licenses[id_] for id_ in self._ids(event)))
        return LicenseView(licenses[here], is_activated=any(activations[here, name] for name in event.device_ids))

    def _id(self, environment: Environment, event: Event) -> str | None:
        return license_id(environment, event.license_key, self._keyring) if event.license_key else None

    def _ids(self, event: Event) -> list[str]:
        """The licence's id in each environment."""
        fingerprint = self._keyring.fingerprint_if(Identity.LICENSE, event.license_key)
        return [license_id_of(each, fingerprint, self._keyring) for each in Environment] if fingerprint else []


def _remembered(memory: LRUCache[K, tuple[float, V]], wanted: dict[K, V], since: float) -> list[K]:
    """Fills in what is remembered and recent enough; gives the rest."""
    missing = []
    for key in wanted:
        fact = memory.get(key)
        if fact and fact[0] >= since:
            wanted[key] = fact[1]
        else:
            missing.append(key)
    return missing
