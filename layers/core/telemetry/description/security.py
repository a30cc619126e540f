"""Ways to send a key, and which of them an operation takes."""

from telemetry.description.operations import Json

SCHEMES: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "`Authorization: Bearer KEY`, with an SDK key or a staff key.",
    },
    "header": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-KEY",
        "description": "`X-API-KEY: KEY`, with an SDK key or a staff key.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "HTTP Basic: the user is the id of the key, the password is the key.",
    },
    "query": {
        "type": "apiKey",
        "in": "query",
        "name": "api_key",
        "description": "`?api_key=KEY`, with an SDK key only: addresses are kept in logs and histories.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-session",
        "description": (
            "The cookie of a session (`POST /admin/session`). A change also needs the header `X-CSRF-Token`, and must "
            "come from our own page. On plain http to this machine the cookie is called `session`."
        ),
    },
}

SDK: list[Json] = [{"bearer": []}, {"header": []}, {"basic": []}, {"query": []}]
"""SDK keys."""

REPORTS: list[Json] = [*SDK, {"session": []}]
"""SDK keys that may report, staff keys, which are not taken from the query, and sessions of staff."""

STAFF: list[Json] = [{"bearer": []}, {"header": []}, {"basic": []}, {"session": []}]
"""Staff keys, and sessions of staff."""

SESSION: list[Json] = [{"session": []}]

NONE: list[Json] = [{}]
"""Open to all."""
