"""Collects the figures of a run; `--figures FILE` also writes them as JSON."""

from pathlib import Path

import pytest

from tests.benchmarks.figures import Figures

_FIGURES = pytest.StashKey[Figures]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--figures", metavar="FILE", help="write the figures of the benchmarks to this file, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FIGURES] = Figures()


@pytest.fixture(scope="session")
def figures(request: pytest.FixtureRequest) -> Figures:
    return request.config.stash[_FIGURES]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not (found := config.stash[_FIGURES]).found:
        return
    terminalreporter.section("figures")
    terminalreporter.write_line(found.table())
    if file := config.getoption("--figures", None):
        found.write(Path(file))
