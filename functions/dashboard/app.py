"""The page staff look at, and their signing in and out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.domain.api_key import Role, grant_staff
from telemetry.domain.errors import CrossSiteRequest, InvalidField, NotFound, Unauthenticated
from telemetry.domain.session import cookie_value, csrf_token
from telemetry.faults import log_failure
from telemetry.services.sign_in import Desk, sign_in, sign_out
from telemetry.settings import TableNames
from telemetry.storage.secret import keyring
from telemetry.web.assets import FOREVER, Asset, asset_answer, load_assets
from telemetry.web.authentication import Authenticator
from telemetry.web.checks import check_parameters, json_object
from telemetry.web.deadline import in_time
from telemetry.web.http import Request, answer
from telemetry.web.problems import problem_answer, problem_of
from telemetry.web.routes import routed
from telemetry.web.sessions import (
    PresentedSession,
    is_same_origin,
    no_session_cookie,
    presented_session,
    session_cookie,
)
from telemetry.web.staff import author_of

PAGE = "telemetry.html"

app = APIGatewayHttpResolver()
logger = Logger()


@cache
def desk() -> Desk:
    """Where staff sign in."""
    return Desk.of(TableNames.from_env().registry, keyring())


@cache
def authenticator() -> Authenticator:
    """Knows the registry's API keys and sessions."""
    return Authenticator(desk().api_keys, keyring(), desk().sessions)


@cache
def assets() -> Mapping[str, Asset]:
    """The page's files, as `make page` built them."""
    return load_assets(Path(__file__).parent / "dist")


@app.get("/")
@app.get("/admin")
def admin() -> Response[str]:
    """Leads to the page."""
    return Response(302, headers={"Location": "/admin/telemetry", "Cache-Control": "no-store"}, body="")


@app.get("/admin/telemetry")
def page() -> Response[bytes]:
    """The page. It says nothing to who is not signed in: what it shows, it asks for."""
    return asset_answer(assets()[PAGE], _request(), "no-cache")


@app.get("/admin/assets/<name>")
def asset(name: str) -> Response[bytes]:
    """A file of the page, its hash in its name."""
    if name not in assets() or name == PAGE:
        raise NotFound(f"asset {name}")
    return asset_answer(assets()[name], _request(), FOREVER)


@app.post("/admin/session")
def begin_session() -> Response[str]:
    """Signs in: a staff key in, a cookie out."""
    request, now = _request(), datetime.now(UTC)
    if not is_same_origin(request):
        raise CrossSiteRequest
    check_parameters(request, ())
    session = sign_in(_key_in(request), request.source_ip, now, lambda key: author_of(request, key, now), desk())
    cookie = session_cookie(request, cookie_value(session.id, keyring()))
    return Response(204, headers={"Cache-Control": "no-store"}, body="", cookies=[cookie])


@app.get("/admin/session")
def show_session() -> Response[str]:
    """Who is signed in, and what they need to change anything."""
    request, now = _request(), datetime.now(UTC)
    session = authenticator().session(_presented(request), now)
    key = authenticator().key_of(session)
    check_parameters(request, ())
    shown = {
        "name": key.name,
        "role": key.role,
        "environments": sorted(grant_staff(key, Role.VIEWER, None, request.source_ip, now)),
        "csrf": csrf_token(session.id, keyring()),
    }
    return answer(200, shown, Cache_Control="no-store")


@app.delete("/admin/session")
def end_session() -> Response[str]:
    """Signs out; who is not signed in is so already."""
    request, now = _request(), datetime.now(UTC)
    try:
        session = authenticator().session(_presented(request), now)
        key = authenticator().key_of(session)
    except Unauthenticated:
        pass
    else:
        check_parameters(request, ())
        sign_out(session, author_of(request, key, now), desk())
    cookie = no_session_cookie(request)
    return Response(204, headers={"Cache-Control": "no-store"}, body="", cookies=[cookie])


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def failed(error: Exception) -> Response[str]:
    """What went wrong. Of what is our fault the log alone has the detail, under the request."""
    request, problem = _request(), problem_of(error)
    if problem.status >= 500:
        log_failure(error, logger)
    elif problem.status != 404:
        cause, ip = type(error).__name__, request.source_ip
        logger.warning(
            "Refused", cause=cause, detail=str(error), status=problem.status, path=request.path, source_ip=ip
        )
    return problem_answer(problem, request)


@logger.inject_lambda_context
@in_time
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers one API Gateway request (payload format 2.0)."""
    return app.resolve(routed(event), context)


def _request() -> Request:
    return Request.from_event(app.current_event.raw_event)


def _presented(request: Request) -> PresentedSession:
    presented = presented_session(request)
    if presented is None:
        raise Unauthenticated
    return presented


def _key_in(request: Request) -> str:
    key = json_object(request.body).get("key")
    if not isinstance(key, str) or not key.strip():
        raise InvalidField("key", "A staff API key is needed")
    return key.strip()
