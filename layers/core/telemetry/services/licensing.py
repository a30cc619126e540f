"""Verifying, activating and deactivating devices."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from telemetry.domain.environment import Environment
from telemetry.domain.errors import ChangedMeanwhile, StoreUnavailable
from telemetry.domain.keyring import Keyring
from telemetry.domain.license import License, LicenseState, activation_id, license_id
from telemetry.domain.licensing import DeviceAction, DeviceRequest, Finding, LicensingOutcome, Seat, obstacle
from telemetry.domain.product import Product
from telemetry.retry import Deadline
from telemetry.storage.activations import ActivationChange, ActivationStore
from telemetry.storage.licenses import LicenseStore


@dataclass(frozen=True, slots=True)
class Licensing:
    """What answering takes, the same for the life of a process."""

    licenses: LicenseStore
    activations: ActivationStore
    product: Callable[[str], Product | None]
    keyring: Keyring

    def answer(self, question: DeviceRequest, environment: Environment, now: datetime, deadline: Deadline) -> Finding:
        """Answers one question, in one environment.

        A key of another environment is not looked for, so it is unknown. Raises StoreUnavailable.
        """
        for _ in deadline.attempts():
            try:
                return self._answer(question, environment, now, deadline)
            except ChangedMeanwhile:
                continue  # read it again: it was activated, suspended or given room since
        raise StoreUnavailable("license")

    def _answer(self, question: DeviceRequest, environment: Environment, now: datetime, deadline: Deadline) -> Finding:
        if question.license_key is None:
            return Finding(LicensingOutcome.INVALID_KEY)
        id_ = license_id(environment, question.license_key, self.keyring)
        pairs = {(id_, question.identifier)} if question.identifier else set()
        found, active = self.licenses.known({id_}, pairs)
        license_ = found.get(id_)
        if license_ is None or question.product_id not in {None, license_.product_id}:
            return Finding(LicensingOutcome.INVALID_KEY)
        # read before anything is changed: a change that could not be answered must not happen
        product = self.product(license_.product_id) if license_.product_id else None
        if question.identifier is None:
            return Finding(LicensingOutcome.IDENTIFIER_REQUIRED, license_, product)
        since = active.get((id_, question.identifier))
        outcome = self._outcome(question.action, license_, product, question.identifier, since, now, deadline)
        if outcome is LicensingOutcome.ACTIVATED:
            license_, since = replace(license_, state=LicenseState.ACTIVE), now
        is_seated = outcome in {LicensingOutcome.ACTIVATED, LicensingOutcome.ALREADY_ACTIVE}
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
    ) -> LicensingOutcome:
        """A device may be deactivated whatever the state of its licence: giving up a right needs no right."""
        if action is DeviceAction.DEACTIVATE:
            change = self.activations.deactivate(license_, identifier, now, deadline)
            return (
                LicensingOutcome.DEACTIVATED if change is ActivationChange.DONE else LicensingOutcome.ALREADY_INACTIVE
            )
        if reason := obstacle(license_, product, now):
            return reason
        if action is DeviceAction.VERIFY:
            return LicensingOutcome.VALID if since else LicensingOutcome.NOT_ACTIVATED
        return LicensingOutcome.ALREADY_ACTIVE if since else self._activate(license_, identifier, now, deadline)

    def _activate(self, license_: License, identifier: str, now: datetime, deadline: Deadline) -> LicensingOutcome:
        match self.activations.activate(license_, identifier, now, deadline):
            case ActivationChange.DONE:
                return LicensingOutcome.ACTIVATED
            case ActivationChange.NO_ROOM:
                return LicensingOutcome.LIMIT_REACHED
            case ActivationChange.ALREADY:  # by another request since it was read: its time must be read again
                raise ChangedMeanwhile(f"activation under license {license_.id}")
