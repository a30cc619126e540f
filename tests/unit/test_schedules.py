import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from local.cloudformation import TemplateError
from local.schedules import Cron, Scheduler
from local.template import Schedule, read_template

pytestmark = pytest.mark.days


@pytest.mark.parametrize(
    ("expression", "moment", "expected"),
    [
        ("cron(30 * * * ? *)", "2026-11-05T10:29:59", "2026-11-05T10:30:00"),
        ("cron(30 * * * ? *)", "2026-11-05T10:30:00", "2026-11-05T11:30:00"),
        ("cron(0 2 * * ? *)", "2026-12-31T02:00:01", "2027-01-01T02:00:00"),
        ("cron(* * * * ? *)", "2026-11-05T23:59:30", "2026-11-06T00:00:00"),
        ("cron(5 * * * ? *)", "2026-11-05T23:10:00", "2026-11-06T00:05:00"),
    ],
)
def test_next_time(expression: str, moment: str, expected: str) -> None:
    after = Cron.parse(expression).after(datetime.fromisoformat(moment).replace(tzinfo=UTC))
    assert after == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    ["rate(1 hour)", "cron(0/5 * * * ? *)", "cron(0 2 1 * ? *)", "cron(60 * * * ? *)", "cron(0 24 * * ? *)"],
)
def test_other_forms_are_errors(expression: str) -> None:
    with pytest.raises(TemplateError):
        Cron.parse(expression)


def test_the_templates_schedules_are_known() -> None:
    assert all(Cron.parse(schedule.expression) for schedule in read_template().schedules)


def test_runs_each_once_at_the_start_whatever_fails() -> None:
    ran: list[tuple[str, Mapping[str, Any]]] = []
    complaints: list[str] = []
    done = threading.Event()

    def invoke(function: str, event: Mapping[str, Any]) -> None:
        ran.append((function, event))
        if len(ran) == 2:
            done.set()
        raise ValueError("no")

    daily = [Schedule("cron(0 0 * * ? *)", name, {"n": name}) for name in ("a", "b")]
    scheduler = Scheduler(daily, invoke, complaints.append)
    scheduler.start()
    assert done.wait(5)
    scheduler.ask_to_stop()
    scheduler.join(5)
    assert ran == [("a", {"n": "a"}), ("b", {"n": "b"})]
    assert complaints[0] == "a {'n': 'a'} failed: no"
