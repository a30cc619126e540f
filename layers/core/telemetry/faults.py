"""What storage refuses for good: in the log with its cause, and counted for an alarm. Sending again cannot mend it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from telemetry.domain.errors import StoreUnavailable
from telemetry.storage.errors import is_fault

METRIC = "StorageFaults"

R = TypeVar("R")


def log_failure(error: Exception, logger: Logger) -> None:
    """Logs what ends in a 5xx: what passes in a line, all else with its traceback; and counts storage's refusals."""
    if isinstance(error, StoreUnavailable):
        logger.error("Storage did not answer in time", cause=str(error))
    else:
        logger.error("Failed", exc_info=error)
        _count(error)


def log_left_out(error: Exception, logger: Logger, what: str, **details: Any) -> None:  # noqa: ANN401 (a log's)
    """Logs with its traceback what is left out so that the rest goes on; and counts storage's refusals all the same."""
    logger.error(what, exc_info=error, **details)
    _count(error)


def faults_counted(handler: Callable[[dict[str, Any], Any], R]) -> Callable[[dict[str, Any], Any], R]:
    """A handler that answers nobody; Lambda logs what it raises."""

    @wraps(handler)
    def counted(event: dict[str, Any], context: object) -> R:
        try:
            return handler(event, context)
        except Exception as exc:
            _count(exc)
            raise

    return counted


def _count(error: Exception) -> None:
    """By itself, with the service as its only dimension: an alarm names them all."""
    if is_fault(error):
        with single_metric(METRIC, MetricUnit.Count, 1):
            pass
