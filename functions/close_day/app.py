"""Closes every day that is over, counts a part of one, or verifies one that is closed."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.domain.environment import Environment
from telemetry.domain.recount import Unit
from telemetry.domain.sighting import CATALOGUE
from telemetry.emission import emitting
from telemetry.faults import faults_counted, log_left_out
from telemetry.messages.invocations import Invocations
from telemetry.services.close_day import DayCloser, count_part
from telemetry.services.recount import Allowance, Dispatch
from telemetry.services.verify_day import Outcome
from telemetry.wiring.close_day import CloseDayWiring
from telemetry.wiring.wired import Wired

logger = Logger()
metrics = Metrics()
wired = Wired(CloseDayWiring.from_env)


@logger.inject_lambda_context
@emitting(metrics)
@faults_counted
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Takes `{"environment": "production"}`; with `"day"` (and `"product"`, else all) it verifies that closed day.

    With a `"unit"` it counts this part of a day, as it asks itself to. Raises when a day cannot be closed.
    """
    environment, now = Environment(event["environment"]), wired.clock.now()
    metrics.add_dimension("environment", environment)
    if "day" in event:
        return verify(environment, event.get("product", CATALOGUE), date.fromisoformat(event["day"]), now)
    dispatch = partial(ask_for, environment, Invocations(context.invoked_function_arn))
    if "unit" in event:
        count_unit(environment, _unit(event["unit"]), dispatch, now)
        return {"environment": environment, "counted": event["unit"]}
    return close(environment, dispatch, Allowance(lambda: context.get_remaining_time_in_millis() / 1000), now)


def close(environment: Environment, dispatch: Dispatch, allowance: Allowance, now: datetime) -> dict[str, Any]:
    """Closes what can be closed in the time allowed, and reports how many days are still to be closed."""
    closer = wired().closer(environment, dispatch, allowance, now)
    try:
        closed = closer.close(now)
    finally:
        count_if_any("ReportsContradicted", len(closer.contradicted))
        log_failures(closer)
    metrics.add_metric("DaysBehind", MetricUnit.Count, closer.days_behind(now))  # also 0: its alarm wants to hear it
    count_if_any("DaysClosedByDeadline", sum(day.by_deadline for day in closed))
    days = [day.day.isoformat() for day in closed]
    logger.info("Days closed", environment=environment, days=days)
    return {"environment": environment, "closed": days}


def log_failures(closer: DayCloser) -> None:
    """The day is closed nevertheless, and says that its values are not complete."""
    for failure in closer.values.failures if closer.values else ():
        log_left_out(failure, logger, "Values of a day cannot be put together")


def count_unit(environment: Environment, unit: Unit, dispatch: Dispatch, now: datetime) -> None:
    """Counts a part of a day that is too large for one invocation."""
    count_part(wired().recounter(environment, dispatch), wired().candidates(environment), unit, now)


def verify(environment: Environment, scope: str, day: date, now: datetime) -> dict[str, Any]:
    """Recomputes a closed day from its records. What contradicts its report is kept, and raises an alarm."""
    verdicts = wired().verifier(environment).verify(scope, day, now)
    differing = [verdict for verdict in verdicts if verdict.outcome is Outcome.DIFFERS]
    count_if_any("ReportsContradicted", len(differing))
    for verdict in differing:
        logger.error("A report does not hold", environment=environment, scope=verdict.scope, cause=verdict.difference)
    return {
        "environment": environment,
        "day": day.isoformat(),
        "verdicts": [
            {"scope": each.scope, "outcome": each.outcome, "difference": each.difference} for each in verdicts
        ],
    }


def count_if_any(metric: str, number: int) -> None:
    """A metric costs money in each hour in which it has a value."""
    if number:
        metrics.add_metric(metric, MetricUnit.Count, number)


def ask_for(environment: Environment, invocations: Invocations, unit: Unit) -> None:
    """Asks Lambda to invoke this function again, for a part of a day."""
    invocations.ask_for({"environment": environment, "unit": unit._asdict() | {"day": unit.day.isoformat()}})


def _unit(said: Mapping[str, Any]) -> Unit:
    return Unit(**{**said, "day": date.fromisoformat(said["day"])})
