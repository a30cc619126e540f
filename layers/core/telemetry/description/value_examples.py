"""Examples of answers about values."""

_STATS = {"values": 310, "min": 212.0, "mean": 640.25, "p50": 611.7, "p95": 1_180.4, "max": 2_950.0, "error": 0.0154}

VALUES = {
    "Start-up times of two versions": {
        "environment": "production",
        "product": "orbit-desktop",
        "from": "2026-11-20T00:00:00.000Z",
        "to": "2026-11-21T00:00:00.000Z",
        "bucket": "day",
        "as_of": "2026-11-21T08:30:00.000Z",
        "groups": [
            {"group": "gpu-vendor", "type": "text", "values": 288, "versions": 2}
            | {"last_seen": "2026-11-20T23:41:07.250Z"},
            {"group": "startup-ms", "type": "numeric-single-value", "values": 310, "versions": 2}
            | {"last_seen": "2026-11-20T23:41:07.250Z"},
        ],
        "group": "startup-ms",
        "version": None,
        "series": [
            {
                "type": "numeric-single-value",
                "total": _STATS,
                "buckets": [{"start": "2026-11-20T00:00:00.000Z", "closed": True, "stats": _STATS}],
                "versions": [
                    {"version": "5.0.1", **_STATS, "values": 250, "p95": 1_090.8},
                    {"version": "5.0.0", **_STATS, "values": 60, "p95": 1_402.5},
                ],
            }
        ],
        "days": [
            {
                "day": "2026-11-20",
                "closed": True,
                "records": 604,
                "unread": 0,
                "missing": 0,
                "complete": True,
                "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            }
        ],
    }
}
