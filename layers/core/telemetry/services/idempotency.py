"""Gives the same answer to the same request, however often it comes, and at whatever speed."""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from telemetry.domain.errors import KeyReused, StoreUnavailable
from telemetry.domain.keyring import Keyring, Purpose
from telemetry.retry import Deadline
from telemetry.storage.idempotency import IdempotencyStore

Answer = tuple[int, Any]
"""HTTP status and JSON body."""


def once(
    who_and_key: tuple[str, ...],
    request: bytes,
    act: Callable[[], Answer],
    keys: IdempotencyStore,
    keyring: Keyring,
    now: datetime,
    deadline: Deadline,
) -> Answer:
    """The answer kept for this key, else the answer of `act`, which is kept before it is returned.

    A request that comes while another one acts waits for its answer. Raises KeyReused when the key was used for another
    request, StoreUnavailable when there is no answer in time; asking again is right then.
    """
    name = keyring.mac(Purpose.IDEMPOTENCY, "\0".join(who_and_key).encode("utf-8", "surrogatepass")).hex()
    content = keyring.mac(Purpose.IDEMPOTENCY, b"request\0" + request)
    claim = secrets.token_hex(8)
    for _ in deadline.attempts():
        kept = keys.claim(name, content, claim, now)
        if kept.request != content:
            raise KeyReused
        if kept.answer is not None:
            return kept.answer
        if kept.claim == claim:
            return _act(name, claim, act, keys)
    raise StoreUnavailable("the answer to the same request")


def _act(name: str, claim: str, act: Callable[[], Answer], keys: IdempotencyStore) -> Answer:
    try:
        answer = act()
    except Exception:
        keys.release(name, claim)
        raise
    if not keys.keep(name, claim, answer):
        raise StoreUnavailable("the answer that another request is giving")
    return answer
