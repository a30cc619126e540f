"""Compressed JSON, for attributes that no query looks into."""

import json
import zlib
from typing import Any


def deflated_json(value: object) -> bytes:
    """Compact JSON, compressed as much as possible: it is written once and read often."""
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode(), level=9)


def inflated_json(stored: bytes) -> Any:  # noqa: ANN401 (JSON)
    """The inverse of `deflated_json`."""
    return json.loads(zlib.decompress(stored))
