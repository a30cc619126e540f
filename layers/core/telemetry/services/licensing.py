"""Verifying, activating and deactivating devices."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from telemetry.domain.environment import Environment
from telemetry.domain.errors import ChangedMeanwhile, StoreUnavailable
from telemetry.domain.judge import Product
from telemetry.domain.keyring import Keyring
from telemetry.domain.license import License, LicenseState, license_id
from telemetry.domain.licensing import DeviceAction, Finding, Outcome, Question, obstacle
from telemetry.retry import Deadline
from telemetry.storage.licenses import Change


class Licenses(Protocol):
    """The licences of all environments; an id names one of them, in one environment."""

    def known(
        self, ids: Collection[str], activations: Collection[tuple[str, str]]
    ) -> tuple[Mapping[str, License], Collection[tuple[str, str]]]:
        """Which licences there are, and which (licence id, identifier) are active; strongly consistent."""

    def activate(self, license_: License, identifier: str, now: datetime, deadline: Deadline) -> Change:
        """Activates a device, if there is room."""

    def deactivate(self, license_: License, identifier: str, now: datetime, deadline: Deadline) -> Change:
        """Ends an activation."""


@dataclass(frozen=True, slots=True)
class Licensing:
    """What answering takes, the same for the life of a process."""

    licenses: Licenses
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
        if question.identifier is None:
            return Finding(Outcome.IDENTIFIER_REQUIRED, license_)
        if question.action is DeviceAction.DEACTIVATE:
            return self._deactivate(license_, question.identifier, now, deadline)
        if reason := obstacle(license_, self._product_of(license_), now):
            return Finding(reason, license_)
        if question.action is DeviceAction.ACTIVATE:
            return self._activate(license_, question.identifier, now, deadline)
        return Finding(Outcome.VALID if active else Outcome.NOT_ACTIVATED, license_)

    def _activate(self, license_: License, identifier: str, now: datetime, deadline: Deadline) -> Finding:
        match self.licenses.activate(license_, identifier, now, deadline):
            case Change.DONE:
                return Finding(Outcome.ACTIVATED, replace(license_, state=LicenseState.ACTIVE))
            case Change.ALREADY:
                return Finding(Outcome.ALREADY_ACTIVE, license_)
            case Change.NO_ROOM:
                return Finding(Outcome.LIMIT_REACHED, license_)

    def _deactivate(self, license_: License, identifier: str, now: datetime, deadline: Deadline) -> Finding:
        """In whatever state the licence is: giving up a right takes none, and it makes room."""
        done = self.licenses.deactivate(license_, identifier, now, deadline) is Change.DONE
        return Finding(Outcome.DEACTIVATED if done else Outcome.ALREADY_INACTIVE, license_)

    def _product_of(self, license_: License) -> Product | None:
        return self.product(license_.product_id) if license_.product_id else None
