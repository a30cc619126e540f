"""What docs/requests.md shows is what works: each example is run as it stands there, in three languages."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lambdas import ROOT
from tests.local_service import LocalService

pytestmark = pytest.mark.slow

TEXT = (ROOT / "docs" / "requests.md").read_text()
LANGUAGES = ("sh", "python", "javascript", "csharp", "go")


def examples() -> Iterator[tuple[str, str, str]]:
    """Section, language, program."""
    for section in TEXT.split("\n## ")[1:]:
        title = section.partition("\n")[0]
        for language, program in re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL):
            yield title, language, program


EXAMPLES = list(examples())
TITLES = list(dict.fromkeys(title for title, _, _ in EXAMPLES))
RUN = [
    (title, language, program) for title, language, program in EXAMPLES if language in {"sh", "python", "javascript"}
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    with LocalService(tmp_path_factory.mktemp("documented") / "state") as running:
        yield running


def test_every_request_has_an_example_in_each_language() -> None:
    assert len(TITLES) == 6
    for title in TITLES:
        assert tuple(language for section, language, _ in EXAMPLES if section == title) == LANGUAGES


@pytest.mark.parametrize(
    ("title", "language", "program"), RUN, ids=[f"{title}-{language}" for title, language, _ in RUN]
)
def test_an_example_works_as_it_stands(service: LocalService, title: str, language: str, program: str) -> None:
    names = {
        "INGEST_KEY": "ingest_key",
        "READ_KEY": "read_key",
        "REPORT_KEY": "report_key",
        "LICENSE_KEY": "license_key",
    }
    environment = {name: service.key(key) for name, key in names.items()} | {"TELEMETRY_URL": service.url}
    command = {
        "sh": ["sh", "-eu", "-c", program],
        "python": [sys.executable, "-c", program],
        "javascript": [node(), "--input-type=module", "-e", program],
    }[language]
    run = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    check(title, json.loads(run.stdout))


def node() -> str:
    """As make has it, from the machine or from PyPI."""
    found = shutil.which("node") or shutil.which("node", path=str(ROOT / ".venv" / "bin"))
    assert found, "node is missing"
    return found


def check(title: str, answer: dict[str, Any]) -> None:
    match title.partition(" (")[0]:
        case "SDK telemetry":
            assert answer["response"]["code"] == 830
        case "Licences and activations":
            assert answer["response"]["code"] == 202  # a good key, not activated on this device
        case "Telemetry read back":
            assert answer["response"]["code"] == 970
        case "Product usage" | "Aggregated usage":
            assert answer == {"response_code": "200", "response": "Data Uploaded", "status": "success"}
        case "Reports":
            data = answer["responseObject"]["reportData"]
            assert (answer["status"], data["application"], data["days"]) == ("OK", "orbit-desktop", 7)
        case _:
            raise AssertionError(title)


def test_the_examples_satisfy_the_protocols(service: LocalService) -> None:
    """Nothing that is shown is flagged, but for being older each day."""
    for product in ("orbit-desktop", "orbit-cli"):
        for record in service.records("--product", product):
            assert set(record["flags"]) <= {"CLOCK_SKEW"}, record
