"""Actors, tallies, balances and how far days are closed, as items of an environment's aggregates, and back."""

import json
from base64 import urlsafe_b64encode
from collections import Counter
from datetime import date
from itertools import pairwise

from pynamodb.attributes import Attribute, BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.constants import STRING

from telemetry.domain.active_users import BEGINNING, COUNTERS, Audience, Balance, History, Place, Tally
from telemetry.storage.deflated_json import deflated_json, inflated_json
from telemetry.storage.tables import CountersItem, KeyedItem, TableItem

SLICES = 4
"""Parts of a tally: all stream shards write the catalogue's, and an item takes one transaction at a time."""

SCOPES = "scopes"
"""The partition of all scopes that ever had traffic."""

_AUDIENCES = tuple(Audience)
_LETTERS = {Audience.USERS: "u", Audience.ALL_USERS: "a", Audience.DEVICES: "d"}
_BY_LETTER = {letter: audience for audience, letter in _LETTERS.items()}
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def actor_key(fingerprint: bytes) -> str:
    """`actor#AQIDBA`, of the fingerprint 01 02 03 04."""
    return f"actor#{urlsafe_b64encode(fingerprint).rstrip(b'=').decode()}"


def actor_sort_key(scope: str | None) -> str:
    """`days`, or `days#editor` of a scope that lies apart."""
    return "days" if scope is None else f"days#{scope}"


def scope_key(scope: str) -> str:
    """`uniques#editor`, `uniques#~unknown`, `uniques#*`."""
    return f"uniques#{scope}"


def tally_key(day: int, slice_: int) -> str:
    """`2026-11-03#1#2`: part 2 of what happened on 3 November."""
    return f"{date.fromordinal(day)}#1#{slice_}"


def opening_key(day: int) -> str:
    """`2026-11-03#0`: the balance of 2 November, before everything of 3 November.

    Kept as an opening balance because a report then reads backwards from today and is done at the first one it meets.
    """
    return f"{date.fromordinal(day)}#0"


def day_of(sort_key: str) -> int:
    """The ordinal of the day in a tally's or opening balance's sort key."""
    return date.fromisoformat(sort_key[:10]).toordinal()


def counter_name(audience: Audience, age: int) -> str:
    """`00` … `UH`, base 36: the 366 ages of `users`, then of `all_users`, then of `devices`.

    Two characters, because a report reads up to 4 × 1,098 of them. Upper case, so none is called like a key.
    """
    high, low = divmod(_AUDIENCES.index(audience) * COUNTERS + age, len(_DIGITS))
    return _DIGITS[high] + _DIGITS[low]


_COUNTER_NAMES = {counter_name(audience, age): (audience, age) for audience in Audience for age in range(COUNTERS)}


class HistoryAttribute(Attribute[History]):
    """`{"editor":{"u":[739923,1,6,0]}}`: by scope and audience the last active day, then the steps back.

    A final 0 says that there was nothing before. Steps instead of days keep an actor of a few products under 1 KB.
    """

    attr_type = STRING

    def serialize(self, value: History) -> str:
        scopes: dict[str, dict[str, list[int]]] = {}
        for (scope, audience), days in value.items():
            known = [day for day in days if day != BEGINNING]
            steps = [later - earlier for earlier, later in pairwise(known)]
            end = [0] if days[0] == BEGINNING else []
            scopes.setdefault(scope, {})[_LETTERS[audience]] = [known[-1], *reversed(steps), *end]
        return json.dumps(scopes, separators=(",", ":"), ensure_ascii=False)

    def deserialize(self, value: str) -> History:
        history: dict[Place, tuple[int, ...]] = {}
        for scope, audiences in json.loads(value).items():
            for letter, (last, *steps) in audiences.items():
                days = [last]
                for step in steps:
                    days.append(days[-1] - step if step else BEGINNING)
                history[Place(scope, _BY_LETTER[letter])] = tuple(reversed(days))
        return history


class ActorItem(KeyedItem):
    """One user or device: the days of its first scopes, or (sk `days#editor`) of a further one.

    Steps of a day take two bytes: of the days that are open, as many lie here as closing is behind.
    """

    version = NumberAttribute(attr_name="v")
    history = HistoryAttribute(attr_name="h")
    is_full = BooleanAttribute(attr_name="f", null=True)
    expires_at = NumberAttribute()


class DayItem(CountersItem):
    """A part of a scope's tally, or its opening balance (by sort key)."""

    balance = BinaryAttribute(attr_name="b", null=True, legacy_encoding=False)

    @property
    def tally(self) -> Tally:
        return Counter({_COUNTER_NAMES[name]: by for name, by in self.counters.items() if name in _COUNTER_NAMES})


class ClosingItem(TableItem):
    """How far this environment's days are closed; ordinals, because they are compared and nobody browses them."""

    pk = UnicodeAttribute(hash_key=True, default="closing")
    sk = UnicodeAttribute(range_key=True, default="state")
    opened = NumberAttribute(null=True)
    closed = NumberAttribute(null=True)


class ScopeItem(KeyedItem):
    """A product that ever had traffic, or the catalogue. pk `scopes`, sk `acme-cli`. An item each: there is no end."""

    pk = UnicodeAttribute(hash_key=True, default=SCOPES)


def packed(balance: Balance) -> bytes:
    """About 900 B per audience at a hundred thousand users."""
    counters = [balance.counters[audience] for audience in _AUDIENCES]
    return deflated_json(counters)


def unpacked(stored: bytes, day: int) -> Balance:
    """The balance of a day as it was packed."""
    counters = inflated_json(stored)
    return Balance(day, {audience: tuple(found) for audience, found in zip(_AUDIENCES, counters, strict=True)})
