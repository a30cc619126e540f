"""Every command block of README and docs/ works as it is pasted, page by page, against a running demo.

Blocks fenced as `sh` are run; those that need AWS or install something are fenced as `console`, or have a comment
`<!-- not run: reason -->` right before them. The blocks of a page share one shell.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents import PAGES, blocks
from tests.lambdas import ROOT
from tests.local_service import LocalService

pytestmark = pytest.mark.slow

PAGE_SECONDS = 600

CURL = """#!/bin/sh
exec {curl} -w '%{{stderr}}\\nHTTP %{{http_code}} %{{url_effective}}\\n' "$@"
"""
"""Says on standard error what became of each request: `curl -s` alone succeeds whatever the status is."""

MAKE = """#!/bin/sh
{make} -o .venv/run.done -o local/node_modules/.done "$@"
code=$?
echo "MAKE $code $*" >&2
exit $code
"""
"""Installs nothing: that is what the targets left out do, and other tests may be using it."""

COMMANDS = {page: list(blocks(page, "sh")) for page in PAGES}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    with LocalService(tmp_path_factory.mktemp("documents") / "demo", demo=True) as running:
        yield running


@pytest.fixture
def checkout(demo: LocalService, tmp_path: Path) -> Path:
    """A folder with all that is in the repository, and the demo's state: what pages write down stays in it."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for entry in ROOT.iterdir():
        if entry.name != ".local":
            (folder / entry.name).symlink_to(entry)
    (folder / ".local").symlink_to(demo.state)
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """With our own curl and make first, and nothing of the make that may be running this test."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in (("curl", CURL), ("make", MAKE)):
        found = shutil.which(name)
        assert found, f"{name} is missing"
        (programs / name).write_text(script.format(**{name: found}))
        (programs / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name not in {"STATE", "MAKEFLAGS", "MFLAGS"}}
    return kept | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.parametrize("page", [page for page, found in COMMANDS.items() if found], ids=str)
def test_the_commands_of_a_page_work_as_pasted(page: Path, checkout: Path, environment: dict[str, str]) -> None:
    script = "\n".join(f"echo '@@ {page}:{block.line}' >&2\n{block.text}" for block in COMMANDS[page])
    run = subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=checkout, env=environment, capture_output=True, text=True, timeout=PAGE_SECONDS, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert re.findall(r"^MAKE [^0].*", run.stderr, re.MULTILINE) == [], run.stderr
    assert re.findall(r"^HTTP (?![23]).*", run.stderr, re.MULTILINE) == [], run.stdout + run.stderr
