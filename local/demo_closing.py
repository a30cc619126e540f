"""Closes the demo's days, by the code that closes those of a deployment, in a process of its own for each environment.

`python -m local.demo_closing <environment> <last day> <now>`; the environment's variables are those of the functions.
Each day is closed as it would have been when its deadline came, yesterday by two counts up to now.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Self

from local.template import ROOT
from telemetry.clock import SystemClock
from telemetry.domain.closing import BETWEEN_COUNTS, DEADLINE, end_of
from telemetry.domain.environment import Environment
from telemetry.domain.recount import Unit
from telemetry.services.close_day import DayCloser
from telemetry.services.recount import Allowance
from telemetry.settings import CloseUsageSettings
from telemetry.storage.products import ProductStore
from telemetry.wiring.close_usage import CloseUsageWiring


class Closing:
    """Processes that close days, one for each environment at a time. A context manager: none of them outlives it."""

    def __init__(self, variables: Mapping[str, str], now: datetime) -> None:
        """`variables` are TABLE_PREFIX and RECORD_SHARDS, and NETWORK_FILE where there is one."""
        self._variables = dict(variables)
        self._now = now
        self._processes: list[subprocess.Popen[bytes]] = []

    def begin(self, environment: Environment, last: date) -> None:
        """Closes the environment's days up to `last`, in the background."""
        command = [sys.executable, "-m", "local.demo_closing", environment.value, last.isoformat()]
        path = {"PYTHONPATH": os.pathsep.join([str(ROOT / "layers" / "core"), str(ROOT)])}
        process = subprocess.Popen(
            [*command, self._now.isoformat()], cwd=ROOT, env=os.environ | path | self._variables, process_group=0
        )
        self._processes.append(process)

    def wait(self) -> None:
        """Returns when all days are closed that are to be. Raises RuntimeError if some cannot be."""
        while self._processes:
            if self._processes.pop().wait():
                raise RuntimeError("the demo's days could not be closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()


def close(environment: Environment, last: date, now: datetime) -> None:
    """Closes days up to `last`, and of products with profiles their usage if that is all there is to close."""
    wiring = CloseUsageWiring(CloseUsageSettings.from_env(), SystemClock())
    tables = wiring.settings.tables
    products = ProductStore(tables.registry).all()
    closer = DayCloser.of(tables.aggregates(environment), wiring.day_records(environment), list(products), _no_part)
    closing = closer.ledger.closing()
    first = closing.opened if closing.closed is None else closing.closed + 1
    for day in map(date.fromordinal, range(first or last.toordinal(), last.toordinal() + 1)):
        moment = end_of(day) + DEADLINE
        for at in (moment,) if moment <= now else (now - BETWEEN_COUNTS, now):
            closer.close(at, day)
    if last >= now.date() - timedelta(days=1):
        with_profiles = [product.id for product in products.values() if product.profiles]
        wiring.closer(environment, Allowance()).close_all(with_profiles, closer.ledger.closing(), now)


def _no_part(unit: Unit) -> None:
    raise AssertionError(f"a demo's day is never counted in parts: {unit}")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    close(Environment(sys.argv[1]), date.fromisoformat(sys.argv[2]), datetime.fromisoformat(sys.argv[3]))
