"""What the page writes, by who is signed in: a viewer, an admin, a super admin, and an admin of another environment."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.screen import opened, panel
from tests.browser.staff import PRODUCTION, a_license, asked
from tests.local_service import LocalService

Json = Any

ALL = ["production", "staging", "development"]
WHO = {
    "viewer": ("viewer", ALL),
    "admin": ("admin", ALL),
    "super_admin": ("super_admin", ALL),
    "admin of staging": ("admin", ["staging"]),
}
OF_A_LICENSE: list[tuple[str, str, Json]] = [
    ("PATCH", "", {"activation_limit": 9}),
    ("POST", "/assign", {"customer_id": "aurora-labs"}),
    ("POST", "/suspend", None),
    ("POST", "/resume", None),
    ("POST", "/revoke", None),
    ("POST", "/deactivate", {"identifier": "x"}),
]
OF_AN_ENVIRONMENT: list[tuple[str, str, Json]] = [
    ("POST", "licenses", {}),
    *(("POST", f"spikes/orbit-desktop%232026-11-03T10/{action}", {}) for action in ("acknowledge", "mute", "unmute")),
]
OF_ALL: list[tuple[str, str, Json]] = [
    ("POST", "customers", {"name": "X"}),
    ("PATCH", "customers/aurora-labs", {"name": "X"}),
    ("POST", "products", {"id": "x", "name": "X"}),
    ("PATCH", "products/orbit-cli", {"name": "X"}),
]
SEND = """async ([method, url, body]) => {
    const { csrf } = await (await fetch("/admin/session")).json();
    const headers = { "x-csrf-token": csrf, "content-type": "application/json", "if-match": '"1"' };
    return (await fetch(url, { method, headers, body: body && JSON.stringify(body) })).status;
}"""
"""As the page sends a change: with its session and token."""


@pytest.fixture(scope="module")
def keys(service: LocalService) -> dict[str, str]:
    made = {}
    for name, (role, environments) in WHO.items():
        terms = {"kind": "staff", "name": f"a {name}", "role": role, "environments": environments}
        made[name] = str(asked(service, "api-keys", "POST", terms, **PRODUCTION)["secret"])
    return made


def sent(page: Page, method: str, path: str, body: Json, **query: str) -> int:
    names = "&".join(f"{name}={value}" for name, value in query.items())
    status: int = page.evaluate(SEND, [method, f"/api/v1/admin/{path}?{names}", body])
    return status


@pytest.mark.parametrize("who", ["admin", pytest.param("super_admin", marks=pytest.mark.slow)])
def test_who_may_is_named_in_the_audit_log(
    open_page: OpenPage, service: LocalService, keys: dict[str, str], who: str
) -> None:
    made = a_license(service, activation_limit=2)
    page = open_page(f"?view=licenses&license={made['id']}", key=keys[who], stand_in=False)
    opened(page, "license")
    page.get_by_role("button", name=f"Revoke licence {made['last_four']}").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke licence").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("is now revoked")
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    expect(panel(page, "history").locator("tbody tr").first).to_contain_text(f"a {who}")
    (entry, *_) = asked(service, "audit", **PRODUCTION)["items"]
    assert (entry["action"], entry["entity"], entry["key_name"]) == ("license.revoke", made["id"], f"a {who}")


def test_a_viewer_is_refused_every_change(
    open_page: OpenPage, service: LocalService, keys: dict[str, str], troubles: list[str]
) -> None:
    made = a_license(service)
    page = open_page(key=keys["viewer"], stand_in=False)
    before = asked(service, "audit", **PRODUCTION)["items"]
    changes = [(method, f"licenses/{made['id']}{part}", body) for method, part, body in OF_A_LICENSE]
    statuses = [sent(page, *change, **PRODUCTION) for change in (*changes, *OF_AN_ENVIRONMENT, *OF_ALL)]
    assert set(statuses) == {403}
    assert asked(service, "audit", **PRODUCTION)["items"] == before
    assert asked(service, f"licenses/{made['id']}")["state"] == made["state"]
    forget_refusals(troubles)


@pytest.mark.slow
def test_an_admin_of_another_environment_changes_nothing_here(
    open_page: OpenPage, service: LocalService, keys: dict[str, str], troubles: list[str]
) -> None:
    """A licence elsewhere is as one that there is not, whatever is to be done to it."""
    made = a_license(service)
    page = open_page("?environment=staging", key=keys["admin of staging"], stand_in=False)
    expect(page.get_by_role("radio", name="Production")).to_have_count(0)
    before = asked(service, "audit", **PRODUCTION)["items"]
    of_license = [sent(page, method, f"licenses/{made['id']}{part}", body) for method, part, body in OF_A_LICENSE]
    assert set(of_license) == {404}
    assert {sent(page, *change, **PRODUCTION) for change in OF_AN_ENVIRONMENT} == {403}
    assert asked(service, "audit", **PRODUCTION)["items"] == before
    assert asked(service, f"licenses/{made['id']}")["state"] == made["state"]
    forget_refusals(troubles)


def forget_refusals(troubles: list[str]) -> None:
    troubles[:] = [each for each in troubles if "status of 403" not in each and "status of 404" not in each]
