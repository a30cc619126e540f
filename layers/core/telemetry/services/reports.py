"""Finance's questions, answered from the aggregates."""

from datetime import date
from typing import Protocol

from telemetry.domain.active_users import Audience, Ledger, count_active

LONGEST_SCOPE = 1_024
"""Bytes of UTF-8. Nothing longer is ever counted, nor can it be asked for in DynamoDB (2,048 with our prefix)."""


class LedgerStore(Protocol):
    """Where balances and tallies are read."""

    def ledger(self, scope: str, today: int) -> Ledger: ...


def active_users(scope: str, days: int, today: date, audience: Audience, store: LedgerStore) -> int:
    """Unique actors of `audience` active in `scope` on at least one of the `days` (1–365) UTC days up to `today`.

    `scope` is a product id, UNKNOWN_PRODUCT or CATALOGUE; one that never had traffic has 0. One Query, whatever the
    number of users, as long as yesterday is closed.
    """
    if not _could_have_traffic(scope):
        return 0
    ordinal = today.toordinal()
    return count_active(store.ledger(scope, ordinal), audience, days, ordinal)


def _could_have_traffic(scope: str) -> bool:
    try:
        return len(scope.encode()) <= LONGEST_SCOPE
    except UnicodeEncodeError:  # a lone surrogate, which JSON can spell
        return False
