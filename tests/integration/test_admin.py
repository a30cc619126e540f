"""The admin API on a real engine: who may do what, what is answered, and what is written down."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from pynamodb.connection import Connection
from pynamodb.exceptions import CancellationReason, PynamoDBConnectionError, TransactWriteError, VerboseClientError

from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.domain.errors import ChangedMeanwhile, StaleVersion
from telemetry.domain.license import LicenseAction, LicenseState, activation_id
from telemetry.domain.staff import Author, Staff
from telemetry.retry import Deadline
from telemetry.services.administration import licenses
from telemetry.services.administration.stores import Stores
from telemetry.services.api_keys import issue_staff_key
from telemetry.storage.activations import ActivationChange
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.tables import dynamodb_client
from telemetry.web.administration.products import MOST_ACTIVITY_TYPES
from tests.client import Answer, Client, bearer, headers_of
from tests.described import operations
from tests.lambdas import load_function, restart
from tests.worlds.deployment import Deployment, Post

pytestmark = pytest.mark.days

BASE = "/api/v1/admin"
PRODUCTION = {"environment": "production"}
KEY = "ACME-7F3K-92QM-XT4B-LL08"
REQUEST_ID = "JKJaXmPLvHcESHA="


Ask = Callable[..., Answer]


@dataclass(frozen=True)
class Keys:
    super_admin: str
    admin: str
    viewer: str
    sdk: str
    nobody: str = "tk_staff_nobody-issued-this"


@pytest.fixture
def keys(deployment: Deployment) -> Keys:
    return Keys(
        super_admin=deployment.staff_key(Role.SUPER_ADMIN),
        admin=deployment.staff_key(Role.ADMIN),
        viewer=deployment.staff_key(Role.VIEWER),
        sdk=deployment.keys[Environment.PRODUCTION],
    )


@pytest.fixture(scope="module")
def admin_function() -> ModuleType:
    """Loaded once, because its models take a while."""
    return load_function("admin")


@pytest.fixture
def ask(keys: Keys, admin_function: ModuleType) -> Ask:
    """Asks an admin function that knows nothing yet, as an admin unless told."""
    restart(admin_function)
    admin = Client(admin_function)

    def ask(
        method: str,
        path: str,
        body: object = None,
        query: dict[str, str] | None = None,
        key: str | None = keys.admin,
        **headers: str,
    ) -> Answer:
        sent = {"user-agent": "browser/1", **headers_of(headers), **(bearer(key) if key else {})}
        return admin.request(method, BASE + path, body, query, sent)

    return ask


@pytest.fixture
def store(deployment: Deployment) -> Stores:
    return Stores.of(deployment.tables.registry, 90, deployment.keyring)


@pytest.fixture
def customer(ask: Ask) -> str:
    return str(ask("POST", "/customers", {"id": "globex", "name": "Globex"}).body["id"])


def a_license(ask: Ask, environment: str = "production", **fields: object) -> Any:  # noqa: ANN401
    answer = ask("POST", "/licenses", fields, {"environment": environment})
    assert answer.status == 201, answer
    return answer.body


def problem(status: int, type_: str, title: str, detail: str, path: str, **more: object) -> dict[str, object]:
    return {
        "type": f"/docs#problem-{type_}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": BASE + path,
        "request_id": REQUEST_ID,
        **more,
    }


# ── who may do what

ROUTES: list[tuple[str, str, object, int]] = [
    # in an order that leads to each status
    ("GET", "/products", None, 200),
    ("POST", "/products", {"id": "new", "name": "New"}, 201),
    ("GET", "/products/{product_id}", None, 200),
    ("PATCH", "/products/{product_id}", {"name": "Newer"}, 200),
    ("GET", "/customers", None, 200),
    ("POST", "/customers", {"id": "new", "name": "New"}, 201),
    ("GET", "/customers/{customer_id}", None, 200),
    ("PATCH", "/customers/{customer_id}", {"name": "Newer"}, 200),
    ("GET", "/licenses", None, 200),
    ("POST", "/licenses", {}, 201),
    ("GET", "/exports/licenses", None, 200),
    ("GET", "/licenses/{license_id}", None, 200),
    ("GET", "/licenses/{license_id}/card", None, 200),
    ("PATCH", "/licenses/{license_id}", {"activation_limit": 2}, 200),
    ("POST", "/licenses/{license_id}/assign", {"customer_id": "globex"}, 200),
    ("POST", "/licenses/{license_id}/suspend", None, 200),
    ("POST", "/licenses/{license_id}/resume", None, 200),
    ("POST", "/licenses/{license_id}/revoke", None, 200),
    ("GET", "/licenses/{license_id}/activations", None, 200),
    ("POST", "/licenses/{license_id}/deactivate", {"identifier": "nobody"}, 404),
    ("GET", "/api-keys", None, 200),
    ("POST", "/api-keys", {"name": "new", "capabilities": ["ingest"]}, 201),
    ("GET", "/api-keys/{key_id}", None, 200),
    ("GET", "/api-keys/{key_id}/usage", None, 200),
    ("GET", "/api-keys/{key_id}/secret", None, 200),
    ("POST", "/api-keys/{key_id}/regenerate", None, 200),
    ("POST", "/api-keys/{key_id}/revoke", None, 200),
    ("GET", "/retention", None, 200),
    ("PUT", "/retention", {"days": 30}, 200),
    ("GET", "/retention/preview", None, 200),
    ("GET", "/company-overrides", None, 200),
    ("PUT", "/company-overrides", {"own_domains": ["vendor.example"]}, 200),
    ("POST", "/developers/{developer_id}/forget", None, 200),
    ("PUT", "/developers/{developer_id}/unlinked/{other_id}", None, 404),
    ("DELETE", "/developers/{developer_id}/unlinked/{other_id}", None, 200),
    ("GET", "/attribution", None, 200),
    ("POST", "/attribution", {"first_day": "2026-11-01", "last_day": "2026-11-02"}, 422),
    ("PUT", "/attribution", {"shown": 0}, 404),
    ("POST", "/days/{day}/verify", None, 404),
    ("GET", "/days/{day}/corrections", None, 404),
    ("POST", "/spikes/{spike_id}/acknowledge", None, 404),
    ("POST", "/spikes/{spike_id}/mute", {"time": "24h"}, 404),
    ("POST", "/spikes/{spike_id}/unmute", None, 404),
    ("GET", "/audit", None, 200),
    ("GET", "/history", None, 200),
]
OF_A_PRODUCT = ("/developers/{developer_id}/unlinked", "/attribution")
FOR_SUPER_ADMINS = {("PUT", "/retention"), ("GET", "/retention/preview")}


@pytest.mark.parametrize(
    ("who", "refused", "detail"),
    [
        ("super_admin", None, ""),
        ("admin", None, ""),
        ("viewer", 403, "This needs a staff key with the role admin; yours is viewer."),
        ("sdk", 403, "This needs a staff key, and the API key is one of an SDK."),
        ("nobody", 401, "The API key was never issued here."),
        (None, 401, "An API key is needed: bearer token or X-API-KEY."),
    ],
)
def test_every_route_knows_who_may(
    ask: Ask, keys: Keys, customer: str, who: str | None, refused: int | None, detail: str
) -> None:
    there = {
        "product_id": "acme-desktop",
        "customer_id": customer,
        "license_id": a_license(ask)["id"],
        "key_id": ask("POST", "/api-keys", {"name": "x", "capabilities": ["ingest"]}, PRODUCTION).body["id"],
        "day": "2026-11-03",
        "developer_id": "A" * 22,
        "other_id": "B" * 21 + "A",
        "spike_id": "acme-cli",
    }
    before = ask("GET", "/audit", query=PRODUCTION).body
    key = getattr(keys, who) if who else None
    for method, path, body, status in ROUTES:
        url = path.format(**there)
        match = {"if_match": '"1"'} if method in {"PATCH", "PUT"} else {}
        query = PRODUCTION | ({"days": "30"} if path == "/retention/preview" else {})
        query |= {"kind": "license", "entity": there["license_id"]} if path == "/history" else {}
        query |= {"product": "acme-cli"} if path.startswith(OF_A_PRODUCT) else {}
        answer = ask(method, url, body, query, key, **match)
        if who == "admin" and (method, path) in FOR_SUPER_ADMINS:
            status = 403  # noqa: PLW2901
        assert answer.status == (refused or status), (method, path, answer)
        if refused:
            told = (
                problem(403, "forbidden", "Not allowed", detail, url)
                if refused == 403
                else problem(401, "unauthenticated", "Not authenticated", detail, url)
            )
            assert answer.body == told
            # nor is anybody told what is wrong with fields before that
            assert ask(method, url, {"odd": 1}, None, key).body == told
    assert not refused or ask("GET", "/audit", query=PRODUCTION).body == before


def test_staff_keys_are_for_a_super_admin(ask: Ask, keys: Keys) -> None:
    body = {"kind": "staff", "name": "x", "role": "viewer", "environments": ["staging"]}
    issued = ask("POST", "/api-keys", body, PRODUCTION, keys.super_admin)
    listed = ask("GET", "/api-keys", None, {"environment": "staging", "kind": "staff"}, keys.super_admin)
    assert (issued.status, listed.status) == (201, 200)
    shown = {name: value for name, value in issued.body.items() if name != "secret"} | {"last_used_at": None}
    assert shown in listed.body["items"]
    path = f"/api-keys/{issued.body['id']}"
    refused = [
        ask("POST", "/api-keys", body, PRODUCTION),
        ask("GET", "/api-keys", None, PRODUCTION | {"kind": "staff"}),
        *(ask("GET", path + part) for part in ("", "/secret")),
        *(ask("POST", path + part) for part in ("/regenerate", "/revoke")),
    ]
    assert [answer.status for answer in refused] == [403] * 6
    regenerated = ask("POST", path + "/regenerate", key=keys.super_admin)
    assert regenerated.body["secret"] != issued.body["secret"]
    assert ask("GET", path + "/secret", key=keys.super_admin).body == problem(
        409,
        "action-not-allowed",
        "Not possible in this state",
        "The secret of a staff key is not kept.",
        path + "/secret",
    )
    assert ask("POST", path + "/revoke", key=keys.super_admin).body["active"] is False


def test_nobody_reaches_beyond_the_environments_of_their_key(ask: Ask, deployment: Deployment, keys: Keys) -> None:
    """The same answers for what is in another environment and for what is not at all."""
    theirs = a_license(ask)["id"]
    their_key = ask("POST", "/api-keys", {"name": "x", "capabilities": ["ingest"]}, PRODUCTION).body["id"]
    staging = deployment.staff_key(Role.SUPER_ADMIN, Environment.STAGING)
    wide = {"kind": "staff", "name": "x", "role": "admin", "environments": ["staging", "production"]}
    their_staff = ask("POST", "/api-keys", wide, PRODUCTION, keys.super_admin).body["id"]
    here = {"environment": "staging"}
    for method, path, body in (
        ("GET", "/licenses/{}", None),
        ("GET", "/licenses/{}/card", None),
        ("POST", "/licenses/{}/deactivate", {"identifier": "x"}),
        ("PATCH", "/licenses/{}", {"activation_limit": 1}),
        ("POST", "/licenses/{}/revoke", None),
        ("GET", "/licenses/{}/activations", None),
    ):
        url = path.format(theirs)
        expected = problem(404, "not-found", "Not found", f"There is no license {theirs}.", url)
        assert ask(method, url, body, None, staging, if_match='"1"').body == expected
        assert ask(method, url, body, here, keys.admin, if_match='"1"').body == expected
    for path in ("/licenses", "/api-keys", "/audit", f"/licenses/{theirs}"):
        assert ask("GET", path, None, PRODUCTION, staging).status == 403
    for method, path in (("GET", ""), ("GET", "/secret"), ("POST", "/regenerate"), ("POST", "/revoke")):
        assert ask(method, f"/api-keys/{their_key}{path}", key=staging).status == 404
        assert ask(method, f"/api-keys/nobody{path}", key=staging).status == 404
        assert ask(method, f"/api-keys/{their_staff}{path}", key=staging).status == 403
    assert ask("POST", "/api-keys", wide, here, staging).status == 403
    visible = ask("GET", "/api-keys", None, here | {"kind": "staff"}, staging).body["items"]
    assert {tuple(item["environments"]) for item in visible} == {("staging",)}
    assert theirs not in json.dumps(ask("GET", "/audit", None, here, staging).body)


def test_a_staff_key_is_bound_to_its_networks_and_time(ask: Ask, keys: Keys) -> None:
    base = {"kind": "staff", "name": "x", "role": "admin", "environments": ["staging"]}
    elsewhere = ask("POST", "/api-keys", base | {"allowed_networks": ["10.0.0.0/8"]}, PRODUCTION, keys.super_admin)
    expired = ask("POST", "/api-keys", base | {"expires_at": "2020-01-01T00:00:00Z"}, PRODUCTION, keys.super_admin)
    assert ask("GET", "/products", key=elsewhere.body["secret"]).status == 403
    assert ask("GET", "/products", key=expired.body["secret"]).status == 401


# ── products and customers


def test_products_are_registered_and_changed(ask: Ask) -> None:
    new = {"id": "orbit-2.x", "name": " Orbit ", "requires_license": True, "versions": ["2.1", "2.0"]}
    made = {
        "id": "orbit-2.x",
        "name": "Orbit",
        "active": True,
        "requires_license": True,
        "versions": ["2.0", "2.1"],
        "activity_types": [],
        "profiles": False,
    }
    created = ask("POST", "/products", new)
    assert (created.status, created.body, created.headers["etag"]) == (201, made, '"1"')
    path = "/products/orbit-2.x"
    assert ask("GET", path) == replace(created, status=200)
    builds = {"key": "primary", "label": "Ran a build", "level": "primary"}
    change = {"active": False, "activity_types": [builds], "versions": []}
    changed = ask("PATCH", path, change, if_match='"1"')
    assert (changed.status, changed.headers["etag"]) == (200, '"2"')
    assert changed.body == made | change == ask("GET", path).body
    assert ask("POST", "/products", new).body == problem(
        409, "already-exists", "Exists already", "There is a product orbit-2.x already.", "/products"
    )
    names = [item["id"] for item in ask("GET", "/products").body["items"]]
    assert names == ["acme-cli", "acme-desktop", "orbit-2.x"]


def test_profiles_are_turned_on_and_off(ask: Ask) -> None:
    """Off unless somebody says so, also of products that were stored before there was such a thing."""
    path = "/products/acme-cli"
    assert ask("GET", path).body["profiles"] is False
    for version, on in ((1, True), (2, False), (3, True)):
        changed = ask("PATCH", path, {"profiles": on}, if_match=f'"{version}"')
        assert (changed.status, changed.body["profiles"], ask("GET", path).body["profiles"]) == (200, on, on)
        entry = ask("GET", "/audit", None, PRODUCTION).body["items"][0]
        assert (entry["action"], entry["before"], entry["after"]) == (
            "product.change", {"profiles": not on}, {"profiles": on}
        )  # fmt: skip
    assert ask("PATCH", path, {"profiles": False}, if_match='"1"').status == 412
    assert ask("POST", "/products", {"id": "new", "name": "New", "profiles": True}).body["profiles"] is True
    assert ask("POST", "/products", {"id": "newer", "name": "New", "profiles": "x"}).status == 422


@pytest.mark.parametrize(
    "id_", ["", "~unknown", "*", " a", "a ", "a" * 65, "ä" * 33, "a\n", "a\x00b", "\ud800", None, 5]
)
def test_what_is_no_id_of_a_product(ask: Ask, id_: object) -> None:
    answer = ask("POST", "/products", {"id": id_, "name": "x"})
    assert (answer.status, [error["field"] for error in answer.body["errors"]]) == (422, ["id"])


@pytest.mark.parametrize("word", ["x" * 65, "\U0001f600" * 17, "a\x01b", "a\nb", "\ud800"])
def test_versions_and_activity_types_are_short_texts(ask: Ask, word: str) -> None:
    known = {"key": "primary", "level": "primary"}
    for lists, field in (
        ({"versions": ["1.0", word]}, "versions.1"),
        ({"activity_types": [known, {"key": word, "level": "primary"}]}, "activity_types.1.key"),
        ({"activity_types": [known | {"label": word}]}, "activity_types.0.label"),
    ):
        answer = ask("POST", "/products", {"id": "new", "name": "New", **lists})
        assert (answer.status, [error["field"] for error in answer.body["errors"]]) == (422, [field])
    assert ask("GET", "/products/new").status == 404


def test_a_product_with_all_it_may_have_is_changed_and_that_written_down(ask: Ask) -> None:
    """In quotation marks and characters of four bytes, which take the most room in the log."""

    longest = '"' * 32 + "\U0001f600" * 7

    def words(number: int) -> list[str]:
        return [f"{longest}{number}{each:03d}" for each in range(500)]

    def types(number: int) -> list[dict[str, str]]:
        return [
            {"key": key, "label": f"{longest}", "level": "secondary"} for key in words(number)[:MOST_ACTIVITY_TYPES]
        ]

    lists = [{"versions": words(number), "activity_types": types(number + 1)} for number in (1, 3)]
    assert ask("POST", "/products", {"id": "new", "name": "New"} | lists[0]).status == 201
    assert ask("PATCH", "/products/new", lists[1], if_match='"1"').status == 200
    entry = ask("GET", "/audit", None, PRODUCTION).body["items"][0]
    assert (entry["before"], entry["after"]) == (lists[0], lists[1])


def test_activity_types_have_keys_labels_and_levels(ask: Ask) -> None:
    """Listed by their keys. A key that is spelled in two ways is one."""
    sent = [
        {"key": "secondary1", "label": " Opened the docs ", "level": "secondary"},
        {"key": "CALL HOME", "level": "secondary"},
        {"key": "LOGIN_ACTIVITY", "level": "primary"},
    ]
    made = ask("POST", "/products", {"id": "new", "name": "New", "activity_types": sent})
    assert made.status == 201
    assert made.body["activity_types"] == [
        {"key": "CALL_HOME", "label": "CALL_HOME", "level": "secondary"},
        {"key": "LOGIN_ACTIVITY", "label": "LOGIN_ACTIVITY", "level": "primary"},
        {"key": "secondary1", "label": "Opened the docs", "level": "secondary"},
    ]
    assert ask("GET", "/products/new").body == made.body
    for wrong in (
        [sent[1], {"key": "CALL_HOME", "level": "primary"}],
        [{"key": "x"}],
        [{"key": "x", "level": "tertiary"}],
        ["primary"],
        [{"key": "x", "level": "primary", "name": "y"}],
        [{"key": f"k{number}", "level": "primary"} for number in range(MOST_ACTIVITY_TYPES + 1)],
    ):
        assert ask("PATCH", "/products/new", {"activity_types": wrong}, if_match='"1"').status == 422
    assert ask("PATCH", "/products/new", {"activity_types": []}, if_match='"2"').status == 412
    emptied = ask("PATCH", "/products/new", {"activity_types": []}, if_match='"1"')
    assert emptied.body["activity_types"] == []
    entry = ask("GET", "/audit", None, PRODUCTION).body["items"][0]
    assert (entry["before"], entry["after"]) == (
        {"activity_types": made.body["activity_types"]},
        {"activity_types": []},
    )


def test_customers_are_registered_and_changed(ask: Ask) -> None:
    created = ask("POST", "/customers", {"id": "ACME", "name": "Acme", "email": "it@acme.example"})
    made = {"id": "ACME", "name": "Acme", "email": "it@acme.example", "created_at": created.body["created_at"]}
    assert (created.status, created.body, created.headers["etag"]) == (201, made, '"1"')
    assert ask("GET", "/customers/ACME") == replace(created, status=200)
    changed = ask("PATCH", "/customers/ACME", {"email": None}, if_match='"1"')
    assert (changed.status, changed.body) == (200, made | {"email": None})
    unnamed = ask("POST", "/customers", {"name": "No id"}).body
    assert re.fullmatch("c-[0-9a-f]{12}", unnamed["id"])
    assert ask("GET", "/customers").body["items"] == [changed.body, unnamed]
    assert ask("GET", "/customers/nobody").status == 404


# ── licences


def test_a_licence_is_issued_with_a_key_of_ours_or_theirs(ask: Ask, customer: str) -> None:
    ours = ask("POST", "/licenses", {}, PRODUCTION)
    assert re.fullmatch("([A-HJ-NP-Z2-9]{5}-){4}[A-HJ-NP-Z2-9]{5}", ours.body["license_key"])
    given = {
        "license_key": f" {KEY} ",
        "product_id": "acme-desktop",
        "customer_id": customer,
        "expires_at": "2999-12-31T23:59:59.5+00:00",
        "activation_limit": 3,
    }
    theirs = ask("POST", "/licenses", given, PRODUCTION)
    made = {
        "id": theirs.body["id"],
        "environment": "production",
        "last_four": "LL08",
        "product_id": "acme-desktop",
        "customer_id": customer,
        "state": "assigned",
        "expires_at": "2999-12-31T23:59:59Z",
        "activation_limit": 3,
        "active_activations": 0,
        "created_at": theirs.body["created_at"],
    }
    assert (theirs.status, theirs.body, theirs.headers["etag"]) == (201, made | {"license_key": KEY}, '"1"')
    assert (ours.body["state"], ours.body["customer_id"], ours.body["activation_limit"]) == ("available", None, 0)
    assert ask("GET", f"/licenses/{made['id']}") == replace(theirs, status=200)
    listed = ask("GET", "/licenses", query=PRODUCTION)
    assert made | {"customer_name": "Globex", "last_seen": None} in listed.body["items"]
    assert KEY not in json.dumps(listed.body)
    assert ask("POST", "/licenses", given, PRODUCTION).body == problem(
        409, "already-exists", "Exists already", f"There is a license {made['id']} already.", "/licenses"
    )
    # the same key in another environment is another licence
    assert ask("POST", "/licenses", given, {"environment": "staging"}).status == 201


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"product_id": "nobody-knows"}, {"product_id": "There is no such product"}),
        ({"customer_id": "nobody"}, {"customer_id": "There is no such customer"}),
        ({"license_key": "short"}, {"license_key": "String should have at least 8 characters"}),
        ({"expires_at": "2027-01-01T00:00:00"}, {"expires_at": "Input should have timezone info"}),
        (
            {"expires_at": "9999-12-31T23:59:59-12:00"},
            {"expires_at": "No such time in UTC"},
        ),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, {"expires_at": "No such time in UTC"}),
        ({"expires_at": "1969-12-31T23:59:59Z"}, {"expires_at": "A time before 1970"}),
        ({"activation_limit": -2}, {"activation_limit": "Input should be greater than or equal to -1"}),
        ({"state": "active"}, {"state": "there is no such field"}),
    ],
)
def test_fields_that_cannot_be_are_named(ask: Ask, fields: dict[str, object], wrong: dict[str, str]) -> None:
    answer = ask("POST", "/licenses", fields, PRODUCTION)
    errors = [{"field": field, "message": message} for field, message in wrong.items()]
    assert answer.body == problem(422, "invalid-fields", "Invalid fields", "See `errors`.", "/licenses", errors=errors)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("end", ["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_the_first_and_the_last_end_of_a_licence_are_kept(ask: Ask, end: str) -> None:
    made = ask("POST", "/licenses", {"expires_at": end}, PRODUCTION)
    assert made.status == 201
    assert ask("GET", f"/licenses/{made.body['id']}").body["expires_at"] == end


ALLOWED = {
    ("available", "assign"): "assigned",
    ("assigned", "suspend"): "suspended",
    ("active", "suspend"): "suspended",
    ("suspended", "resume"): "active",
    ("available", "revoke"): "revoked",
    ("assigned", "revoke"): "revoked",
    ("active", "revoke"): "revoked",
    ("suspended", "revoke"): "revoked",
    ("expired", "revoke"): "revoked",
}
LEADING_TO = {
    "available": [],
    "assigned": ["assign"],
    "suspended": ["assign", "suspend"],
    "active": ["assign", "suspend", "resume"],
    "revoked": ["revoke"],
    "expired": [],
}


@pytest.mark.parametrize("action", ["assign", "suspend", "resume", "revoke"])
@pytest.mark.parametrize("state", LEADING_TO)
def test_actions_by_state(ask: Ask, customer: str, state: str, action: str) -> None:
    expiry = {"expires_at": "2020-01-01T00:00:00Z"} if state == "expired" else {}
    path = f"/licenses/{a_license(ask, **expiry)['id']}"

    def act(name: str) -> Answer:
        return ask("POST", f"{path}/{name}", {"customer_id": customer} if name == "assign" else None)

    for step in LEADING_TO[state]:
        act(step)
    before = ask("GET", path)
    assert before.body["state"] == state
    answer, now = act(action), ask("GET", path)
    if after := ALLOWED.get((state, action)):
        assert (answer.status, answer.body["state"], now.body["state"]) == (200, after, after)
        assert now.body["customer_id"] == (customer if action == "assign" else before.body["customer_id"])
        assert answer.headers["etag"] == now.headers["etag"] > before.headers["etag"]
    else:
        assert (answer.status, now) == (409, before)
        assert answer.body["type"] == "/docs#problem-action-not-allowed"


def test_a_licence_is_changed(ask: Ask, customer: str) -> None:
    made = a_license(ask, customer_id=customer, expires_at="2020-01-01T00:00:00Z")
    path = f"/licenses/{made['id']}"
    assert made["state"] == "expired"
    change = {"product_id": "acme-cli", "activation_limit": -1, "expires_at": None}
    changed = ask("PATCH", path, change, if_match='"1"')
    expected = {name: value for name, value in made.items() if name != "license_key"} | change | {"state": "assigned"}
    assert (changed.status, changed.body, changed.headers["etag"]) == (200, expected, '"2"')
    for body, field in (
        ({}, "body"),
        ({"customer_id": None}, "body"),
        ({"activation_limit": None}, "body"),
        ({"customer_id": "nobody"}, "customer_id"),
        ({"state": "active"}, "state"),
    ):
        answer = ask("PATCH", path, body, if_match='"2"')
        assert (answer.status, [error["field"] for error in answer.body["errors"]]) == (422, [field])
    available = a_license(ask)["id"]
    assert ask("PATCH", f"/licenses/{available}", {"customer_id": customer}, if_match='"1"').status == 409


def test_activations_are_listed_page_by_page(ask: Ask, store: Stores) -> None:
    license_ = store.licenses.get(a_license(ask)["id"])
    now = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
    devices = [f"device-{number}" for number in range(5)]
    for device in devices:
        license_ = replace(license_, state=store.licenses.get(license_.id).state)
        assert store.activations.activate(license_, device, now, Deadline(60)) is ActivationChange.DONE
    store.activations.deactivate(license_, devices[0], now + timedelta(hours=1), Deadline(60))
    items = list(pages(ask, f"/licenses/{license_.id}/activations", {"limit": "2"}))
    assert sorted(items, key=lambda item: str(item["identifier"])) == [
        {
            "id": activation_id(license_.id, device, store.keyring),
            "identifier": device,
            "state": "active" if number else "inactive",
            "first_seen": "2026-11-21T08:30:00Z",
            "last_seen": "2026-11-21T08:30:00Z" if number else "2026-11-21T09:30:00Z",
        }
        for number, device in enumerate(devices)
    ]
    assert ask("GET", f"/licenses/{license_.id}").body["active_activations"] == 4


# ── no lost update


@pytest.mark.parametrize("path", ["/products/acme-cli", "/customers/globex", "/licenses/{}"])
@pytest.mark.usefixtures("customer")
def test_a_change_needs_the_version_it_was_made_from(ask: Ask, path: str) -> None:
    path = path.format(a_license(ask)["id"])
    body = {"activation_limit": 7} if "licenses" in path else {"name": "Changed"}
    first, second = ask("GET", path), ask("GET", path)
    assert ask("PATCH", path, body).body == problem(
        428, "version-required", "Version required", "Send If-Match with the ETag of what you read.", path
    )
    assert ask("PATCH", path, body, if_match=first.headers["etag"]).status == 200
    stale = problem(412, "stale-version", "Stale version", "It is no longer as you read it; read it again.", path)
    assert ask("PATCH", path, body, if_match=second.headers["etag"]).body == stale
    for odd in ("*", 'W/"2"', "2", '""', '"x"'):
        assert ask("PATCH", path, body, if_match=odd).body == stale
    assert ask("PATCH", path, body, if_match=ask("GET", path).headers["etag"]).status == 200


def test_an_action_may_name_a_version(ask: Ask) -> None:
    path = f"/licenses/{a_license(ask)['id']}"
    ask("PATCH", path, {"activation_limit": 7}, if_match='"1"')
    assert ask("POST", path + "/revoke", if_match='"1"').status == 412
    assert ask("POST", path + "/revoke", if_match='"2"').status == 200


def somebody(deployment: Deployment, name: str) -> Staff:
    key = issue_staff_key(name, frozenset(Environment), Role.ADMIN, deployment.keyring, deployment.api_keys).key
    return Staff(key, frozenset(Environment), Author(key.id, name, datetime.now(UTC), "203.0.113.7", "", "r"))


def test_two_staff_at_once_lose_nothing(ask: Ask, deployment: Deployment, store: Stores) -> None:
    """Both add one to the limit, again and again, from what they read."""
    id_ = a_license(ask)["id"]

    def add(name: str) -> int:
        staff, refused, done = somebody(deployment, name), 0, 0
        while done < 15:
            read = licenses.find_license(staff, id_, store)
            try:
                changes = {"activation_limit": read.activation_limit + 1}
                licenses.change_license(staff, id_, read.version, changes, store)
                done += 1
            except StaleVersion:
                refused += 1
        return refused

    with ThreadPoolExecutor() as pool:
        refused = list(pool.map(add, ["one", "other"]))
    license_ = store.licenses.get(id_)
    assert (license_.activation_limit, license_.version) == (30, 31)
    assert sum(refused) > 0
    changes = [item for item in pages(ask, "/audit", PRODUCTION) if item["action"] == "license.change"]
    assert sorted(item["after"]["activation_limit"] for item in changes) == list(range(1, 31))


def test_one_of_two_revocations_at_once_is_told(ask: Ask, deployment: Deployment, store: Stores) -> None:
    id_ = a_license(ask)["id"]

    def revoke(name: str) -> str:
        try:
            licenses.act_on_license(somebody(deployment, name), id_, LicenseAction.REVOKE, None, None, store)
        except Exception as exc:  # noqa: BLE001
            return type(exc).__name__
        return "done"

    with ThreadPoolExecutor() as pool:
        assert sorted(pool.map(revoke, ["one", "other"])) == ["ActionNotAllowed", "done"]


def lost_answers(monkeypatch: pytest.MonkeyPatch, failures: list[Exception], *, is_done: bool) -> None:
    """Each transaction fails with each of these once: after it was done, or before."""
    real = Connection.transact_write_items

    def failing(self: Connection, **arguments: Any) -> Any:  # noqa: ANN401
        if not failures:
            return real(self, **arguments)
        failure = failures.pop(0)
        if is_done:
            real(self, **arguments)
        raise failure

    monkeypatch.setattr(Connection, "transact_write_items", failing)


def conflict() -> Exception:
    """What the local engine never raises."""
    reason = CancellationReason("TransactionConflict", "Transaction is ongoing for the item")
    response: Any = {"Error": {"Code": "TransactionCanceledException"}}
    cause = VerboseClientError(response, "TransactWriteItems", cancellation_reasons=[reason])
    return TransactWriteError("", cause=cause)


@pytest.mark.parametrize(("is_done", "failures"), [(False, 3), (True, 1)])
def test_a_change_is_done_once_whatever_gets_in_between(
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
    is_done: bool,  # noqa: FBT001
    failures: int,
) -> None:
    path = f"/licenses/{a_license(ask)['id']}"
    lost = [PynamoDBConnectionError("no answer") if is_done else conflict() for _ in range(failures)]
    lost_answers(monkeypatch, lost, is_done=is_done)
    answer = ask("POST", path + "/revoke")
    assert (answer.status, answer.headers["etag"]) == (200, '"2"')
    actions = [item["action"] for item in ask("GET", "/audit", query=PRODUCTION).body["items"]]
    assert actions == ["license.revoke", "license.create"]


def test_a_registry_that_stays_away_is_told(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.storage.changes._SECONDS", 0.2)
    path = f"/licenses/{a_license(ask)['id']}/revoke"
    lost_answers(monkeypatch, [conflict() for _ in range(100)], is_done=False)
    answer = ask("POST", path)
    assert answer.body == problem(503, "unavailable", "Unavailable", "Please try again.", path)
    assert answer.headers["retry-after"] == "5"


def test_a_first_activation_is_not_undone_by_a_change(ask: Ask, customer: str, store: Stores) -> None:
    """It makes the licence active, and staff who read it before must not set that back."""
    was = store.licenses.get(a_license(ask, customer_id=customer)["id"])
    store.activations.activate(was, "device", datetime.now(UTC), Deadline(60))
    with pytest.raises(ChangedMeanwhile):
        store.licenses.change(replace(was, activation_limit=9), was)
    path = f"/licenses/{was.id}"
    changed = ask("PATCH", path, {"activation_limit": 9}, if_match=ask("GET", path).headers["etag"])
    assert changed.body["state"] == "active"
    assert store.licenses.get(was.id).state is LicenseState.ACTIVE


# ── API keys


def test_an_sdk_key_lives_and_ends(ask: Ask, post: Post) -> None:
    body = {
        "name": "ci",
        "capabilities": ["read", "ingest"],
        "product_id": "acme-cli",
        "expires_at": "2999-01-01T00:00:00Z",
        "allowed_networks": ["::ffff:203.0.113.9/120", "2001:db8::1"],
    }
    issued = ask("POST", "/api-keys", body, PRODUCTION)
    secret = issued.body["secret"]
    made = {
        "id": issued.body["id"],
        "kind": "sdk",
        "name": "ci",
        "prefix": "tk_prod_",
        "last_four": secret[-4:],
        "environments": ["production"],
        "capabilities": ["ingest", "read"],
        "role": None,
        "product_id": "acme-cli",
        "active": True,
        "expires_at": "2999-01-01T00:00:00Z",
        "allowed_networks": ["2001:db8::1/128", "203.0.113.0/24"],
        "created_at": issued.body["created_at"],
    }
    path = f"/api-keys/{made['id']}"
    assert (issued.status, issued.body) == (201, made | {"secret": secret})
    unused = {"last_used_at": None}
    assert ask("GET", path).body == made | unused
    assert made | unused in ask("GET", "/api-keys", query=PRODUCTION).body["items"]
    assert ask("GET", path + "/secret").body == issued.body

    def works(secret: str) -> bool:
        event = json.dumps({"data_type": "text", "data_group": "g", "text_data": "x"})
        return bool(post("/api/v1/telemetry", event, {"x-api-key": secret}).status == 200)

    regenerated = ask("POST", path + "/regenerate")
    another = regenerated.body["secret"]
    assert regenerated.body == made | {"secret": another, "last_four": another[-4:]}
    assert (works(secret), works(another)) == (False, True)
    assert ask("GET", path + "/secret").body == regenerated.body
    revoked = ask("POST", path + "/revoke")
    assert (revoked.status, revoked.body) == (200, made | {"last_four": another[-4:], "active": False})
    assert revoked.body | unused in ask("GET", "/api-keys", query=PRODUCTION).body["items"]
    for part in ("/revoke", "/regenerate"):
        assert ask("POST", path + part).body == problem(
            409, "action-not-allowed", "Not possible in this state", "The key was revoked.", path + part
        )


def test_a_revoked_key_opens_nothing(ask: Ask, post: Post) -> None:
    issued = ask("POST", "/api-keys", {"name": "x", "capabilities": ["ingest"]}, PRODUCTION).body
    ask("POST", f"/api-keys/{issued['id']}/revoke")
    assert post("/api/v1/telemetry", "{}", {"x-api-key": issued["secret"]}).status == 401


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"allowed_networks": ["10.0.0.0/99"]}, "allowed_networks.0"),
        ({"allowed_networks": [f"fe80::1%{'x' * 60}"]}, "allowed_networks.0"),
        ({"capabilities": ["everything"]}, "capabilities.0"),
        ({"capabilities": []}, "body"),
        ({"role": "admin"}, "body"),
        ({"kind": "staff"}, "body"),
        ({"product_id": "nobody-knows"}, "product_id"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"),
        ({"name": " "}, "name"),
        ({"name": "\ud800"}, "name"),
    ],
)
def test_keys_are_of_one_kind_and_make_sense(ask: Ask, change: dict[str, object], field: str) -> None:
    answer = ask("POST", "/api-keys", {"name": "x", "capabilities": ["ingest"]} | change, PRODUCTION)
    assert (answer.status, [error["field"] for error in answer.body["errors"]]) == (422, [field])


# ── lists


def pages(ask: Ask, path: str, query: dict[str, str], key: str | None = None) -> Iterator[dict[str, Any]]:
    more = {"key": key} if key else {}
    while True:
        answer = ask("GET", path, query=query, **more)
        assert answer.status == 200, answer
        assert len(answer.body["items"]) <= int(query.get("limit", 50))
        yield from answer.body["items"]
        if "link" not in answer.headers:
            return
        url, query = answer.link
        assert url == BASE + path


def test_lists_are_whole_and_in_order(ask: Ask, customer: str) -> None:
    lapsed = {"expires_at": "2020-01-01T00:00:00Z"}
    made = [
        a_license(ask, **({"customer_id": customer} if n % 2 else {}), **(lapsed if n % 3 == 0 else {}))
        for n in range(9)
    ]
    a_license(ask, "staging", customer_id=customer)
    in_order = sorted(made, key=lambda item: (datetime.fromisoformat(item["created_at"]), item["id"]))
    for limit in ("1", "4", "9", "200"):
        listed = [item["id"] for item in pages(ask, "/licenses", PRODUCTION | {"limit": limit})]
        assert listed == [item["id"] for item in in_order]

    def found(**filters: str) -> set[str]:
        items = list(pages(ask, "/licenses", PRODUCTION | {"limit": "2"} | filters))
        assert len({item["id"] for item in items}) == len(items)
        return {item["id"] for item in items}

    for state in LicenseState:
        assert found(state=state) == {item["id"] for item in made if item["state"] == state}
    assert found(customer_id=customer) == {item["id"] for item in made[1::2]}
    assert found(customer_id=customer, state="expired") == {made[3]["id"]}
    assert found(product_id="acme-cli") == set()
    assert [item["id"] for item in pages(ask, "/products", {"limit": "1"})] == ["acme-cli", "acme-desktop"]
    entries = [item["id"] for item in pages(ask, "/audit", PRODUCTION | {"limit": "3"})]
    assert entries == [item["id"] for item in ask("GET", "/audit", query=PRODUCTION).body["items"]]
    assert len(entries) == 10


def test_a_cursor_is_good_for_its_list_alone(ask: Ask) -> None:
    for environment in ("production", "staging") * 3:
        a_license(ask, environment)
    _, query = ask("GET", "/licenses", query=PRODUCTION | {"limit": "1"}).link
    cursor = query["cursor"]
    assert ask("GET", "/licenses", query=query | {"limit": "2"}).status == 200
    refused = problem(400, "invalid-cursor", "Invalid cursor", "The cursor was not given for this list.", "/licenses")
    for other in (
        {"environment": "staging"},
        {"state": "active"},
        {"cursor": "A" + cursor[1:] if cursor[0] != "A" else "B" + cursor[1:]},
        {"cursor": cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")},
        {"cursor": ""},
        {"cursor": "ü"},
        {"cursor": "A" * 21},
        {"cursor": "a,b"},
    ):
        assert ask("GET", "/licenses", query=query | other).body == refused, other
    assert ask("GET", "/customers", query={"cursor": cursor}).status == 400
    for limit in ("0", "201", "x"):
        assert ask("GET", "/licenses", query=PRODUCTION | {"limit": limit}).status == 422


def test_a_key_in_the_query_is_refused_and_not_repeated(ask: Ask, keys: Keys) -> None:
    answer = ask("GET", "/products", query={"limit": "1", "api_key": keys.admin})
    errors = [{"field": "api_key", "message": "there is no such parameter"}]
    assert answer.body == problem(422, "invalid-fields", "Invalid fields", "See `errors`.", "/products", errors=errors)
    assert "link" not in answer.headers


# ── the audit log


def test_every_change_is_written_down(ask: Ask, keys: Keys, deployment: Deployment) -> None:
    start = datetime.now(UTC) - timedelta(seconds=1)
    ask("POST", "/products", {"id": "new", "name": "New"})
    ask("PATCH", "/products/new", {"name": "Newer", "versions": ["1"]}, if_match='"1"')
    ask("POST", "/customers", {"id": "new", "name": "New"})
    ask("PATCH", "/customers/new", {"email": "a@b.example"}, if_match='"1"')
    made = a_license(ask, license_key=KEY, activation_limit=1)
    path = f"/licenses/{made['id']}"
    ask("PATCH", path, {"expires_at": "2999-01-01T00:00:00Z", "activation_limit": 1}, if_match='"1"')
    ask("POST", path + "/assign", {"customer_id": "new"})
    for action in ("suspend", "resume", "revoke"):
        ask("POST", f"{path}/{action}")
    key = ask("POST", "/api-keys", {"name": "ci", "capabilities": ["ingest"]}, PRODUCTION).body
    again = ask("POST", f"/api-keys/{key['id']}/regenerate").body
    ask("GET", f"/api-keys/{key['id']}/secret")
    ask("POST", f"/api-keys/{key['id']}/revoke")
    a_license(ask, "staging")
    # none of these changes anything
    ask("POST", path + "/revoke")
    ask("PATCH", path, {"activation_limit": 5}, if_match='"1"')
    ask("POST", "/products", {"id": "new", "name": "New"})

    items = list(pages(ask, "/audit", PRODUCTION | {"limit": "4"}))[::-1]
    issued = {
        "kind": "sdk",
        "name": "ci",
        "prefix": "tk_prod_",
        "last_four": key["last_four"],
        "environments": ["production"],
        "capabilities": ["ingest"],
        "is_active": True,
        "allowed_networks": [],
    }
    product = {"name": "New", "requires_license": False, "activity_types": [], "versions": [], "is_active": True}
    product |= {"profiles": False}
    license_ = {"state": "available", "activation_limit": 1, "last_four": "LL08"}
    states = ["assigned", "suspended", "active", "revoked"]
    assert [(item["action"], item["entity"], item["before"], item["after"]) for item in items] == [
        ("product.create", "new", {}, product),
        ("product.change", "new", {"name": "New", "versions": []}, {"name": "Newer", "versions": ["1"]}),
        ("customer.create", "new", {}, {"name": "New"}),
        ("customer.change", "new", {"email": None}, {"email": "a@b.example"}),
        ("license.create", made["id"], {}, license_),
        ("license.change", made["id"], {"expires_at": None}, {"expires_at": "2999-01-01T00:00:00+00:00"}),
        (
            "license.assign",
            made["id"],
            {"customer_id": None, "state": "available"},
            {"customer_id": "new", "state": "assigned"},
        ),
        *(
            (f"license.{action}", made["id"], {"state": before}, {"state": after})
            for action, before, after in zip(("suspend", "resume", "revoke"), states[:3], states[1:], strict=True)
        ),
        ("api_key.create", key["id"], {}, issued),
        ("api_key.regenerate", key["id"], {"last_four": key["last_four"]}, {"last_four": again["last_four"]}),
        ("api_key.reveal", key["id"], {}, {}),
        ("api_key.revoke", key["id"], {"is_active": True}, {"is_active": False}),
    ]
    assert [item["environment"] for item in items] == [None] * 4 + ["production"] * 10
    admin = next(
        item
        for item in ask("GET", "/api-keys", None, PRODUCTION | {"kind": "staff"}, keys.super_admin).body["items"]
        if item["role"] == "admin"
    )
    for item in items:
        at = datetime.fromisoformat(item["at"])
        assert start < at < datetime.now(UTC)
        assert {name: item[name] for name in ("key_id", "key_name", "source_ip", "user_agent", "request_id")} == {
            "key_id": admin["id"],
            "key_name": "the admin",
            "source_ip": "203.0.113.7",
            "user_agent": "browser/1",
            "request_id": REQUEST_ID,
        }

    # nothing of it is in clear in the table
    table = dynamodb_client().get_paginator("scan").paginate(TableName=deployment.tables.registry)
    dump = repr([page["Items"] for page in table])
    assert made["id"] in dump
    for secret in (KEY, key["secret"], again["secret"], *vars(keys).values(), *deployment.keys.values()):
        assert secret not in dump
        assert secret[9:] not in dump


def test_the_audit_log_is_read_by_time(ask: Ask, store: Stores) -> None:
    ask("POST", "/customers", {"id": "x", "name": "x"})
    (entry,) = store.audit.page(
        Environment.PRODUCTION, datetime(2026, 1, 1, tzinfo=UTC), datetime.now(UTC), 5, None
    ).items
    for month in range(1, 13):
        at = datetime(2024, month, 28, 12, tzinfo=UTC)
        store.audit.add(replace(entry, id=f"{month:02}", author=replace(entry.author, at=at)))

    def months(since: str, until: str) -> list[int]:
        query = PRODUCTION | {"limit": "2", "from": since, "to": until}
        return [datetime.fromisoformat(item["at"]).month for item in pages(ask, "/audit", query)]

    assert months("2024-01-28T12:00:00Z", "2024-12-28T12:00:00Z") == list(range(11, 0, -1))
    assert months("2024-03-28T12:00:01Z", "2024-05-28T12:00:01Z") == [5, 4]
    assert months("2024-06-29T00:00:00Z", "2024-07-01T00:00:00Z") == []
    for since, until in (
        ("2024-01-02T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("2022-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
    ):
        assert ask("GET", "/audit", query=PRODUCTION | {"from": since, "to": until}).body["errors"] == [
            {"field": "from", "message": "Must be before `to`, by at most 366 days"}
        ]
    assert ask("GET", "/audit", query=PRODUCTION | {"from": "2024-01-01"}).status == 422


# ── errors and the description


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "5", "null", '"x"', "[" * 100_000, b"\xff\xfe", '[{"id":"a","name":"a"}]']
)
def test_unreadable_bodies_are_problems(ask: Ask, body: str | bytes) -> None:
    answer = ask("POST", "/products", body)
    assert answer.status in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert ask("GET", "/products/a").status == 404


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_only_json_is_taken(ask: Ask, content_type: str) -> None:
    answer = ask("POST", "/products", "id=a&name=a", content_type=content_type)
    assert answer.body == problem(
        415, "unsupported-media-type", "Unsupported media type", "Send application/json.", "/products"
    )


def test_there_is_nothing_else(ask: Ask) -> None:
    expected = problem(
        404, "not-found", "Not found", "No route has this path and method; /docs lists them all.", "/nothing"
    )
    assert ask("GET", "/nothing").body == expected
    assert ask("DELETE", "/products/acme-cli").status == 404
    assert ask("GET", f"/products/{'x' * 65}").status == 422


def test_an_unforeseen_failure_says_nothing_of_itself(
    ask: Ask, keys: Keys, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a detail")

    monkeypatch.setattr(LicenseStore, "page", broken)
    answer = ask("GET", "/licenses", query=PRODUCTION | {"product_id": "hidden-in-query"})
    assert answer.body == problem(
        500, "internal-error", "Internal error", "It is in the log, under the request id.", "/licenses"
    )
    logged = repr([vars(record) for record in caplog.records])
    assert "a detail" in logged
    assert keys.admin not in logged
    assert "hidden-in-query" not in logged


def test_every_route_that_is_described_is_tried_above() -> None:
    described = {(each.method, each.path) for each in operations() if each.path.startswith(BASE)}
    assert described == {(method, BASE + path) for method, path, *_ in ROUTES}
