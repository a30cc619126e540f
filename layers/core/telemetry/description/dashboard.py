"""The page for staff, its session, and this description."""

from typing import TypedDict

from telemetry.description import problems
from telemetry.description.operations import ANY_TEXT, Answer, Content, Json, Operation, header, in_path
from telemetry.description.security import NONE, SESSION
from telemetry.web.sessions import ShownSession

TAG = "Page and session"

_CACHED = {"ETag": "Of the content", "Cache-Control": "How long it may be kept"}
_NOT_STORED = {"Cache-Control": "`no-store`"}
_SESSION_COOKIE = _NOT_STORED | {"Set-Cookie": "The cookie of the session"}
_CSRF = header("X-CSRF-Token", {"type": "string"}, "The `csrf` of the session")
_FILES = ("text/html", "text/javascript", "text/css", "image/svg+xml")


class SignIn(TypedDict):
    """The staff key to sign in with."""

    key: str


def _file(
    id_: str, path: str, summary: str, media_types: tuple[str, ...], *more: int, parameters: tuple[Json, ...] = ()
) -> Operation:
    contents = [Content({} if each == "application/json" else ANY_TEXT, {}, each) for each in media_types]
    return Operation(
        id=id_,
        method="get",
        path=path,
        tag=TAG,
        summary=summary,
        security=NONE,
        parameters=parameters,
        answers={
            200: Answer("The file, compressed if the client takes gzip", contents, _CACHED),
            304: Answer("The client has it already (`If-None-Match`)", (), _CACHED),
            **problems.answers(500, *more),
        },
    )


def _redirect(id_: str, path: str) -> Operation:
    return Operation(
        id=id_,
        method="get",
        path=path,
        tag=TAG,
        summary="Leads to the page.",
        security=NONE,
        answers={
            302: Answer("To the page", (), {"Location": "`/admin/telemetry`"} | _NOT_STORED),
            **problems.answers(500),
        },
    )


OPERATIONS = [
    _redirect("open_root", "/"),
    _redirect("open_admin", "/admin"),
    _file("open_page", "/admin/telemetry", "The page, Telemetry Analytics.", ("text/html",)),
    _file(
        "get_asset",
        "/admin/assets/{name}",
        "A file of the page; its hash is in its name.",
        _FILES,
        404,
        parameters=(in_path("name", {"type": "string"}, "The name of the file"),),
    ),
    _file("open_reference", "/docs", "The reference: this description, to read.", ("text/html",)),
    _file("get_description", "/openapi.json", "This description.", ("application/json",)),
    Operation(
        id="begin_session",
        method="post",
        path="/admin/session",
        tag=TAG,
        summary="Signs in: takes a staff key, sets the cookie of a session.",
        security=NONE,
        bodies=[Content(SignIn, {"A staff key": {"key": "tk_staff_REPLACE-WITH-A-KEY"}})],
        answers={204: Answer("Signed in", (), _SESSION_COOKIE), **problems.answers(400, 401, 403, 422, 429, 500, 503)},
    ),
    Operation(
        id="show_session",
        method="get",
        path="/admin/session",
        tag=TAG,
        summary="Who is signed in, and what they need to change anything.",
        security=SESSION,
        answers={
            200: Answer("The session", [Content(ShownSession)], _NOT_STORED),
            **problems.answers(401, 403, 422, 500, 503),
        },
    ),
    Operation(
        id="end_session",
        method="delete",
        path="/admin/session",
        tag=TAG,
        summary="Signs out.",
        description="Without a session there is nothing to do, and that is no error.",
        security=[*SESSION, *NONE],
        parameters=[_CSRF],
        answers={204: Answer("Signed out", (), _SESSION_COOKIE), **problems.answers(403, 422, 500, 503)},
    ),
]
