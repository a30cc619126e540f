"""Activations of devices under licences, in the registry."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import TYPE_CHECKING

from pynamodb.expressions.update import Action

from telemetry.domain.errors import ChangedMeanwhile, NotFound
from telemetry.domain.instant import to_milliseconds
from telemetry.domain.keyring import Keyring
from telemetry.domain.license import Activation, ActivationState, License, LicenseState
from telemetry.domain.page import Page
from telemetry.retry import Deadline
from telemetry.storage.changes import Write, log_writes, refused
from telemetry.storage.errors import store
from telemetry.storage.license_items import (
    LICENSE,
    ActivationItem,
    LicenseItem,
    activation_of,
    activation_sort_key,
    license_partition,
)
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.pages import read_page
from telemetry.storage.tables import bind, found_item

if TYPE_CHECKING:
    from telemetry.domain.staff import AuditEntry

_OF_ACTIVATION = 1  # in a transaction, after that of its licence


class ActivationChange(Enum):
    """What became of an activation or deactivation."""

    DONE = auto()
    ALREADY = auto()
    NO_ROOM = auto()


@store("licences")
@dataclass(frozen=True, slots=True)
class ActivationStore:
    """Activations under the licences of all environments. Raises StoreUnavailable when storage keeps failing."""

    table: str
    keyring: Keyring

    def page(self, id_: str, limit: int, after: str | None = None) -> Page[Activation]:
        """A page of a licence's activations, in no order that means anything."""
        model = bind(ActivationItem, self.table)
        wanted = model.sk.between(f"{after}!" if after else "activation#", "activation$")
        found = model.query(license_partition(id_), wanted, page_size=limit + 1)
        return read_page(found, "sk", limit, lambda raw: activation_of(model.from_raw_data(raw)))

    def get(self, id_: str, identifier: str) -> Activation:
        """What is known of a device under a licence, strongly consistent. Raises NotFound."""
        key = license_partition(id_), activation_sort_key(identifier, self.keyring)
        if item := found_item(bind(ActivationItem, self.table), *key):
            return activation_of(item)
        raise NotFound(f"activation under license {id_}")

    def activate(self, license_: License, identifier: str, now: datetime, deadline: Deadline) -> ActivationChange:
        """Activates a device in one transaction with its licence's count, so that limits hold under concurrency.

        The first activation makes an assigned licence active. Any other state stays, a revoked one above all: whether
        a device may be activated under it is for the caller to say. Raises ChangedMeanwhile when the licence is no
        longer in the state it was read in, StoreUnavailable when others keep getting in between.
        """
        licenses, activations = bind(LicenseItem, self.table), bind(ActivationItem, self.table)
        room = (licenses.activation_limit <= 0) | (licenses.active_activations < licenses.activation_limit)
        unchanged = (licenses.state == license_.state.value) & room
        actions: list[Action] = [licenses.active_activations.add(1)]
        if license_.state is LicenseState.ASSIGNED:
            actions.append(licenses.state.set(LicenseState.ACTIVE.value))
            actions.append(licenses.version.add(1))  # or staff, having read it before, would set the state back
        activation = Write(
            activations(license_partition(license_.id), activation_sort_key(identifier, self.keyring)),
            activations.status.does_not_exist() | (activations.status == ActivationState.INACTIVE.value),
            [
                activations.identifier.set(identifier),
                activations.status.set(ActivationState.ACTIVE.value),
                activations.first_seen.set(activations.first_seen | to_milliseconds(now)),
                activations.last_seen.set(to_milliseconds(now)),
            ],
        )
        of_license = Write(licenses(license_partition(license_.id), LICENSE), unchanged, actions)
        return self._change(of_license, activation, license_, deadline)

    def deactivate(
        self,
        license_: License,
        identifier: str,
        now: datetime,
        deadline: Deadline,
        entry: "AuditEntry | None" = None,
    ) -> ActivationChange:
        """Ends an activation, with its entry in the audit log if staff do it; ALREADY when there is none active."""
        licenses, activations = bind(LicenseItem, self.table), bind(ActivationItem, self.table)
        activation = Write(
            activations(license_partition(license_.id), activation_sort_key(identifier, self.keyring)),
            activations.status == ActivationState.ACTIVE.value,
            [activations.status.set(ActivationState.INACTIVE.value), activations.last_seen.set(to_milliseconds(now))],
        )
        item = licenses(license_partition(license_.id), LICENSE)
        of_license = Write(item, licenses.pk.exists(), [licenses.active_activations.add(-1)])
        return self._change(of_license, activation, license_, deadline, entry)

    def _change(
        self,
        of_license: Write,
        of_activation: Write,
        license_: License,
        deadline: Deadline,
        entry: "AuditEntry | None" = None,
    ) -> ActivationChange:
        logged = log_writes(self.table, entry)
        failed = refused([of_license, of_activation, *logged], f"license {license_.id}", deadline)
        if not failed:
            return ActivationChange.DONE
        already = _OF_ACTIVATION + len(logged)  # what is put comes before what is updated
        return ActivationChange.ALREADY if already in failed else self._refused(license_.id)

    def _refused(self, id_: str) -> ActivationChange:
        """Why the licence's own condition failed: no room, or another state than was read."""
        if LicenseStore(self.table, self.keyring).get(id_).has_room:
            raise ChangedMeanwhile(f"license {id_}")
        return ActivationChange.NO_ROOM
