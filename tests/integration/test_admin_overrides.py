"""The vendor's overrides of attribution, read and changed over the admin API on a real engine."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.domain.errors import ChangedMeanwhile
from telemetry.domain.overrides import Overrides, VersionedOverrides
from telemetry.domain.staff import AuditEntry, Author
from telemetry.storage.domain_lists import domain_lists
from telemetry.storage.overrides import OverridesStore
from telemetry.web.administration.company_overrides import MOST_OVERRIDES
from tests.client import Answer, Client, bearer
from tests.clock import FakeClock
from tests.lambdas import load_function
from tests.worlds.deployment import Deployment

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
BASE = "/api/v1/admin"
EMPTY: dict[str, Any] = {
    "own_networks": [],
    "own_domains": [],
    "ignored_networks": [],
    "ignored_companies": [],
    "merged": {},
    "public_mail": [],
    "not_public_mail": [],
}
SAID: dict[str, Any] = {
    "own_networks": ["81.2.69.0/24", "2a02:1::/32"],
    "own_domains": ["vendor.example"],
    "ignored_networks": ["89.160.20.112/32"],
    "ignored_companies": ["crawler.example", "~o:honey pot"],
    "merged": {"acme.co.uk": "acme.com", "~o:acme inc": "acme.com"},
    "public_mail": ["provider.example"],
    "not_public_mail": ["sfr.fr"],
}
A_CIRCLE = {"acme.com": "beta.com", "beta.com": "acme.com"}
MANY_DOMAINS = [f"a{number}.example" for number in range(MOST_OVERRIDES + 1)]


class Site:
    """The admin function, an administrator, and the overrides as attribution reads them."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.store = OverridesStore(deployment.tables.registry)
        self.clock = FakeClock(NOW)
        self.admin = load_function("admin", self.clock)
        self.key = deployment.staff_key(Role.ADMIN)

    def ask(
        self,
        method: str,
        body: object = None,
        if_match: str | None = None,
        key: str | None = None,
        path: str = "/company-overrides",
        **query: str,
    ) -> Answer:
        """A second after whatever was asked before."""
        self.clock.advance(1)
        client = Client(self.admin, {**bearer(key or self.key), "if-match": if_match}, BASE)
        return client.request(method, path, body, query)

    def audit(self, environment: str = "production") -> list[Any]:
        items: list[Any] = self.ask("GET", path="/audit", environment=environment).body["items"]
        return [item for item in items if item["action"] == "company_overrides.change"]


@pytest.fixture
def site(deployment: Deployment) -> Site:
    return Site(deployment)


def errors(answer: Answer) -> list[tuple[str, str]]:
    assert answer.status == 422, answer
    return [(error["field"], error["message"]) for error in answer.body["errors"]]


def test_overrides_are_read_and_changed(site: Site) -> None:
    first = site.ask("GET")
    assert (first.status, first.headers["etag"], first.body) == (200, '"1"', EMPTY)
    assert site.store.get() == VersionedOverrides()

    changed = site.ask("PUT", SAID, '"1"')
    assert (changed.status, changed.headers["etag"], changed.body) == (200, '"2"', SAID)
    changed_at = site.clock.now()
    read = site.ask("GET")
    assert (read.headers["etag"], read.body) == ('"2"', SAID)
    assert read.headers["cache-control"] == "no-store"
    stored = site.store.get()
    assert stored == VersionedOverrides(Overrides.from_json(SAID), 2, changed_at, stored.changed_by)
    assert stored.changed_by == site.audit()[0]["key_id"]


def test_what_was_read_can_be_sent_back(site: Site) -> None:
    site.ask("PUT", SAID, '"1"')
    read = site.ask("GET")
    again = site.ask("PUT", read.body, read.headers["etag"])
    assert (again.status, again.headers["etag"], again.body) == (200, '"3"', SAID)


def test_what_is_left_out_is_empty_from_then_on(site: Site) -> None:
    site.ask("PUT", SAID, '"1"')
    assert site.ask("PUT", {"own_domains": ["vendor.example"]}, '"2"').body == EMPTY | {
        "own_domains": ["vendor.example"]
    }
    assert site.ask("PUT", {}, '"3"').body == EMPTY


def test_spellings_are_put_into_one(site: Site) -> None:
    said = {
        "own_networks": ["81.2.69.7/24", "::ffff:89.160.20.1", "81.2.69.0/24"],
        "own_domains": ["Bücher.example.", " VENDOR.example"],
    }
    assert site.ask("PUT", said, '"1"').body == EMPTY | {
        "own_networks": ["81.2.69.0/24", "89.160.20.1/32"],
        "own_domains": ["vendor.example", "xn--bcher-kva.example"],
    }


# ── who may, and no lost update


def test_who_may(site: Site) -> None:
    deployment = site.deployment
    for role, status in ((Role.VIEWER, 403), (Role.ADMIN, 200), (Role.SUPER_ADMIN, 200)):
        key = deployment.staff_key(role)
        assert site.ask("GET", key=key).status == status
        etag = site.ask("GET").headers["etag"]
        assert site.ask("PUT", SAID, etag, key).status == status
        assert site.ask("PUT", {"odd": 1}, None, key).status == (403 if status == 403 else 422)
    # an SDK key is known and good for other things; one that nobody issued is not
    before = site.store.get()
    for environment in Environment:
        assert site.ask("GET", key=deployment.keys[environment]).status == 403
        assert site.ask("PUT", EMPTY, '"3"', deployment.keys[environment]).status == 403
    assert site.ask("GET", key="tk_staff_nobody-issued-this").status == 401
    assert site.ask("PUT", EMPTY, '"3"', "tk_staff_nobody-issued-this").status == 401
    assert site.store.get() == before


def test_they_are_the_same_in_all_environments(site: Site) -> None:
    """Whoever administers one environment may change them, as products, and all others are told."""
    staging = site.deployment.staff_key(Role.ADMIN, Environment.STAGING)
    assert site.ask("PUT", SAID, '"1"', staging).status == 200
    assert site.ask("GET").body == SAID
    (entry,) = site.audit("production")
    assert [entry] == site.audit("staging")
    assert entry["environment"] is None
    assert site.ask("GET", key=staging, environment="production").status == 403


def test_a_change_needs_the_version_it_was_made_from(site: Site) -> None:
    assert site.ask("PUT", SAID).status == 428
    assert site.ask("PUT", SAID, '"2"').status == 412
    assert site.ask("PUT", SAID, '"1"').status == 200
    for odd in ('"1"', '"3"', "*", 'W/"2"', "2", '""'):
        assert site.ask("PUT", EMPTY, odd).status == 412
    assert site.store.get().version == 2
    assert site.ask("GET").body == SAID
    assert len(site.audit()) == 1


def test_of_two_first_changes_at_once_one_is_refused(site: Site) -> None:
    store = site.store

    def change(name: str) -> bool:
        author = Author(name, name, NOW, "203.0.113.7", "", "r")
        entry = AuditEntry(name, author, None, "company_overrides.change", "*", {}, {})
        try:
            store.change(VersionedOverrides(Overrides(own_domains=frozenset({f"{name}.example"}))), entry)
        except ChangedMeanwhile:
            return False
        return True

    with ThreadPoolExecutor() as pool:
        done = dict(zip("abcd", pool.map(change, "abcd"), strict=True))
    (winner,) = (name for name, is_done in done.items() if is_done)
    found = store.get()
    assert (found.version, found.changed_by) == (2, winner)
    assert found.overrides.own_domains == {f"{winner}.example"}
    assert [entry["id"] for entry in site.audit()] == [winner]


# ── what cannot be said

WRONG: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "no network": (
        {"own_networks": ["81.2.69.0/33"]},
        [("own_networks", "'81.2.69.0/33' is no network; write one as 192.0.2.0/24 or 2001:db8::/32.")],
    ),
    "too wide": (
        {"ignored_networks": ["0.0.0.0/0"]},
        [("ignored_networks", "'0.0.0.0/0' is too wide; /8 is the widest.")],
    ),
    "no domain": ({"own_domains": ["acme"]}, [("own_domains", "'acme' is no domain; write one as acme.com.")]),
    "a public suffix": (
        {"public_mail": ["co.uk"]},
        [("public_mail", "'co.uk' is nobody's domain; name those below it.")],
    ),
    "a private name": (
        {"ignored_companies": ["build.lan"]},
        [("ignored_companies", "'build.lan' is nobody's domain; name those below it.")],
    ),
    "no id": (
        {"ignored_companies": ["~o:"]},
        [("ignored_companies", "'~o:' is no company's id; write it as lists show it.")],
    ),
    "a circle": ({"merged": A_CIRCLE}, [("merged", "'acme.com' leads back to 'acme.com'.")]),
    "merged into a public suffix": (
        {"merged": {"acme.com": "co.uk"}},
        [("merged", "'co.uk' is no company's domain.")],
    ),
    "merged into mail": (
        {"merged": {"acme.com": "gmail.com"}},
        [("merged", "'gmail.com' is a public mail provider and no company.")],
    ),
    "a contradiction": (
        {"public_mail": ["acme.com"], "not_public_mail": ["acme.com"]},
        [("not_public_mail", "'acme.com' is among public_mail too.")],
    ),
    "too many": (
        {"own_domains": MANY_DOMAINS},
        [("own_domains", "List should have at most 1000 items after validation, not 1001")],
    ),
    "too many merged": (
        {"merged": dict.fromkeys(MANY_DOMAINS, "acme.com")},
        [("merged", "Dictionary should have at most 1000 items after validation, not more")],
    ),
    "too long": (
        {"own_domains": ["acme.com", "a" * 255]},
        [("own_domains.1", "String should have at most 254 characters")],
    ),
    "too much": (
        {"ignored_companies": [f"{'a' * 60}.{'b' * 40}{number}.example" for number in range(MOST_OVERRIDES)]},
        [("overrides", "Overrides are at most 100,000 bytes of JSON.")],
    ),
    "unknown": ({"own": []}, [("own", "there is no such field")]),
    "no list": ({"own_domains": "acme.com"}, [("own_domains", "Input should be a valid list")]),
    "null": ({"own_domains": None}, [("own_domains", "Input should be a valid list")]),
    "no text": ({"own_networks": [1]}, [("own_networks.0", "Input should be a valid string")]),
    "no pairs": ({"merged": [["a.com", "b.com"]]}, [("merged", "Input should be a valid dictionary")]),
    "two at once": (
        {"own": [], "public_mail": [None]},
        [("public_mail.0", "Input should be a valid string"), ("own", "there is no such field")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_said_is_named_and_changes_nothing(site: Site, name: str) -> None:
    body, told = WRONG[name]
    site.ask("PUT", SAID, '"1"')
    assert errors(site.ask("PUT", body, '"2"')) == told
    # before the version is asked for
    assert errors(site.ask("PUT", body, '"1"')) == told
    assert site.ask("GET").body == SAID
    assert len(site.audit()) == 1


@pytest.mark.parametrize(
    "body",
    [{"own_domains": ["\ud800.example"]}, {"merged": {"\ud800": "acme.com"}}, {"ignored_companies": ["~o:\ud800"]}],
)
def test_what_is_no_text_is_refused(site: Site, body: dict[str, Any]) -> None:
    assert site.ask("PUT", body, '"1"').status == 422


@pytest.mark.parametrize("body", ["", "[]", "null", "{", '"x"'])
def test_what_is_no_object_is_refused(site: Site, body: str) -> None:
    assert site.ask("PUT", body, '"1"').status in {400, 422}
    assert site.store.get() == VersionedOverrides()


def test_the_most_that_can_be_said_stays_readable(site: Site) -> None:
    """Networks become longer as they are put into one spelling."""
    short = {"own_networks": [f"{number:x}::" for number in range(0x2000, 0x2000 + MOST_OVERRIDES)]}
    full = short | {"ignored_companies": [f"~o:{'x' * 79}{number:03}" for number in range(MOST_OVERRIDES)]}
    assert errors(site.ask("PUT", full, '"1"')) == [("overrides", "Overrides are at most 100,000 bytes of JSON.")]
    fewer = full | {"ignored_companies": full["ignored_companies"][:950]}
    assert site.ask("PUT", fewer, '"1"').status == 200
    assert len(site.ask("GET").body["own_networks"]) == MOST_OVERRIDES
    assert len(site.store.get().overrides.ignored_companies) == 950


# ── what is written down, and what is loaded


def test_a_change_is_written_down_with_what_differs(site: Site) -> None:
    site.ask("PUT", {"own_domains": ["vendor.example"], "merged": {"acme.co.uk": "acme.com"}}, '"1"')
    site.ask("PUT", {"own_domains": ["vendor.example"], "own_networks": ["81.2.69.7/24"]}, '"2"')
    second, first = site.audit()
    assert (first["entity"], first["environment"], first["key_name"]) == ("*", None, "the admin")
    assert (first["before"], first["after"]) == (
        {"own_domains": [], "merged": {}},
        {"own_domains": ["vendor.example"], "merged": {"acme.co.uk": "acme.com"}},
    )
    assert (second["before"], second["after"]) == (
        {"own_networks": [], "merged": {"acme.co.uk": "acme.com"}},
        {"own_networks": ["81.2.69.0/24"], "merged": {}},
    )


def test_only_a_change_loads_the_lists(site: Site) -> None:
    domain_lists.cache_clear()
    assert site.ask("GET").status == 200
    assert site.ask("GET", path="/products").status == 200
    assert site.ask("PUT", {"own_domains": ["acme"]}, '"1"').status == 422
    assert domain_lists.cache_info().currsize == 0
    assert site.ask("PUT", SAID, '"1"').status == 200
    assert domain_lists.cache_info().currsize == 1
