"""Verifying, activating and deactivating devices."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from telemetry.domain.environment import Environment
from telemetry.domain.errors import ChangedMeanwhile, StoreUnavailable
from telemetry.domain.keyring import Keyring
from telemetry.domain.license import License, LicenseState, activation_id, license_id
from telemetry.domain.licensing import DeviceAction, Finding, Outcome, Question, Seat, obstacle
from telemetry.domain.product import Product
from telemetry.retry import Deadline
from telemetry.storage.activations import ActivationChange


class Licenses(Protocol):
    """The licences of all environments; an id names one of them, in one environment."""

    def known(
        self, ids: Collection[str], activations: Collection[tuple[str, str]]
    ) -> tuple[Mapping[str, License], Mapping[tuple[str, str], datetime]]:
        """Which licences there are, and which (licence id, identifier) are active, since when; strongly consistent."""


class Activations(Protocol):
    """The activations under them."""

    def activate(self, license_: License, identifier: str, now: datetime, deadline: Deadline) -> ActivationChange:
        """Activates a device, if there is room."""

    def deactivate(self, license_: License, identifier: str, now: datetime, deadline: Deadline) -> ActivationChange:
        """Ends an activation."""


@dataclass(frozen=True, slots=True)
class Licensing:
    """What answering takes, the same for the life of a process."""

    licenses: Licenses
    activations: Activations
    product: Callable[[str], Product | None]
    keyring: Keyring

    def answer(self, question: Question, environment: Environment, now: datetime, deadline: Deadline) -> Finding:
        """Answers one question, in one environment.

        A key of another environment is looked for nowhere, so it is as unknown as any. Raises StoreUnavailable.
        """
        for _ in deadline.attempts():
            try:
                return self._answer(question, environment, now, deadline)
            except ChangedMeanwhile:
                continue  # read anew: it was activated, suspended or given room meanwhile
        raise StoreUnavailable("license")

    def _answer(self, question: Question, environment: Environment, now: datetime, deadline: Deadline) -> Finding:
        if question.license_key is None:
            return Finding(Outcome.INVALID_KEY)
        id_ = license_id(environment, question.license_key, self.keyring)
        pairs = {(id_, question.identifier)} if question.identifier else set()
        found, active = self.licenses.known({id_}, pairs)
        license_ = found.get(id_)
        if license_ is None or question.product_id not in {None, license_.product_id}:
            return Finding(Outcome.INVALID_KEY)
        # read before anything is done: what could not be told afterwards must not be done either
        product = self.product(license_.product_id) if license_.product_id else None
        if question.identifier is None:
            return Finding(Outcome.IDENTIFIER_REQUIRED, license_, product)
        since = active.get((id_, question.identifier))
        outcome = self._outcome(question.action, license_, product, question.identifier, since, now, deadline)
        if outcome is Outcome.ACTIVATED:
            license_, since = replace(license_, state=LicenseState.ACTIVE), now
        is_seated = outcome in {Outcome.ACTIVATED, Outcome.ALREADY_ACTIVE}
        seat = Seat(activation_id(id_, question.identifier, self.keyring), since) if since and is_seated else None
        return Finding(outcome, license_, product, seat)

    def _outcome(
        self,
        action: DeviceAction,
        license_: License,
        product: Product | None,
        identifier: str,
        since: datetime | None,
        now: datetime,
        deadline: Deadline,
    ) -> Outcome:
        """Giving up a right takes none: a device may be deactivated in whatever state its licence is."""
        if action is DeviceAction.DEACTIVATE:
            change = self.activations.deactivate(license_, identifier, now, deadline)
            return Outcome.DEACTIVATED if change is ActivationChange.DONE else Outcome.ALREADY_INACTIVE
        if reason := obstacle(license_, product, now):
            return reason
        if action is DeviceAction.VERIFY:
            return Outcome.VALID if since else Outcome.NOT_ACTIVATED
        return Outcome.ALREADY_ACTIVE if since else self._activate(license_, identifier, now, deadline)

    def _activate(self, license_: License, identifier: str, now: datetime, deadline: Deadline) -> Outcome:
        match self.activations.activate(license_, identifier, now, deadline):
            case ActivationChange.DONE:
                return Outcome.ACTIVATED
            case ActivationChange.NO_ROOM:
                return Outcome.LIMIT_REACHED
            case ActivationChange.ALREADY:  # by somebody else since it was read: since when is to be read anew
                raise ChangedMeanwhile(f"activation under license {license_.id}")
