"""Imports point inward; what ships reads no clock and no environment where it should not."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CORE = Path(__file__).resolve().parents[2] / "layers" / "core" / "telemetry"
MAY_IMPORT = {
    "domain": {"domain"},
    "dialects": {"dialects", "domain"},
    "storage": {"storage", "domain", "retry"},
    "messages": {"messages", "domain", "retry", "storage"},
    "services": {"services", "domain", "storage", "messages", "retry"},
    "web": {"web", "services", "domain", "retry", "faults"},
}
PURE = {"boto3", "botocore", "pynamodb", "aws_lambda_powertools", "os", "time", "random", "socket"}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_point_inward(room: str) -> None:
    files = list((CORE / room).rglob("*.py"))
    assert files
    for path in files:
        own = {name.split(".")[1] for name in imports(path) if name.startswith("telemetry.")}
        assert own <= MAY_IMPORT[room] | {"errors"}, path


@pytest.mark.parametrize("path", sorted((CORE / "domain").rglob("*.py")) + sorted((CORE / "dialects").rglob("*.py")))
def test_domain_and_dialects_are_pure(path: Path) -> None:
    assert {name.split(".")[0] for name in imports(path)} & PURE == set()
    called = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    assert called & {"now", "utcnow", "today", "environ", "getenv"} == set()


def test_messages_share_with_storage_what_errors_mean() -> None:
    for path in (CORE / "messages").rglob("*.py"):
        assert {name for name in imports(path) if name.startswith("telemetry.storage")} <= {"telemetry.storage.errors"}


def test_only_storage_and_messages_know_aws() -> None:
    known = {"storage": {"boto3", "botocore", "pynamodb"}, "messages": {"boto3", "botocore"}}
    for path in CORE.rglob("*.py"):
        aws = {name.split(".")[0] for name in imports(path)} & known["storage"]
        assert aws <= known.get(path.parent.name, set()), path


def test_nothing_but_settings_and_the_secret_reads_the_environment() -> None:
    readers = {
        path.name
        for path in CORE.rglob("*.py")
        if "environ" in path.read_text().split("import environ")[-1:][0] and "import environ" in path.read_text()
    }
    assert readers <= {"settings.py", "secret.py"}
