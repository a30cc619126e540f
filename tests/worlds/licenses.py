"""Licences for tests, and events under them."""

import json
from datetime import UTC, datetime
from typing import Any

from telemetry.domain.environment import Environment
from telemetry.domain.keyring import Identity
from telemetry.domain.license import Activation, License, LicenseState, license_id
from telemetry.storage.activations import ActivationStore
from telemetry.storage.licenses import LicenseStore
from tests.worlds.deployment import Deployment

KEY = "ACME-7F3K-92QM-XT4B-LL08"
DEVICE = "9b74c9897bac770ffc029102a200c5de"
CREATED = datetime(2026, 11, 1, tzinfo=UTC)


def license_store(deployment: Deployment) -> LicenseStore:
    return LicenseStore(deployment.tables.registry, deployment.keyring)


def activation_store(deployment: Deployment) -> ActivationStore:
    return ActivationStore(deployment.tables.registry, deployment.keyring)


def activations_of(deployment: Deployment, license_: License) -> list[Activation]:
    """All of a licence, also those that have ended."""
    page = activation_store(deployment).page(license_.id, 1_000)
    assert page.next is None
    return list(page.items)


def issue(
    deployment: Deployment,
    key: str = KEY,
    environment: Environment = Environment.PRODUCTION,
    **fields: Any,  # noqa: ANN401
) -> License:
    """An assigned licence of acme-desktop for three devices, unless fields say otherwise."""
    usual: dict[str, Any] = {
        "id": license_id(environment, key, deployment.keyring),
        "environment": environment,
        "fingerprint": deployment.keyring.fingerprint(Identity.LICENSE, key),
        "last_four": key[-4:],
        "product_id": "acme-desktop",
        "customer_id": "customer-1",
        "state": LicenseState.ASSIGNED,
        "expires_at": None,
        "activation_limit": 3,
        "active_activations": 0,
        "created_at": CREATED,
    }
    license_ = License(**usual | fields)
    license_store(deployment).add(license_, key)
    return license_


def event(**changes: object) -> str:
    """The JSON of an event of acme-desktop under KEY by DEVICE, unless changes say otherwise."""
    usual = {"data_type": "text", "data_group": "g", "text_data": "x", "product_id": "acme-desktop"}
    return json.dumps(usual | {"license_key": KEY, "hwid": DEVICE} | changes)
