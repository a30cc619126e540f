"""Licences and telemetry together: what one container remembers never flags what another has just allowed."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from telemetry.domain.environment import Environment
from telemetry.domain.flags import Flag
from telemetry.domain.license import LicenseState
from telemetry.domain.product import Product
from telemetry.retry import Deadline
from telemetry.storage.activations import ActivationChange
from tests.client import Answer
from tests.worlds.deployment import Deployment, start_ingest
from tests.worlds.licenses import DEVICE, KEY, activation_store, event, issue, license_store

pytestmark = pytest.mark.days

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def flags_of(deployment: Deployment, result: Answer) -> set[Flag]:
    answer = result.body
    flags = deployment.record(answer["telemetry_id"]).flags
    assert answer["is_flagged"] == bool(flags)
    return set(flags)


def test_telemetry_activate_telemetry_at_once_whichever_container_answers(deployment: Deployment) -> None:
    license_ = issue(deployment)
    one, other = start_ingest(deployment), start_ingest(deployment)
    for post in (one, other):
        assert flags_of(deployment, post("/api/v1/telemetry", event())) == {Flag.BYPASSED_ACTIVATION}
    assert activation_store(deployment).activate(license_, DEVICE, NOW, Deadline(60)) is ActivationChange.DONE
    for post in (other, one, other):  # no time passes
        assert flags_of(deployment, post("/api/v1/telemetry", event())) == set()


def test_a_revoked_licence_is_flagged_within_the_cache_time(deployment: Deployment) -> None:
    store, license_ = license_store(deployment), issue(deployment)
    activation_store(deployment).activate(license_, DEVICE, NOW, Deadline(60))
    post = start_ingest(deployment)
    assert flags_of(deployment, post("/api/v1/telemetry", event())) == set()
    store.change(replace(store.get(license_.id), state=LicenseState.REVOKED))
    assert flags_of(deployment, post("/api/v1/telemetry", event())) == set()  # remembered as good
    post.clock.advance(60.1)
    assert flags_of(deployment, post("/api/v1/telemetry", event())) == {Flag.REVOKED_LICENSE}


@pytest.mark.parametrize(
    ("key", "flags"),
    [
        (KEY, set()),
        ("STAGING-ONLY", {Flag.ENVIRONMENT_MISMATCH}),
        ("NOBODYS", {Flag.INVALID_LICENSE}),
        ("unknown", set()),
    ],
)
def test_a_licence_of_another_environment_is_told_from_an_invalid_one(
    deployment: Deployment, key: str, flags: set[Flag]
) -> None:
    activation_store(deployment).activate(issue(deployment), DEVICE, NOW, Deadline(60))
    issue(deployment, "STAGING-ONLY", Environment.STAGING)
    result = start_ingest(deployment)("/api/v1/telemetry", event(license_key=key))
    assert flags_of(deployment, result) == flags
    assert result.body["response"]["code"] == 830


def test_a_product_that_requires_a_licence(deployment: Deployment) -> None:
    deployment.products.put(Product("acme-desktop", "Acme Desktop", requires_license=True))
    post = start_ingest(deployment)
    assert flags_of(deployment, post("/api/v1/telemetry", event(license_key=None))) == {Flag.INVALID_LICENSE}
    deployment.products.put(Product("acme-desktop", "Acme Desktop"))
    post.clock.advance(2.1)
    assert flags_of(deployment, post("/api/v1/telemetry", event(license_key=None))) == set()


def test_a_licence_lends_its_product(deployment: Deployment) -> None:
    activation_store(deployment).activate(issue(deployment), DEVICE, NOW, Deadline(60))
    answer = start_ingest(deployment)("/api/v1/telemetry", event(product_id=None)).body
    assert (answer["response"]["code"], answer["is_flagged"]) == (830, False)
    assert deployment.record(answer["telemetry_id"]).product == "acme-desktop"


def test_a_batch_asks_the_registry_once(deployment: Deployment) -> None:
    activation_store(deployment).activate(issue(deployment), DEVICE, NOW, Deadline(60))
    events = [event(license_key=key, event_id=f"e{i}") for i, key in enumerate([KEY, "NOBODYS", KEY, "unknown", KEY])]
    result = start_ingest(deployment)("/api/v1/telemetry", f"[{','.join(events)}]")
    flagged = [item["is_flagged"] for item in result.body["results"]]
    assert flagged == [False, True, False, False, False]


@pytest.mark.parametrize("name", ["hwid", "activation_identifier"])
@pytest.mark.parametrize(
    ("activated", "sent"), [("AABB-01", "aabb-01"), ("aabb-01", "AABB-01"), ("Example.com", "example.com.")]
)
def test_a_device_is_known_by_any_spelling(deployment: Deployment, activated: str, sent: str, name: str) -> None:
    activation_store(deployment).activate(issue(deployment), activated, NOW, Deadline(60))
    body = event(**{"hwid": None, name: sent})
    assert flags_of(deployment, start_ingest(deployment)("/api/v1/telemetry", body)) == set()


def test_two_spellings_in_one_request_are_one_device(deployment: Deployment) -> None:
    activation_store(deployment).activate(issue(deployment), "AABB-01", NOW, Deadline(60))
    events = [
        event(hwid="aabb-01", activation_identifier="AABB-01."),
        event(hwid="Aabb-01"),
        event(hwid=None, activation_identifier="AABB-01"),
        event(hwid="aabb-02", activation_identifier="aabb-01"),
    ]
    results = start_ingest(deployment)("/api/v1/telemetry", f"[{','.join(events)}]").body["results"]
    assert [item["is_flagged"] for item in results] == [False] * 4
    devices = [deployment.record(item["telemetry_id"]).device for item in results]
    assert devices[0] == devices[1] == devices[2] != devices[3]


def test_a_placeholder_that_is_activated_is_no_pirate(deployment: Deployment) -> None:
    placeholder = "00000000-0000-0000-0000-000000000000"
    activation_store(deployment).activate(issue(deployment), placeholder, NOW, Deadline(60))
    result = start_ingest(deployment)("/api/v1/telemetry", event(hwid=placeholder))
    assert Flag.BYPASSED_ACTIVATION not in flags_of(deployment, result)
