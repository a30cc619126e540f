"""Bodies and requests as nobody should send them, made from a seed."""

import gzip
import json
from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple
from urllib.parse import urlencode

from telemetry.domain.api_key import KEY_PREFIXES

TELEMETRY = ("/api/v1/telemetry", "/api/v1/send-telemetry", "/v1/send-telemetry-data")
USAGE = ("/api/product/usage", "/api/product/aggregateusage")
LICENSING = ("/api/v1/verify", "/v1/activate", "/api/v1/deactivate")
MEDIA_TYPES = (
    "application/json", "text/plain", "application/x-ndjson", "application/octet-stream", "", "nonsense", "*/*",
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "application/json; charset=utf-16",
)  # fmt: skip

_TEXTS = (
    "", " ", "x", "#", "%", "a#b%23", "~unknown", "~other", "*", "__proto__", "=1+1", "unknown", "null", "\x00",
    "\ufeff", "\u200b", "ü", "\u0075\u0308", "\U0001f600" * 16, "\u202e", "\ud800", "<b>", "'; --", "../..", "a" * 300,
    "z" * 3_000, "2026-11-21T08:30:00Z", "1795249799", "someone@example.com", "acme-cli", "acme-desktop",
    "tk_prod_" + "k" * 40,
)  # fmt: skip
_NUMBERS = (0, -1, 1, 1.5, 1e300, 10**30, 1795249799, 1795249799000, 20261125, 2**63)
_FIELDS = (
    "data_type", "data_group", "text_data", "numeric_data_single_value", "numeric_data_x", "numeric_data_y",
    "license_key", "activation_identifier", "hwid", "user_identifier", "product_id", "product_version", "country",
    "metadata", "flags",
    "event_id", "event_at", "api_key", "events", "payload", "activity_type", "source", "environment", "user_id",
    "user_id_type", "ip_addr", "domain", "user_agent", "meta", "mode", "count", "identifier", "hardwareId",
    "product_uuid",
)  # fmt: skip
_NO_JSON = ("NaN", "1e400", "9" * 5_000, "{bad}", "[" * 3_000, '"', "\\", "nil", "01", '{"a":NaN}')


class Sent(NamedTuple):
    """A request to ingest or licensing."""

    path: str
    media_type: str
    body: bytes


def request(random: Random, api_key: str, paths: Sequence[str] = TELEMETRY + USAGE + LICENSING) -> Sent:
    """Anything; the key may be in the body as well."""
    path = random.choice(paths)
    return Sent(path, random.choice(MEDIA_TYPES), _body(random, api_key, path))


def query(random: Random, names: Sequence[str]) -> dict[str, str]:
    """Parameters of a route that reads."""
    chosen = random.sample(list(names), random.randrange(0, min(4, len(names)) + 1))
    return {name: _encodable(str(_scalar(random, ""))) for name in chosen}


def _body(random: Random, api_key: str, path: str) -> bytes:
    events = [_event(random, api_key) for _ in range(random.choice((1, 1, 2, 3, 8)))]
    if path in USAGE:
        events = [{"payload": event} if random.random() < 0.8 else event for event in events]
    way = random.randrange(9)
    match way:
        case 0 | 1:
            body = _json(random, events[0])
        case 2:
            body = _json(random, events)
        case 3:
            body = b'{"events":' + _json(random, events) + b',"api_key":"' + api_key.encode() + b'"}'
        case 4:
            body = random.choice((b"\n", b"\r\n", b"\n\n")).join(_json(random, event) for event in events)
        case 5:
            elements = [_json(random, event) for event in events]
            elements.insert(random.randrange(len(elements) + 1), random.choice(_NO_JSON).encode())
            body = b"[" + b",".join(elements) + b"]"
        case 6:
            body = urlencode([(name, _encodable(str(value))) for name, value in events[0].items()]).encode()
        case 7:
            parts = [
                f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{_encodable(str(value))}\r\n'
                for name, value in events[0].items()
            ]
            body = "".join(parts).encode() + b"--b--"
        case _:
            body = random.randbytes(random.choice((0, 1, 20, 2_000)))
    return _damaged(random, body)


def _damaged(random: Random, body: bytes) -> bytes:
    chance = random.random()
    if chance < 0.1:
        return body[: random.randrange(len(body) + 1)]
    if chance < 0.2 and body:
        place = random.randrange(len(body))
        return body[:place] + random.randbytes(3) + body[place + 1 :]
    if chance < 0.25:
        return b"\xef\xbb\xbf" + body
    if chance < 0.35:
        return gzip.compress(body)
    return gzip.compress(body)[:-5] if chance < 0.38 else body


def _json(random: Random, value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=random.random() < 0.7)
    return text.encode("utf-8", "surrogatepass")


def _event(random: Random, api_key: str) -> dict[str, Any]:
    event = {name: _value(random, api_key, 3) for name in random.sample(_FIELDS, random.randrange(0, 12))}
    if random.random() < 0.6:
        event |= {"data_type": "text", "text_data": "x", "data_group": "g", "product_id": "acme-cli"}
    if random.random() < 0.5:
        event |= {"event_id": f"e{random.randrange(40)}", "user_identifier": f"user {random.randrange(20)}"}
    return event


def _value(random: Random, api_key: str, depth: int) -> object:
    chance = random.random()
    if depth == 0 or chance < 0.8:
        return _scalar(random, api_key)
    if chance < 0.9:
        return [_value(random, api_key, depth - 1) for _ in range(random.randrange(4))]
    return {str(_scalar(random, api_key)): _value(random, api_key, depth - 1) for _ in range(random.randrange(4))}


def _scalar(random: Random, api_key: str) -> object:
    keys = [api_key] * 2 + [random.choice(KEY_PREFIXES) + "A" * 40]
    return random.choice((*_TEXTS, *_NUMBERS, None, True, False, *(keys if api_key else ())))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
