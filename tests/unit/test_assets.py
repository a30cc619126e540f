"""How the dashboard function serves the page's files."""

import gzip
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from telemetry.web.assets import SECURITY_HEADERS, load_assets
from tests.client import Answer, Client
from tests.lambdas import ROOT, load_function

FOREVER = "public, max-age=31536000, immutable"
BUDGET = 120 * 1024
PAGE = ROOT / "functions" / "dashboard" / "page"
FILES = {
    "telemetry.html": "<!doctype html><title>é</title>",
    "app-ABC123.js": "alert(1)",
    "app-ABC123.css": "body{}",
    "icon-ABC123.svg": "<svg/>",
}


@pytest.fixture
def dashboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Telemetry")
    monkeypatch.setenv("TABLE_PREFIX", "telemetry")
    for name, text in FILES.items():
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    return load_function("dashboard", page=tmp_path)


def get(function: ModuleType, path: str, **headers: str) -> Answer:
    return Client(function).get(path, None, **headers)


@pytest.mark.parametrize(
    ("name", "path", "content_type", "cache_control"),
    [
        ("telemetry.html", "/admin/telemetry", "text/html; charset=utf-8", "no-cache"),
        ("app-ABC123.js", "/admin/assets/app-ABC123.js", "text/javascript; charset=utf-8", FOREVER),
        ("app-ABC123.css", "/admin/assets/app-ABC123.css", "text/css; charset=utf-8", FOREVER),
        ("icon-ABC123.svg", "/admin/assets/icon-ABC123.svg", "image/svg+xml", FOREVER),
    ],
)
def test_files_are_served_as_they_were_built(
    dashboard: ModuleType, name: str, path: str, content_type: str, cache_control: str
) -> None:
    answer = get(dashboard, path, accept_encoding="gzip, br")
    etag = answer.headers["etag"]
    assert (answer.status, answer.is_base64) == (200, True)
    assert gzip.decompress(answer.content).decode() == FILES[name]
    plain = {"content-type": content_type, "cache-control": cache_control, "vary": "Accept-Encoding", "etag": etag}
    plain |= {name.lower(): value for name, value in SECURITY_HEADERS.items()}
    assert answer.headers == plain | {"content-encoding": "gzip"}

    unpacked = get(dashboard, path)
    assert (unpacked.is_base64, unpacked.content.decode()) == (True, FILES[name])
    assert unpacked.headers == plain

    for known in (etag, f'"other", {etag}', etag.removeprefix("W/")):
        again = get(dashboard, path, if_none_match=known)
        assert (again.status, again.text, again.headers["etag"]) == (304, "", etag)
    assert get(dashboard, path, if_none_match='"other"').status == 200


def test_scripts_styles_and_everything_else_come_from_here() -> None:
    policy = dict(part.split(" ", 1) for part in SECURITY_HEADERS["Content-Security-Policy"].split("; "))
    assert policy.pop("img-src") == "'self' data:"
    assert set(policy.values()) == {"'self'", "'none'"}
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"


@pytest.mark.parametrize("name", ["telemetry.html", "app.py", "..%2Fapp.py", "../app.py", "nothing.js"])
def test_nothing_else_is_served(dashboard: ModuleType, name: str) -> None:
    assert get(dashboard, f"/admin/assets/{name}").status == 404


def test_admin_leads_to_the_page(dashboard: ModuleType) -> None:
    answer = get(dashboard, "/admin")
    assert (answer.status, answer.headers["location"]) == (302, "/admin/telemetry")


def test_a_page_that_was_not_built_is_told_in_the_log(
    dashboard: ModuleType, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for path in tmp_path.glob("*.gz"):
        path.unlink()
    assert get(dashboard, "/admin/telemetry").status == 500
    assert "run make page" in caplog.text


def _with_imports(name: str, texts: Mapping[str, str]) -> set[str]:
    """A script and those that it loads before it runs; not those that it loads when they are needed."""
    found, waiting = {name}, [name]
    while waiting:
        imported = set(re.findall(r"""(?:from|import)\s*["']\./([^"']+)["']""", texts[waiting.pop()])) - found
        found |= imported
        waiting += imported
    return found


def test_the_first_view_keeps_to_its_budget_and_other_views_are_loaded_when_they_are_opened() -> None:
    """`make page` has built it; 120 KB is all that a browser loads to show the overview, data apart."""
    assets = load_assets(ROOT / "functions" / "dashboard" / "dist")
    texts = {name: gzip.decompress(asset.compressed).decode() for name, asset in assets.items()}
    page = set(re.findall(r"/admin/assets/([^\"]+)", texts["telemetry.html"]))
    (script,) = (name for name in page if name.endswith(".js"))
    (overview,) = (name for name in texts if name.startswith("overview-"))
    first = page | {"telemetry.html"} | _with_imports(script, texts) | _with_imports(overview, texts)
    assert len(first) > len(page) + 2
    assert sum(len(assets[name].compressed) for name in first) <= BUDGET
    loaded_later = re.findall(r'=> import\("\.\./\w+/(\w+)"\)', (PAGE / "src" / "frame" / "lazy.tsx").read_text())
    assert {"overview", "records", "billing"} < set(loaded_later)
    for tab in loaded_later:
        (code,) = (name for name in texts if name.startswith(f"{tab}-") and name.endswith(".js"))
        assert code not in first - {overview}


def test_the_sizes_that_the_documents_state_are_those_of_what_is_built() -> None:
    assets = load_assets(ROOT / "functions" / "dashboard" / "dist")
    texts = {name: gzip.decompress(asset.compressed).decode() for name, asset in assets.items()}

    def loaded_with(page: str) -> set[str]:
        named = set(re.findall(r"/admin/assets/([^\"]+)", texts[page]))
        return {page, *named}.union(*(_with_imports(name, texts) for name in named if name.endswith(".js")))

    def of_tab(tab: str) -> set[str]:
        (code,) = (name for name in texts if name.startswith(f"{tab}-") and name.endswith(".js"))
        return _with_imports(code, texts)

    def kilobytes(names: set[str]) -> int:
        return round(sum(len(assets[name].compressed) for name in names) / 1024)

    first = loaded_with("telemetry.html") | of_tab("overview")
    tabs = re.findall(r'=> import\("\.\./\w+/(\w+)"\)', (PAGE / "src" / "frame" / "lazy.tsx").read_text())
    later = [kilobytes(of_tab(tab) - first) for tab in tabs if tab != "overview"]
    built = [kilobytes(first), min(later), max(later), kilobytes(loaded_with("reference.html"))]
    built.append(kilobytes({"openapi.json"}))
    stated = re.search(
        r"the overview is (\d+) KB compressed; .* \((\d+) to (\d+) KB\)\. `/docs` is (\d+) KB, and .* (\d+) KB\.",
        " ".join((ROOT / "docs" / "analytics.md").read_text().split()),
    )
    assert stated
    assert all(abs(said - is_) <= 1 for said, is_ in zip(map(int, stated.groups()), built, strict=True)), built


def test_the_page_as_it_is_built_keeps_to_its_own_address() -> None:
    for name, asset in load_assets(ROOT / "functions" / "dashboard" / "dist").items():
        text = gzip.decompress(asset.compressed).decode()
        urls = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w{2,}[^\s\"'`)]*", text))
        assert {url for url in urls if "www.w3.org/" not in url and "github.com/leeoniya/uPlot" not in url} == set(), (
            name
        )
        assert "sourceMappingURL" not in text
