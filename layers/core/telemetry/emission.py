"""Metrics of an invocation, printed at its end in CloudWatch's embedded metric format."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from aws_lambda_powertools import Metrics

R = TypeVar("R")
Handler = Callable[[dict[str, Any], Any], R]


def emitting(metrics: Metrics) -> Callable[[Handler[R]], Handler[R]]:
    """A handler that prints what it has counted, and nothing when that is nothing: each line of the log costs money.

    (Powertools' own decorator warns of that on the standard error, which is a line of the log too.)
    """

    def decorated(handler: Handler[R]) -> Handler[R]:
        @wraps(handler)
        def emitted(event: dict[str, Any], context: Any) -> R:  # noqa: ANN401
            try:
                return handler(event, context)
            finally:
                if metrics.metric_set:
                    metrics.flush_metrics()
                else:
                    metrics.clear_metrics()

        return emitted

    return decorated
