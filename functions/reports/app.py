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
from telemetry.domain.finance import ReportQuestion
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
from telemetry.web.failures import failure_answer, failure_problem
from telemetry.web.http import Request, answer
from telemetry.web.reports import (
    OF_ANY_REPORT,
    active_users_question,
    applications_answer,
    daily_question,
    day_question,
    piracy_question,
    report_answer,
)
from telemetry.web.routes import Api, routed

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
    if not _is_powerauth():
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
    return answer(404, powerauth.NOT_FOUND) if _is_powerauth() else failure_problem(error, _request(), logger)


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def failed(error: Exception) -> Response[str]:
    """Answers an error in the form of the API that was asked."""
    if _is_powerauth():
        return failure_answer(error, powerauth.failure, logger, datetime.now(UTC))
    return failure_problem(error, _request(), logger)


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


def _is_powerauth() -> bool:
    return Api.of(app.current_event.path) is Api.POWERAUTH


def _closed_days(environment: Environment, now: datetime, is_known: Callable[[str], bool]) -> ClosedDays:
    reports = DayReportStore(TableNames.from_env().aggregates(environment))
    return ClosedDays(environment, reports, _ledger(environment), is_known, now)


def _ledger(environment: Environment) -> LedgerStore:
    return LedgerStore(TableNames.from_env().aggregates(environment))


def _request() -> Request:
    return Request.from_event(app.current_event.raw_event)
