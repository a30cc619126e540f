"""Imports point inward; what ships reads no clock and no environment where it should not."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "layers" / "core" / "telemetry"
FUNCTIONS = ROOT / "functions"
MAY_IMPORT = {
    "domain": {"domain"},
    "dialects": {"dialects", "domain"},
    "storage": {"storage", "domain", "retry"},
    "messages": {"messages", "domain", "retry", "storage"},
    "services": {"services", "domain", "storage", "messages", "retry"},
    "web": {"web", "services", "domain", "retry", "faults"},
    "wiring": {
        *("wiring", "web", "services", "dialects", "storage", "messages", "domain"),
        *("settings", "clock", "retry"),
    },
    "description": {"description", "web", "dialects", "domain"},
}
PURE = {"boto3", "botocore", "pynamodb", "aws_lambda_powertools", "os", "time", "random", "socket"}


@cache
def imports(path: Path) -> tuple[str, ...]:
    names = list[str]()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
    return tuple(names)


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
        assert aws <= known.get(path.relative_to(CORE).parts[0], set()), path


def test_nothing_but_settings_and_the_secret_reads_the_environment() -> None:
    readers = {
        path.name
        for path in CORE.rglob("*.py")
        if "environ" in path.read_text().split("import environ")[-1:][0] and "import environ" in path.read_text()
    }
    assert readers <= {"settings.py", "secret.py"}


def reached(path: Path) -> Iterator[str]:
    """All modules of ours that a file imports, and those that these import."""
    waiting, seen = [path], {path}
    while waiting:
        for found in imported(waiting.pop()) - seen:
            seen.add(found)
            waiting.append(found)
            yield ".".join(found.relative_to(CORE).with_suffix("").parts)


@cache
def imported(path: Path) -> set[Path]:
    names = set(imports(path))
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    files = {CORE.parent / f"{name.replace('.', '/')}.py" for name in names if name.startswith("telemetry.")}
    return {file for file in files if file.is_file()}


@pytest.mark.parametrize("path", sorted(FUNCTIONS.glob("*/app.py")), ids=lambda path: path.parent.name)
def test_a_function_loads_nothing_that_others_serve(path: Path) -> None:
    """A cold start takes the longer the more it imports."""
    name, modules = path.parent.name, set(reached(path))
    others = {f"wiring.{each.parent.name}" for each in FUNCTIONS.glob("*/app.py")} - {f"wiring.{name}"}
    assert not modules & others
    assert ("web.administration.routing" in modules) == (name == "admin")
    assert name == "admin" or not modules & {"services.administration.licenses", "services.administration.api_keys"}
    assert not any(module.startswith("description") for module in modules)


@pytest.mark.parametrize("name", ["ingest", "licensing", "reports"])
def test_what_must_be_quick_makes_no_models(name: str) -> None:
    """pydantic takes half a second to load. The models of these functions are plain dictionaries."""
    app = FUNCTIONS / name / "app.py"
    files = [app, *(CORE / f"{module.replace('.', '/')}.py" for module in reached(app))]
    assert [path for path in files if "pydantic" in {imported.split(".")[0] for imported in imports(path)}] == []
