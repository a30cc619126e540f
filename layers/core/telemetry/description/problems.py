"""Problem details (RFC 9457), which our own routes answer: what each problem means, and what helps."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from telemetry.description.operations import Json
from telemetry.web.problems import ALL, CONTENT_TYPE, TYPE_PREFIX

EXPLANATIONS: Mapping[str, str] = {
    "unauthenticated": (
        "The request has no API key, or one that was never issued, was revoked or has expired; or its session has "
        "ended. `detail` says which. Send a good key as `Authorization: Bearer` or `X-API-KEY`, or sign in again. A "
        "staff key is never taken from the query."
    ),
    "cross-site-request": (
        "A change came with a session, but not from our own page. Send the header `X-CSRF-Token` with the `csrf` that "
        "`GET /admin/session` answers, from the same origin."
    ),
    "forbidden": (
        "The key is good, but not for this: its role or its capabilities do not allow it, it does not open the "
        "environment, or the caller's address is not in its allowed networks. `detail` says which; use another key."
    ),
    "not-found": (
        "No route has this path and method, or nothing has this id in the environments that the key opens. `detail` "
        "says which."
    ),
    "damaged": "The record is there, but its body cannot be read any more. `detail` says what is damaged.",
    "forgotten": (
        "The record is there, but its user or device is forgotten: its body is not shown any more. Everything else of "
        "it is."
    ),
    "already-exists": "There is one with this id or key already. Change that one, or choose another id.",
    "action-not-allowed": (
        "The state of the thing does not allow this action; `detail` names the state. Read it, and act on what it is."
    ),
    "stale-version": (
        "It was changed since it was read, or `If-Match` holds no ETag of ours. Read it again, and send its new ETag."
    ),
    "changed-meanwhile": "Others keep changing it at the same time. Send the request again.",
    "version-required": "A change needs the header `If-Match` with the ETag of what was read.",
    "invalid-cursor": (
        "The cursor was not given for this list with these filters. Begin at the first page, or keep path and filters."
    ),
    "unreadable-body": "The body must be one JSON object in UTF-8: no list, no form, and not empty.",
    "unsupported-media-type": "A body must have the content type `application/json`.",
    "too-wide": "The answer would take reading too many records. Ask for less: a shorter time, or more filters.",
    "unavailable": "Storage did not answer in time. Send the request again after `Retry-After` seconds.",
    "invalid-fields": (
        "Parameters or fields of the body are wrong; `errors` names each one and says what is allowed. A parameter "
        "that the route does not know is wrong too, and so is one that is given twice."
    ),
    "day-not-closed": (
        "The day has no final report yet; `detail` names the first such day. Ask again after `Retry-After` seconds."
    ),
    "too-many-attempts": "Too many wrong keys came from this address. Wait for `Retry-After` seconds.",
    "internal-error": "It is our fault. The log has the cause under `request_id`.",
}
"""What was wrong, and what is allowed, by type."""

_HEADERS = {
    401: {"WWW-Authenticate": "The scheme to use"},
    503: {"Retry-After": "Seconds to wait"},
}


def schema() -> Json:
    """The component `Problem`. Each type is a section of the reference."""
    types = [
        {"const": TYPE_PREFIX + each.type, "title": each.title, "description": EXPLANATIONS[each.type]}
        | {"x-status": each.status}
        for each in sorted(ALL.values(), key=lambda problem: (problem.status, problem.type))
    ]
    texts = {"title": "In a few words", "detail": "What was wrong with this request", "instance": "The path"}
    return {
        "description": "Problem details (RFC 9457).",
        "type": "object",
        "required": ["type", "title", "status", "detail", "instance", "request_id"],
        "properties": {
            "type": {
                "type": "string",
                "format": "uri-reference",
                "description": "Relative to the address of the API; it leads to the section about the problem.",
                "oneOf": types,
            },
            **{name: {"type": "string", "description": meaning} for name, meaning in texts.items()},
            "status": {"type": "integer", "description": "The HTTP status"},
            "request_id": {"type": "string", "description": "Under which the log has more"},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/WrongField"}},
        },
    }


WRONG_FIELD: Json = {
    "description": "A parameter or a field of the body that is wrong.",
    "type": "object",
    "required": ["field", "message"],
    "properties": {
        "field": {"type": "string", "description": "Its name; a dot leads into an object"},
        "message": {"type": "string", "description": "What is wrong, or what is allowed"},
    },
}


def responses() -> Json:
    """The components for answers with problems, by name: one for each status."""
    by_status = defaultdict(list)
    for each in ALL.values():
        by_status[each.status].append(each)
    return {
        f"Problem{status}": _response(status, " or ".join(sorted(each.title for each in problems)))
        for status, problems in sorted(by_status.items())
    }


def answers(*statuses: int) -> dict[int, Json]:
    """Answers with problems, for an operation."""
    return {status: {"$ref": f"#/components/responses/Problem{status}"} for status in statuses}


def _response(status: int, meaning: str) -> Json:
    headers: Mapping[str, str] = _HEADERS.get(status, {})
    described: dict[str, Any] = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()
    }
    return {
        "description": meaning,
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        **({"headers": described} if described else {}),
    }
