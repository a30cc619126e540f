"""Examples of answers about developers and companies."""

from typing import Any

_JANE, _MAC, _DEVICE = "mXyjJ2uS1kCq0mVn3b9fQw", "Zk3h0bqkD1Yx8sVw5nT2Hg", "a9Qe4rT7uI0oP3sD6fG9hA"

_ABOUT: dict[str, Any] = {
    "environment": "production",
    "product": "orbit-desktop",
    "profiles": True,
    "closed_day": "2026-11-20",
    "closed_at": "2026-11-21T00:52:10.000Z",
    "view": 0,
    "network_file": None,
    "missing": (
        "There was no network file, so only domains tell companies. Missing are companies that only an address tells, "
        "and all countries."
    ),
}
_ACME = {"id": "acme.com", "name": "acme.com", "source": "domain", "confidence": 3}
_WEEKS = [0, 0, 0, 12, 30, 28, 31, 29, 40, 38, 44, 41, 52]


def _uses(builds: int, docs: int, calls: int) -> dict[str, Any]:
    found = [
        {"activity_type": "build", "label": "Ran a build", "level": "primary", "uses": builds},
        {"activity_type": "docs", "label": "Opened the docs", "level": "secondary", "uses": docs},
        {"activity_type": "CALL_HOME", "label": None, "level": "unclassified", "uses": calls},
    ]
    return {
        "total": builds + docs + calls,
        "primary": builds,
        "secondary": docs,
        "unclassified": calls,
        "activities": found,
    }


def _activity(uses: dict[str, Any]) -> dict[str, Any]:
    return {
        "first_day": "2026-09-14",
        "last_day": "2026-11-20",
        "active_days": 19,
        "active_days_before": 14,
        "uses": uses,
        "weeks": _WEEKS,
    }


_TOTALS = {
    "developers": 214,
    "companies": 37,
    "uses": _uses(9_310, 2_204, 610),
    "unattributed": _uses(1_020, 311, 204),
}
_LIST = {**_ABOUT, "order": "active", "listed": 1_000, "totals": _TOTALS, "new": [], "next": None}
_VIEWER = {**_LIST, "total": None, "items": []}
_OFF = {
    **_VIEWER,
    **dict.fromkeys(("closed_day", "closed_at", "view", "network_file", "missing", "listed", "totals")),
    "profiles": False,
    "total": 0,
}
_COMPANY_ITEM = {
    **_ACME,
    "developers": 6,
    "developers_before": 4,
    "activity": _activity(_uses(140, 30, 12)),
    "countries": ["DE", "GB"],
    "active_today": True,
    "new_today": False,
}
_JANES_NAME = {"id": _JANE, "name": "jane@acme.com", "id_type": "EMAIL"}
_DEVELOPER_ITEM = {
    **_JANES_NAME,
    "company": _ACME,
    "carried": False,
    "activity": _activity(_uses(48, 9, 4)),
    "active_today": True,
    "new_today": False,
}
_AT_ACME = {
    "developer": _JANES_NAME,
    "forgotten": False,
    "company": _ACME,
    "activity": _activity(_uses(132, 22, 14)),
    "uses": _uses(310, 64, 40),
    "versions": ["2.4.0", "2.3.1"],
    "countries": ["DE"],
}

COMPANIES = {
    "One company": {**_LIST, "total": 1, "items": [_COMPANY_ITEM]},
    "What a viewer gets": _VIEWER,
    "A product whose companies are not listed": _OFF,
}
DEVELOPERS = {"One developer": {**_LIST, "total": 1, "items": [_DEVELOPER_ITEM]}, "What a viewer gets": _VIEWER}
COMPANY = {
    "A company": {
        **_ABOUT,
        "company": _ACME,
        "first_day": "2026-09-14",
        "last_day": "2026-11-20",
        "active_today": True,
        "developers": 6,
        "developers_before": 4,
        "activity": _activity(_uses(140, 30, 12)),
        "countries": ["DE", "GB"],
        "anonymous": None,
        "items": [_AT_ACME],
        "next": None,
    }
}
DEVELOPER = {
    "A developer": {
        **_ABOUT,
        **_JANES_NAME,
        "forgotten": False,
        "first_day": "2026-09-14",
        "active_today": True,
        "company": _ACME,
        "carried": False,
        "activity": _activity(_uses(48, 9, 4)),
        "at": [_AT_ACME],
        "links": [
            {
                "id": _MAC,
                "name": "jane-at-home",
                "id_type": "GITHUB",
                "device": _DEVICE,
                "seen_on": "2026-11-02",
                "undone": False,
            }
        ],
        "shared_devices": 0,
    }
}
