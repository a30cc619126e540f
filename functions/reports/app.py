"""Finance's questions, in the PowerAuth dialect and over plain HTTPS: authenticate, understand, count, answer."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.dialects import powerauth
from telemetry.domain.active_users import Audience
from telemetry.domain.api_key import Access, Capability
from telemetry.domain.environment import Environment
from telemetry.domain.errors import Forbidden, StoreUnavailable, Unauthenticated
from telemetry.domain.finance import DayNotClosed, ReportQuestion
from telemetry.faults import log_failure
from telemetry.services.reports import ClosedDays, active_users, applications
from telemetry.settings import TableNames
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.products import ProductStore
from telemetry.storage.secret import keyring
from telemetry.web.authentication import Authenticator, credentials_of
from telemetry.web.checks import check_parameters
from telemetry.web.deadline import in_time
from telemetry.web.http import Request, answer
from telemetry.web.problems import problem_answer, problem_of
from telemetry.web.reports import (
    OF_ANY_REPORT,
    active_users_question,
    applications_answer,
    daily_question,
    day_question,
    piracy_question,
    report_answer,
)
from telemetry.web.routes import routed

app = APIGatewayHttpResolver()
logger = Logger()

F = TypeVar("F", bound=Callable[..., Response[str]])


@cache
def products() -> ProductStore:
    """The products that are registered."""
    return ProductStore(TableNames.from_env().registry)


@cache
def authenticator() -> Authenticator:
    """Knows the registry's API keys."""
    return Authenticator(ApiKeyStore(TableNames.from_env().registry), keyring())


def admit(app_: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Nothing of a plain request is looked at, not even whether there is such a route, before who asks is known."""
    request = _request()
    if not _is_dialect():
        access = authenticator().report_access(credentials_of(request), request.source_ip, datetime.now(UTC))
        app_.context["access"] = access
    return next_middleware(app_)


app.use([admit])


# ── the PowerAuth service


@app.post("/rest/v3/telemetry/report")
@app.post("/rest/v4/telemetry/report")
def report() -> Response[str]:
    """One report, of the environment the key opens."""
    request, now = _request(), datetime.now(UTC)
    access = authenticator().access(credentials_of(request), Capability.REPORT, request.source_ip, now)
    question = powerauth.parse(request.body)
    if isinstance(question, powerauth.ClosedDaysQuestion):
        # as ever in this dialect, an application that nobody knows has no users
        days = _closed_days(access.environment, now, is_known=lambda _: True)
        return answer(200, question.answer(days.answer(question.asked)))
    store = _ledger(access.environment)
    users = active_users(question.application, question.days, now.date(), Audience.USERS, store)
    return answer(200, question.answer(users))


# ── plain routes


def plain(path: str, *parameters: str) -> Callable[[F], F]:
    """A route to read with these parameters."""

    def check(app_: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
        check_parameters(_request(), OF_ANY_REPORT | set(parameters))
        return next_middleware(app_)

    return app.get(f"/api/v1/reports{path}", middlewares=[check])


@plain("/applications")
def list_applications() -> Response[str]:
    """What reports can be asked of, and the last day they can be asked of."""
    environment = _access().environment
    ledger = _ledger(environment)
    found = applications(products().all(), ledger.scopes())
    return applications_answer(found, ledger.closing(), environment, _request())


@plain("/active-users", "application", "days", "as_of", "month", "audience")
def active_users_as_of() -> Response[str]:
    """Users of a window that ends with a closed day."""
    return _answered(active_users_question)


@plain("/daily", "application", "from", "to")
def daily_active_users() -> Response[str]:
    """Users of each day."""
    return _answered(daily_question)


@plain("/piracy", "application", "from", "to")
def piracy_counts() -> Response[str]:
    """Flagged records of each day."""
    return _answered(piracy_question)


@plain("/day/<day>", "application")
def day_report(day: str) -> Response[str]:
    """The report of a day."""
    return _answered(partial(day_question, day))


@app.not_found
def not_found(error: NotFoundError) -> Response[str]:
    """Anything else below /rest and /api/v1/reports."""
    return answer(404, powerauth.NOT_FOUND) if _is_dialect() else _problem(error)


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def failed(error: Exception) -> Response[str]:
    """What went wrong; of what is our fault, the log alone has the detail."""
    return _failed_in_dialect(error) if _is_dialect() else _problem(error)


@logger.inject_lambda_context
@in_time
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers one API Gateway request (payload format 2.0)."""
    return app.resolve(routed(event), context)


def _answered(parse: Callable[[Mapping[str, str]], ReportQuestion]) -> Response[str]:
    """The report that a query asks for, of the environment the key opens."""
    request, now = _request(), datetime.now(UTC)
    days = _closed_days(_access().environment, now, is_known=lambda application: application in products().all())
    return report_answer(days.answer(parse(request.query)), request)


def _access() -> Access:
    access: Access = app.context["access"]
    return access


def _failed_in_dialect(error: Exception) -> Response[str]:
    match error:
        case powerauth.BadRequest():
            return answer(400, error.body)
        case DayNotClosed():
            return answer(400, powerauth.error("ERROR_TELEMETRY", str(error)))
        case Unauthenticated() | Forbidden():
            logger.warning("Refused", cause=type(error).__name__, key=str(error))
            return answer(401, powerauth.UNAUTHORIZED)
        case StoreUnavailable():
            log_failure(error, logger)
            body = powerauth.error("ERROR_TELEMETRY", "Temporarily unavailable, please try again.")
            return answer(503, body, Retry_After="5")
    log_failure(error, logger)
    return answer(500, powerauth.error("ERROR_TELEMETRY", "Internal error."))


def _problem(error: Exception) -> Response[str]:
    problem = problem_of(error)
    if problem.status >= 500:
        log_failure(error, logger)
    else:
        logger.warning("Refused", cause=type(error).__name__, status=problem.status, path=app.current_event.path)
    return problem_answer(problem, _request())


def _is_dialect() -> bool:
    return app.current_event.path.startswith("/rest/")


def _closed_days(environment: Environment, now: datetime, is_known: Callable[[str], bool]) -> ClosedDays:
    reports = DayReportStore(TableNames.from_env().aggregates(environment))
    return ClosedDays(environment, reports, _ledger(environment), is_known, now)


def _ledger(environment: Environment) -> LedgerStore:
    return LedgerStore(TableNames.from_env().aggregates(environment))


def _request() -> Request:
    return Request.from_event(app.current_event.raw_event)
