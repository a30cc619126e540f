"""Errors as answers, in a dialect or as problem details of our own routes, and as lines of the log.

The client is told no detail of what is our fault; the log is.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.exceptions import ResponseValidationError

from telemetry.domain.errors import Forbidden, Unauthenticated
from telemetry.faults import log_failure
from telemetry.web.http import Request, answer
from telemetry.web.problems import problem_answer, problem_of

DialectFailure = Callable[[Exception, datetime], tuple[int, dict[str, Any], Mapping[str, str]]]
"""What a dialect answers to an error: HTTP status, body, headers."""


def failure_answer(
    error: Exception,
    failure: DialectFailure,
    logger: Logger,
    now: datetime,
    **caller: Any,  # noqa: ANN401
) -> Response[str]:
    """An error, answered in a dialect and logged.

    `caller` goes into the log of a refusal. Of a key only its id is ever logged, as the text of the error.
    """
    status, body, headers = failure(error, now)
    if isinstance(error, Unauthenticated | Forbidden):
        logger.warning("Refused", cause=type(error).__name__, key=str(error), **caller)
    elif status >= 500:
        log_failure(error, logger)
    return answer(status, body, **headers)


def failure_problem(
    error: Exception,
    request: Request,
    logger: Logger,
    **caller: Any,  # noqa: ANN401
) -> Response[str]:
    """An error, answered as problem details and logged. `caller` goes into the log of a refusal."""
    problem = problem_of(error)
    if isinstance(error, ResponseValidationError):
        # its text holds the answer, in which there may be a secret
        logger.error("An answer is not what it should be", fields=[found["loc"] for found in error.errors()])
    elif problem.status >= 500:
        log_failure(error, logger)
    else:
        cause = type(error).__name__
        logger.warning("Refused", cause=cause, status=problem.status, path=request.path, **caller)
    return problem_answer(problem, request)
