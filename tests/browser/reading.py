"""What the page shows, read as text and numbers; and what the service answers, to compare it with."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, Response, expect

from tests.browser.clicks import rows_of
from tests.browser.screen import loaded, opened, panel
from tests.local_service import LocalService

Json = Any


def asked(service: LocalService, path: str, **query: str) -> Json:
    """What staff are answered in production."""
    headers = {"authorization": f"Bearer {service.keys['admin_key']}"}
    query |= {} if path.startswith("admin/licenses/") else {"environment": "production"}
    answer = httpx.get(f"{service.url}/api/v1/{path}", params=query, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def reported(service: LocalService, path: str, **query: str) -> Json:
    """What finance is answered for production."""
    headers = {"authorization": f"Bearer {service.key('report_key')}"}
    answer = httpx.get(f"{service.url}/api/v1/reports/{path}", params=query, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def overviewed(page: Page, address: str) -> Json:
    """Goes there; gives the overview that the page got and shows, not the one of where it comes from."""
    wanted = httpx.URL(address).params.multi_items()

    def is_wanted(response: Response) -> bool:
        url = httpx.URL(response.url)
        return url.path.endswith("/overview") and set(wanted) <= set(url.params.multi_items())

    with page.expect_response(is_wanted) as response:
        page.goto(f"/admin/telemetry{address}")
    opened(page, "stats")
    return response.value.json()


def window(overview: Json) -> dict[str, str]:
    """That of an overview, so that the hour may change meanwhile."""
    return {"from": overview["from"], "to": overview["to"]}


def number(page: Page, card: str) -> float:
    """Of the first one there is."""
    return float(re.sub("[,%]", "", page.locator(card).first.inner_text()))


def stats(page: Page, *names: str) -> dict[str, float]:
    return {name: number(page, f"[data-stat={name}]") for name in names}


def alerts(page: Page) -> dict[str, float]:
    flags = [str(card.get_attribute("data-alert")) for card in page.locator("[data-alert]").all()]
    assert len(flags) == 4
    return {flag: number(page, f"[data-alert={flag}] .figure") for flag in flags}


def exported(page: Page, address: str) -> list[dict[str, str]]:
    """The rows of the file that the page gives of that view."""
    page.goto(f"/admin/telemetry{address}")
    loaded(page, "records")
    page.get_by_role("button", name="Export").click()
    dialog = page.get_by_role("dialog", name="Export records")
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Export", exact=True).click()
    expect(dialog).to_contain_text("complete and checked")
    rows = rows_of(download.value)
    expect(dialog).to_contain_text(f"{len(rows):,} rows")
    return rows


def query_of(parameters: Mapping[str, str]) -> str:
    return str(httpx.QueryParams(dict(parameters)))


def last_final(demo: LocalService) -> str:
    """The last month of which every day is closed."""
    closed = date.fromisoformat(reported(demo, "applications")["closed_through"])
    return f"{(closed + timedelta(days=1)).replace(day=1) - timedelta(days=1):%Y-%m}"


def numbers(row: Locator) -> dict[str, int]:
    cells = row.locator("[data-stat]").all()
    return {str(cell.get_attribute("data-stat")): int(cell.inner_text().replace(",", "")) for cell in cells}


def numbered_rows(page: Page, name: str, key: str) -> Iterator[tuple[str, dict[str, int]]]:
    for row in panel(page, name).locator(f"[data-{key}]").all():
        yield str(row.get_attribute(f"data-{key}")), numbers(row)


def cells(page: Page, name: str) -> list[list[str]]:
    """The texts in a panel's table, by row."""
    found = panel(page, name).locator("tbody tr")
    expect(found.first).to_be_visible()
    texts: list[list[str]] = found.evaluate_all("rows => rows.map((row) => [...row.cells].map((c) => c.innerText))")
    return texts


def file_of(service: LocalService, path: str, **query: str) -> str:
    """A file that staff export from production, all pages of it."""
    headers = {"authorization": f"Bearer {service.keys['admin_key']}"}
    following: str | None = f"/api/v1/analytics/{path}?{query_of({'environment': 'production'} | query)}"
    text = ""
    while following:
        page = httpx.get(f"{service.url}{following}", headers=headers, timeout=60)
        assert page.status_code == 200, page.text
        text += page.text
        following = page.links["next"]["url"] if "next" in page.links else None
    return text


def bucket_ends(series: Json, to: str) -> dict[str, str]:
    """The end of each bucket of a series by its start; `to` is that of the last one."""
    starts = [each["start"] for each in series["buckets"]]
    return dict(zip(starts, [*starts[1:], to], strict=True))


def table(page: Page, name: str) -> list[dict[str, str]]:
    """What a chart shows, as the table with the same numbers: the texts of each row by their headings."""
    panel(page, name).get_by_role("radio", name="Table").check()
    heads = panel(page, name).locator("thead th").all_inner_texts()
    return [dict(zip(heads, row, strict=True)) for row in cells(page, name)]
