"""Examples of the dialects, of the reports and of settings, by what they show."""

from typing import Any

_DEVICE = "9b74c9897bac770ffc029102a200c5de"
_LICENSE_KEY = "ACME-7F3K-92QM-XT4B-LL08"
_NOW = 1795249800

_NUMBER = {
    "data_type": "numeric-single-value",
    "numeric_data_single_value": 42.5,
    "data_group": "cpu_load",
    "product_id": "orbit-desktop",
    "product_version": "5.1.0",
    "user_identifier": "ann@example.com",
    "hwid": _DEVICE,
    "country": "DE",
    "metadata": {"os": "linux"},
    "event_id": "7f3c-1",
    "event_at": "2026-11-21T08:30:00Z",
}
_POINT = {
    "data_type": "numeric-xy-axis",
    "numeric_data_x": 1280,
    "numeric_data_y": 720,
    "data_group": "window_size",
    "product_id": "orbit-desktop",
    "hwid": _DEVICE,
}
_TEXT = {
    "data_type": "text",
    "text_data": "started",
    "data_group": "lifecycle",
    "product_id": "orbit-desktop",
    "user_identifier": "ann@example.com",
    "license_key": _LICENSE_KEY,
    "hwid": _DEVICE,
}

EVENTS = {"A number": _NUMBER, "Two numbers": _POINT, "A text": _TEXT, "Several events": {"events": [_NUMBER, _TEXT]}}
EVENT_FORM = {
    "data_type": "text",
    "text_data": "started",
    "data_group": "lifecycle",
    "product_id": "orbit-desktop",
    "metadata[os]": "linux",
}
EVENT_LINES = (
    '{"data_type": "text", "text_data": "started", "data_group": "lifecycle", "product_id": "orbit-desktop"}\n'
    '{"data_type": "text", "text_data": "stopped", "data_group": "lifecycle", "product_id": "orbit-desktop"}\n'
)

_SAVED: dict[str, Any] = {
    "code": 830,
    "message": "Correct format data saved",
    "errors": [],
    "timestamp": _NOW,
}
_MALFORMED = {
    "code": 831,
    "message": "Incorrect format data saved",
    "errors": {"data_type": ["The data type field is required."]},
    "timestamp": _NOW,
}
_TELEMETRY_ID = "VbBBQ9lQUHdaLr1eR4iVZl36y4t3IjXc9AQ"
EVENT_ANSWERS = {
    "Stored": {
        "response": _SAVED,
        "response_base64": "eyJjb2RlIjo4MzAsIm1lc3NhZ2UiOiJDb3JyZWN0IGZvcm1hdCBkYXRhIHNhdmVkIiwiZXJyb3JzIjpbXX0=",
        "private_key_used": "global",
        "telemetry_id": _TELEMETRY_ID,
        "is_flagged": False,
    },
    "Stored, with a field missing": {
        "response": _MALFORMED,
        "response_base64": "eyJjb2RlIjo4MzEsIm1lc3NhZ2UiOiJJbmNvcnJlY3QgZm9ybWF0IGRhdGEgc2F2ZWQifQ==",
        "private_key_used": "global",
        "telemetry_id": _TELEMETRY_ID,
        "is_flagged": True,
    },
    "Several events": {
        "response": _SAVED,
        "results": [
            {"telemetry_id": _TELEMETRY_ID, "status": "stored", "is_flagged": False, "errors": []},
            {"telemetry_id": _TELEMETRY_ID, "status": "duplicate", "is_flagged": False, "errors": []},
        ],
    },
}

LICENSE_REQUESTS = {"A device": {"license_key": _LICENSE_KEY, "identifier": _DEVICE, "product_uuid": "orbit-desktop"}}
LICENSE_FORM = {"license_key": _LICENSE_KEY, "identifier": _DEVICE}

_PUBLIC: dict[str, Any] = {
    "product_uuid": "orbit-desktop",
    "status": "active",
    "expires_at": "2027-12-31T00:00:00Z",
    "activation_limit": 3,
}


def _licensed(code: int, message: str, *, valid: bool, activation: bool = False) -> dict[str, Any]:
    seat = {"id": "3f0a9c1d", "activated_at": "2026-11-21T08:30:00Z", "identifier": _DEVICE}
    response = {"code": code, "message": message, "errors": [], "timestamp": _NOW}
    return {
        "response": {**response, "data": {"uuid": "0d4b7a52-6f0b-4f57-9d0c-2b7b4b8f4a11", **_PUBLIC}},
        "response_base64": "eyJjb2RlIjoyMDB9",
        "private_key_used": "global",
        "code": code,
        "message": message,
        "success": True,
        "valid": valid,
        "license": {"license_key": _LICENSE_KEY, **_PUBLIC, "product_name": "Orbit Desktop", "features": {}},
        **({"activation": seat} if activation else {}),
    }


VERIFIED = {"The device may run": _licensed(200, "Valid license key", valid=True)}
ACTIVATED = {"The device has a seat": _licensed(300, "License key activated", valid=True, activation=True)}
DEACTIVATED = {"The seat is free": _licensed(400, "License key deactivated", valid=False)}

TELEMETRY_PAGE = {
    "One record": {
        "response": {
            "code": 970,
            "message": "Telemetry data found",
            "errors": [],
            "timestamp": _NOW,
            "data": [
                {
                    "id": _TELEMETRY_ID,
                    "user_identifier": "ann@example.com",
                    "license_key": None,
                    "activation_identifier": _DEVICE,
                    "product_id": "orbit-desktop",
                    "product_version": "5.1.0",
                    "data_type": "numeric-single-value",
                    "data_group": "cpu_load",
                    "data": 42.5,
                    "is_correct_format": 1,
                    "license_key_exists": 0,
                    "product_exists": 1,
                    "product_version_exists": 1,
                    "has_red_flags": 0,
                    "created_at": "2026-11-21T08:30:01.250Z",
                    "updated_at": "2026-11-21T08:30:01.250Z",
                }
            ],
            "page": 1,
            "per_page": 25,
            "has_more": False,
            "next": None,
        },
        "response_base64": "eyJjb2RlIjo5NzB9",
        "private_key_used": "global",
    }
}

USAGE = {
    "A use": {
        "payload": {
            "activity_type": "primary",
            "source": "PRODUCT_CLOUD",
            "product_id": "orbit-cli",
            "user_id": "ann@example.com",
            "user_id_type": "EMAIL",
            "ip_addr": "203.0.113.77",
            "event_id": 1795249800123,
            "event_at": _NOW,
            "meta": {"command": "build"},
        }
    }
}
AGGREGATE_USAGE = {
    "Uses of a company": {
        "payload": {
            "activity_type": "primary",
            "source": "PRODUCT_CLOUD",
            "product_id": "orbit-cli",
            "domain": "customer.example",
            "mode": "DOMAIN",
            "count": 120,
            "event_at": _NOW,
        }
    }
}
USAGE_STORED = {"Stored": {"response_code": "200", "response": "Data Uploaded", "status": "success"}}
USAGE_REFUSED = {
    "A bad key": {"response_code": 400, "response": "Authentication Failure", "status": "failure"},
}

_PARAMETERS: dict[str, dict[str, Any]] = {
    "CURRENT_MAU": {},
    "USERS_IN_PAST_DAYS": {"days": 7},
    "ACTIVE_USERS_AS_OF": {"days": 30, "as_of": "2026-11-20"},
    "DAILY_ACTIVE_USERS": {"from": "2026-11-01", "to": "2026-11-20"},
    "PIRACY_COUNTS": {"from": "2026-11-01", "to": "2026-11-20"},
    "DAY_REPORT": {"day": "2026-11-20"},
}
COMPANY_OVERRIDES = {
    "Everything that can be said": {
        "own_networks": ["81.2.69.0/24"],
        "own_domains": ["vendor.example"],
        "ignored_networks": ["2a02:1::/32"],
        "ignored_companies": ["crawler.example", "~o:honey pot"],
        "merged": {"acme.co.uk": "acme.com", "~o:acme inc": "acme.com"},
        "public_mail": ["provider.example"],
        "not_public_mail": ["sfr.fr"],
    }
}

REPORT_QUESTIONS = {
    name: {"requestObject": {"name": name, "parameters": {"application": "orbit-desktop", **parameters}}}
    for name, parameters in _PARAMETERS.items()
}
REPORT_ANSWERS = {
    "CURRENT_MAU": {
        "status": "OK",
        "responseObject": {
            "name": "CURRENT_MAU",
            "reportData": {"application": "orbit-desktop", "users": 1234, "days": 30},
        },
    }
}
REPORT_FAILURES = {
    "A parameter is missing": {
        "status": "ERROR",
        "responseObject": {
            "code": "ERROR_TELEMETRY",
            "message": "Missing parameter 'days'.",
            "localizedMessage": "Missing parameter 'days'.",
        },
    }
}

ACTIVE_USERS = {
    "The users of a month": {
        "environment": "production",
        "application": "orbit-desktop",
        "days": 31,
        "as_of": "2026-10-31",
        "audience": "users",
        "users": 1234,
        "closed_at": "2026-11-01T01:30:04Z",
        "computed_at": "2026-11-01T01:30:02Z",
        "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "definition": {
            "window_start": "2026-10-01T00:00:00Z",
            "window_end": "2026-11-01T00:00:00Z",
            "zone": "UTC",
            "clock": "time of receipt by the server; window_start is included, window_end is not",
            "user": "the user a record names; where it names none, its device",
            "audiences": ["users"],
            "excluding_flags": ["INVALID_LICENSE", "REVOKED_LICENSE"],
            "counts": {"users": "distinct users with a record that carries none of excluding_flags, in the window"},
        },
    }
}
MONTHS = {
    "A month that is final": {
        "environment": "production",
        "application": "orbit-desktop",
        "from": "2026-10",
        "to": "2026-10",
        "audience": "users",
        "rows": [
            {
                "month": "2026-10",
                "through": "2026-10-31",
                "final": True,
                "users": 1234,
                "new": 120,
                "returning": 1064,
                "back": 50,
                "lost": 97,
                "records": 90_210,
                "flagged": 84,
                "closed_at": "2026-11-01T01:30:04Z",
                "computed_at": "2026-11-01T01:30:02Z",
                "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            }
        ],
        "closed_at": "2026-11-01T01:30:04Z",
        "computed_at": "2026-11-01T01:30:02Z",
        "digest": "7ace431cb61584cb9b8dc7ec08cf38ac0a2d649660be86d349fb43108b542fa4",
        "definition": {
            "window_start": "2026-10-01T00:00:00Z",
            "window_end": "2026-11-01T00:00:00Z",
            "zone": "UTC",
            "clock": "time of receipt by the server; window_start is included, window_end is not",
            "user": "the user a record names; where it names none, its device",
            "audiences": ["users"],
            "excluding_flags": ["INVALID_LICENSE", "REVOKED_LICENSE"],
            "counts": {"new": "those who were not active in the eleven months before"},
        },
    }
}
APPLICATIONS = {
    "Two applications": {
        "environment": "production",
        "closed_through": "2026-11-20",
        "items": [
            {"application": "*", "name": "All applications", "registered": True},
            {"application": "orbit-desktop", "name": "Orbit Desktop", "registered": True},
        ],
    }
}
