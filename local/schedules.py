"""Runs the template's schedules: each once at the start, then as its cron expression says (UTC)."""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from local.cloudformation import TemplateError
from local.template import Schedule

# A laptop sleeps, and waits are not told: look at the clock this often.
_LOOK_SECONDS = 20.0

_CRON = re.compile(r"cron\((\*|\d{1,2}) (\*|\d{1,2}) \* \* \? \*\)")


@dataclass(frozen=True, slots=True)
class Cron:
    """`cron(minute hour * * ? *)`; None stands for every minute or every hour."""

    minute: int | None
    hour: int | None

    @classmethod
    def parse(cls, expression: str) -> "Cron":
        """Raises TemplateError for other forms."""
        match = _CRON.fullmatch(expression)
        if not match:
            raise TemplateError(f"schedule {expression!r} is not understood")
        minute, hour = (None if field == "*" else int(field) for field in match.groups())
        if (minute or 0) > 59 or (hour or 0) > 23:
            raise TemplateError(f"schedule {expression!r} never comes")
        return cls(minute, hour)

    def after(self, moment: datetime) -> datetime:
        """The first time after `moment` (UTC) that the expression names."""
        candidate = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        while not self._names(candidate):
            candidate += timedelta(minutes=1)
        return candidate

    def _names(self, moment: datetime) -> bool:
        return self.minute in {None, moment.minute} and self.hour in {None, moment.hour}


Invoke = Callable[[str, Mapping[str, Any]], Any]
"""Runs a function by name with an event; raises when it fails."""


class Scheduler:
    """A thread that runs due schedules one after the other. A failed run waits for its next time, as in AWS."""

    def __init__(self, schedules: Sequence[Schedule], invoke: Invoke, report: Callable[[str], None]) -> None:
        self._schedules = [(schedule, Cron.parse(schedule.expression)) for schedule in schedules]
        self._invoke = invoke
        self._report = report
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schedules", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Asks the thread to end after the run it is at."""
        self._stop.set()

    def join(self, patience: float) -> None:
        """Waits `patience` seconds for the thread's end."""
        if self._thread.ident:
            self._thread.join(max(0.0, patience))

    def _run(self) -> None:
        now = datetime.now(UTC)
        due = dict.fromkeys(range(len(self._schedules)), now)
        while not self._stop.is_set():
            now = datetime.now(UTC)
            for number, (schedule, cron) in enumerate(self._schedules):
                if due[number] <= now and not self._stop.is_set():
                    due[number] = cron.after(now)
                    self._fire(schedule)
            wait = min((moment - datetime.now(UTC)).total_seconds() for moment in due.values()) if due else 60.0
            self._stop.wait(max(0.0, min(wait, _LOOK_SECONDS)))

    def _fire(self, schedule: Schedule) -> None:
        try:
            self._invoke(schedule.function, schedule.event)
        except Exception as exc:  # noqa: BLE001 (whatever a function raises, the others have their turn)
            if not self._stop.is_set():
                self._report(f"{schedule.function} {dict(schedule.event)} failed: {exc}")
