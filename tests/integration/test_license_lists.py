"""Licences as staff list, export and look at them: on a real engine, through the admin function."""

import csv
import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from random import Random
from types import ModuleType
from typing import Any

import pytest

from telemetry.domain.api_key import Role
from telemetry.domain.customer import Customer
from telemetry.domain.environment import Environment
from telemetry.domain.license import License, LicenseState, activation_id
from telemetry.domain.staff import AuditEntry, Author
from telemetry.retry import Deadline
from telemetry.storage.activations import ActivationChange
from telemetry.storage.customers import CustomerStore
from tests.client import Answer, Client, bearer
from tests.clock import FakeClock
from tests.lambdas import load_function, restart
from tests.worlds.analytics import AnalyticsWorld
from tests.worlds.deployment import Deployment, Mailbox
from tests.worlds.licenses import CREATED, activation_store, activations_of, issue, license_store

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
BASE = "/api/v1/admin/"
STAGING = Environment.STAGING

Ask = Callable[..., Answer]


CLOCK = FakeClock(NOW)


@pytest.fixture(scope="module")
def admin_function() -> ModuleType:
    return load_function("admin", CLOCK)


@pytest.fixture
def ask(deployment: Deployment, admin_function: ModuleType) -> Ask:
    """Asks as an admin of production, unless told."""
    CLOCK.set(NOW)
    restart(admin_function)
    admin = deployment.staff_key(Role.ADMIN)

    def ask(method: str, path: str, body: object = None, key: str = admin, **query: str) -> Answer:
        return Client(admin_function, bearer(key), BASE).request(
            method, path, body, {"environment": "production", **query}
        )

    return ask


def walk(ask: Ask, path: str, **query: str) -> list[dict[str, Any]]:
    """All items of a list, its pages followed."""
    found: list[dict[str, Any]] = []
    more: dict[str, str] | None = query
    while more is not None:
        answer = ask("GET", path, **more)
        assert answer.status == 200, answer
        found += answer.body["items"]
        more = answer.next
    return found


def some_licenses(deployment: Deployment) -> list[License]:
    """Sixty of every kind, and one of another environment."""
    random = Random(7)
    customers = CustomerStore(deployment.tables.registry)
    for id_, name in (("c-a", "zeta"), ("c-b", "Alpha Works"), ("c-c", "=1+1")):
        customers.add(Customer(id_, name, None, CREATED))
    found = []
    for number in range(60):
        limit = random.choice((0, -1, 1, 3))
        days = random.choice((None, -3, 5, 40))
        found.append(
            issue(
                deployment,
                f"ACME-{number:04d}-AAAA",
                created_at=CREATED + timedelta(seconds=random.randrange(20)),
                product_id=random.choice(("acme-desktop", "acme-cli", None)),
                customer_id=random.choice(("c-a", "c-b", "c-c", "c-imported", None)),
                state=random.choice(list(LicenseState)),
                expires_at=None if days is None else NOW + timedelta(days=days),
                activation_limit=limit,
                active_activations=random.randrange(5),
            )
        )
    issue(deployment, "ACME-ELSE-WHERE", STAGING)
    return found


NAMES = {"c-a": "zeta", "c-b": "Alpha Works", "c-c": "=1+1"}
FILTERS: list[tuple[dict[str, str], Callable[[License], bool]]] = [
    ({}, lambda _: True),
    ({"seats": "over"}, lambda each: 0 < each.activation_limit < each.active_activations),
    ({"seats": "full"}, lambda each: 0 < each.activation_limit <= each.active_activations),
    ({"expires_within": "30"}, lambda each: each.expires_at == NOW + timedelta(days=5)),
    ({"expires_within": "40"}, lambda each: each.expires_at is not None and each.expires_at > NOW),
    ({"customer_id": "c-a", "state": "expired"}, lambda e: e.customer_id == "c-a" and e.state_at(NOW) == "expired"),
    (
        {"product_id": "acme-cli", "seats": "full", "customer_id": "c-b"},
        lambda e: (e.product_id, e.customer_id) == ("acme-cli", "c-b") and not e.has_room,
    ),
]


@pytest.mark.slow
def test_lists_have_what_fits_in_every_order(ask: Ask, deployment: Deployment) -> None:
    licenses = some_licenses(deployment)
    shown: Mapping[str, Callable[[dict[str, Any]], Any]] = {
        "issued": lambda each: each["created_at"],
        "expires": lambda each: each["expires_at"] or "~",
        "seats": lambda each: each["active_activations"],
        "customer": lambda each: (each["customer_name"] or each["customer_id"] or "").casefold(),
        "product": lambda each: each["product_id"] or "",
        "state": lambda each: list(LicenseState).index(each["state"]),
    }
    for query, fits in FILTERS:
        wanted = {each.id for each in licenses if fits(each)}
        assert 0 < len(wanted) <= 60
        for name, key in shown.items() if not query else list(shown.items())[:2]:
            up, down = (walk(ask, "licenses", sort=sort, limit="17", **query) for sort in (name, f"-{name}"))
            assert {each["id"] for each in up} == wanted == {each["id"] for each in down}
            assert len(up) == len(down) == len(wanted)
            assert all(key(one) <= key(other) for one, other in pairwise(up)), (name, query)
            assert up == down[::-1]
    assert all(each["customer_name"] == NAMES.get(each["customer_id"] or "") for each in walk(ask, "licenses"))


def test_a_list_that_is_too_long_is_not_sorted_by_half(
    ask: Ask, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.services.administration.license_list.MOST_SORTED", 59)
    some_licenses(deployment)
    for sort, status in (("issued", 200), ("-issued", 200), ("seats", 422), ("-customer", 422)):
        assert ask("GET", "licenses", sort=sort).status == status
    (error,) = ask("GET", "licenses", sort="seats").body["errors"]
    assert error["field"] == "sort"
    assert ask("GET", "licenses", sort="seats", customer_id="c-a").status == 200
    for wrong in ({"sort": "name"}, {"seats": "free"}, {"expires_within": "0"}, {"expires_within": "367"}):
        answer = ask("GET", "licenses", **wrong)
        assert (answer.status, [each["field"] for each in answer.body["errors"]]) == (422, list(wrong))


def test_when_a_licence_was_last_seen(
    ask: Ask, deployment: Deployment, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORD_SHARDS", "2")
    world = AnalyticsWorld(deployment, mailbox, NOW)
    ids = [issue(deployment, f"ACME-SEEN-000{number}").id for number in range(5)]

    def sent(number: int, hours_ago: int, **more: object) -> None:
        world.keep({"license_key": f"ACME-SEEN-000{number}"} | more, NOW - timedelta(hours=hours_ago))

    sent(0, 50)
    sent(0, 2)
    sent(1, 9, product_id="")  # under none
    sent(2, 5, product_id="acme-cli")  # under another product than its own
    sent(3, 3, event_at=(NOW + timedelta(days=400)).isoformat())
    sent(3, 7)
    seen = {each["id"]: each["last_seen"] for each in walk(ask, "licenses", limit="2")}
    hours = {0: 2, 1: 9}
    assert {seen[ids[place]] for place in (2, 4)} == {None}
    for place, ago in hours.items():
        assert datetime.fromisoformat(seen[ids[place]]) == NOW - timedelta(hours=ago)
    card = ask("GET", f"licenses/{ids[0]}/card")
    assert (card.body["last_seen"], card.headers["etag"], "license_key" in card.body) == (seen[ids[0]], '"1"', False)


def test_the_list_is_a_file(ask: Ask, deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that the list has, safe in a spreadsheet, and noted before it is given."""
    monkeypatch.setattr("telemetry.web.administration.license_file.ROWS", 7)
    some_licenses(deployment)
    lines: list[bytes] = []
    more: Mapping[str, str] | None = {"sort": "customer", "expires_within": "366"}
    while more is not None:
        answer = ask("GET", "exports/licenses", **more)
        assert (answer.status, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
        lines += answer.content.splitlines(keepends=True)
        more = answer.next
    listed = walk(ask, "licenses", sort="customer", expires_within="366")
    assert len(listed) > 14
    digest = bytes(32)
    for line in lines:
        digest = sha256(digest + line).digest()
    assert (answer.headers["export-rows"], answer.headers["export-sha-256"]) == (str(len(listed)), digest.hex())
    assert answer.headers["content-disposition"] == 'attachment; filename="licenses-production.csv"'
    rows = list(csv.DictReader(io.StringIO(b"".join(lines).decode())))
    assert [row["id"] for row in rows] == [each["id"] for each in listed]
    for row, each in zip(rows, listed, strict=True):
        name = {"=1+1": "'=1+1"}.get(each["customer_name"], each["customer_name"] or "")
        numbers = (str(each["active_activations"]), str(each["activation_limit"]))
        assert (row["customer_name"], row["active_activations"], row["activation_limit"]) == (name, *numbers)
        assert (row["state"], row["product_id"]) == (each["state"], each["product_id"] or "")
    assert "-1" in {row["activation_limit"] for row in rows}
    entries = [each for each in walk(ask, "audit", to="2026-11-22T00:00:00Z") if each["action"] == "licenses.export"]
    asked = {"sort": "customer", "expires_by": "2027-11-22T08:30:00.000Z"}
    assert [each["after"] for each in entries] == [asked]


def test_a_licences_whole_history(ask: Ask, deployment: Deployment) -> None:
    """However long ago, of this licence alone, and of those who may know."""
    CustomerStore(deployment.tables.registry).add(Customer("globex", "Globex", None, CREATED))
    one, other = (ask("POST", "licenses", {}).body["id"] for _ in range(2))
    ask("POST", f"licenses/{other}/revoke")
    for action, body in (("assign", {"customer_id": "globex"}), ("suspend", None), ("resume", None), ("revoke", None)):
        CLOCK.advance(86_400 * 200)
        ask("POST", f"licenses/{one}/{action}", body)
    done = ["revoke", "resume", "suspend", "assign", "create"]
    of_one = {"kind": "license", "entity": one}
    found = walk(ask, "history", limit="2", **of_one)
    assert [(each["action"], each["entity"]) for each in found] == [(f"license.{what}", one) for what in done]
    assert found[0] == walk(ask, "audit", to=(CLOCK.now() + timedelta(seconds=1)).isoformat())[0]
    here = deployment.staff_key(Role.ADMIN, STAGING)
    assert ask("GET", "history", None, here, **of_one).status == 403
    assert ask("GET", "history", None, here, **of_one | {"environment": "staging"}).body == {"items": []}
    # what belongs to all environments is seen in each
    ask("POST", "customers", {"id": "new", "name": "New"})
    of_customer = {"kind": "customer", "entity": "new", "environment": "staging"}
    assert [each["action"] for each in walk(ask, "history", **of_customer)] == ["customer.create"]
    for wrong in ({"kind": "license"}, {"entity": one}, {"kind": "LICENSE", "entity": one}):
        assert ask("GET", "history", **wrong).status == 422


def test_staff_deactivate_a_device(ask: Ask, deployment: Deployment) -> None:
    license_ = issue(deployment)
    store, name = activation_store(deployment), "PC of Jane/ä?#\n"
    for device in (name, "other"):
        state = license_store(deployment).get(license_.id)
        store.activate(state, device, NOW - timedelta(days=2), Deadline(60))
    path, body = f"licenses/{license_.id}/deactivate", {"identifier": name}
    first, again = (ask("POST", path, body) for _ in range(2))
    assert (first.status, again.status) == (200, 200)
    assert first.body["active_activations"] == again.body["active_activations"] == 1
    states = {each.identifier: (each.state, each.last_seen) for each in activations_of(deployment, license_)}
    assert states == {name: ("inactive", NOW), "other": ("active", NOW - timedelta(days=2))}
    (entry,) = walk(ask, "history", kind="license", entity=license_.id)
    named = activation_id(license_.id, name, deployment.keyring)
    assert (entry["action"], entry["before"], entry["after"]) == ("license.deactivate", {"activation": named}, {})
    assert named in [each["id"] for each in walk(ask, f"licenses/{license_.id}/activations")]
    # two of staff at once: the second changes nothing, and writes nothing down
    late = AuditEntry(
        "e1", Author("k", "n", NOW, "192.0.2.1", "a", "r"), None, "license.deactivate", license_.id, {}, {}
    )
    assert store.deactivate(license_, name, NOW, Deadline(60), late) is ActivationChange.ALREADY
    assert len(walk(ask, "history", kind="license", entity=license_.id)) == 1
    # whatever the state of the licence, and only devices that it has
    ask("POST", f"licenses/{license_.id}/revoke")
    assert ask("POST", path, {"identifier": "other"}).body["active_activations"] == 0
    for wrong, status in (({"identifier": "nobody"}, 404), ({"identifier": ""}, 422), ({}, 422), ({"id": "x"}, 422)):
        assert ask("POST", path, wrong).status == status
    assert ask("POST", path, body, deployment.staff_key(Role.ADMIN, STAGING), environment="staging").status == 404
