"""Verify, activate, deactivate through the handler on a real engine."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product as combinations
from typing import Any

import pytest
from botocore.exceptions import ClientError

from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.license import ActivationState, License, LicenseState
from telemetry.domain.licensing import Calls, DeviceAction
from telemetry.domain.product import Product
from telemetry.retry import Deadline
from telemetry.storage.activations import ActivationChange, ActivationStore
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.licensing_counters import LicensingCounters
from telemetry.storage.tables import dynamodb_client
from tests.client import Answer, Client
from tests.integration.test_metrics import emitted, failing
from tests.lambdas import example_event, load_function
from tests.worlds.deployment import Deployment
from tests.worlds.licenses import DEVICE, KEY, activation_store, activations_of, issue, license_store

pytestmark = pytest.mark.days

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
ACTIONS = ("verify", "activate", "deactivate")
LICENSES = (
    "absent", "unknown", "elsewhere", "other product", "available", "assigned", "active", "suspended", "expired",
    "revoked", "past its date", "revoked, past its date", "product inactive", "product inactive, suspended",
    "product inactive, past its date", "available, past its date",
)  # fmt: skip
ACTIVATIONS = ("none", "active", "inactive", "none, full", "active, full", "inactive, full", "other device")

# licence: activation: codes of verify, activate, deactivate. The rest of a licence's activations are as under "*".
INVALID = {"*": (210, 210, 210)}
GOOD = {
    "none": (202, 300, 401),
    "active": (200, 301, 400),
    "inactive": (202, 300, 401),
    "none, full": (202, 302, 401),
    "active, full": (200, 301, 400),
    "inactive, full": (202, 302, 401),
    "other device": (202, 300, 401),
}
TABLE: dict[str, dict[str, tuple[int, int, int]]] = {
    "absent": INVALID,
    "unknown": INVALID,
    "elsewhere": INVALID,
    "other product": INVALID,
    "available": {"*": (201, 201, 401), "active": (201, 201, 400), "active, full": (201, 201, 400)},
    "assigned": GOOD,
    "active": GOOD,
    "suspended": {"*": (204, 204, 401), "active": (204, 204, 400), "active, full": (204, 204, 400)},
    "expired": {"*": (205, 205, 401), "active": (205, 205, 400), "active, full": (205, 205, 400)},
    "revoked": {"*": (204, 204, 401), "active": (204, 204, 400), "active, full": (204, 204, 400)},
    "past its date": {"*": (205, 205, 401), "active": (205, 205, 400), "active, full": (205, 205, 400)},
    "revoked, past its date": {"*": (204, 204, 401), "active": (204, 204, 400), "active, full": (204, 204, 400)},
    "product inactive": {"*": (203, 203, 401), "active": (203, 203, 400), "active, full": (203, 203, 400)},
    "product inactive, suspended": {"*": (204, 204, 401), "active": (204, 204, 400), "active, full": (204, 204, 400)},
    "product inactive, past its date": {
        "*": (203, 203, 401),
        "active": (203, 203, 400),
        "active, full": (203, 203, 400),
    },
    "available, past its date": {"*": (205, 205, 401), "active": (205, 205, 400), "active, full": (205, 205, 400)},
}
MESSAGES = {
    200: "Valid license key",
    201: "This license key is not assigned",
    202: "No activation found for this license key/identifier combination",
    203: "The product associated with this license key is not active or doesn't exist",
    204: "License key blocked",
    205: "License key expired",
    210: "Invalid license key",
    215: "Identifier is required",
    300: "License key activated",
    301: "License key already active",
    302: "License key reached activation limit",
    400: "License key deactivated",
    401: "License key already inactive",
}

Ask = Callable[..., Answer]


@pytest.fixture
def ask(deployment: Deployment) -> Ask:
    """Asks a freshly started licensing function, with the production key."""
    licensing = Client(load_function("licensing"), {"x-api-key": deployment.keys[Environment.PRODUCTION]})

    def ask(action: str, body: object, key: str | None = None, base: str = "/api/v1", **headers: str | None) -> Answer:
        return licensing.post(f"{base}/{action}", body, **({"x_api_key": key} if key else {}), **headers)

    return ask


def response_of(result: Answer) -> dict[str, Any]:
    """The `response` of an answer that says the same beside it (test_licence_answers.py compares what else)."""
    answer: dict[str, Any] = result.body
    response: dict[str, Any] = answer["response"]
    code = response["code"]
    assert result.status == 200
    objects = {"license"} & answer.keys() | ({"activation"} if code in {300, 301} else set())
    assert answer == {
        "response": response,
        "response_base64": b64encode(json.dumps(response, separators=(",", ":")).encode()).decode(),
        "private_key_used": "global",
        "code": code,
        "message": response["message"],
        "success": code in {200, 300, 301, 400, 401},
        "valid": code in {200, 300, 301},
    } | {name: answer[name] for name in objects}
    assert ("license" in answer) == ("data" in response)
    assert abs(response["timestamp"] - datetime.now(UTC).timestamp()) < 60
    return response


def code_of(result: Answer) -> int:
    response = response_of(result)
    assert response["message"] == MESSAGES[response["code"]]
    return int(response["code"])


def test_the_table_is_complete() -> None:
    assert set(TABLE) == set(LICENSES)
    assert all(set(rows) <= {*ACTIVATIONS, "*"} for rows in TABLE.values())


@pytest.mark.parametrize("license_name", LICENSES)
def test_every_state_activation_and_action(deployment: Deployment, ask: Ask, license_name: str) -> None:
    deployment.products.put(Product("acme-retired", "Retired", is_active=False))
    for number, (activation, (place, action)) in enumerate(combinations(ACTIVATIONS, enumerate(ACTIONS))):
        key = f"{KEY}-{number}"
        if license_name not in {"absent", "unknown"}:
            _prepare(deployment, key, license_name, activation)
        body: dict[str, Any] = {"license_key": key, "identifier": DEVICE}
        if license_name == "absent":
            del body["license_key"]
        if license_name == "other product":
            body["product_uuid"] = "acme-cli"
        rows = TABLE[license_name]
        expected = rows.get(activation) or rows["*"]
        assert code_of(ask(action, body)) == expected[place], (license_name, activation, action)


def _prepare(deployment: Deployment, key: str, license_name: str, activation: str) -> None:
    """A licence that came into its state after its devices came into theirs."""
    store, activations = license_store(deployment), activation_store(deployment)
    environment = Environment.STAGING if license_name == "elsewhere" else Environment.PRODUCTION
    license_ = issue(deployment, key, environment)
    if activation != "none" and not activation.startswith("none"):
        device = "another" if activation == "other device" else DEVICE
        assert activations.activate(license_, device, NOW, Deadline(60)) is ActivationChange.DONE
        license_ = store.get(license_.id)
    if activation.startswith("inactive"):
        assert activations.deactivate(license_, DEVICE, NOW, Deadline(60)) is ActivationChange.DONE
    if activation.endswith("full"):
        license_ = store.get(license_.id)
        for number in range(license_.activation_limit - license_.active_activations):
            change = activations.activate(store.get(license_.id), f"other-{number}", NOW, Deadline(60))
            assert change is ActivationChange.DONE
    license_ = store.get(license_.id)
    store.change(_in_state(license_, license_name))


def _in_state(license_: License, license_name: str) -> License:
    for name in license_name.split(", "):
        if name == "product inactive":
            license_ = replace(license_, product_id="acme-retired")
        elif name == "past its date":
            license_ = replace(license_, expires_at=datetime.now(UTC) - timedelta(seconds=2))
        elif name in set(LicenseState):
            license_ = replace(license_, state=LicenseState(name))
    return license_


def test_a_device_is_activated(deployment: Deployment, ask: Ask) -> None:
    license_ = issue(deployment, expires_at=datetime(2030, 1, 31, 23, 59, 59, tzinfo=UTC), activation_limit=1)
    response = response_of(ask("activate", {"license_key": KEY, "identifier": DEVICE}))
    data = {
        "uuid": license_.id,
        "product_uuid": "acme-desktop",
        "status": "active",
        "expires_at": "2030-01-31T23:59:59Z",
        "activation_limit": 1,
    }
    timestamp = response["timestamp"]
    assert response == {
        "code": 300, "message": "License key activated", "errors": [], "timestamp": timestamp, "data": data,
    }  # fmt: skip
    assert license_store(deployment).get(license_.id).state is LicenseState.ACTIVE
    (activation,) = activations_of(deployment, license_)
    assert (activation.identifier, activation.state) == (DEVICE, ActivationState.ACTIVE)


def test_a_key_of_another_environment_looks_like_none(deployment: Deployment, ask: Ask) -> None:
    issue(deployment, environment=Environment.STAGING)
    for action in ACTIONS:
        elsewhere = response_of(ask(action, {"license_key": KEY, "identifier": DEVICE}))
        nowhere = response_of(ask(action, {"license_key": "NOBODY-ISSUED-THIS", "identifier": DEVICE}))
        assert elsewhere | {"timestamp": 0} == nowhere | {"timestamp": 0}
        assert elsewhere == {
            "code": 210,
            "message": "Invalid license key",
            "errors": [],
            "timestamp": elsewhere["timestamp"],
        }
    there = ask("activate", {"license_key": KEY, "identifier": DEVICE}, deployment.keys[Environment.STAGING])
    assert code_of(there) == 300


@pytest.mark.parametrize("base", ["/api/v1", "/v1"])
@pytest.mark.parametrize("name", ["identifier", "hardwareId", "hardware_id", "domain", "server_domain"])
def test_every_route_and_name_of_the_identifier(deployment: Deployment, ask: Ask, base: str, name: str) -> None:
    issue(deployment)
    body = {"license_key": KEY, name: DEVICE, "product_uuid": "acme-desktop"}
    assert [code_of(ask(action, body, base=base)) for action in ("verify", "activate", "verify", "deactivate")] == [
        202, 300, 200, 400,
    ]  # fmt: skip


@pytest.mark.parametrize("identifier", [None, "", "  ", [], {}, True, "x" * 1_025])
def test_an_identifier_is_required(deployment: Deployment, ask: Ask, identifier: object) -> None:
    license_ = issue(deployment)
    for action in ACTIONS:
        response = response_of(ask(action, {"license_key": KEY, "identifier": identifier}))
        assert (response["code"], list(response["errors"])) == (215, ["identifier"])
        assert code_of(ask(action, {"license_key": "unknown to us", "identifier": identifier})) == 210
    assert activations_of(deployment, license_) == []


@pytest.mark.parametrize("license_key", [None, "", "unknown", [], 12, "\ud800"])
def test_odd_keys_are_invalid(ask: Ask, license_key: object) -> None:
    assert code_of(ask("verify", {"license_key": license_key, "identifier": DEVICE})) == 210


@pytest.mark.parametrize("product", ["acme-cli", "nobody-knows", 12, [], {"a": 1}, True])
def test_a_licence_of_another_product_is_invalid(deployment: Deployment, ask: Ask, product: object) -> None:
    issue(deployment)
    response = response_of(ask("activate", {"license_key": KEY, "identifier": DEVICE, "product_uuid": product}))
    assert (response["code"], "data" in response) == (210, False)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 10_000, b'{"a":NaN}', "identifier=1"])
def test_unreadable_bodies_are_a_clear_error(ask: Ask, body: bytes | str) -> None:
    for action in ACTIONS:
        result = ask(action, body)
        response = result.body["response"]
        assert (result.status, response["code"]) == (400, 422)
        assert response["errors"]["body"] == [response["message"]]


def test_keys_are_refused_as_by_ingest(deployment: Deployment, ask: Ask) -> None:
    body = {"license_key": KEY, "identifier": DEVICE}
    nobody, weak = ask("verify", body, "nobody-issued-this"), ask("verify", body, deployment.key(frozenset()))
    for result, code in ((nobody, 100), (weak, 102)):
        assert (result.status, result.body["response"]["code"]) == (401, code)


def test_a_key_in_the_body_is_enough(deployment: Deployment) -> None:
    issue(deployment)
    body = {"license_key": KEY, "identifier": DEVICE, "api_key": deployment.keys[Environment.PRODUCTION]}
    assert code_of(Client(load_function("licensing")).post("/v1/verify", body)) == 202


def test_the_example_event_activates(deployment: Deployment) -> None:
    issue(deployment)
    event = example_event("licensing-activate")
    event["headers"]["x-api-key"] = deployment.keys[Environment.PRODUCTION]
    assert code_of(Client(load_function("licensing")).send(event)) == 300


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_of_nothing_is_none(deployment: Deployment, ask: Ask, limit: int) -> None:
    issue(deployment, activation_limit=limit)
    answers = [response_of(ask("activate", {"license_key": KEY, "identifier": f"device-{n}"})) for n in range(20)]
    assert {(answer["code"], answer["data"]["activation_limit"]) for answer in answers} == {(300, 0)}


def test_a_seat_given_back_can_be_taken_again(deployment: Deployment, ask: Ask) -> None:
    license_ = issue(deployment, activation_limit=1)
    calls = [
        ("activate", "a", 300), ("activate", "b", 302), ("deactivate", "b", 401), ("deactivate", "a", 400),
        ("deactivate", "a", 401), ("activate", "b", 300), ("activate", "a", 302), ("verify", "b", 200),
    ]  # fmt: skip
    for action, device, code in calls:
        assert code_of(ask(action, {"license_key": KEY, "identifier": device})) == code, (action, device)
    assert license_store(deployment).get(license_.id).active_activations == 1


def test_staff_notice_that_a_licence_became_active(deployment: Deployment, ask: Ask) -> None:
    read = issue(deployment)
    assert code_of(ask("activate", {"license_key": KEY, "identifier": "a"})) == 300
    first = license_store(deployment).get(read.id)
    assert first.version == read.version + 1
    assert code_of(ask("activate", {"license_key": KEY, "identifier": "b"})) == 300
    assert license_store(deployment).get(read.id).version == first.version


def test_calls_are_counted_by_product_action_and_code(deployment: Deployment, ask: Ask) -> None:
    issue(deployment, activation_limit=1)
    begin = datetime.now(UTC)
    for action, body in [
        ("activate", {"license_key": KEY, "identifier": "a"}),
        ("activate", {"license_key": KEY, "identifier": "b"}),
        ("activate", {"license_key": KEY, "identifier": "c"}),
        ("verify", {"license_key": KEY, "identifier": "a"}),
        ("verify", {"license_key": "nobody's", "identifier": "a"}),
    ]:
        ask(action, body)
    ask("verify", {"license_key": "nobody's", "identifier": "a"}, deployment.key(product_id="acme-cli"))
    products = ("acme-desktop", "acme-cli", "~unknown")
    assert {product: calls_since(deployment, product, begin) for product in products} == {
        "acme-desktop": {
            (DeviceAction.ACTIVATE, 300): 1,
            (DeviceAction.ACTIVATE, 302): 2,
            (DeviceAction.VERIFY, 200): 1,
        },
        "acme-cli": {(DeviceAction.VERIFY, 210): 1},
        "~unknown": {(DeviceAction.VERIFY, 210): 1},
    }


def test_a_call_that_storage_forbids_to_count_is_answered_and_rings(
    deployment: Deployment, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    issue(deployment)
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "UpdateItem")
    with failing(denied, "UpdateItem"):
        assert code_of(ask("verify", {"license_key": "nobody's", "identifier": "a"})) == 210
    assert "StorageFaults" in {name for _, name, _ in emitted(capsys.readouterr().out)}


def calls_since(deployment: Deployment, product: str, begin: datetime) -> Calls:
    counters = LicensingCounters(deployment.tables.aggregates(Environment.PRODUCTION))
    return counters.calls(begin, datetime.now(UTC))[product]


def test_counters_tell_hours_apart_and_expire(deployment: Deployment) -> None:
    counters = LicensingCounters(deployment.tables.aggregates(Environment.PRODUCTION))
    for minutes in (0, 29, 30, 90, 60 * 24):
        counters.add("acme-cli", DeviceAction.ACTIVATE, 302, NOW + timedelta(minutes=minutes))
    counters.add("acme-cli", DeviceAction.VERIFY, 200, NOW)
    counters.add("acme-desktop", DeviceAction.ACTIVATE, 302, NOW)
    first, last = NOW.replace(minute=0), NOW + timedelta(hours=2)
    assert counters.calls(first, first) == {
        "acme-cli": {("activate", 302): 2, ("verify", 200): 1},
        "acme-desktop": {("activate", 302): 1},
    }
    assert counters.calls(NOW + timedelta(hours=1), last) == {"acme-cli": {("activate", 302): 2}}
    assert counters.calls(last, last) == {"acme-cli": {("activate", 302): 1}}
    assert counters.calls(NOW + timedelta(days=2), NOW + timedelta(days=3)) == {}


def test_a_call_that_cannot_be_counted_is_answered(
    deployment: Deployment, ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise StoreUnavailable("licensing counters")

    issue(deployment)
    monkeypatch.setattr(LicensingCounters, "add", broken)
    assert code_of(ask("activate", {"license_key": KEY, "identifier": DEVICE})) == 300
    assert "Not counted" in caplog.text
    assert KEY not in caplog.text


def test_storage_that_does_not_answer_is_503(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise StoreUnavailable("licenses")

    monkeypatch.setattr(LicenseStore, "known", broken)
    result = ask("verify", {"license_key": KEY, "identifier": DEVICE})
    assert (result.status, result.headers["retry-after"]) == (503, "5")
    assert result.body["response"]["code"] == 503


def test_an_unforeseen_failure_says_nothing_of_itself(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a detail")

    monkeypatch.setattr(LicenseStore, "known", broken)
    result = ask("verify", {"license_key": KEY, "identifier": DEVICE})
    assert (result.status, "a detail" in result.text) == (500, False)


# ── Idempotency-Key


def test_the_same_key_gives_the_same_bytes(deployment: Deployment, ask: Ask) -> None:
    issue(deployment)
    body = {"license_key": KEY, "identifier": DEVICE}
    first = ask("activate", body, idempotency_key="k1")
    assert code_of(first) == 300
    again = [ask("activate", body, base=base, idempotency_key="k1") for base in ("/api/v1", "/v1")]
    assert [(result.status, result.text) for result in again] == [(200, first.text)] * 2
    assert code_of(ask("activate", body)) == 301
    assert code_of(ask("activate", body, idempotency_key="k2")) == 301
    assert code_of(ask("verify", body, idempotency_key="k1")) == 200
    other = deployment.key()
    assert code_of(ask("activate", body, other, idempotency_key="k1")) == 301
    calls = calls_since(deployment, "acme-desktop", datetime.now(UTC) - timedelta(hours=1))
    assert calls[DeviceAction.ACTIVATE, 300] == 1


def test_another_body_under_the_same_key_is_refused(deployment: Deployment, ask: Ask) -> None:
    license_ = issue(deployment)
    ask("activate", {"license_key": KEY, "identifier": "a"}, idempotency_key="k1")
    result = ask("activate", {"license_key": KEY, "identifier": "b"}, idempotency_key="k1")
    response = result.body["response"]
    assert (result.status, response["code"], list(response["errors"])) == (422, 422, ["Idempotency-Key"])
    assert len(activations_of(deployment, license_)) == 1


def test_what_failed_may_be_asked_again_at_once(
    deployment: Deployment, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise StoreUnavailable("licenses")

    issue(deployment)
    body = {"license_key": KEY, "identifier": DEVICE}
    with monkeypatch.context() as patch:
        patch.setattr(ActivationStore, "activate", broken)
        assert ask("activate", body, idempotency_key="k1").status == 503
    assert code_of(ask("activate", body, idempotency_key="k1")) == 300


def test_kept_answers_hold_no_secret_and_expire(deployment: Deployment, ask: Ask) -> None:
    issue(deployment)
    body = {"license_key": KEY, "identifier": DEVICE, "api_key": deployment.keys[Environment.PRODUCTION]}
    ask("activate", body, idempotency_key="my-idempotency-key")
    items = dynamodb_client().scan(TableName=deployment.tables.registry)["Items"]
    (item,) = (item for item in items if item["sk"]["S"] == "idempotency")
    dumped = str(item)
    for secret in (KEY, "my-idempotency-key", body["api_key"]):
        assert secret not in dumped
    assert 86_000 < int(item["expires_at"]["N"]) - datetime.now(UTC).timestamp() <= 86_400
