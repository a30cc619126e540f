"""Answers that are given again to whoever asks the same under the same Idempotency-Key."""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.instant import to_milliseconds, to_seconds
from telemetry.storage.errors import ConditionFailed, conditions, store
from telemetry.storage.tables import KeyedItem, bind, found_item

RETENTION = timedelta(hours=24)

LEASE = timedelta(seconds=30)
"""Longer than the function may run: after it, whoever claimed a key and gave no answer never will."""

_SORT = "idempotency"


class IdempotencyItem(KeyedItem):
    """A key and its answer. pk `idempotency#<mac of who asked what under which key, hex>`.

    `request` is a mac of the request's content, `claim` names the invocation at work. TTL deletes at `expires_at`.
    """

    sk = UnicodeAttribute(range_key=True, default=_SORT)
    request = BinaryAttribute(legacy_encoding=False)
    claim = UnicodeAttribute()
    claimed_until = NumberAttribute()
    answer = UnicodeAttribute(null=True)
    expires_at = NumberAttribute()


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands under a key: whose claim, for which request, and the answer once there is one."""

    request: bytes
    claim: str
    answer: tuple[int, Any] | None


@store("idempotency keys")
@dataclass(frozen=True, slots=True)
class IdempotencyStore:
    """Keys in the registry. Raises StoreUnavailable."""

    table: str

    def claim(self, name: str, request: bytes, claim: str, now: datetime) -> Kept:
        """Takes a key that is free, or whose holder is gone; gives what stands under it then.

        Free is also one that expired: TTL deletes late.
        """
        model = bind(IdempotencyItem, self.table)
        item = model(
            _partition(name),
            request=request,
            claim=claim,
            claimed_until=to_milliseconds(now + LEASE),
            expires_at=to_seconds(now + RETENTION),
        )
        abandoned = (
            model.answer.does_not_exist() & (model.claimed_until <= to_milliseconds(now)) & (model.request == request)
        )
        free = model.pk.does_not_exist() | (model.expires_at <= to_seconds(now)) | abandoned
        try:
            with conditions():
                item.save(condition=free)
        except ConditionFailed:
            item = self._holder(name)
        status_and_body = json.loads(item.answer) if item.answer else None
        return Kept(bytes(item.request), item.claim, tuple(status_and_body) if status_and_body else None)

    def keep(self, name: str, claim: str, answer: tuple[int, Any]) -> bool:
        """Keeps the answer; False when somebody else holds the key by now."""
        model = bind(IdempotencyItem, self.table)
        text = json.dumps(answer, separators=(",", ":"))
        mine = (model.claim == claim) & (model.answer.does_not_exist() | (model.answer == text))
        try:
            with conditions():
                model(_partition(name), _SORT).update([model.answer.set(text)], condition=mine)
        except ConditionFailed:
            return False
        return True

    def release(self, name: str, claim: str) -> None:
        """Lets others have the key at once."""
        model = bind(IdempotencyItem, self.table)
        mine = (model.claim == claim) & model.answer.does_not_exist()
        with suppress(ConditionFailed), conditions():
            model(_partition(name), _SORT).update([model.claimed_until.set(0)], condition=mine)

    def _holder(self, name: str) -> IdempotencyItem:
        if item := found_item(bind(IdempotencyItem, self.table), _partition(name), _SORT):
            return item
        raise StoreUnavailable("idempotency keys")  # TTL has just removed it


def _partition(name: str) -> str:
    """`idempotency#9f86d081…`, of a key's name."""
    return f"idempotency#{name}"
