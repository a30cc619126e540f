"""The search, by the functions' own handlers: what is found, by whom, at what cost; and nothing repeats the text."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry.domain.api_key import Capability, Role
from telemetry.domain.customer import Customer
from telemetry.domain.environment import Environment
from telemetry.domain.keyring import Identity
from telemetry.domain.license import LicenseState
from telemetry.domain.license_list import LicenseFilter
from telemetry.domain.product import Product
from telemetry.domain.profiles.cards import CompanyName, Order
from telemetry.domain.profiles.closing import View
from telemetry.domain.profiles.ids import id_of
from telemetry.domain.profiles.people import Profile
from telemetry.domain.profiles.views import Totals
from telemetry.domain.record import license_named, telemetry_id
from telemetry.domain.search import LONGEST_TEXT, MOST_HITS, HitKind
from telemetry.domain.staff import AuditEntry, Author
from telemetry.services.api_keys import issue_sdk_key
from telemetry.services.license_import import Importer
from telemetry.services.profiles.stores import ProfileStores
from telemetry.storage.activations import ActivationStore
from telemetry.storage.customer_words import MOST_READ
from telemetry.storage.customers import CustomerStore
from telemetry.storage.profiles.forgotten import ForgottenStore
from telemetry.storage.tables import dynamodb_client
from tests.benchmarks.capacity import counted_calls
from tests.client import Answer, Client, bearer
from tests.clock import FakeClock
from tests.lambdas import load_function
from tests.stream_events import stored_items
from tests.worlds.analytics import PRODUCTION, AnalyticsWorld
from tests.worlds.deployment import Deployment, Mailbox
from tests.worlds.licenses import KEY, issue, license_store
from tests.worlds.profiles import company_card, developer_card

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
DAY = date(2026, 11, 20)
STAGED, NOBODYS, UNUSED = "STAG-0000-1111-2222-STAG", "NOBO-0000-1111-2222-NOBO", "UNUS-0000-1111-2222-UNUS"
DEVICE = "9b74c9897bac770ffc029102a200c5de"
AUTHOR = Author("k0", "Ada", NOW, "192.0.2.9", "test", "r0")
PATH = "/api/v1/analytics/search"

Search = Callable[..., list[dict[str, Any]]]


class Asker:
    """Staff of any role, who ask one function; by default an admin of all environments, of production."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._function = load_function("analytics", FakeClock(NOW))
        self._clients: dict[tuple[Role, tuple[Environment, ...]], Client] = {}

    def __call__(self, body: object, role: Role = Role.ADMIN, *environments: Environment) -> Answer:
        client = self._clients.get((role, environments))
        if client is None:
            client = Client(self._function, bearer(self._deployment.staff_key(role, *environments)))
            self._clients[role, environments] = client
        return client.request("POST", PATH, body, {"environment": "production"})


@pytest.fixture
def ask(world: AnalyticsWorld) -> Asker:
    return Asker(world.deployment)


@pytest.fixture
def world(deployment: Deployment, mailbox: Mailbox) -> AnalyticsWorld:
    """Licences, customers, records, profiles; production's and staging's."""
    customers = CustomerStore(deployment.tables.registry)
    customers.add(Customer("customer-1", "Aurora Works GmbH", None, NOW))
    customers.add(Customer("c-2", "Société Générale du Nord", None, NOW))
    issue(deployment)
    issue(deployment, STAGED, Environment.STAGING, customer_id=None, state=LicenseState.AVAILABLE)
    made = AnalyticsWorld(deployment, mailbox, NOW)
    for key in (KEY, STAGED, NOBODYS):
        made.keep({"license_key": key, "hwid": DEVICE, "user_identifier": "Jane@Acme.Example"}, NOW, ip="198.51.100.17")
    made.deliver()
    return made


@pytest.fixture
def search(ask: Asker) -> Search:
    """What an admin of all environments finds in production, without what is the same in all hits."""

    def search(text: str, *kinds: HitKind) -> list[dict[str, Any]]:
        answer = ask({"text": text, **({"kinds": kinds} if kinds else {})})
        assert answer.status == 200, answer.text
        return [{name: value for name, value in hit.items() if value is not None} for hit in answer.body["items"]]

    return search


def kinds_of(found: list[dict[str, Any]]) -> list[str]:
    return [hit["kind"] for hit in found]


# ── licences and their keys


def test_a_licence_is_found_by_its_key_however_it_is_typed(world: AnalyticsWorld, search: Search) -> None:
    license_ = next(iter(license_store(world.deployment).page(LicenseFilter(PRODUCTION), NOW, 1).items))
    told = {
        "kind": "license",
        "id": license_.id,
        "title": "••••LL08",
        "note": "Aurora Works GmbH, Acme Desktop, assigned",
        "environment": "production",
    }
    named = license_named(license_.fingerprint)
    for text in (KEY, KEY.lower(), f" {KEY}\t", "LL08", "ll08", "••••LL08", "****LL08", license_.id, named):
        assert search(text, HitKind.LICENSE, HitKind.KEY) == [told], text


def test_a_key_of_another_environment_says_whose_it_is(ask: Asker, search: Search) -> None:
    elsewhere, used_here = search(STAGED)
    assert (elsewhere["kind"], elsewhere["environment"]) == ("license", "staging")
    assert elsewhere["note"] == "Assigned to nobody, Acme Desktop, available"
    assert (used_here["kind"], used_here["environment"], used_here["note"]) == (
        "key",
        "production",
        "A licence of staging",
    )
    # who may not see staging is told what of production is there
    answer = ask({"text": STAGED}, Role.ADMIN, PRODUCTION)
    (hit,) = answer.body["items"]
    assert (hit["kind"], hit["note"]) == ("key", "No licence has it")
    assert "staging" not in answer.text
    assert elsewhere["id"] not in answer.text


def test_a_key_that_nobody_issued_leads_to_its_records(world: AnalyticsWorld, search: Search) -> None:
    (hit,) = search(NOBODYS)
    fingerprint = world.deployment.keyring.fingerprint(Identity.LICENSE, NOBODYS)
    assert (hit["kind"], hit["id"]) == ("key", license_named(fingerprint))
    listed = world.given("records", license_id=hit["id"], range="24h")["items"]
    assert [row["license"] for row in listed] == [None]
    assert world.given("records", license_id=hit["id"], customer_id="customer-1")["items"] == []
    # that of an issued key finds what its id finds
    issued = license_named(world.deployment.keyring.fingerprint(Identity.LICENSE, KEY))
    (by_name,) = world.given("records", license_id=issued, customer_id="customer-1")["items"]
    assert world.given("records", license_id=by_name["license"]["id"])["items"] == [by_name]
    assert search(UNUSED) == []


@pytest.mark.parametrize("key", [KEY, NOBODYS])
def test_a_key_that_is_a_device_too_leads_to_no_address_with_it(
    world: AnalyticsWorld, search: Search, key: str
) -> None:
    world.keep({"license_key": key, "hwid": key, "user_identifier": key}, NOW)
    world.deliver()
    for kinds in ((), (HitKind.USER, HitKind.DEVICE)):
        found = search(key, *kinds)
        assert bool(found) is not bool(kinds)
        assert key not in str(found)


def test_a_key_in_an_address_is_refused_and_not_repeated(
    world: AnalyticsWorld, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for path in ("records", "export"):
        status, body = world.ask(
            path, {"license_id": KEY, "format": "csv"} if path == "export" else {"license_id": KEY}
        )
        assert (status, body["type"]) == (422, "/docs#problem-invalid-fields")
        assert body["errors"][0]["field"] == "license_id"
        assert body["errors"][0]["message"].startswith("Wants the id of a licence, never its key")
        assert KEY not in json.dumps(body)
    assert KEY not in "".join(capfd.readouterr()) + caplog.text


def test_imported_licences_and_those_that_are_issued_are_found_alike(
    ask: Asker, world: AnalyticsWorld, search: Search
) -> None:
    deployment = world.deployment
    store, activations = license_store(deployment), ActivationStore(deployment.tables.registry, deployment.keyring)
    importer = Importer(PRODUCTION, store, activations, deployment.keyring, NOW, frozenset({"acme-desktop"}))
    rows = [{"license_key": f"IMPORTED-{number:04d}-abCD", "customer_id": "imported-9"} for number in range(12)]
    list(importer.run(enumerate(rows, 1)))
    answer = ask({"text": "ABcd"})
    assert [hit["title"] for hit in answer.body["items"]] == ["••••abCD"] * MOST_HITS
    assert answer.body["more"] == ["license"]
    assert search("IMPORTED-0003-abCD")[0]["note"] == "imported-9, any product, assigned"
    (unregistered,) = search("imported-9")
    assert (unregistered["kind"], unregistered["note"]) == ("customer", "Not registered, but has licences")


# ── customers and products


def test_customers_are_found_by_the_beginnings_of_words(search: Search) -> None:
    for text in ("aurora", "AUR", "works", "gmbh aur", "Aurora Works GmbH", "customer-1"):
        assert [hit["id"] for hit in search(text, HitKind.CUSTOMER)] == ["customer-1"], text
    for text in ("societe generale", "NORD", "gén soc"):
        assert [hit["title"] for hit in search(text, HitKind.CUSTOMER)] == ["Société Générale du Nord"], text
    for text in ("urora", "aurora nord", "%%", "*urora", "au_ora", "[a-z]+", "Customer-1"):
        assert search(text, HitKind.CUSTOMER) == [], text


def test_a_customer_is_found_by_its_name_of_today(world: AnalyticsWorld, search: Search) -> None:
    admin = Client(load_function("admin", FakeClock(NOW)), bearer(world.deployment.staff_key()), "/api/v1/admin")
    made = admin.post("/customers", {"name": "Borealis Mining", "email": "a@b.example"})
    path = f"/customers/{made.body['id']}"
    changed = admin.request("PATCH", path, {"name": "Borealis Steel"}, headers={"if-match": made.headers["etag"]})
    assert changed.status == 200
    assert [hit["title"] for hit in search("borea")] == ["Borealis Steel"]
    assert search("mining") == []
    assert [hit["title"] for hit in search("steel")] == ["Borealis Steel"]
    # a change that comes too late changes no word either
    late = admin.request("PATCH", path, {"name": "Mining Again"}, headers={"if-match": made.headers["etag"]})
    assert (late.status, search("mining")) == (412, [])
    # what else changes leaves the words alone
    mail = admin.request("PATCH", path, {"email": "c@d.example"}, headers={"if-match": changed.headers["etag"]})
    assert (mail.status, len(search("borea steel"))) == (200, 1)


def test_many_customers_of_one_word_are_told_apart_by_another(
    ask: Asker, world: AnalyticsWorld, search: Search
) -> None:
    store = CustomerStore(world.deployment.tables.registry)
    for number in range(MOST_READ + 5):
        store.add(Customer(f"c-{number:03d}", f"Meridian {number:03d}x Holding", None, NOW))
    answer = ask({"text": "meridian", "kinds": ["customer"]})
    assert (len(answer.body["items"]), answer.body["more"]) == (MOST_HITS, ["customer"])
    assert [hit["id"] for hit in search("meridian 104")] == ["c-104"]
    only = ask({"text": "meridian 104"}).body
    assert only["more"] == []


def test_products_are_found_by_id_and_name(search: Search) -> None:
    for text in ("acme-cli", "cli", "Acme C"):
        assert [hit["id"] for hit in search(text, HitKind.PRODUCT)] == ["acme-cli"], text
    assert [hit["id"] for hit in search("acm", HitKind.PRODUCT)] == ["acme-cli", "acme-desktop"]


# ── what records say


def test_users_devices_and_addresses_lead_to_their_records(world: AnalyticsWorld, search: Search) -> None:
    (user,) = search("JANE@acme.example")
    assert (user["kind"], user["id"], user["note"]) == ("user", "jane@acme.example", "Last active on 2026-11-21")
    assert len(world.given("records", user=user["id"])["items"]) == 3
    (device,) = search(DEVICE.upper())
    assert device["kind"] == "device"
    assert len(world.given("records", hwid=device["id"])["items"]) == 3
    for text in ("198.51.100.17", "::ffff:198.51.100.17"):
        (address,) = search(text, HitKind.IP)
        assert len(world.given("records", ip=address["id"])["items"]) == 3
    assert search("nobody@acme.example") == []
    assert search("00000000-0000") == []


def test_who_is_forgotten_is_not_found(world: AnalyticsWorld, search: Search) -> None:
    keyring, store = world.deployment.keyring, ForgottenStore(world.deployment.tables.registry, PRODUCTION)
    for identity, name in ((Identity.USER, "jane@acme.example"), (Identity.DEVICE, DEVICE)):
        store.add(keyring.fingerprint(identity, name), AuditEntry(name[:4], AUTHOR, PRODUCTION, "x", "y", {}, {}))
    assert search("jane@acme.example") == search(DEVICE) == []


def test_a_telemetry_id_leads_to_its_record(ask: Asker, world: AnalyticsWorld, search: Search) -> None:
    (row, *_) = world.given("records")["items"]
    (hit,) = search(row["id"])
    assert (hit["kind"], hit["id"], hit["note"]) == ("record", row["id"], "Acme Desktop, received 2026-11-21 08:30")
    assert search(row["id"][:-1] + ("A" if row["id"][-1] != "A" else "Q")) == []
    deployment = world.deployment
    world.keep({"event_id": "e9"}, NOW, Environment.STAGING)
    (item,) = stored_items(deployment, Environment.STAGING)
    from telemetry.domain.record import RecordKey

    staged = telemetry_id(RecordKey(item["p"]["S"], item["s"]["S"]), "staging", deployment.keyring)
    assert [hit["environment"] for hit in search(staged)] == ["staging"]
    assert ask({"text": staged}, Role.ADMIN, PRODUCTION).body["items"] == []


def test_api_keys_are_found_by_what_people_have_of_them(world: AnalyticsWorld, search: Search) -> None:
    deployment = world.deployment
    issued = issue_sdk_key(
        "Build farm", PRODUCTION, frozenset({Capability.INGEST}), None, deployment.keyring, deployment.api_keys
    )
    told = {
        "kind": "api_key", "id": issued.key.id, "title": "Build farm", "note": f"tk_prod_…{issued.key.last_four}",
        "environment": "production",
    }  # fmt: skip
    for text in (issued.secret, issued.key.id, "farm", "build f"):
        assert search(text) == [told], text
    assert told in search(issued.key.last_four)
    # staff's keys are not SDKs', and one that holds more than a key is none
    assert search(deployment.staff_key()) == []
    assert search(f"x{issued.secret}") == []


def test_developers_and_companies_of_products_with_profiles(world: AnalyticsWorld, search: Search) -> None:
    deployment = world.deployment
    deployment.products.put(Product("acme-cli", "Acme CLI", profiles=True))
    stores = ProfileStores.of(deployment.tables.aggregates(PRODUCTION))
    jane = deployment.keyring.fingerprint(Identity.USER, "jane@globex.example")
    stores.people.put_profile("acme-cli", jane, Profile(DAY, "jane@globex.example", "EMAIL"))
    assert kinds_of(search("jane@globex.example")) == ["developer"]
    view = View(0, NOW, first=DAY, closed=DAY, listed=DAY, listed_at=NOW, totals=Totals(1, 1, {}, {}))
    stores.views.begin("acme-cli", view)
    globex = CompanyName("globex.example", "Globex Corporation", "domain", 3)
    stores.lists.put_companies(0, "acme-cli", DAY, Order.ACTIVE, [company_card(globex)])
    card = replace(developer_card(1, DEVICE[:20]), fingerprint=b"d" * 16)
    stores.lists.put_developers(0, "acme-cli", DAY, Order.ACTIVE, [card])
    for text in ("globex.example", "corp", "Globex C"):
        (hit,) = [each for each in search(text) if each["kind"] == "company"]
        assert (hit["id"], hit["product"], hit["note"]) == ("globex.example", "acme-cli", "Acme CLI"), text
    assert [hit["id"] for hit in search(id_of(jane))] == [id_of(jane)]
    # the characters that a table prints of a device
    assert [hit["id"] for hit in search(DEVICE[:12], HitKind.DEVELOPER)] == [id_of(b"d" * 16)]


# ── who, and what is refused


def test_a_viewer_finds_products_alone(ask: Asker) -> None:
    for body in ({"text": "acme"}, {"text": "acme", "kinds": ["product", "customer"]}):
        found = ask(body, Role.VIEWER)
        assert (found.status, {hit["kind"] for hit in found.body["items"]}) == (200, {"product"})
    for text in (KEY, "LL08", "aurora", DEVICE, "198.51.100.17", "customer-1"):
        assert ask({"text": text}, Role.VIEWER).body == {"items": [], "more": []}
    assert ask({"text": KEY, "kinds": ["license"]}, Role.VIEWER).body["items"] == []
    assert ask({"text": KEY}, Role.SUPER_ADMIN).body["items"][0]["kind"] == "license"


def test_other_callers_are_refused(ask: Asker, world: AnalyticsWorld) -> None:
    deployment, function = world.deployment, load_function("analytics", FakeClock(NOW))
    assert ask({"text": KEY}, Role.ADMIN, Environment.STAGING).status == 403
    for headers, status in (({}, 401), (bearer(deployment.keys[PRODUCTION]), 403), (bearer("tk_staff_x"), 401)):
        answer = Client(function, headers).request("POST", PATH, {"text": KEY}, {"environment": "production"})
        assert answer.status == status
        assert KEY not in answer.text
    admin = bearer(deployment.staff_key())
    assert Client(function, admin).request("GET", PATH, None, {"environment": "production"}).status == 404
    assert Client(function, admin).request("POST", PATH, {"text": KEY}).status == 422
    assert Client(function, admin).request("POST", PATH, {"text": KEY}, {"environment": "nowhere"}).status == 403


HOSTILE: list[object] = [
    *("x" * 10_240, "\ud800\udc00\ud800", "é" * (LONGEST_TEXT + 1), "x", "", 7, None, [], {}),
]


def test_what_cannot_be_looked_for_is_said_and_not_repeated(ask: Asker) -> None:
    for text in HOSTILE:
        answer = ask({"text": text})
        assert (answer.status, answer.body["type"]) == (422, "/docs#problem-invalid-fields"), text
        assert [error["field"] for error in answer.body["errors"]] == ["text"]
        assert len(answer.text) < 700
    for blank in (" x ", "\0\0\0", "\u2028\ufeff"):
        assert ask({"text": blank}).body == {"items": [], "more": []}


BAD_BODIES: list[tuple[str | bytes, int]] = [
    ("", 400),
    (b"\xff\xfe", 400),
    ("[]", 400),
    (f'"{KEY}"', 400),
    ("[" * 8_000, 400),
    (json.dumps({"text": "aurora", "more": "x" * 10_000}), 422),
    (json.dumps({"text": "aurora", KEY: 1}), 422),
    (json.dumps({"text": "aurora", "kinds": [KEY]}), 422),
    (json.dumps({"text": "aurora", "kinds": "license"}), 422),
    (json.dumps({KEY: KEY}), 422),
    (json.dumps({"text": [KEY]}), 422),
    (json.dumps({"text": {KEY: KEY}}), 422),
]


def test_bad_bodies_are_refused_and_not_repeated(
    ask: Asker, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    told = ""
    for body, status in BAD_BODIES:
        answer = ask(body)
        assert answer.status == status, body
        told += answer.text
    assert KEY not in told + "".join(capfd.readouterr()) + caplog.text


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=()), max_size=80))
def test_any_text_is_answered(ask: Asker, text: str) -> None:
    assert ask({"text": text}).status in {200, 422}


# ── where the text goes, and what it costs


def test_the_text_goes_nowhere(
    ask: Asker, world: AnalyticsWorld, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither into an answer, a header, a log, a metric nor a table: not even when storage fails.

    Of a key that anybody has used not even DynamoDB is told, whose calls may be logged too: here botocore logs them.
    """
    before = everything(world.deployment)
    for key in (KEY, STAGED, NOBODYS, UNUSED):
        caplog.set_level(logging.INFO if key is UNUSED else logging.DEBUG)
        answer = ask({"text": key})
        assert answer.status == 200
        assert "etag" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
        assert key not in answer.text + repr(answer.headers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("telemetry.storage.licenses.read_items", lambda *_, **__: 1 / 0)
        answer = ask({"text": NOBODYS})
        assert answer.status == 500
        assert NOBODYS not in answer.text
    logged = "".join(capfd.readouterr()) + caplog.text + repr([vars(each) for each in caplog.records])
    assert "ZeroDivisionError" in logged
    for key in (KEY, STAGED, NOBODYS, UNUSED):
        assert key not in logged
    # the staff keys that this test made, and nothing else
    added = [item for item in everything(world.deployment) if item not in before]
    assert {item["pk"]["S"].partition("#")[0] for item in added} <= {"api_key", "api_key_id"}


def everything(deployment: Deployment) -> list[dict[str, Any]]:
    found: list[Any] = []
    for table in (deployment.tables.registry, deployment.tables.aggregates(PRODUCTION)):
        for page in dynamodb_client().get_paginator("scan").paginate(TableName=table):
            found += page["Items"]
    return found


@pytest.mark.parametrize(("products", "customers"), [(2, 2), (20, 60)])
def test_requests_do_not_grow_with_what_there_is(world: AnalyticsWorld, products: int, customers: int) -> None:
    deployment, store = world.deployment, CustomerStore(world.deployment.tables.registry)
    for number in range(products):
        deployment.products.put(Product(f"more-{number}", f"More {number}", profiles=number < 15))
    for number in range(customers):
        store.add(Customer(f"many-{number}", f"Zenith {number}", None, NOW))
        issue(deployment, f"MANY-{number:04d}-0000-SAME")
    analytics = Client(load_function("analytics", FakeClock(NOW)), bearer(deployment.staff_key()))
    most = {"zenith": 40, "SAME": 40, KEY: 40, UNUSED: 40 + products, "198.51.100.17": 40}
    with_profiles = min(10, products)
    for text, usual in most.items():
        with counted_calls() as calls:
            answer = analytics.request("POST", PATH, {"text": text}, {"environment": "production"})
        assert answer.status == 200
        assert not [call for call in calls if call.startswith("Scan")]
        assert len(calls) <= usual - 25 + 5 * with_profiles, (text, calls)


def test_what_was_not_looked_through_is_told(
    ask: Asker, world: AnalyticsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.services.search.MOST_API_KEYS", 3)
    monkeypatch.setattr("telemetry.services.search.MOST_PRODUCTS_WITH_PROFILES", 2)
    for number in range(4):
        world.deployment.key()
        world.deployment.products.put(Product(f"profiled-{number}", f"P {number}", profiles=True))
    assert ask({"text": "nobody's"}).body == {"items": [], "more": ["api_key", "company", "developer"]}
    assert ask({"text": "nobody's", "kinds": ["product", "company"]}).body["more"] == ["company"]


def test_only_what_is_wanted_is_read(world: AnalyticsWorld) -> None:
    analytics = Client(load_function("analytics", FakeClock(NOW)), bearer(world.deployment.staff_key()))
    body = {"text": "aurora", "kinds": ["customer"]}
    analytics.request("POST", PATH, body, {"environment": "production"})
    with counted_calls() as calls:
        analytics.request("POST", PATH, body, {"environment": "production"})
    assert sorted(calls) == ["BatchGetItem registry", "GetItem registry", "Query registry"]


def test_a_change_needs_the_page(world: AnalyticsWorld) -> None:
    """With a session a search is a POST like any other: another site's form finds nothing."""
    key, clock = world.deployment.staff_key(), FakeClock(NOW)
    dashboard, analytics = load_function("dashboard", clock), load_function("analytics", clock)
    (cookie,) = Client(dashboard).post("/admin/session", {"key": key}).cookies
    name, _, value = cookie.partition(";")[0].partition("=")

    def send(method: str, path: str, function: Any, body: object = None, **headers: str) -> Answer:  # noqa: ANN401
        from tests.lambdas import http_event

        sent = {"content-type": "application/json", **headers}
        event = http_event(path, json.dumps(body), sent, {"environment": "production"}, method, [f"{name}={value}"])
        if method == "GET":
            event.pop("queryStringParameters"), event.update(rawQueryString="")
        return Client(function).send(event)

    csrf = send("GET", "/admin/session", dashboard).body["csrf"]
    assert send("POST", PATH, analytics, {"text": KEY}).status == 403
    assert send("POST", PATH, analytics, {"text": KEY}, **{"x-csrf-token": "wrong"}).status == 403
    assert (
        send("POST", PATH, analytics, {"text": KEY}, **{"x-csrf-token": csrf, "sec-fetch-site": "cross-site"}).status
        == 403
    )
    assert send("POST", PATH, analytics, {"text": KEY}, **{"x-csrf-token": csrf}).status == 200
