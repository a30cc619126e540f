"""Developers forgotten and told apart, days attributed anew: over the admin API, on a real engine."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.domain.product import Product
from telemetry.domain.staff import AuditEntry, Author
from telemetry.services.profiles.reader import ProfileReader
from telemetry.services.profiles.stores import ProfileStores
from telemetry.storage.profiles.forgotten import ForgottenStore
from telemetry.storage.profiles.keys import fingerprint_text
from tests.client import Answer, Client, bearer
from tests.clock import FakeClock
from tests.integration.test_chaos import Crashed, Fault
from tests.lambdas import load_function
from tests.worlds.deployment import Deployment
from tests.worlds.profile_days import FIRST, NOW, PRODUCT, Attributes, Records, Use, closer, fingerprint, random_uses
from tests.worlds.profile_days import reader as reader_of

LAST = FIRST + timedelta(days=24)
TODAY = LAST + timedelta(days=1)
ANN, BOB, LAPTOP = (fingerprint(name) for name in ("user 1", "user 2", "device 1"))
HERE = {"environment": "production"}
OF_PRODUCT = HERE | {"product": PRODUCT}


class Site:
    """A product whose usage is closed, and the admin function."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        deployment.products.put(Product(PRODUCT, "Orbit", profiles=True))
        self.table = deployment.tables.aggregates(Environment.PRODUCTION)
        self.stores = ProfileStores.of(self.table)
        self.forgotten = ForgottenStore(deployment.tables.registry, Environment.PRODUCTION)
        self.records, self.attributes = Records(random_uses(Random(25), 25)), Attributes()
        self.clock = FakeClock(NOW)
        self.admin = load_function("admin", self.clock)
        self.key = deployment.staff_key(Role.ADMIN)

    def close(self, last: date = LAST) -> None:
        closing = replace(closer(self.table, self.records, self.attributes), forgotten=self.forgotten.all)
        closing.close(PRODUCT, FIRST, last, NOW)

    def reader(self, forgotten: frozenset[bytes] = frozenset()) -> ProfileReader:
        return reader_of(self.table, forgotten)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        query: Mapping[str, str] = HERE,
        key: str | None = None,
    ) -> Answer:
        """A second after whatever was asked before."""
        self.clock.advance(1)
        client = Client(self.admin, bearer(key or self.key), "/api/v1/admin")
        return client.request(method, path, body, dict(query))

    def forget(self, who: bytes, **more: Any) -> Answer:  # noqa: ANN401
        return self.ask("POST", f"/developers/{fingerprint_text(who)}/forget", **more)

    def audit(self) -> list[tuple[str, str, Any]]:
        items = self.ask("GET", "/audit").body["items"]
        return [(each["action"], each["entity"], each["after"]) for each in items if "." in each["action"]]

    def names(self, who: bytes) -> set[str | None]:
        """Under which somebody is still stored."""
        profile = self.stores.people.profiles(PRODUCT, [who]).get(who)
        found = {profile.name, profile.id_type} if profile else set()
        for view in self.stores.views.views(PRODUCT):
            developer = self.reader().developer(PRODUCT, who, TODAY, view)
            found |= {text for each in developer.at for text in (each.name, each.id_type)} if developer else set()
        return found


@pytest.fixture
def site(deployment: Deployment) -> Site:
    return Site(deployment)


# ── forgetting


def test_who_is_forgotten_has_no_name_anywhere_and_still_counts(site: Site) -> None:
    site.close()
    site.attributes.merged["acme.com"] = "bolt.io"
    site.ask("POST", "/attribution", {"first_day": str(FIRST), "last_day": str(LAST)}, OF_PRODUCT)
    site.close()
    assert set(site.stores.views.views(PRODUCT)) == {0, 1}
    before = site.reader().developer(PRODUCT, ANN, TODAY)
    assert before is not None
    assert before.links
    assert site.names(ANN) > {"EMAIL"}
    devices = site.stores.people.profiles(PRODUCT, [ANN])[ANN].devices
    totals = site.reader().closed(PRODUCT)
    cards = {card.fingerprint: card.activity for card in site.reader().all_developers(PRODUCT)}
    others = site.names(BOB)

    answer = site.forget(ANN)
    assert (answer.status, answer.body) == (200, HERE | {"id": fingerprint_text(ANN), "forgotten": True})
    assert site.forgotten.all() == {ANN}
    assert site.names(ANN) == {None}
    assert all(ANN not in each.users for each in site.stores.people.users(PRODUCT, devices).values())
    after = site.reader().developer(PRODUCT, ANN, TODAY)
    assert after is not None
    assert [each.activity for each in after.at] == [each.activity for each in before.at]
    assert (after.links, after.first) == ([], before.first)
    assert site.reader().closed(PRODUCT) == totals
    assert {card.fingerprint: card.activity for card in site.reader().all_developers(PRODUCT)} == cards
    assert site.names(BOB) == others

    assert site.forget(ANN) == answer
    assert site.audit().count(("developer.forget", fingerprint_text(ANN), {})) == 1


def test_who_is_forgotten_before_the_first_closing_never_gets_a_name(site: Site) -> None:
    assert site.forget(ANN).status == 200
    site.close(FIRST + timedelta(days=9))
    site.close()
    assert site.names(ANN) == {None}
    assert site.names(BOB) > {"EMAIL"}
    profile = site.stores.people.profiles(PRODUCT, [ANN])[ANN]
    assert (profile.name, profile.devices) == (None, {})


def test_later_days_bring_no_name_back(site: Site) -> None:
    site.close(FIRST + timedelta(days=9))
    site.forget(ANN)
    site.close()
    assert site.names(ANN) == {None}
    developer = site.reader().developer(PRODUCT, ANN, TODAY)
    assert developer is not None
    assert developer.at[0].activity.last > FIRST + timedelta(days=9)
    devices = {device for use in site.records.uses if use.device for device in [use.device]}
    assert all(ANN not in each.users for each in site.stores.people.users(PRODUCT, devices).values())


@pytest.mark.parametrize(
    "at_call", [pytest.param(at, marks=pytest.mark.slow) if at != 9 else at for at in range(3, 18, 2)]
)
def test_forgetting_that_is_cut_off_is_done_when_it_is_asked_again(site: Site, at_call: int) -> None:
    site.close(FIRST + timedelta(days=9))
    with Fault(at_call=at_call, after=at_call % 4 == 1).planted(), suppress(Crashed):
        site.forget(ANN)
    assert site.forget(ANN).status == 200
    assert site.names(ANN) == {None}


@pytest.mark.slow
def test_what_was_cut_off_is_done_when_the_next_day_is_closed(site: Site) -> None:
    site.close(FIRST + timedelta(days=9))
    site.forgotten.add(ANN, _entry())
    assert site.names(ANN) > {"EMAIL"}
    site.close()
    assert site.names(ANN) == {None}


def test_who_is_forgotten_while_a_day_is_closed_is_not_named_by_it(site: Site) -> None:
    asked = []

    def forgotten() -> frozenset[bytes]:
        asked.append(1)
        return frozenset({ANN}) if len(asked) > 1 else frozenset()

    replace(closer(site.table, site.records, site.attributes), forgotten=forgotten).close(PRODUCT, FIRST, LAST, NOW)
    assert site.names(ANN) == {None}


def test_forgetting_is_of_one_environment(site: Site) -> None:
    site.close()
    assert site.forget(ANN, query={"environment": "staging"}).status == 200
    assert site.names(ANN) > {"EMAIL"}
    assert site.forgotten.all() == frozenset()
    staging = site.deployment.staff_key(Role.ADMIN, Environment.STAGING)
    assert site.forget(ANN, key=staging).status == 403
    assert site.ask("GET", "/attribution", None, OF_PRODUCT, staging).status == 403
    a_day = {"first_day": "2026-09-01", "last_day": "2026-09-01"}
    assert site.ask("POST", "/attribution", a_day, OF_PRODUCT, staging).status == 403
    elsewhere = OF_PRODUCT | {"environment": "staging"}
    assert site.ask("GET", "/attribution", None, elsewhere, staging).body["views"] == []
    path = f"/developers/{fingerprint_text(ANN)}/unlinked/{fingerprint_text(BOB)}"
    assert site.ask("PUT", path, None, elsewhere, staging).status == 404
    assert site.ask("PUT", path, None, OF_PRODUCT, staging).status == 403


@pytest.mark.parametrize("id_", ["A" * 21, "A" * 23, "A" * 21 + "B", "A" * 21 + "!", "~"])
def test_what_is_no_developer(site: Site, id_: str) -> None:
    assert site.ask("POST", f"/developers/{id_}/forget").status == 422


@pytest.mark.parametrize(("users", "linked"), [(3, 1), (4, 0), (9, 0)])
def test_a_device_of_many_links_nobody_when_one_of_them_is_forgotten(site: Site, users: int, linked: int) -> None:
    """It was shared by as many as before. Forgotten twice is forgotten once."""
    people = [fingerprint(f"user {number}") for number in range(users)]
    site.records.uses = [Use(FIRST, each, LAPTOP, "acme.com", 3, "primary", 1) for each in people]
    site.close(FIRST)
    gone = next(iter(site.stores.people.users(PRODUCT, [LAPTOP])[LAPTOP].users))
    for _ in range(2):
        assert site.forget(gone).status == 200
    for each in people:
        if each != gone:
            found = site.reader(frozenset({gone})).developer(PRODUCT, each, TODAY)
            assert found is not None
            assert sum(link.fingerprint in people for link in found.links) == linked
            assert found.shared_devices == (users > 3)
    site.records.uses.append(
        Use(FIRST + timedelta(days=1), fingerprint("another"), LAPTOP, "acme.com", 3, "primary", 1)
    )
    site.close(FIRST + timedelta(days=1))
    another = site.reader(frozenset({gone})).developer(PRODUCT, fingerprint("another"), TODAY)
    assert another is not None
    assert another.shared_devices == 1


# ── links


def test_two_are_told_apart_and_put_together_again(site: Site) -> None:
    site.close()
    path = f"/developers/{fingerprint_text(ANN)}/unlinked/{fingerprint_text(LAPTOP)}"
    body = OF_PRODUCT | {"id": fingerprint_text(ANN), "other": fingerprint_text(LAPTOP)}
    totals = site.reader().closed(PRODUCT)
    for method, is_unlinked in (("PUT", True), ("PUT", True), ("DELETE", False), ("DELETE", False)):
        answer = site.ask(method, path, None, OF_PRODUCT)
        assert (answer.status, answer.body) == (200, body | {"unlinked": is_unlinked})
        for one, other in ((ANN, LAPTOP), (LAPTOP, ANN)):
            known = site.stores.people.developer(0, PRODUCT, one, consistent=True)
            assert known.unlinked == ({other} if is_unlinked else set())
    assert site.reader().closed(PRODUCT) == totals
    after = {"product": PRODUCT, "other": fingerprint_text(LAPTOP)}
    assert site.audit()[:2] == [
        ("developer.link", fingerprint_text(ANN), after),
        ("developer.unlink", fingerprint_text(ANN), after),
    ]
    assert len([each for each in site.audit() if each[0].startswith("developer.")]) == 2


def test_links_that_cannot_be(site: Site) -> None:
    site.close()
    ann, nobody = fingerprint_text(ANN), "A" * 22
    assert site.ask("PUT", f"/developers/{ann}/unlinked/{ann}", None, OF_PRODUCT).status == 422
    assert site.ask("PUT", f"/developers/{ann}/unlinked/{nobody}", None, OF_PRODUCT).status == 404
    assert site.ask("PUT", f"/developers/{ann}/unlinked/{nobody}", None, HERE).status == 422
    other = OF_PRODUCT | {"product": "nothing"}
    assert site.ask("PUT", f"/developers/{ann}/unlinked/{nobody}", None, other).status == 404


# ── attribution


@pytest.mark.slow
def test_days_are_attributed_anew_and_an_older_view_is_shown_again(site: Site) -> None:
    assert site.ask("GET", "/attribution", None, OF_PRODUCT).body == OF_PRODUCT | {"views": []}
    site.close()
    days = {"first_day": str(FIRST + timedelta(days=2)), "last_day": str(LAST)}
    begun = site.ask("POST", "/attribution", days, OF_PRODUCT)
    assert (begun.status, begun.body) == (202, OF_PRODUCT | {"view": 1})
    again = site.ask("POST", "/attribution", days, OF_PRODUCT)
    assert (again.status, again.body["type"]) == (409, "/docs#problem-action-not-allowed")
    assert site.ask("PUT", "/attribution", {"shown": 1}, OF_PRODUCT).status == 409
    old, new = site.ask("GET", "/attribution", None, OF_PRODUCT).body["views"]
    assert (old["shown"], old["under_way"], old["closed_day"], old["first_day"]) == (True, False, str(LAST), None)
    assert (new["shown"], new["under_way"], new["closed_day"]) == (False, True, None)
    assert {name: new[name] for name in days} == days
    assert datetime.fromisoformat(new["made_at"]) > NOW

    site.close()
    old, new = site.ask("GET", "/attribution", None, OF_PRODUCT).body["views"]
    assert (old["shown"], new["shown"], new["under_way"], new["closed_day"]) == (False, True, False, str(LAST))
    assert len(new["network_file"]) == 64

    for _ in range(2):
        shown = site.ask("PUT", "/attribution", {"shown": 0}, OF_PRODUCT)
        assert (shown.status, [each["shown"] for each in shown.body["views"]]) == (200, [True, False])
    later = LAST + timedelta(days=3)
    site.close(later)
    old, new = site.ask("GET", "/attribution", None, OF_PRODUCT).body["views"]
    assert (old["shown"], old["closed_day"], new["closed_day"]) == (True, str(later), str(LAST)), "goes on, and stays"
    assert site.audit()[:2] == [
        ("attribution.show", PRODUCT, {"view": 0}),
        ("attribution.begin", PRODUCT, {"product": PRODUCT} | days),
    ]

    begun = site.ask("POST", "/attribution", days, OF_PRODUCT)
    assert (begun.status, begun.body["view"]) == (202, 2)
    site.close(later)
    views = site.ask("GET", "/attribution", None, OF_PRODUCT).body["views"]
    assert [each["shown"] for each in views] == [False, False, True]
    assert site.ask("PUT", "/attribution", {"shown": 1}, OF_PRODUCT).status == 200
    site.clock.advance(timedelta(days=80).total_seconds())
    gone = site.ask("PUT", "/attribution", {"shown": 2}, OF_PRODUCT)
    assert (gone.status, "are gone" in gone.body["detail"]) == (409, True)


NOT_ANEW: list[tuple[dict[str, str], object, int]] = [
    ({}, {"first_day": "2026-09-05", "last_day": "2026-09-04"}, 422),
    ({}, {"first_day": "2026-08-01", "last_day": "2026-08-31"}, 422),
    ({}, {"first_day": "2026-10-01", "last_day": "2026-10-02"}, 422),
    ({}, {"first_day": "soon", "last_day": "2026-09-04"}, 422),
    ({}, {"first_day": "2026-09-05"}, 422),
    ({"product": "acme-cli"}, {"first_day": "2026-09-05", "last_day": "2026-09-06"}, 422),
    ({"product": "nothing"}, {"first_day": "2026-09-05", "last_day": "2026-09-06"}, 404),
    ({"environment": "staging"}, {"first_day": "2026-09-05", "last_day": "2026-09-06"}, 404),
]


def test_what_is_not_attributed_anew(site: Site) -> None:
    site.close()
    for query, body, status in NOT_ANEW:
        assert site.ask("POST", "/attribution", body, OF_PRODUCT | query).status == status, (query, body)
    assert set(site.stores.views.views(PRODUCT, consistent=True)) == {0}
    assert [each for each in site.audit() if each[0].startswith("attribution")] == []
    for shown in (7, -1, "0", None):
        assert site.ask("PUT", "/attribution", {"shown": shown}, OF_PRODUCT).status == (404 if shown == 7 else 422)


def _entry() -> AuditEntry:
    author = Author("k1", "test", datetime(2026, 11, 1, tzinfo=UTC), "192.0.2.1", "", "r1")
    return AuditEntry("e1", author, Environment.PRODUCTION, "developer.forget", "x", {}, {})
