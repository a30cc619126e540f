"""Every answer of licensing, whole, and as the published SDKs read it: through the handler on a real engine."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest

from telemetry.domain.environment import Environment
from telemetry.domain.license import License, LicenseState, activation_id
from telemetry.domain.product import Product
from telemetry.retry import Deadline
from telemetry.storage.activations import ActivationChange
from telemetry.storage.tables import dynamodb_client
from tests.client import Client, bearer
from tests.lambdas import load_function
from tests.worlds.deployment import Deployment
from tests.worlds.licenses import DEVICE, KEY, activation_store, activations_of, issue, license_store

EXPIRY = datetime(2031, 1, 31, 23, 59, 59, tzinfo=UTC)
PAST = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
ACTIVATED_AT = datetime(2026, 11, 21, 8, 30, 12, 345_000, tzinfo=UTC)
NEEDED = {"identifier": ["The identifier field is required, with at most 1024 characters."]}
ABSENT_KEY = "NOBODY-ISSUED-THIS"


SUCCESS = {200, 300, 301, 400, 401}
VALID = {200, 300, 301}


@dataclass(frozen=True)
class Scene:
    """What a device asks, of which licence, and what it is told. `status` is None where no licence is found."""

    code: int
    action: str
    message: str
    status: str | None
    license: Mapping[str, Any] = field(default_factory=dict)
    is_active: bool = False
    identifier: str | None = DEVICE
    key: str = KEY
    errors: object = ()

    @property
    def sent(self) -> dict[str, str]:
        return {"license_key": self.key} | ({"identifier": self.identifier} if self.identifier else {})


ACTIVE, REVOKED = {"state": LicenseState.ACTIVE}, {"state": LicenseState.REVOKED}
RETIRED = ACTIVE | {"product_id": "acme-retired"}
NOT_ACTIVATED = "No activation found for this license key/identifier combination"
NO_PRODUCT = "The product associated with this license key is not active or doesn't exist"
SCENES = [
    Scene(200, "verify", "Valid license key", "active", ACTIVE, is_active=True),
    Scene(201, "verify", "This license key is not assigned", "available", {"state": LicenseState.AVAILABLE}),
    Scene(202, "verify", NOT_ACTIVATED, "assigned"),
    Scene(203, "verify", NO_PRODUCT, "active", RETIRED, is_active=True),
    Scene(204, "verify", "License key blocked", "revoked", REVOKED, is_active=True),
    Scene(204, "activate", "License key blocked", "suspended", {"state": LicenseState.SUSPENDED}),
    Scene(205, "verify", "License key expired", "expired", {"expires_at": PAST}, is_active=True),
    Scene(210, "verify", "Invalid license key", None, key=ABSENT_KEY),
    Scene(215, "activate", "Identifier is required", "assigned", identifier=None, errors=NEEDED),
    Scene(300, "activate", "License key activated", "active"),
    Scene(301, "activate", "License key already active", "active", ACTIVE, is_active=True),
    Scene(302, "activate", "License key reached activation limit", "assigned", {"active_activations": 3}),
    Scene(400, "deactivate", "License key deactivated", "active", ACTIVE, is_active=True),
    Scene(401, "deactivate", "License key already inactive", "revoked", REVOKED),
]
NAMES = [f"{scene.action}-{scene.code}-{scene.status}" for scene in SCENES]

Ask = Callable[..., str]


@pytest.fixture
def ask(deployment: Deployment) -> Ask:
    """Asks a freshly started licensing function; gives the body of its HTTP 200."""
    licensing = Client(load_function("licensing"), base="/v1/")

    def ask(action: str, body: bytes, content_type: str = "application/json", **headers: str) -> str:
        key = {} if b"api_key" in body else bearer(deployment.keys[Environment.PRODUCTION])
        text = body.decode() if content_type == "application/json" else body
        answer = licensing.post(action, text, content_type=content_type, **key, **headers)
        assert answer.status == 200
        return answer.text

    return ask


def prepare(deployment: Deployment, scene: Scene) -> License:
    """The scene's licence, under which the device was activated before it came into its state."""
    deployment.products.put(Product("acme-retired", "Acme Retired", is_active=False))
    store = license_store(deployment)
    wanted = {"expires_at": EXPIRY, **scene.license}
    first = {name: value for name, value in wanted.items() if name == "active_activations"}
    license_ = issue(deployment, **first)
    if scene.is_active:
        change = activation_store(deployment).activate(license_, DEVICE, ACTIVATED_AT, Deadline(60))
        assert change is ActivationChange.DONE
    return store.change(replace(store.get(license_.id), **wanted))


def as_json(fields: Mapping[str, str]) -> tuple[bytes, str]:
    return json.dumps(fields).encode(), "application/json"


def as_form(fields: Mapping[str, str]) -> tuple[bytes, str]:
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def as_multipart(fields: Mapping[str, str]) -> tuple[bytes, str]:
    parts = (
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    return f"{''.join(parts)}--b--\r\n".encode(), "multipart/form-data; boundary=b"


def expected(scene: Scene, license_: License, keyring: Any, timestamp: int, activated_at: str) -> dict[str, Any]:  # noqa: ANN401
    """The whole body, member by member."""
    expires_at = "2026-01-31T23:59:59Z" if "expires_at" in scene.license else "2031-01-31T23:59:59Z"
    name = "Acme Retired" if "product_id" in scene.license else "Acme Desktop"
    product = name.lower().replace(" ", "-")
    code, message, errors = scene.code, scene.message, scene.errors or []
    response: dict[str, Any] = {"code": code, "message": message, "errors": errors, "timestamp": timestamp}
    answer: dict[str, Any] = {"code": code, "message": message, "success": code in SUCCESS, "valid": code in VALID}
    if scene.status:
        response["data"] = {
            "uuid": license_.id, "product_uuid": product, "status": scene.status, "expires_at": expires_at,
            "activation_limit": 3,
        }  # fmt: skip
        answer["license"] = {
            "license_key": KEY, "status": scene.status, "expires_at": expires_at, "product_uuid": product,
            "product_name": name, "features": {}, "activation_limit": 3,
        }  # fmt: skip
    if scene.code in {300, 301}:
        id_ = activation_id(license_.id, DEVICE, keyring)
        answer["activation"] = {"id": id_, "identifier": DEVICE, "activated_at": activated_at}
    encoded = b64encode(json.dumps(response, separators=(",", ":")).encode()).decode()
    return {"response": response, "response_base64": encoded, "private_key_used": "global"} | answer


@pytest.mark.parametrize(
    ("written", "key_in_body"),
    [
        (as_json, False),
        (as_form, True),
        *(pytest.param(*each, marks=pytest.mark.slow) for each in ((as_json, True), (as_form, False))),
        *(pytest.param(as_multipart, each, marks=pytest.mark.slow) for each in (False, True)),
    ],
)
@pytest.mark.parametrize("scene", SCENES, ids=NAMES)
def test_the_whole_answer(
    deployment: Deployment,
    ask: Ask,
    scene: Scene,
    written: Callable[[Mapping[str, str]], tuple[bytes, str]],
    key_in_body: bool,  # noqa: FBT001
) -> None:
    license_ = prepare(deployment, scene)
    sent = scene.sent | ({"api_key": deployment.keys[Environment.PRODUCTION]} if key_in_body else {})
    answer = json.loads(ask(scene.action, *written(sent)))
    timestamp = answer["response"]["timestamp"]
    assert abs(timestamp - datetime.now(UTC).timestamp()) < 60
    at = ACTIVATED_AT if scene.is_active else datetime.fromtimestamp(timestamp, UTC)
    activated_at = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    assert answer == expected(scene, license_, deployment.keyring, timestamp, activated_at)


def test_every_answer_has_a_scene() -> None:
    codes = {200, 201, 202, 203, 204, 205, 210, 215, 300, 301, 302, 400, 401}
    assert {scene.code for scene in SCENES} == codes


@pytest.mark.parametrize("scene", SCENES, ids=NAMES)
def test_what_the_sdks_read(deployment: Deployment, ask: Ask, scene: Scene) -> None:
    """PHP and Laravel: results of either kind; JavaScript: the answer itself. All unwrap a top-level `data`."""
    prepare(deployment, scene)
    answer = json.loads(ask(scene.action, *as_json(scene.sent)))
    told = answer.get("data") or answer
    license_, activation = told.get("license"), told.get("activation", {})
    assert (told["code"], told["message"], told["success"], told["valid"]) == (
        scene.code, scene.message, scene.code in SUCCESS, scene.code in VALID,
    )  # fmt: skip
    assert (type(told["code"]), type(told["success"]), type(told["valid"])) == (int, bool, bool)
    assert (license_ and license_["status"]) == scene.status
    if license_:
        assert license_["license_key"] == KEY
        assert license_["features"] == {}
        assert datetime.fromisoformat(license_["expires_at"]) in {EXPIRY, PAST}
        assert (license_["product_uuid"], license_["product_name"]) in {
            ("acme-desktop", "Acme Desktop"),
            ("acme-retired", "Acme Retired"),
        }
    assert activation.get("identifier") == (DEVICE if scene.code in {300, 301} else None)
    assert "signature" not in told  # what is absent is not checked


def test_a_licence_of_no_product_or_one_nobody_registered(deployment: Deployment, ask: Ask) -> None:
    for key, product in (("A-KEY-OF-NO-PRODUCT", None), ("A-KEY-OF-A-LOST-ONE", "acme-lost")):
        issue(deployment, key, product_id=product)
        license_ = json.loads(ask("verify", *as_json({"license_key": key, "identifier": DEVICE})))["license"]
        assert (license_["product_uuid"], license_["product_name"]) == (product, None)


# ── activations


def activate(ask: Ask, identifier: str, action: str = "activate") -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(ask(action, *as_json({"license_key": KEY, "identifier": identifier})))
    return answer


def test_an_activation_has_one_id_and_its_time(deployment: Deployment, ask: Ask) -> None:
    license_ = issue(deployment)
    first, again = activate(ask, DEVICE), activate(ask, DEVICE)
    assert (first["code"], again["code"]) == (300, 301)
    assert first["activation"] == again["activation"]
    UUID(first["activation"]["id"])
    assert activate(ask, "another")["activation"]["id"] != first["activation"]["id"]
    earlier = datetime(2026, 11, 1, tzinfo=UTC)
    activation_store(deployment).deactivate(license_, DEVICE, earlier, Deadline(60))
    reactivated, told = activate(ask, DEVICE), activate(ask, DEVICE)
    assert (reactivated["code"], told["code"]) == (300, 301)
    assert reactivated["activation"] == told["activation"]
    assert reactivated["activation"]["id"] == first["activation"]["id"]


def test_the_same_device_under_two_licences_has_two_ids(deployment: Deployment, ask: Ask) -> None:
    issue(deployment)
    issue(deployment, "ANOTHER-LICENSE")
    other = json.loads(ask("activate", *as_json({"license_key": "ANOTHER-LICENSE", "identifier": DEVICE})))
    assert other["activation"]["id"] != activate(ask, DEVICE)["activation"]["id"]


# ── one device, however it is spelled


@pytest.mark.parametrize(
    ("first", "again"), [("Example.com", "example.com."), ("AABB-01", "aabb-01"), ("BÜCHER.example.", "bücher.example")]
)
def test_spellings_of_a_device_are_one_seat(deployment: Deployment, ask: Ask, first: str, again: str) -> None:
    license_ = issue(deployment, activation_limit=1)
    activated, repeated = activate(ask, first), activate(ask, again)
    assert (activated["code"], repeated["code"]) == (300, 301)
    assert activated["activation"] == repeated["activation"] | {"identifier": first}
    assert repeated["activation"]["identifier"] == again
    (kept,) = activations_of(deployment, license_)
    assert kept.identifier == first
    assert [activate(ask, again, action)["code"] for action in ("verify", "deactivate")] == [200, 400]
    assert [activate(ask, first, action)["code"] for action in ("verify", "deactivate")] == [202, 401]


def test_a_placeholder_is_a_device_like_any_other(deployment: Deployment, ask: Ask) -> None:
    issue(deployment)
    for placeholder in ("00000000-0000-0000-0000-000000000000", "To be filled by O.E.M."):
        codes = [activate(ask, placeholder, action)["code"] for action in ("activate", "verify", "activate")]
        assert codes == [300, 200, 301]


# ── kept answers


def test_a_replay_is_the_same_answer_byte_for_byte(deployment: Deployment, ask: Ask) -> None:
    issue(deployment)
    fields = {"license_key": KEY, "identifier": DEVICE, "api_key": deployment.keys[Environment.PRODUCTION]}
    for written in (as_json, as_form, as_multipart):
        name = written.__name__
        first = ask("activate", *written(fields), idempotency_key=name)
        ask("deactivate", *written(fields), idempotency_key=name)
        assert [ask("activate", *written(fields), idempotency_key=name) for _ in range(2)] == [first] * 2
        assert json.loads(first)["code"] == 300
        assert json.loads(first)["license"]["license_key"] == KEY


def test_nothing_stored_holds_a_licence_key(deployment: Deployment, ask: Ask) -> None:
    issue(deployment)
    for action in ("verify", "activate", "verify", "deactivate"):
        for key in (KEY, ABSENT_KEY):
            for written in (as_json, as_form):
                fields = {"license_key": key, "identifier": DEVICE}
                ask(action, *written(fields), idempotency_key=f"{key} {written.__name__}")
    tables = (deployment.tables.registry, deployment.tables.aggregates(Environment.PRODUCTION))
    items = [item for table in tables for item in dynamodb_client().scan(TableName=table)["Items"]]
    kept = [json.loads(item["answer"]["S"])[1] for item in items if "answer" in item]
    assert len(kept) == 12
    dumped = f"{items}{[b64decode(answer['response_base64']) for answer in kept]}"
    assert KEY not in dumped
    assert ABSENT_KEY not in dumped


def test_a_device_named_like_its_key_is_not_kept_in_an_answer(deployment: Deployment, ask: Ask) -> None:
    issue(deployment)
    fields = {"license_key": KEY, "identifier": KEY}
    answers = [ask("activate", *as_json(fields), idempotency_key="k1") for _ in range(2)]
    assert answers[0] == answers[1]
    assert json.loads(answers[0])["activation"]["identifier"] == KEY
    items = dynamodb_client().scan(TableName=deployment.tables.registry)["Items"]
    assert KEY not in str([item for item in items if item["sk"]["S"] == "idempotency"])
