"""The page for staff, and their sessions: signing in and out."""

from functools import partial
from pathlib import Path
from typing import Any, cast

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.domain.api_key import Role, grant_staff
from telemetry.domain.errors import CrossSiteRequest, InvalidField, NotFound, Unauthenticated
from telemetry.domain.session import cookie_value, csrf_token
from telemetry.services.sign_in import sign_in, sign_out
from telemetry.web.assets import FOREVER, asset_answer
from telemetry.web.checks import check_parameters, json_object
from telemetry.web.deadline import in_time
from telemetry.web.http import Request
from telemetry.web.problems import failure_problem, problem_answer, problem_of
from telemetry.web.resolver import answer, current_request
from telemetry.web.routes import routed
from telemetry.web.sessions import (
    PresentedSession,
    ShownSession,
    is_same_origin,
    no_session_cookie,
    presented_session,
    session_cookie,
)
from telemetry.web.staff import author_of
from telemetry.wiring.dashboard import DashboardWiring
from telemetry.wiring.wired import Wired

PAGE = "telemetry.html"
REFERENCE = "reference.html"
DESCRIPTION = "openapi.json"

app = APIGatewayHttpResolver()
logger = Logger()
wired = Wired(partial(DashboardWiring.with_page, Path(__file__).parent / "dist"))


@app.get("/")
@app.get("/admin")
def admin() -> Response[str]:
    """Redirects to the page."""
    return Response(302, headers={"Location": "/admin/telemetry", "Cache-Control": "no-store"}, body="")


@app.get("/admin/telemetry")
def page() -> Response[bytes]:
    """The page. It holds no data itself; what it shows, it requests with the session."""
    return asset_answer(wired().assets[PAGE], current_request(app), "no-cache")


@app.get("/docs")
def reference() -> Response[bytes]:
    """The reference of the API. Everyone may read it: it says nothing that is not in the source."""
    return asset_answer(wired().assets[REFERENCE], current_request(app), "no-cache")


@app.get("/openapi.json")
def description() -> Response[bytes]:
    """The description of the API, which the reference shows."""
    return asset_answer(wired().assets[DESCRIPTION], current_request(app), "no-cache")


@app.get("/admin/assets/<name>")
def asset(name: str) -> Response[bytes]:
    """A file of the page, its hash in its name."""
    if name not in wired().assets or name in {PAGE, REFERENCE, DESCRIPTION}:
        raise NotFound(f"asset {name}")
    return asset_answer(wired().assets[name], current_request(app), FOREVER)


@app.post("/admin/session")
def begin_session() -> Response[str]:
    """Signs in: takes a staff key, sets a session cookie."""
    request, now = current_request(app), wired.clock.now()
    if not is_same_origin(request):
        raise CrossSiteRequest
    check_parameters(request, ())
    session = sign_in(_key_in(request), request.source_ip, now, lambda key: author_of(request, key, now), wired().desk)
    cookie = session_cookie(request, cookie_value(session.id, wired().keyring))
    return Response(204, headers={"Cache-Control": "no-store"}, body="", cookies=[cookie])


@app.get("/admin/session")
def show_session() -> Response[str]:
    """Who is signed in, and what they need to change anything."""
    request, now = current_request(app), wired.clock.now()
    session = wired().authenticator.session(_presented(request), now)
    key = wired().authenticator.key_of(session)
    check_parameters(request, ())
    environments = sorted(grant_staff(key, Role.VIEWER, None, request.source_ip, now))
    shown: ShownSession = {
        "name": key.name,
        "role": cast("Role", key.role),  # grant_staff refuses a key without one
        "environments": environments,
        "csrf": csrf_token(session.id, wired().keyring),
    }
    return answer(200, shown, Cache_Control="no-store")


@app.delete("/admin/session")
def end_session() -> Response[str]:
    """Signs out. Without a session there is nothing to do, and that is no error."""
    request, now = current_request(app), wired.clock.now()
    try:
        session = wired().authenticator.session(_presented(request), now)
        key = wired().authenticator.key_of(session)
    except Unauthenticated:
        pass
    else:
        check_parameters(request, ())
        sign_out(session, author_of(request, key, now), wired().desk)
    cookie = no_session_cookie(request)
    return Response(204, headers={"Cache-Control": "no-store"}, body="", cookies=[cookie])


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def failed(error: Exception) -> Response[str]:
    """Answers and logs what went wrong; 404 is not logged."""
    request = current_request(app)
    if isinstance(error, NotFound | NotFoundError):
        return problem_answer(problem_of(error), request)
    return failure_problem(error, request, logger, detail=str(error), source_ip=request.source_ip)


@logger.inject_lambda_context
@in_time
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers one API Gateway request (payload format 2.0)."""
    return app.resolve(routed(event), context)


def _presented(request: Request) -> PresentedSession:
    presented = presented_session(request)
    if presented is None:
        raise Unauthenticated(told="Nobody is signed in: POST /admin/session takes a staff key.")
    return presented


def _key_in(request: Request) -> str:
    key = json_object(request.body).get("key")
    if not isinstance(key, str) or not key.strip():
        raise InvalidField("key", "A staff API key is needed")
    return key.strip()
