"""Errors as answers in a dialect, and as lines of the log. (Of our own routes: telemetry.web.problems.)

The client is told no detail of what is our fault; the log is.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger

from telemetry.domain.api_key import without_keys
from telemetry.domain.errors import Forbidden, Unauthenticated
from telemetry.faults import log_failure
from telemetry.web.http import PlainAnswer, json_answer

DialectFailure = Callable[[Exception, datetime], tuple[int, dict[str, Any], Mapping[str, str]]]
"""What a dialect answers to an error: HTTP status, body, headers."""


def failure_answer(
    error: Exception,
    failure: DialectFailure,
    logger: Logger,
    now: datetime,
    **caller: Any,  # noqa: ANN401
) -> PlainAnswer:
    """An error, answered in a dialect and logged.

    `caller` goes into the log of a refusal. Of a key only its id is ever logged, as the text of the error.
    """
    status, body, headers = failure(error, now)
    if isinstance(error, Unauthenticated | Forbidden):
        told: dict[str, Any] = {name: without_keys(str(text)) for name, text in caller.items()}
        logger.warning("Refused", cause=type(error).__name__, key=str(error), **told)
    elif status >= 500:
        log_failure(error, logger)
    return json_answer(status, body, **headers)
