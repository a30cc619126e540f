"""What no other route takes: counted, and told the right path where there is one."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.services.failed_calls import SummedCalls
from telemetry.settings import TableNames
from telemetry.web.deadline import in_time
from telemetry.web.routes import routed
from telemetry.web.unknown_routes import unknown_route

app = APIGatewayHttpResolver()
logger = Logger()


@cache
def calls() -> SummedCalls:
    """Counts them."""
    return SummedCalls.into(TableNames.from_env().registry)


@app.not_found
def not_found(_: NotFoundError) -> Response[str]:
    """There is no route here."""
    return unknown_route(app.current_event.raw_event, calls(), logger, datetime.now(UTC))


@logger.inject_lambda_context
@in_time
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers one API Gateway request (payload format 2.0)."""
    return app.resolve(routed(event), context)
