"""One version, wherever it is shown."""

import gzip
import json
import re
import tomllib
from pathlib import Path

from telemetry import __version__

ROOT = Path(__file__).resolve().parents[2]


def test_the_project_and_the_page_have_the_version_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    page = json.loads((ROOT / "functions" / "dashboard" / "page" / "package.json").read_text())
    lock = json.loads((ROOT / "functions" / "dashboard" / "page" / "package-lock.json").read_text())
    assert {project["version"], page["version"], lock["version"], lock["packages"][""]["version"]} == {__version__}


def test_the_built_page_shows_it() -> None:
    (script,) = (ROOT / "functions" / "dashboard" / "dist").glob("app-*.js.gz")
    assert __version__ in gzip.decompress(script.read_bytes()).decode()


def test_the_changelog_begins_with_the_version() -> None:
    assert re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0] == __version__
