"""Administration by staff: products, customers, licences, API keys, settings, closed days and the audit log."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.domain.api_key import Role
from telemetry.web.administration.resources import ROUTERS
from telemetry.web.administration.routing import Call
from telemetry.web.checks import json_object
from telemetry.web.deadline import in_time
from telemetry.web.problems import failure_problem
from telemetry.web.resolver import current_request, with_one_part
from telemetry.web.routes import routed
from telemetry.web.staff import staff_of
from telemetry.wiring.admin import AdminWiring
from telemetry.wiring.wired import Wired

PRODUCTS, SPIKES = "/api/v1/admin/products/", "/api/v1/admin/spikes/"
"""Resources whose ids may hold any sign."""

app = APIGatewayHttpResolver(json_body_deserializer=json_object)
logger = Logger()
wired = Wired(AdminWiring.from_env)


def admit(app_: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Authenticates staff before anything else: others are not even told whether a route exists."""
    request = current_request(app_)
    staff = staff_of(request, Role.ADMIN, wired().authenticator, wired.clock.now())
    app_.context["call"] = Call(staff, request, wired())
    return next_middleware(app_)


app.use([admit])
for router in ROUTERS:
    app.include_router(router)


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def failed(error: Exception) -> Response[str]:
    """What went wrong."""
    return failure_problem(error, current_request(app), logger)


@logger.inject_lambda_context
@in_time
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers one API Gateway request (payload format 2.0)."""
    told = with_one_part(with_one_part(routed(event), PRODUCTS), SPIKES, then_action=True)
    return app.resolve(told, context)
