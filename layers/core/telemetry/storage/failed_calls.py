"""Failed calls by the hour, in the registry: of most of them no environment is known."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zlib import crc32

from pynamodb.attributes import NumberAttribute, UnicodeSetAttribute
from pynamodb.expressions.condition import size
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from telemetry.domain.environment import Environment
from telemetry.domain.failed_call import OTHERS, Caller, FailedCalls
from telemetry.domain.instant import from_hour_text, hour_text, to_seconds
from telemetry.storage.errors import ConditionFailed, conditions, store
from telemetry.storage.tables import CountersItem, bind, brief_client

RETENTION = timedelta(days=30)

SLOTS = 16
"""Items of an hour: each stays below 1 KB, which is what a write costs by."""

CALLERS_PER_SLOT = 12
"""So that an hour of an environment has room for 192 callers."""

_UNKNOWN = "unknown"


class FailedCallsItem(CountersItem):
    """Some callers of an hour. pk `failed_calls#production` (or `failed_calls#unknown`), sk `2026-11-21T08#3`.

    Each has a counter like `bad_key#a1b2#192.0.2.7`, and a mark among those `known`, whose number is limited.
    """

    known = UnicodeSetAttribute(null=True)
    expires_at = NumberAttribute()

    @property
    def calls(self) -> Mapping[Caller, int]:
        return {_caller(name): count for name, count in self.counters.items()}


@store("failed calls")
@dataclass(frozen=True, slots=True)
class FailedCallStore:
    """Reads and adds. Raises StoreUnavailable; adding does so within a second, and tries once."""

    table: str

    def add(self, environment: Environment | None, caller: Caller, hour: datetime, calls: int = 1) -> bool:
        """Adds calls of an hour: one write. False, and nothing is added, when there is no room for another caller."""
        model, known = bind(FailedCallsItem, self.table, brief_client), FailedCallsItem.known
        mark = f"{crc32(_name(caller).encode()):08x}"
        distinct = size(known)  # type: ignore[no-untyped-call]
        has_room = known.does_not_exist() | (distinct < CALLERS_PER_SLOT) | known.contains(mark)
        actions: list[Action] = [Path([_name(caller)]).add(calls), model.expires_at.set(to_seconds(hour + RETENTION))]
        if caller != OTHERS:
            actions.append(known.add({mark}))
        item = model(_partition(environment), f"{hour_text(hour)}#{slot_of(caller):x}")
        try:
            with conditions():
                item.update(actions, condition=None if caller == OTHERS else has_room)
        except ConditionFailed:
            return False
        return True

    def hours(self, environment: Environment | None, first: datetime, last: datetime) -> Iterator[FailedCalls]:
        """The hours with failed calls from `first`'s to `last`'s, the latest first."""
        model, calls, hour = bind(FailedCallsItem, self.table), Counter[Caller](), None
        hours = model.sk.between(hour_text(first), f"{hour_text(last)}$")
        for item in model.query(_partition(environment), hours, scan_index_forward=False):
            at = from_hour_text(item.sk.partition("#")[0])
            if hour is not None and at != hour:
                yield FailedCalls(environment, hour, calls)
                calls = Counter()
            hour = at
            calls.update(item.calls)
        if hour is not None:
            yield FailedCalls(environment, hour, calls)


def slot_of(caller: Caller) -> int:
    """Which of an hour's items a caller is in."""
    return crc32(_name(caller).encode()[::-1]) % SLOTS


def _partition(environment: Environment | None) -> str:
    return f"failed_calls#{environment.value if environment else _UNKNOWN}"


def _name(caller: Caller) -> str:
    return "#".join(caller)


def _caller(name: str) -> Caller:
    """A key may have the separator in it; neither a cause nor an address has."""
    cause, _, rest = name.partition("#")
    shown, _, source_ip = rest.rpartition("#")
    return Caller(cause, shown, source_ip)
