"""Compressed JSON, for attributes that no query looks into."""

import json
import zlib
from typing import Any

MOST, QUICK = 9, 1
"""How much to compress: what is written once and read often; what is written as often as read."""


def deflated_json(value: object, level: int = MOST) -> bytes:
    """Compact JSON, compressed."""
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode(), level)


def inflated_json(stored: bytes) -> Any:  # noqa: ANN401 (JSON)
    """The inverse of `deflated_json`."""
    return json.loads(zlib.decompress(stored))
