"""Errors as answers, in whatever dialect was spoken."""

from datetime import datetime
from typing import Any, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response

from telemetry.domain.errors import Forbidden, StoreUnavailable, TelemetryError, Unauthenticated
from telemetry.faults import log_failure
from telemetry.web.http import answer

RETRY_AFTER_SECONDS = "5"


class Dialect(Protocol):
    """How a dialect words what went wrong."""

    def refusal(self, error: TelemetryError, now: datetime, /) -> tuple[int, dict[str, Any]]:
        """HTTP status and body for a key that is not good, or not good for this."""

    def failure(self, status: int, message: str, now: datetime, /) -> dict[str, Any]:
        """The body of a 5xx."""


def failure_answer(
    error: Exception,
    dialect: Dialect,
    logger: Logger,
    now: datetime,
    **caller: Any,  # noqa: ANN401
) -> Response[str]:
    """What every function answers alike. The client is told no detail of what is our fault; the log is.

    `caller` goes into the log of a refusal. Only a key's id is ever logged, as the text of the error.
    """
    match error:
        case Unauthenticated() | Forbidden():
            logger.warning("Refused", cause=type(error).__name__, key=str(error), **caller)
            return answer(*dialect.refusal(error, now))
        case StoreUnavailable():
            log_failure(error, logger)
            busy = dialect.failure(503, "Temporarily unavailable, please send again", now)
            return answer(503, busy, Retry_After=RETRY_AFTER_SECONDS)
    log_failure(error, logger)
    return answer(500, dialect.failure(500, "Internal error", now))
