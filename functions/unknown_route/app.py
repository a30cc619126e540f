"""Requests without a route: counts them, and answers with the right path if there is one."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.web.deadline import in_time
from telemetry.web.routes import routed
from telemetry.web.unknown_routes import unknown_route
from telemetry.wiring.api import ApiWiring
from telemetry.wiring.wired import Wired

logger = Logger()
wired = Wired(ApiWiring.from_env)


@logger.inject_lambda_context
@in_time
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature)
    """Answers one API Gateway request (payload format 2.0)."""
    return unknown_route(routed(event), wired().unrouted, logger, wired.clock.now()).as_result()
