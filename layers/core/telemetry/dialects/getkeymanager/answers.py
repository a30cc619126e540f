"""The GetKeyManager dialect: the envelope of every answer, and the answers to telemetry (docs/protocols.md)."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from telemetry.dialects.failure import Answer
from telemetry.domain.event import Event

DATA_SAVED = 830
MALFORMED_DATA_SAVED = 831

_MESSAGES = {DATA_SAVED: "Correct format data saved", MALFORMED_DATA_SAVED: "Incorrect format data saved"}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one event.

    `telemetry_id` is None when it is not stored; `status` is `stored`, `duplicate`, `conflict` or `failed`.
    """

    telemetry_id: str | None
    status: str
    is_flagged: bool
    errors: Mapping[str, Sequence[str]]

    @property
    def code(self) -> int:
        return MALFORMED_DATA_SAVED if self.errors else DATA_SAVED


def with_product_error(event: Event) -> dict[str, Sequence[str]]:
    """The event's errors plus the one for a product that is not registered, where anything of it could be read.

    A product id that is no text has its error already.
    """
    if "body" in event.errors or (event.product_id is None and "product_id" in event.errors):
        return dict(event.errors)
    message = "The selected product id is invalid." if event.product_id else "The product id field is required."
    return {**event.errors, "product_id": [*event.errors.get("product_id", ()), message]}


def answer(result: Result, now: datetime) -> Answer:
    """The answer to a single event: HTTP 200, also for bad data."""
    response = status_of(result.code, _MESSAGES[result.code], as_list(result.errors), now)
    return {**envelope(response), "telemetry_id": result.telemetry_id, "is_flagged": result.is_flagged}


def batch_answer(results: Sequence[Result], now: datetime) -> Answer:
    """The answer to a batch: one result per event, in order."""
    code = max((result.code for result in results), default=DATA_SAVED)
    return {
        "response": status_of(code, _MESSAGES[code], [], now),
        "results": [
            {
                "telemetry_id": result.telemetry_id,
                "status": result.status,
                "is_flagged": result.is_flagged,
                "errors": as_list(result.errors),
            }
            for result in results
        ],
    }


def envelope(response: Answer) -> Answer:
    """The members that stand around a response. There is no signature, so SDKs check none."""
    return {
        "response": response,
        "response_base64": b64encode(json.dumps(response, separators=(",", ":")).encode()).decode(),
        "private_key_used": "global",
    }


def status_of(code: int, message: str, errors: object, now: datetime) -> Answer:
    """The members that every response begins with."""
    return {"code": code, "message": message, "errors": errors, "timestamp": int(now.timestamp())}


def as_list(errors: Mapping[str, Sequence[str]]) -> object:
    """PHP clients know an empty list and a filled object."""
    return {name: list(messages) for name, messages in errors.items()} if errors else []
