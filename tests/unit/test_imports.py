"""What each function loads at a cold start, written down: a new import is noticed, and paid for on purpose."""

import json
import os
import subprocess
import sys
from functools import cache

import pytest

from tests.lambdas import ROOT

HEAVY = {
    "asyncio",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.event_handler.openapi.models",
    "boto3",
    "concurrent.futures.thread",
    "cryptography.hazmat.bindings._rust",
    "email.parser",
    "multiprocessing",
    "s3transfer",
    "telemetry.description",
}
"""Modules that take long to load, or that only some need."""

COMMON = {
    "aws_lambda_powertools", "botocore", "cachetools", "dateutil", "jmespath", "pynamodb", "six", "typing_extensions",
    "urllib3",
}  # fmt: skip
MODELS = {"annotated_types", "pydantic", "pydantic_core", "typing_inspection"}
NOT_SHIPPED = {"certifi"}
"""botocore takes it where it is."""

HTTP = {"email.parser"}
RESOLVER = HTTP | {"asyncio", "aws_lambda_powertools.event_handler"}
THREADS = {"concurrent.futures.thread"}

LOADED = {
    "admin": (COMMON | MODELS, RESOLVER | THREADS),
    "analytics": (COMMON | MODELS, RESOLVER | THREADS),
    "close_day": (COMMON, HTTP | THREADS),
    "close_usage": (COMMON, HTTP | THREADS),
    "dashboard": (COMMON, RESOLVER),
    "ingest": (COMMON, HTTP | THREADS),
    "licensing": (COMMON, RESOLVER | THREADS),
    "reports": (COMMON, RESOLVER),
    "rollup": (COMMON, HTTP),
    "unknown_route": (COMMON, HTTP),
}
"""The packages of others and the heavy modules, of each function."""

PROGRAM = """
import json, sys
before = set(sys.modules)
import app
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@cache
def loaded(function: str) -> frozenset[str]:
    folder = ROOT / "functions" / function
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SECRET_"))}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env=variables | {"PYTHONPATH": f"{ROOT / 'layers' / 'core'}{os.pathsep}{folder}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return frozenset(json.loads(run.stdout))


def packages(modules: frozenset[str]) -> set[str]:
    """Those that are neither Python's nor ours."""
    names = {name.partition(".")[0] for name in modules}
    return {
        name
        for name in names - sys.stdlib_module_names - {"app", "telemetry"} - NOT_SHIPPED
        if not name.startswith("_")
    }


def test_all_functions_are_listed() -> None:
    assert LOADED.keys() == {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}


@pytest.mark.parametrize("function", LOADED)
def test_a_function_loads_what_is_listed(function: str) -> None:
    modules = loaded(function)
    assert (packages(modules), HEAVY & modules) == LOADED[function]
