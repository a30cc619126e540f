"""README and docs/ say nothing that is not so, and leave out nothing that can be sent, set or rung."""

import ast
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import BaseModel

import telemetry
from local.template import read_template
from tests.described import operations
from tests.documents import ALL_PAGES, PAGES, anchors, fenced, inline_code, links, text_of
from tests.lambdas import ROOT

LONGEST_README = 150
LARGEST_PICTURES = 300_000
SOURCES = ("layers/core", "functions", "local")
SUFFIXES = r"(?:py|md|ts|tsx|mjs|yaml|toml|txt|in)"

EVERYTHING = "\n".join(text_of(page) for page in PAGES)
CODE = "\n".join([code for page in PAGES for code in inline_code(page)] + [b.text for p in PAGES for b in fenced(p)])
"""All that stands in backticks or in a fence."""


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts)


def files() -> set[str]:
    """The repository's files, and folders with a slash at their end."""
    left_out = {"node_modules", ".venv", ".venv-sam", ".git", ".local", ".aws-sam", "__pycache__"}
    found, folders = set(), [ROOT]
    while folders:
        for entry in folders.pop().iterdir():
            if entry.name in left_out:
                continue
            name = str(entry.relative_to(ROOT))
            found.add(f"{name}/" if entry.is_dir() else name)
            folders += [entry] if entry.is_dir() and not entry.is_symlink() else []
    return found


def is_named(name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", CODE) is not None


# ── what pages say is so


@pytest.mark.parametrize("page", ALL_PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    dead = []
    for link in links(page):
        if re.match(r"https?://|mailto:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (ROOT / page).parent / target if target else ROOT / page
        if not file.exists() or (anchor and anchor not in anchors(file.resolve().relative_to(ROOT))):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_files_that_are_named_exist(page: Path) -> None:
    """By a path from the root, or by the end of one. What a state folder or a command makes is not ours."""
    there = files()
    named = {each for code in inline_code(page) for each in re.findall(rf"[\w./-]*\w\.{SUFFIXES}(?![\w.])", code)}
    named |= {code for code in inline_code(page) if re.fullmatch(r"(?!/)(?:[\w-]+/)+", code)}
    stale = {each for each in named if not any(f"/{file}".endswith(f"/{each}") for file in there)}
    assert {each for each in stale if not each.startswith((".local/", "FILE."))} == set()


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", CODE)) - targets == set()


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_what_is_not_run_needs_aws_or_installs(page: Path) -> None:
    needs = re.compile(r"\baws |\bsam |STACK=|make run|make test")
    for block in fenced(page):
        if block.language == "console":
            assert needs.search(block.text), f"{page}:{block.line}"


def test_the_readme_is_short_and_its_pictures_are_small() -> None:
    assert len(text_of(Path("README.md")).splitlines()) <= LONGEST_README
    assert sum(path.stat().st_size for path in (ROOT / "docs" / "images").iterdir()) <= LARGEST_PICTURES


# ── what there is, is documented


def test_every_route_of_the_template_is_named() -> None:
    paths = {route.path for route in read_template().routes}
    assert paths
    meant = {path.removesuffix("/{proxy+}") for path in paths} - {"$default"}
    assert {path for path in meant if path not in EVERYTHING} == set()


def test_every_route_of_a_handler_is_named() -> None:
    """Whatever looks like a path in the code that serves routes, `<id>` written `{id}`."""
    paths = set()
    for path in sources("functions", "layers/core/telemetry/web"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                paths |= {node.value} if re.fullmatch(r"(?:/[\w<>.-]+)+", node.value) else set()
    assert paths
    named = {re.sub(r"<(?:\w+_)?(\w+)>", r"{\1}", path) for path in paths}
    written = re.sub(r"\{(?:\w+_)?(\w+)\}", r"{\1}", EVERYTHING)
    assert {path for path in named if path not in written} == set()


def test_every_query_parameter_is_named() -> None:
    parameters = set(_of_staff()) | set(_of_administration()) | set(_of_reports()) | set(_of_telemetry())
    assert {"environment", "cursor", "audience", "per_page", "has_red_flags", "threshold"} <= parameters
    assert {name for name in parameters if not is_named(name)} == set()


def _of_staff() -> Iterator[str]:
    """The fields of every model of a query."""
    for module in _modules("telemetry.web"):
        for each in vars(module).values():
            if isinstance(each, type) and issubclass(each, BaseModel) and each.__name__.endswith("Query"):
                yield from (field.alias or name for name, field in each.model_fields.items())


def _modules(package: str) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(telemetry.__path__, "telemetry."):
        if found.name.startswith(f"{package}."):
            yield import_module(found.name)


def _of_administration() -> Iterator[str]:
    """As the description of the API has them."""
    for operation in operations():
        if operation.path.startswith("/api/v1/admin/"):
            parameters = operation.described.get("parameters", ())
            yield from (each["name"] for each in parameters if each["in"] == "query")


def _of_reports() -> Iterator[str]:
    """The names given to `plain`, behind the path."""
    for path in sources("functions", "layers/core/telemetry/web"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "plain":
                yield from (each.value for each in node.args[1:] if isinstance(each, ast.Constant))  # type: ignore[misc]


def _of_telemetry() -> Iterator[str]:
    """What telemetry read back looks for among the parameters given."""
    for path in sources("layers/core/telemetry/dialects"):
        yield from re.findall(r'\bgiven(?:\.get\(|, )"(\w+)"', path.read_text())


def test_every_setting_is_named() -> None:
    declared = (ROOT / "template.yaml").read_text().partition("\nParameters:\n")[2].partition("\nRules:\n")[0]
    parameters = re.findall(r"^  (\w+):$", declared, re.MULTILINE)
    variables = {name for function in read_template().functions for name in function.environment}
    for path in sources(*SOURCES):
        variables |= set(re.findall(r'(?:environ(?:\.get)?[\[(]|_required\(env, )"([A-Z_]+)"', path.read_text()))
    assert {"RetentionDays", "TABLE_PREFIX", "SECRET_FILE"} <= {*parameters, *variables}
    assert {name for name in (*parameters, *variables) if not is_named(name)} == set()


def test_every_alarm_and_metric_is_in_operations() -> None:
    operations = text_of(Path("docs/operations.md"))
    template = (ROOT / "template.yaml").read_text()
    alarms = re.findall(r"^ +-? ?(\w+(?:\$\{Env\})?):\n +Type: AWS::CloudWatch::Alarm", template, re.MULTILINE)
    assert len(alarms) > 10
    assert [name for name in alarms if f"`{name.replace('${Env}', '…')}`" not in operations] == []
    metrics = set(
        re.findall(r'\b(?:add_metric\(|METRIC = )"(\w+)"', "\n".join(p.read_text() for p in sources(*SOURCES)))
    )
    assert metrics
    assert [name for name in metrics if f"`{name}`" not in operations] == []
