"""Fixtures every test may use: a DynamoDB engine in memory, and the template's tables under names of their own."""

from collections.abc import Iterator
from itertools import count

import pytest

from local.engine import Engine, create_tables, dynamodb, environment
from local.template import read_template
from telemetry.settings import TableNames

_numbers = count(1)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """One engine per test process; AWS clients made without arguments reach it."""
    with Engine.start() as running, pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_PROFILE", raising=False)
        for name, value in environment(running.endpoint).items():
            patch.setenv(name, value)
        yield running


@pytest.fixture
def tables(engine: Engine) -> TableNames:
    """All tables of the template, empty, for this test alone."""
    prefix = f"test-stack-{next(_numbers)}"
    create_tables(dynamodb(engine.endpoint), read_template(prefix).tables)
    return TableNames(prefix)
