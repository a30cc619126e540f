"""Reports for finance, in the PowerAuth dialect and over plain HTTPS: authenticate, parse, count, answer."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.dialects import powerauth
from telemetry.domain.active_users import Audience
from telemetry.domain.api_key import Access, Capability
from telemetry.domain.finance import ReportQuestion
from telemetry.services.reports import active_users, applications
from telemetry.web.authentication import credentials_of
from telemetry.web.checks import check_parameters
from telemetry.web.deadline import in_time
from telemetry.web.failures import failure_answer
from telemetry.web.problems import failure_problem
from telemetry.web.reports import (
    OF_ANY_REPORT,
    active_users_question,
    applications_answer,
    daily_question,
    day_question,
    months_question,
    piracy_question,
    report_answer,
)
from telemetry.web.resolver import answer, current_request, response_of
from telemetry.web.routes import Api, routed
from telemetry.wiring.reports import ReportsWiring
from telemetry.wiring.wired import Wired

app = APIGatewayHttpResolver()
logger = Logger()
wired = Wired(ReportsWiring.from_env)

F = TypeVar("F", bound=Callable[..., Response[str]])


def admit(app_: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Authenticates callers of plain routes before anything else: others are not even told whether a route exists."""
    request = current_request(app)
    if not _is_powerauth():
        access = wired().authenticator.report_access(credentials_of(request), request.source_ip, wired.clock.now())
        app_.context["access"] = access
    return next_middleware(app_)


app.use([admit])


# ── the PowerAuth service


@app.post("/rest/v3/telemetry/report")
@app.post("/rest/v4/telemetry/report")
def report() -> Response[str]:
    """One report, of the environment the key opens."""
    request, now = current_request(app), wired.clock.now()
    access = wired().authenticator.access(credentials_of(request), Capability.REPORT, request.source_ip, now)
    question = powerauth.parse(request.body)
    if isinstance(question, powerauth.ClosedDaysQuestion):
        # as ever in this dialect, an application that nobody knows has no users
        days = wired().closed_days(access.environment, now, is_known=lambda _: True)
        return answer(200, question.answer(days.answer(question.asked)))
    store = wired().ledger(access.environment)
    users = active_users(question.application, question.days, now.date(), Audience.USERS, store)
    return answer(200, question.answer(users))


# ── plain routes


def plain(path: str, *parameters: str) -> Callable[[F], F]:
    """A GET route that takes these parameters."""

    def check(app_: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
        check_parameters(current_request(app), OF_ANY_REPORT | set(parameters))
        return next_middleware(app_)

    return app.get(f"/api/v1/reports{path}", middlewares=[check])


@plain("/applications")
def list_applications() -> Response[str]:
    """The applications that have reports, and the last closed day."""
    environment = _access().environment
    ledger = wired().ledger(environment)
    found = applications(wired().products.all(), ledger.scopes())
    return applications_answer(found, ledger.closing(), environment, current_request(app))


@plain("/active-users", "application", "days", "as_of", "month", "audience")
def active_users_as_of() -> Response[str]:
    """Users of a window that ends with a closed day."""
    return _answered(active_users_question)


@plain("/daily", "application", "from", "to")
def daily_active_users() -> Response[str]:
    """Users of each day."""
    return _answered(daily_question)


@plain("/months", "application", "from", "to", "audience")
def monthly_users() -> Response[str]:
    """Users of each month, and how they came and went."""
    return _answered(months_question)


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
    return answer(404, powerauth.NOT_FOUND) if _is_powerauth() else failure_problem(error, current_request(app), logger)


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def failed(error: Exception) -> Response[str]:
    """Answers an error in the form of the API that was asked."""
    if _is_powerauth():
        return response_of(failure_answer(error, powerauth.failure, logger, wired.clock.now()))
    return failure_problem(error, current_request(app), logger)


@logger.inject_lambda_context
@in_time
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers one API Gateway request (payload format 2.0)."""
    return app.resolve(routed(event), context)


def _answered(parse: Callable[[Mapping[str, str]], ReportQuestion]) -> Response[str]:
    """The report that a query asks for, of the environment the key opens."""
    request, now = current_request(app), wired.clock.now()
    products = wired().products
    days = wired().closed_days(_access().environment, now, is_known=lambda id_: id_ in products.all())
    return report_answer(days.answer(parse(request.query)), request)


def _access() -> Access:
    access: Access = app.context["access"]
    return access


def _is_powerauth() -> bool:
    return Api.of(app.current_event.path) is Api.POWERAUTH
