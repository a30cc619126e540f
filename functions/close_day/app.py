"""Closes every day that is over, counts a part of one, or looks at one again."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.dialects.stored import event_of
from telemetry.domain.environment import Environment
from telemetry.domain.recount import Unit
from telemetry.domain.sighting import CATALOGUE
from telemetry.faults import faults_counted
from telemetry.messages.invocations import Invocations
from telemetry.retry import Deadline
from telemetry.services.close_day import DayCloser, count_part
from telemetry.services.judging import Judge, judge_stored
from telemetry.services.recount import Allowance, Dispatch, Recounter
from telemetry.services.verify_day import Outcome, Verifier
from telemetry.settings import CloseDaySettings
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.candidates import CandidateStore
from telemetry.storage.corrections import CorrectionStore
from telemetry.storage.day_records import DayRecordStore
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.license_lookup import LicenseLookup
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.products import ProductStore
from telemetry.storage.records import RecordStore
from telemetry.storage.recount_parts import PartStore
from telemetry.storage.secret import keyring

logger = Logger()
metrics = Metrics()


@logger.inject_lambda_context
@metrics.log_metrics
@faults_counted
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Takes `{"environment": "production"}`; with `"day"` (and `"product"`, else all) it verifies that closed day.

    With a `"unit"` it counts this part of a day, as it asks itself to. Raises when a day cannot be closed.
    """
    environment, now = Environment(event["environment"]), datetime.now(UTC)
    metrics.add_dimension("environment", environment)
    metrics.add_metric("Runs", MetricUnit.Count, 1)
    if "day" in event:
        return verify(environment, event.get("product", CATALOGUE), date.fromisoformat(event["day"]), now)
    dispatch = partial(_ask_for, environment, Invocations(context.invoked_function_arn))
    if "unit" in event:
        count_unit(environment, _unit(event["unit"]), dispatch, now)
        return {"environment": environment, "counted": event["unit"]}
    return close(environment, dispatch, Allowance(lambda: context.get_remaining_time_in_millis() / 1000), now)


def close(environment: Environment, dispatch: Dispatch, allowance: Allowance, now: datetime) -> dict[str, Any]:
    """Closes what can be closed in the time allowed, and says how far behind that leaves us."""
    settings, records = CloseDaySettings.from_env(), _records(environment)
    products = ProductStore(settings.tables.registry).all()
    licenses = LicenseLookup(LicenseStore(settings.tables.registry, keyring()), keyring())
    judge = Judge(environment, products, licenses.views, event_of)
    closer = DayCloser.of(
        settings.tables.aggregates(environment),
        records,
        list(products),
        dispatch,
        lambda product, day: judge_stored(records.unjudged(product, day), records.records, judge, now, Deadline(30)),
        allowance,
    )
    try:
        closed = closer.close(now)
    finally:
        metrics.add_metric("ReportsContradicted", MetricUnit.Count, len(closer.contradicted))
    metrics.add_metric("DaysBehind", MetricUnit.Count, closer.days_behind(now))
    metrics.add_metric("DaysClosedByDeadline", MetricUnit.Count, sum(day.by_deadline for day in closed))
    days = [day.day.isoformat() for day in closed]
    logger.info("Days closed", environment=environment, days=days)
    return {"environment": environment, "closed": days}


def count_unit(environment: Environment, unit: Unit, dispatch: Dispatch, now: datetime) -> None:
    """Counts a part of a day that is too large for one invocation."""
    table = CloseDaySettings.from_env().tables.aggregates(environment)
    recounter = Recounter(_records(environment), LedgerStore(table), PartStore(table), dispatch)
    count_part(recounter, CandidateStore(table), unit, now)


def verify(environment: Environment, scope: str, day: date, now: datetime) -> dict[str, Any]:
    """Recomputes a closed day from its records; what its report does not say is kept beside it, and is an alarm."""
    table = CloseDaySettings.from_env().tables.aggregates(environment)
    verifier = Verifier(LedgerStore(table), DayReportStore(table), CorrectionStore(table), _records(environment))
    verdicts = verifier.verify(scope, day, now)
    differing = [verdict for verdict in verdicts if verdict.outcome is Outcome.DIFFERS]
    metrics.add_metric("ReportsContradicted", MetricUnit.Count, len(differing))
    for verdict in differing:
        logger.error("A report does not hold", environment=environment, scope=verdict.scope, cause=verdict.difference)
    return {
        "environment": environment,
        "day": day.isoformat(),
        "verdicts": [
            {"scope": each.scope, "outcome": each.outcome, "difference": each.difference} for each in verdicts
        ],
    }


def _records(environment: Environment) -> DayRecordStore:
    settings = CloseDaySettings.from_env()
    return DayRecordStore(RecordStore(settings.tables.records(environment), settings.shards))


def _ask_for(environment: Environment, invocations: Invocations, unit: Unit) -> None:
    invocations.ask_for({"environment": environment, "unit": unit._asdict() | {"day": unit.day.isoformat()}})


def _unit(said: Mapping[str, Any]) -> Unit:
    return Unit(**{**said, "day": date.fromisoformat(said["day"])})
