"""Finance's questions, in the PowerAuth dialect: authenticate, understand, count, answer."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.dialects import powerauth
from telemetry.domain.active_users import Audience
from telemetry.domain.api_key import Capability
from telemetry.domain.errors import Forbidden, StoreUnavailable, Unauthenticated
from telemetry.services.reports import active_users
from telemetry.settings import TableNames
from telemetry.storage.aggregates import AggregateStore
from telemetry.storage.registry import RegistryStore
from telemetry.storage.secret import keyring
from telemetry.web.authentication import Authenticator, credentials_of
from telemetry.web.http import Request, answer

app = APIGatewayHttpResolver()
logger = Logger()


@cache
def authenticator() -> Authenticator:
    """Knows the registry's API keys."""
    return Authenticator(RegistryStore(TableNames.from_env().registry), keyring())


@app.post("/rest/v3/telemetry/report")
@app.post("/rest/v4/telemetry/report")
def report() -> Response[str]:
    """One report, of the environment the key opens."""
    request, now = Request.from_event(app.current_event.raw_event), datetime.now(UTC)
    access = authenticator().access(credentials_of(request), Capability.REPORT, request.source_ip, now)
    question = powerauth.parse(request.body)
    store = AggregateStore(TableNames.from_env().aggregates(access.environment))
    users = active_users(question.application, question.days, now.date(), Audience.USERS, store)
    return answer(200, question.answer(users))


@app.not_found
def not_found(_error: Exception) -> Response[str]:
    """Anything else below /rest."""
    return answer(404, powerauth.NOT_FOUND)


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def failed(error: Exception) -> Response[str]:
    """What went wrong; of what is our fault, the log alone has the detail."""
    match error:
        case powerauth.BadRequest():
            return answer(400, error.body)
        case Unauthenticated() | Forbidden():
            logger.warning("Refused", cause=type(error).__name__, key=str(error))
            return answer(401, powerauth.UNAUTHORIZED)
        case StoreUnavailable():
            logger.error("Storage did not answer in time", cause=str(error))
            body = powerauth.error("ERROR_TELEMETRY", "Temporarily unavailable, please try again.")
            return answer(503, body, Retry_After="5")
    logger.error("Failed", exc_info=error)
    return answer(500, powerauth.error("ERROR_TELEMETRY", "Internal error."))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers one API Gateway request (payload format 2.0)."""
    return app.resolve(event, context)
