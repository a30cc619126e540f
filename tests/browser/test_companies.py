"""Companies and developers on the page; what the API answers is made of cards by hand, by the API's own code."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from telemetry.domain.environment import Environment
from telemetry.domain.product import ActivityLevel, ActivityType, by_key
from telemetry.domain.profiles.ids import id_of
from telemetry.domain.profiles.search import Wanted
from telemetry.domain.profiles.views import Listing
from telemetry.services.profiles.listing import AskedPage, company_page, developer_page
from telemetry.web.profiles.bodies import WITHOUT_FILE, ProfileShape
from telemetry.web.profiles.queries import CompanyListQuery, DeveloperListQuery
from tests.browser.answers import LICENSE_ID, Analytics, export_pages, hit
from tests.browser.conftest import OpenPage
from tests.browser.screen import PHONE, axe, overflow, panel, until
from tests.worlds.profiles import DAY, HandMadeProfiles, closed, fingerprint

ORBIT = "orbit-desktop"
ANN = id_of(fingerprint(1))
COMPANIES = f"?view=companies&product={ORBIT}"
DEVELOPERS = f"?view=developers&product={ORBIT}"
ACTIVITIES = by_key(
    ActivityType("primary", "Ran a build", ActivityLevel.PRIMARY),
    ActivityType("secondary1", "Opened the docs", ActivityLevel.SECONDARY),
)
SHAPE = ProfileShape(Environment.PRODUCTION, ORBIT, is_on=True, known=ACTIVITIES)


def of_companies(reader: HandMadeProfiles, shape: ProfileShape = SHAPE, **query: Any) -> dict[str, Any]:  # noqa: ANN401
    """A page of companies as the API answers it."""
    asked = CompanyListQuery(environment=Environment.PRODUCTION, product=ORBIT, **query)
    page = AskedPage(ORBIT, asked.wanted, asked.order, 0, asked.limit, DAY, None)
    found = company_page(reader, page) if shape.is_on else Listing(None, (), (), 0, None)
    return dict(shape.companies(asked, found, "1" if found.rest else None))


def of_developers(reader: HandMadeProfiles) -> dict[str, Any]:
    """A page of developers as the API answers it."""
    asked = DeveloperListQuery(environment=Environment.PRODUCTION, product=ORBIT)
    page = AskedPage(ORBIT, Wanted(), asked.order, 0, asked.limit, DAY, None)
    return dict(SHAPE.developers(asked, developer_page(reader, page), None))


@pytest.fixture
def reader() -> HandMadeProfiles:
    return HandMadeProfiles(product=ORBIT)


@pytest.fixture
def analytics(reader: HandMadeProfiles) -> Analytics:
    """With a product that has profiles."""
    given = {"companies": of_companies(reader), "developers": of_developers(reader)}
    for card in reader.companies_:
        view = reader.company(ORBIT, card.company.id, None, 25, DAY)
        assert view
        given[f"companies/{card.company.id}"] = dict(SHAPE.company(view, None))
    for developer in reader.developers_:
        told = reader.developer(ORBIT, developer.fingerprint, DAY)
        assert told
        given[f"developers/{id_of(developer.fingerprint)}"] = dict(SHAPE.developer(told))
    return Analytics(given=given)


def opened(page: Page) -> None:
    """Waits for a list."""
    expect(page.locator("[data-profile]").first).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)


# ── lists


def test_companies_are_listed(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page(COMPANIES)
    opened(page)
    assert analytics.asked_for("companies")[0] == {"environment": "production", "product": ORBIT, "limit": "25"}
    expect(panel(page, "companies").locator("[data-stat=as-of]")).to_contain_text("As of Fri, 20 Nov 2026")
    acme, new = page.locator("[data-profile='acme.com']"), page.locator("[data-profile='new.example']")
    expect(acme.get_by_role("button", name="acme.com")).to_be_visible()
    expect(acme).to_contain_text("active today")
    expect(acme).to_contain_text("certain, by its domain")
    expect(acme.locator("[data-stat=primary]")).to_have_text("10")
    expect(acme.locator("[data-stat=secondary]")).to_have_text("2")
    expect(acme.get_by_role("img")).to_have_accessible_name(
        "Uses of each of 13 weeks, oldest first: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13"
    )
    expect(new).to_contain_text("new today")
    expect(panel(page, "totals").locator("[data-stat=developers]")).to_have_text("5")
    expect(page.locator("[data-stat=shown]")).to_have_text("3 of 3 companies shown")
    expect(page.get_by_text(WITHOUT_FILE)).to_have_count(0)
    expect(page.get_by_role("group", name="Time range")).to_have_count(0)
    assert page.title() == f"Companies · production · {ORBIT} · Telemetry Analytics"


@pytest.mark.slow
def test_the_order_is_in_the_address(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page(COMPANIES)
    opened(page)
    page.get_by_role("radio", name="Growing").check(force=True)
    page.wait_for_url("**order=growing**")
    expect(panel(page, "companies")).to_be_visible()
    page.wait_for_function("performance.getEntriesByType('resource').some(({name}) => name.includes('order=growing'))")
    assert analytics.asked_for("companies")[-1]["order"] == "growing"


@pytest.mark.slow
def test_a_filter_is_asked_for(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page(COMPANIES)
    opened(page)
    page.get_by_label("Name begins with").fill("acm")
    page.get_by_label("Country").fill("DE")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Filters (2)")).to_be_visible()
    assert (
        analytics.asked_for("companies")[-1] | {"name": "acm", "country": "DE"} == analytics.asked_for("companies")[-1]
    )
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Filters (2)")).to_have_count(0)


@pytest.mark.slow
def test_a_key_in_a_filter_gets_into_no_address(open_page: OpenPage, analytics: Analytics) -> None:
    key = "ACME-7F3K-92QM-XT4B-LL08"
    analytics.found[key] = [hit("license", LICENSE_ID, "••••LL08", "Globex, Orbit Desktop, active")]
    page = open_page(COMPANIES)
    opened(page)
    page.get_by_label("Name begins with").fill(key)
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("alert")).to_contain_text("This is a key")
    assert key not in page.url
    assert key not in str(analytics.asked)
    page.get_by_label("Name begins with").fill("Acme Industries")
    page.get_by_role("button", name="Apply").click()
    until(page, lambda: "name=Acme+Industries" in page.url)
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.slow
def test_more_is_loaded_by_cursor(open_page: OpenPage, reader: HandMadeProfiles, analytics: Analytics) -> None:
    analytics.given["companies"] = of_companies(reader, limit=1)
    page = open_page(COMPANIES)
    opened(page)
    analytics.given["companies"] = of_companies(reader) | {"new": [], "items": of_companies(reader)["items"][1:]}
    page.get_by_role("button", name="Load more companies").click()
    expect(page.locator("[data-stat=shown]")).to_contain_text("3 of 3 companies shown")
    assert analytics.asked_for("companies")[-1]["cursor"] == "1"
    page.get_by_role("button", name="First page only").click()
    expect(page.get_by_role("button", name="Load more companies")).to_have_count(0)


@pytest.mark.slow
def test_a_list_is_of_one_product(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page("?view=companies")
    expect(panel(page, "companies")).to_contain_text("Companies are listed for one product at a time")
    assert analytics.asked_for("companies") == []
    expect(panel(page, "companies").get_by_role("link")).to_have_count(2)
    panel(page, "companies").get_by_role("link", name="Orbit Desktop").click()
    opened(page)


@pytest.mark.slow
def test_what_is_missing_is_told(open_page: OpenPage, reader: HandMadeProfiles, analytics: Analytics) -> None:
    reader.day = closed(network_file=None)
    analytics.given["companies"] = of_companies(reader)
    page = open_page(COMPANIES)
    opened(page)
    expect(page.get_by_text(WITHOUT_FILE)).to_be_visible()


@pytest.mark.slow
def test_before_the_first_closed_day(open_page: OpenPage, reader: HandMadeProfiles, analytics: Analytics) -> None:
    reader.day = None
    analytics.given["companies"] = of_companies(reader) | {"new": []}
    page = open_page(COMPANIES)
    expect(panel(page, "companies")).to_contain_text("The first day of this product has not been closed yet")


@pytest.mark.slow
def test_a_product_without_profiles(open_page: OpenPage, reader: HandMadeProfiles, analytics: Analytics) -> None:
    analytics.given["companies"] = of_companies(reader, ProfileShape(Environment.PRODUCTION, ORBIT))
    page = open_page(COMPANIES)
    expect(panel(page, "companies")).to_contain_text("Its profiles are not turned on")


@pytest.mark.slow
def test_a_list_is_exported(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page(f"{COMPANIES}&country=DE")
    (body, headers) = export_pages(rows=3)[0]
    asked: list[str] = []

    def answer(route: Any) -> None:  # noqa: ANN401
        asked.append(route.request.url)
        route.fulfill(body=body, headers=headers, content_type="text/csv")

    page.route("**/companies/export?**", answer)
    opened(page)
    page.get_by_role("button", name="Export").click()
    dialog = page.get_by_role("dialog", name="Export companies")
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Export").click()
    expect(dialog).to_contain_text("complete and checked")
    assert download.value.suggested_filename.startswith("companies-production-")
    assert "country=DE" in asked[0]
    assert analytics.asked_for("companies/export") == []


# ── one of them


def test_a_company_opens(open_page: OpenPage) -> None:
    page = open_page(COMPANIES)
    opened(page)
    page.get_by_role("button", name="acme.com").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Company")
    expect(dialog.locator("[data-part=name]")).to_contain_text("acme.com")
    expect(dialog.locator("[data-part=developers]")).to_contain_text("ann@acme.com")
    expect(dialog.locator("[data-part=uses]")).to_contain_text("Ran a build")
    expect(dialog.locator("[data-part=anonymous]")).to_contain_text("7 uses")
    dialog.get_by_role("link", name="ann@acme.com").click()
    expect(page.get_by_role("dialog", name="Developer").locator("[data-part=name]")).to_contain_text("ann@acme.com")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    opened(page)
    until(page, lambda: f"open={ANN}" not in page.url)


def test_a_developer_opens(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page(f"{DEVELOPERS}&open={ANN}")
    dialog = page.get_by_role("dialog", name="Developer")
    expect(dialog.locator("[data-part=links]")).to_contain_text("bob")
    expect(dialog.locator("[data-part=links]")).to_contain_text("both used the device")
    expect(dialog.locator("[data-part=links]")).to_contain_text("on Fri, 20 Nov 2026")
    expect(dialog.locator("[data-part=companies]")).to_contain_text("acme.com")
    expect(dialog.locator("[data-part=recent] tbody tr")).to_have_count(10)
    asked = analytics.asked_for("records")[0]
    wanted = {"environment": "production", "product": ORBIT, "user": "ann@acme.com", "range": "30d", "limit": "10"}
    assert asked == wanted
    dialog.get_by_role("link", name="All events of the last 30 days").click()
    expect(panel(page, "records").locator("tbody tr").first).to_be_visible()
    assert analytics.asked_for("records")[-1] == wanted | {"limit": "50"}


@pytest.mark.slow
def test_who_is_forgotten_has_no_name_and_no_events(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page(f"{DEVELOPERS}&open={id_of(fingerprint(3))}")
    dialog = page.get_by_role("dialog", name="Developer")
    expect(dialog).to_contain_text("asked to be forgotten")
    expect(dialog.locator("[data-part=recent]")).to_have_count(0)
    assert analytics.asked_for("records") == []


@pytest.mark.slow
def test_a_record_leads_to_its_company(open_page: OpenPage, analytics: Analytics) -> None:
    analytics.given["companies/globex.example"] = analytics.given["companies/globex.co.uk"]
    page = open_page("?view=records&record=record-1")
    page.get_by_role("dialog").locator("[data-part=company]").get_by_role("link").click()
    expect(page.get_by_role("dialog", name="Company")).to_contain_text("globex.co.uk")
    until(page, lambda: f"product={ORBIT}" in page.url)


# ── for everybody


def test_a_viewer_sees_totals_and_why_there_are_no_names(
    open_page: OpenPage, reader: HandMadeProfiles, analytics: Analytics
) -> None:
    asked = CompanyListQuery(environment=Environment.PRODUCTION, product=ORBIT)
    analytics.given = {"companies": dict(SHAPE.company_totals(asked, reader.day))}
    page = open_page(f"{COMPANIES}&open=acme.com", key="viewer_key")
    expect(panel(page, "totals").locator("[data-stat=companies]")).to_have_text("3")
    expect(panel(page, "companies")).to_contain_text("Names are for administrators")
    expect(page.get_by_role("button", name="Export")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert {path for path, _ in analytics.asked} == {"companies", "products"}


ADDRESSES = {
    "companies": COMPANIES,
    "developers": DEVELOPERS,
    "a company": f"{COMPANIES}&open=acme.com",
    "a developer": f"{DEVELOPERS}&open={ANN}",
    "no product": "?view=developers",
}


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (390, "dark"),
        *(
            pytest.param(width, scheme, marks=pytest.mark.slow)
            for width, scheme in ((1440, "light"), (390, "light"), (1440, "dark"))
        ),
    ],
)
def test_axe_finds_nothing(open_page: OpenPage, scheme: str, width: int) -> None:
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 900})
    for name, address in ADDRESSES.items():
        page.goto(f"/admin/telemetry{address}")
        expect(page.locator("main .panel").first).to_be_visible()
        if "open=" in address:
            expect(page.get_by_role("dialog").locator("[data-part=name]")).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        assert axe(page) == [], name


@pytest.mark.slow
def test_a_phone_never_scrolls_sideways(open_page: OpenPage) -> None:
    page = open_page(viewport=PHONE, is_mobile=True, has_touch=True)
    for name, address in ADDRESSES.items():
        page.goto(f"/admin/telemetry{address}")
        expect(page.locator("main .panel").first).to_be_visible()
        if "open=" in address:
            expect(page.get_by_role("dialog").locator("[data-part=name]")).to_be_visible()
            assert page.evaluate("(d => d.scrollWidth - d.clientWidth)(document.querySelector('dialog'))") == 0
        expect(page.locator(".skeleton")).to_have_count(0)
        assert overflow(page) == 0, name
