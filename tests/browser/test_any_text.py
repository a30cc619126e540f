"""Whatever text clients send, and whatever stands in the address: on the page it is text, and nothing else."""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import answers
from tests.browser.answers import Analytics, Json
from tests.browser.conftest import OpenPage
from tests.browser.screen import PHONE, TABS, loaded, overflow, panel

pytestmark = pytest.mark.slow

LONG = "long-" * 34
"""170 characters without a place to break at."""

INVISIBLE = "\u200b\u2060"

NAMES = (
    "__proto__", "constructor", "hasOwnProperty", "toString", "<b>x</b>", '"><script>alert(1)</script>', LONG,
    "גרסה \u202e1.2 أحدث", "👩🏽‍🚀🏴‍☠️", "all others", "Day (UTC)", INVISIBLE,
)  # fmt: skip

DESKTOP = {"width": 1440, "height": 900}
SIZES = pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])


def shown(name: str) -> str:
    """As the page shows it: what would not be seen is spelled out."""
    return "U+200B U+2060" if name == INVISIBLE else name


def texts(cells: Locator) -> list[str]:
    """What was written, be it cut or not."""
    return [str(text).strip() for text in cells.all_text_contents()]


def is_sound(page: Page) -> None:
    """Nothing scrolls sideways, was taken for markup, or is no number."""
    assert overflow(page) == 0
    assert page.locator("main script, main b:text-is('x')").count() == 0
    assert re.findall("NaN|undefined|native code|\\[object", page.locator("main").inner_text()) == []


def pushed_out(page: Page) -> list[str]:
    """Tables whose columns are not all in view."""
    frames = page.locator(".table-frame:not([aria-label$=table])").all()  # those of charts have many columns
    return [
        str(frame.get_attribute("aria-label"))
        for frame in frames
        if frame.evaluate("frame => frame.scrollWidth > frame.clientWidth")
    ]


# ── overview


def overview(names: tuple[str, ...]) -> Json:
    """Every second hour has all versions, each hour between only one of them: what is absent counts nothing."""
    told = answers.overview()
    counts = [dict.fromkeys(names, 10) if n % 2 else {names[n // 2 % len(names)]: 120} for n in range(24)]
    totals = {name: sum(count.get(name, 0) for count in counts) for name in names}
    whole = sum(totals.values())
    return told | {
        "versions": [
            {"version": name, "records": records, "percent": round(100 * records / whole, 1)}
            for name, records in totals.items()
        ],
        "version_trend": [
            {"start": bucket["start"], "versions": count}
            for bucket, count in zip(told["version_trend"], counts, strict=True)
        ],
    }


def alert(number: int, name: str) -> Json:
    """Of a product, with licences of customers who are called so too, and of an API key, in turn."""
    key = {"api_key": {"id": "k3f2a9c0d1", "name": name, "last4": "0C33"}, "events": 7}
    licenses = [answers.spike_license("0C33", name, fingerprint=each) for each in ("a", "b")]
    so_far = {"first_day": "2026-11-21", "last_day": "2026-11-21", "days": 1, "records": 1_858, "licenses": licenses}
    said = {"key_id": name, "key_name": name, "at": answers.at()}
    return {
        "id": f"{number} {name}",
        "product": name,
        "opened_at": answers.at(hours=4),
        "last_seen": answers.at(),
        "closed_at": None,
        "cause": name,
        "evidence": key if number % 2 else {},
        "so_far": None if number % 2 else so_far,
        "acknowledged": said,
        "muted": None,
    }


def named(names: Iterable[str]) -> dict[str, Json]:
    """Answers in which everything is called so."""
    device = {"kind": "customer", "license_id": None, "last4": None, "devices": 63, "limit": 5, "over": True}
    key = {"records": 14, "first_seen": answers.at(hours=20), "last_seen": answers.at()}
    return {
        "products": {"items": [{"id": name, "name": name} for name in names]},
        "licenses": {
            "top": {
                **answers.OF_TWO_DAYS,
                "exact": True,
                "note": None,
                "items": [
                    answers.top_license(f"id {name}", name[-4:], name)
                    | {"product": name, "state": name, "flags": {name: 7, "MALFORMED": 3}, "countries": list(NAMES)}
                    for name in names
                ],
            },
            "devices": {
                **answers.OF_TWO_DAYS,
                "items": [device | {"customer_id": name, "name": name} for name in names],
                "note": None,
            },
            "mismatches": {
                **answers.OF_TWO_DAYS,
                "items": [
                    key
                    | {"fingerprint": f"of {name}", "last4": name[-4:]}
                    | {"customer": {"id": name, "name": name, "environment": "staging"}}
                    for name in names
                ],
            },
        },
        "alerts": {"items": [alert(number, name) for number, name in enumerate(names)]},
    }


@SIZES
def test_everything_on_the_overview(open_page: OpenPage, analytics: Analytics, size: dict[str, int]) -> None:
    analytics.given = named(NAMES) | {"overview": overview(NAMES)}
    page = open_page(viewport=size)
    loaded(page, "overview")
    versions = panel(page, "versions").locator("tbody th")
    assert texts(versions) == list(map(shown, NAMES))
    for name in ("licenses", "devices", "mismatches"):
        for text, cell in zip(map(shown, NAMES), texts(panel(page, name).locator("tbody tr")), strict=True):
            assert text in cell
    assert texts(page.locator("[data-spike] h2")) == [
        f"API key {shown(name)} ••••0C33: 7 events in an hour."
        if number % 2
        else f"{shown(name)} ••••0C33, {shown(name)}: 929 flagged records of 130 devices today; its limit is 3"
        for number, name in enumerate(NAMES)
    ]
    for name, said in zip(NAMES, page.locator("[data-said]").all(), strict=True):
        assert f"Acknowledged by {shown(name)} at" in said.inner_text()
    product = page.get_by_role("combobox", name="Product")
    assert texts(product.locator("option")) == ["All products", *NAMES]
    is_sound(page)
    assert pushed_out(page) == []

    product.select_option(NAMES[0])
    loaded(page, "overview")
    assert analytics.asked_for("overview")[-1]["product"] == NAMES[0]
    versions.get_by_text(LONG).click()
    loaded(page, "records")
    assert analytics.asked_for("records")[-1]["version"] == LONG


@pytest.mark.parametrize("names", [NAMES, NAMES[::-1]], ids=["first half in colour", "second half in colour"])
def test_shares_of_versions(open_page: OpenPage, analytics: Analytics, names: tuple[str, ...]) -> None:
    analytics.given["overview"] = overview(names)
    page = open_page(viewport=DESKTOP)
    loaded(page, "overview")
    chart = panel(page, "version-trend")
    colours = [*map(shown, names[:6]), "all others"]
    assert texts(chart.locator(".legend > span")) == colours[::-1]
    assert drawn(page) == 7

    chart.locator(".u-over").hover(position={"x": 200, "y": 100})
    shares = chart.locator(".tooltip .row")
    assert [texts(row.locator(":scope > :not(b, i)")) for row in shares.all()] == [[name] for name in colours[::-1]]
    is_sound(page)

    chart.get_by_role("radio", name="Table").check()
    assert texts(chart.locator("thead th")) == ["Hour (UTC)", *colours]
    rows = [texts(row.locator("td")) for row in chart.locator("tbody tr").all()][::-1]
    all_of_them = ["8.3%"] * 6 + ["50.0%"]
    alone = [[f"{100.0 * (column == min(n, 6)):.1f}%" for column in range(7)] for n in range(12)]
    assert rows == [row for each in alone for row in (each, all_of_them)]
    is_sound(page)


def drawn(page: Page) -> int:
    """How many colours of series the roll-out has on its canvas, at least 200 pixels of each."""
    return int(
        page.evaluate(
            """() => {
                const panel = document.querySelector("[data-panel=version-trend]");
                const canvas = panel.querySelector("canvas");
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                const pixels = new Map();
                for (let at = 0; at < data.length; at += 4) {
                    const colour = `rgb(${data[at]}, ${data[at + 1]}, ${data[at + 2]})`;
                    pixels.set(colour, (pixels.get(colour) ?? 0) + 1);
                }
                const series = [...panel.querySelectorAll(".legend i")].map((i) => getComputedStyle(i).backgroundColor);
                return series.filter((colour) => (pixels.get(colour) ?? 0) >= 200).length;
            }"""
        )
    )


def test_a_viewer_sees_them_too(open_page: OpenPage, analytics: Analytics) -> None:
    analytics.given["overview"] = overview(NAMES)
    page = open_page(key="viewer_key", viewport=PHONE)
    expect(panel(page, "versions").locator("tbody th")).to_have_text(list(map(shown, NAMES)))
    is_sound(page)


def test_an_alert_of_another_kind(open_page: OpenPage, analytics: Analytics) -> None:
    analytics.given["overview"] = answers.overview() | {
        "alerts": [{"flag": name, "records": 3, "before": 1, "change": 2} for name in NAMES[:6]]
    }
    page = open_page(viewport=PHONE)
    loaded(page, "overview")
    assert texts(page.locator("[data-alert] h2")) == list(NAMES[:6])


# ── raw data


def record(number: int, name: str) -> Json:
    return answers.record(number, (name, "MALFORMED")) | {
        "product": name,
        "version": name,
        "user": name,
        "hwid": name,
        "country": name,
        "dialect": name,
        "group": name,
        "data_type": name,
        "license": {"id": name, "last4": name[-4:], "state": name},
        "customer": {"id": name, "name": name},
    }


def inspected(number: int, name: str) -> str:
    """As JSON text, which may have keys that a dict of Python has too; `"@"` stands for a number."""
    payload = {**dict.fromkeys(NAMES, name), "number": "@", "like a mark": "\0" + "0\0", "toJSON": name}
    whole = record(number, name) | {
        "flags_judged_later": [name],
        "message": name,
        "context": {"evidence": {"__proto__": "as seen"}, "rules_version": 1, "metadata": {name: {name: name}}},
        "payload": payload,
        "raw": {"text": name},
        "api_key": {"id": name, "name": name, "last4": name[-4:]},
        "company": {
            "kind": "company",
            "id": name,
            "name": name,
            "source": "address",
            "confidence": 1,
            "country": name,
            "network_file": "unreadable",
        },
        "expires_at": answers.at(days=-90),
    }
    return json.dumps(whole).replace('"@"', answers.BIG_NUMBER)


@SIZES
def test_everything_of_raw_data(open_page: OpenPage, analytics: Analytics, size: dict[str, int]) -> None:
    analytics.given = named(NAMES) | {
        "records": {"items": [record(number, name) for number, name in enumerate(NAMES)], "next": None}
    }
    page = open_page(viewport=size, permissions=["clipboard-read", "clipboard-write"])
    page.route(
        "**/analytics/records/record-*",
        lambda route: route.fulfill(
            body=inspected(number := int(re.findall(r"record-(\d+)", route.request.url)[0]), NAMES[number]),
            content_type="application/json",
        ),
    )
    page.goto("/admin/telemetry?view=records")
    loaded(page, "records")
    rows = panel(page, "records").locator("tbody tr")
    for name, row in zip(NAMES, rows.all(), strict=True):
        text = shown(name)
        cells = texts(row.locator("td"))
        assert cells[1:4] == [text] * 3
        assert cells[7:] == [text] * 2
        assert "Malformed" in cells[0]
        assert text in cells[0]
    is_sound(page)
    assert pushed_out(page) == []

    rows.nth(NAMES.index("👩🏽‍🚀🏴‍☠️")).get_by_role("button").first.click()
    drawer = page.get_by_role("dialog", name="Record")
    expect(drawer).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    rows.first.get_by_role("button").first.click()
    for name in NAMES:
        text = shown(name)
        expect(drawer.locator(".message")).to_have_text(name)
        facts = texts(drawer.locator(".facts dd"))
        assert facts[2] == f"{text} {text}"
        assert facts[3:5] == [f"{text} among developers", text]
        assert facts[6] == f"{text} perhaps, by its address, the network file cannot be read {text}"
        assert facts[8] == f"{text} only its records"
        assert facts[9] == " · ".join([text] * 3)
        assert texts(drawer.locator(".evidence dt"))[0] == text
        assert texts(drawer.locator(".evidence dd")) == ["as seen" if name == "__proto__" else "", "", text]
        assert texts(drawer.locator("[data-part=payload] .json-key"))[: len(NAMES)] == [
            json.dumps(key, ensure_ascii=False) for key in NAMES
        ]
        expect(drawer.locator("[data-part=raw]")).to_have_text(name)
        assert page.evaluate("(d => d.scrollWidth - d.clientWidth)(document.querySelector('dialog'))") == 0
        is_sound(page)
        drawer.get_by_role("button", name="Copy payload").click()
        expect(page.locator("#announcer")).to_have_text("Payload copied")
        copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
        assert copied == json.loads(inspected(0, name))["payload"]
        if name != NAMES[-1]:
            drawer.get_by_role("button", name="Older record").click()


def test_a_filter_by_any_text(open_page: OpenPage, analytics: Analytics) -> None:
    analytics.given["records"] = {"items": [record(n, name) for n, name in enumerate(NAMES)], "next": None}
    page = open_page("?view=records", viewport=DESKTOP)
    for name in NAMES:
        loaded(page, "records")
        panel(page, "records").get_by_title(f"{name} – show only this").nth(1).click()
        expect(page.get_by_label("User", exact=True)).to_have_value(name)
        loaded(page, "records")
        assert analytics.asked_for("records")[-1]["user"] == name
        is_sound(page)


# ── system logs


@SIZES
def test_everything_in_system_logs(open_page: OpenPage, analytics: Analytics, size: dict[str, int]) -> None:
    logs = answers.system_logs()
    call, entry = logs["failed_calls"][0], logs["staff_actions"][0]
    entries = [
        entry
        | {"id": name, "key_id": name, "key_name": name, "action": name, "entity": name, "user_agent": name}
        | {"source_ip": name, "before": {}, "after": {name: name}}
        for name in NAMES
    ]
    calls = [call | {"cause": name, "last4": name[-4:], "ip": name} for name in NAMES]
    analytics.given["system-logs"] = logs | {"failed_calls": calls, "staff_actions": entries, "exports": entries}
    page = open_page("?view=logs", viewport=size)
    loaded(page, "logs")
    for name, row in zip(NAMES, panel(page, "failed-calls").locator("tbody tr").all(), strict=True):
        assert texts(row.locator("td"))[0] == shown(name)
        assert texts(row.locator("td"))[2] == shown(name)
    for name, row in zip(NAMES, panel(page, "staff-actions").locator("tbody tr").all(), strict=True):
        assert texts(row.locator("td"))[:4] == [shown(name)] * 3 + [f"{shown(name)}: {shown(name)}"]
    is_sound(page)
    assert pushed_out(page) == []

    panel(page, "failed-calls").get_by_title("__proto__ – show only this").first.click()
    loaded(page, "logs")
    assert analytics.asked_for("system-logs")[-1]["cause"] == "__proto__"
    expect(page.get_by_role("combobox", name="Cause")).to_have_value("__proto__")
    analytics.given = answers.empty()
    page.get_by_role("button", name="Refresh now").click()
    expect(panel(page, "failed-calls")).to_contain_text("This page does not know the cause “__proto__”")


# ── the address


@pytest.mark.parametrize(
    ("parameter", "rest", "known"),
    [
        ("environment", "", "production, staging, development"),
        ("range", "", "24h, 7d, 30d, 90d"),
        ("view", "", ", ".join(TABS)),
        ("flag", "view=records&", "INVALID_LICENSE, "),
        ("flagged", "view=records&", "true, false"),
    ],
)
def test_the_address_asks_for_what_there_is_not(
    open_page: OpenPage, analytics: Analytics, parameter: str, rest: str, known: str
) -> None:
    page = open_page(viewport=PHONE)
    loaded(page, "overview")
    analytics.asked.clear()
    told = page.get_by_role("alert")
    for value in NAMES[:7]:
        page.goto(f"/admin/telemetry?{rest}{parameter}={quote(value)}")
        expect(told).to_contain_text(f"{parameter} is “{value}”")
        expect(told).to_contain_text(known)
        expect(page).to_have_title("Unknown address · Telemetry Analytics")
        is_sound(page)
    assert {path for path, _ in analytics.asked} <= {"products"}
    told.get_by_role("button", name="Remove it").click()
    loaded(page, "records" if rest else "overview")
    assert parameter not in page.url
    page.go_back()
    expect(told).to_contain_text(f"{parameter} is “{NAMES[6]}”")


def test_what_is_not_there_is_not_chosen(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page("?environment=toString&range=toString")
    expect(page.get_by_role("alert")).to_contain_text("range is “toString”")
    for name in ("Production", "Staging", "Development", "24h", "7d", "30d", "90d"):
        expect(page.get_by_role("radio", name=name)).not_to_be_checked()
    page.get_by_role("radio", name="Staging").check()
    page.get_by_role("radio", name="7d").check()
    loaded(page, "overview")
    assert analytics.asked_for("overview") == [{"environment": "staging", "range": "7d"}]


def test_an_environment_that_the_key_does_not_open(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page(key=None)
    expect(page.get_by_label("Staff key")).to_be_visible()
    page.route(
        "**/admin/session",
        lambda route: route.fulfill(json={"name": "x", "role": "admin", "environments": ["production"], "csrf": ""}),
    )
    page.goto("/admin/telemetry?environment=staging")
    expect(page.get_by_role("alert")).to_contain_text("environment is “staging”; your key gives access to production.")
    assert analytics.asked_for("overview") == []


def test_any_product_may_be_asked_for(open_page: OpenPage, analytics: Analytics) -> None:
    analytics.given = answers.empty()
    page = open_page(viewport=PHONE)
    for value in NAMES:
        page.goto(f"/admin/telemetry?product={quote(value)}")
        expect(panel(page, "no-records")).to_contain_text(f"Only {shown(value)} is shown.")
        expect(page.get_by_role("combobox", name="Product")).to_have_value(value)
        assert analytics.asked_for("overview")[-1] == {"environment": "production", "range": "30d", "product": value}
        is_sound(page)


def test_an_answer_that_cannot_be_shown_leaves_the_frame(
    open_page: OpenPage, analytics: Analytics, troubles: list[str]
) -> None:
    analytics.given["overview"] = {"stats": {"total_records": 1}}
    page = open_page()
    expect(page.get_by_role("alert")).to_contain_text("This view cannot be shown")
    assert troubles
    troubles.clear()
    page.get_by_role("link", name="Raw data").click()
    loaded(page, "records")
