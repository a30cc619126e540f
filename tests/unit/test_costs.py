"""What is paid for though nothing happens, and what each request adds to the logs; and that operations.md says so."""

import re
from typing import Any

from local.cloudformation import expand_loops, load
from local.template import ROOT, read_template
from tests.prices import HOURS, PRICES
from tests.unit.test_template import alarms

DOCUMENT = (ROOT / "docs" / "operations.md").read_text()
TEMPLATE: dict[str, Any] = load(ROOT / "template.yaml")

TYPICAL = {
    "requestId": "JKJaXmPLvHcESHA=",
    "routeKey": "POST /api/v1/send-telemetry-data",
    "status": "200",
    "responseLength": "1024",
    "responseLatency": "120",
    "integrationErrorMessage": "-",
}
"""What API Gateway writes of a good request, as we take it to be: none was seen yet."""

WHEN_IDLE = {"DaysBehind"}
"""What close_day emits each hour, for each environment; tests/integration/test_metrics.py sees that it is all."""

CLOSE_DAY_SECONDS = 2.0
"""Of a run that finds nothing to close, with its cold start: assumed, as are its reads and its log below."""


def emitted_names() -> dict[bool, set[str]]:
    """All names of metrics in the code: False those with the service alone, True those with the environment too."""
    found: dict[bool, set[str]] = {False: {"ProfilesNotNoted", "StorageFaults", "ValuesNotKept"}, True: set()}
    for path in (ROOT / "functions").glob("*/app.py"):
        names = re.findall(r'(?:add_metric|count_if_any)\("(\w+)"', path.read_text())
        found[path.parent.name == "close_day"] |= set(names)
        if "Events{status" in path.read_text():
            found[False] |= {"EventsConflict", "EventsFailed"}
    return found


def metrics_of_alarms() -> int:
    """Of each alarm those that are looked at: these are what is paid for."""
    return sum(
        sum("MetricStat" in each for each in alarm.get("Metrics", [{"MetricStat": 1}])) for alarm in alarms().values()
    )


def log_line() -> str:
    """A line of the access log."""
    written = TEMPLATE["Resources"]["Api"]["Properties"]["AccessLogSettings"]["Format"]
    return re.sub(r"\$context\.(\w+)", lambda found: TYPICAL[found[1]], written)


def test_a_good_request_adds_one_short_line_to_the_logs() -> None:
    line = log_line()
    assert len(line) <= 140
    assert TYPICAL["requestId"] in line
    # neither Lambda adds any, nor the function: tests/integration/test_metrics.py
    logging = TEMPLATE["Globals"]["Function"]["LoggingConfig"]
    assert logging == {"LogFormat": "JSON", "SystemLogLevel": "WARN", "ApplicationLogLevel": "INFO"}
    assert f"{len(line)} bytes" in DOCUMENT


def test_nothing_is_traced_unless_a_caller_of_ours_does() -> None:
    functions = (
        each for each in expand_loops(TEMPLATE["Resources"]).values() if each.get("Type") == "AWS::Serverless::Function"
    )
    assert TEMPLATE["Globals"]["Function"]["Tracing"] == "PassThrough"
    assert not any("Tracing" in each["Properties"] for each in functions)


def test_every_metric_is_named_in_the_documents() -> None:
    said = DOCUMENT.split("Metrics in the namespace `Telemetry`")[1].split("\n\n")[0]
    names = emitted_names()
    assert set(re.findall(r"`([A-Z]\w+)`", said)) == names[False] | names[True]
    assert names[True] > WHEN_IDLE


def test_an_idle_month() -> None:
    environments = 3
    names = emitted_names()
    idle, most = len(WHEN_IDLE) * environments, len(names[True]) * environments + len(names[False])
    closing = [each for each in read_template("stack").functions if each.name in {"close_day", "close_usage"}]
    runs = HOURS * environments
    cost = {
        "alarms": metrics_of_alarms() * PRICES["alarm, of one metric, a month"],
        "metrics": idle * PRICES["metric of our own, a month"],
        "closing": runs
        * sum(
            PRICES["Lambda, a request"]
            + CLOSE_DAY_SECONDS * each.memory / 1024 * PRICES["Lambda on arm64, a GB-second"]
            + 100 * PRICES["DynamoDB on demand, a read unit"]
            for each in closing
        ),
        "logs": len(closing) * runs * 1_000 / 1e9 * PRICES["log, ingested, a GB"],
    }
    assert sum(cost.values()) <= 5
    text = " ".join(DOCUMENT.split())
    assert f"{metrics_of_alarms()} alarms and {idle} metrics" in text
    assert f"{most} metrics" in text
    assert f"${cost['alarms']:.2f} for alarms, ${cost['metrics']:.2f} for metrics" in text
    assert f"${sum(cost.values()):.2f} a month" in text
