"""Licences: issued, changed, assigned, suspended, resumed, revoked."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from telemetry.domain.environment import Environment
from telemetry.domain.errors import ChangedMeanwhile, InvalidField, NotFound, StaleVersion
from telemetry.domain.event import normalise_license
from telemetry.domain.keyring import Identity
from telemetry.domain.license import (
    ActionNotAllowed,
    ActivationState,
    License,
    LicenseAction,
    LicenseState,
    activation_id,
    after,
    last_four,
    license_id,
)
from telemetry.domain.staff import Staff
from telemetry.retry import Deadline
from telemetry.services.administration.catalogue import check_customer, check_product
from telemetry.services.administration.stores import Stores, audited, audited_facts

_FIELDS = ("product_id", "customer_id", "state", "expires_at", "activation_limit")
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no I, O, 0, 1: keys are read out and typed in
_GROUPS, _GROUP_LENGTH = 5, 5  # 125 bits
_ATTEMPTS = 3
_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Terms:
    """What a licence allows, to whom, until when. A limit of 0 or less is none."""

    product_id: str | None
    customer_id: str | None
    expires_at: datetime | None
    activation_limit: int


def create_license(
    staff: Staff, environment: Environment, key: str | None, terms: Terms, stores: Stores
) -> tuple[License, str]:
    """Issues a licence. Gives it with its key, which is made here when none is given.

    It is assigned if it has a customer. Raises InvalidField, and AlreadyExists when the key is taken.
    """
    check_product(terms.product_id, stores)
    check_customer(terms.customer_id, stores)
    if key is not None and normalise_license(key.lower()) is None:
        raise InvalidField("license_key", "Clients send this when they have none")
    key = key or new_license_key()
    license_ = License(
        id=license_id(environment, key, stores.keyring),
        environment=environment,
        fingerprint=stores.keyring.fingerprint(Identity.LICENSE, key),
        last_four=last_four(key),
        product_id=terms.product_id,
        customer_id=terms.customer_id,
        state=LicenseState.ASSIGNED if terms.customer_id else LicenseState.AVAILABLE,
        expires_at=_whole_seconds(terms.expires_at),
        activation_limit=terms.activation_limit,
        active_activations=0,
        created_at=staff.now,
    )
    entry = audited(
        staff, "license.create", license_.id, (*_FIELDS, "last_four"), after=license_, environment=environment
    )
    stores.licenses.add(license_, key, entry)
    return license_, key


def find_license(staff: Staff, id_: str, stores: Stores) -> License:
    """A licence in one of the caller's environments. Raises NotFound, also for licences of other environments."""
    license_ = stores.licenses.get(id_)
    if license_.environment not in staff.environments:
        raise NotFound(f"license {id_}")
    return license_


def change_license(staff: Staff, id_: str, version: int, changes: Mapping[str, Any], stores: Stores) -> License:
    """Changes product, customer, expiry or limit of a licence as it was at a version.

    Raises NotFound, StaleVersion, InvalidField, and ActionNotAllowed for the customer of a licence without one, which
    is assigned instead.
    """
    check_product(changes.get("product_id"), stores)
    check_customer(changes.get("customer_id"), stores)
    if "expires_at" in changes:
        changes = {**changes, "expires_at": _whole_seconds(changes["expires_at"])}

    def edited(license_: License) -> License:
        if "customer_id" in changes and license_.state is LicenseState.AVAILABLE:
            raise ActionNotAllowed("A licence that is available has no customer to be changed: assign it")
        return replace(license_, **changes)

    return _changed(staff, id_, version, "change", edited, stores)


def act_on_license(
    staff: Staff, id_: str, action: LicenseAction, version: int | None, customer_id: str | None, stores: Stores
) -> License:
    """Assigns (to a customer), suspends, resumes or revokes a licence; as it was at a version, if one is named.

    Raises NotFound, ActionNotAllowed, StaleVersion, InvalidField, ChangedMeanwhile.
    """
    check_customer(customer_id, stores)

    def edited(license_: License) -> License:
        state = after(action, license_.state_at(staff.now))
        return replace(license_, state=state, customer_id=customer_id or license_.customer_id)

    return _changed(staff, id_, version, action, edited, stores)


def end_activation(staff: Staff, id_: str, identifier: str, stores: Stores) -> License:
    """Ends a device's activation, if it has not ended; gives the licence as it is then.

    Whatever the state of the licence. The device may be activated again, if the licence allows that. The audit log has
    the activation's id, not what the device calls itself: that can be forgotten. Raises NotFound.
    """
    license_ = find_license(staff, id_, stores)
    activation = stores.activations.get(id_, identifier)
    named = {"activation": activation_id(id_, identifier, stores.keyring)}
    entry = audited_facts(staff, "license.deactivate", id_, named, {}, license_.environment)
    if activation.state is ActivationState.ACTIVE:
        stores.activations.deactivate(license_, identifier, staff.now, Deadline(_SECONDS), entry)
    return find_license(staff, id_, stores)


def new_license_key() -> str:
    """`7KQ2M-X9FHT-…`: five groups of five."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))


def _changed(
    staff: Staff, id_: str, version: int | None, what: str, edit: Callable[[License], License], stores: Stores
) -> License:
    """Reads, edits and stores a licence; again, when others, or a first activation, get in between."""
    for _ in range(_ATTEMPTS):
        before = find_license(staff, id_, stores)
        if version is not None and before.version != version:
            raise StaleVersion(f"license {id_}")
        edited = edit(before)
        entry = audited(staff, f"license.{what}", id_, _FIELDS, before, edited, environment=before.environment)
        try:
            return stores.licenses.change(edited, before, entry)
        except ChangedMeanwhile:
            continue
    raise ChangedMeanwhile(f"license {id_}")


def _whole_seconds(moment: datetime | None) -> datetime | None:
    return moment.replace(microsecond=0) if moment else None
