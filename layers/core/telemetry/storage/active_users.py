"""The aggregates table of one environment: actors, tallies, balances, and how far days are closed."""

import json
import zlib
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Self

from pynamodb.attributes import (
    Attribute,
    BinaryAttribute,
    BooleanAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.constants import STRING
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from telemetry.domain.active_users import (
    BEGINNING,
    COUNTERS,
    Actor,
    ActorKey,
    Audience,
    Balance,
    Closing,
    History,
    Ledger,
    LedgerBroken,
    Outdated,
    Place,
    Tally,
    TallyKey,
)
from telemetry.domain.instant import midnight, to_seconds
from telemetry.domain.sighting import could_be_scope
from telemetry.storage.batches import batch_get
from telemetry.storage.errors import ConditionFailed, conditions, store
from telemetry.storage.tables import TableItem, bind, connection

SLICES = 4
"""Parts of a tally: all stream shards write the catalogue's, and an item takes one transaction at a time."""

ACTOR_RETENTION = timedelta(days=400)
"""After the last active day. Longer than any window, so whoever comes back later is new anyway."""

MOST_SCOPES = 16
"""Products in an actor's first item; each further one is an item of its own.

With the longest names, and closing a year behind, no item then has more than 40 KB: a hundred of them are what DynamoDB
takes in one transaction (4 MB).
"""

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


def _day_of(sort_key: str) -> int:
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


class ActorItem(TableItem):
    """One user or device: the days of its first scopes, or (sk `days#editor`) of a further one.

    Steps of a day take two bytes: of the days that are open, as many lie here as closing is behind.
    """

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    version = NumberAttribute(attr_name="v")
    history = HistoryAttribute(attr_name="h")
    is_full = BooleanAttribute(attr_name="f", null=True)
    expires_at = NumberAttribute()


class DayItem(TableItem):
    """A part of a scope's tally, or its opening balance (by sort key).

    A tally's counters are attributes of their own and not a map, because ADD needs no item to be there first for them.
    """

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    balance = BinaryAttribute(attr_name="b", null=True, legacy_encoding=False)

    tally: Tally

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        """An item as it was read, its counters too."""
        item = super().from_raw_data(data)
        item.tally = Counter(
            {_COUNTER_NAMES[name]: int(value["N"]) for name, value in data.items() if name in _COUNTER_NAMES}
        )
        return item


class ClosingItem(TableItem):
    """How far this environment's days are closed; ordinals, because they are compared and nobody browses them."""

    pk = UnicodeAttribute(hash_key=True, default="closing")
    sk = UnicodeAttribute(range_key=True, default="state")
    opened = NumberAttribute(null=True)
    closed = NumberAttribute(null=True)


class ScopeItem(TableItem):
    """A product that ever had traffic, or the catalogue. pk `scopes`, sk `acme-cli`. An item each: there is no end."""

    pk = UnicodeAttribute(hash_key=True, default="scopes")
    sk = UnicodeAttribute(range_key=True)


@store("aggregates")
class LedgerStore:
    """Reads and writes one aggregates table. Raises StoreUnavailable."""

    most_scopes = MOST_SCOPES

    def __init__(self, table: str) -> None:
        self._actors = bind(ActorItem, table)
        self._days = bind(DayItem, table)
        self._closing = bind(ClosingItem, table)
        self._scopes = bind(ScopeItem, table)
        self._known_scopes: set[str] = set()  # they never go away

    # ── counting

    def actors(self, keys: Collection[ActorKey]) -> dict[ActorKey, Actor]:
        """The actors known; strongly consistent. Expired ones too: leaving a day that long ago counts as new."""
        by_key = {(actor_key(key.fingerprint), actor_sort_key(key.scope)): key for key in keys}
        items = batch_get(self._actors, by_key, consistent_read=True)
        return {by_key[item.pk, item.sk]: Actor(int(item.version), item.history, bool(item.is_full)) for item in items}

    def commit(self, moved: Mapping[ActorKey, Actor], tallies: Mapping[TallyKey, Tally], salt: int) -> None:
        """Stores moved actors and adds to tallies, all or nothing.

        Raises Outdated when an actor is no longer at the version before the given one.
        """
        slice_, outdated = salt % SLICES, Outdated("An actor changed since it was read")
        with conditions(outdated), TransactWrite(connection=connection()) as transaction:
            for key, actor in moved.items():
                before = actor.version - 1
                unchanged = self._actors.version == before if before else self._actors.pk.does_not_exist()
                transaction.save(self._actor_item(key, actor), condition=unchanged)
            for (scope, day), tally in tallies.items():
                added: list[Action] = [
                    Path(counter_name(*counter)).add(by) for counter, by in sorted(tally.items()) if by
                ]
                if added:
                    transaction.update(self._days(scope_key(scope), tally_key(day, slice_)), actions=added)

    def _actor_item(self, key: ActorKey, actor: Actor) -> ActorItem:
        last = date.fromordinal(max(days[-1] for days in actor.history.values()))
        item: ActorItem = self._actors(
            actor_key(key.fingerprint),
            actor_sort_key(key.scope),
            version=actor.version,
            history=actor.history,
            is_full=actor.is_full or None,
            expires_at=to_seconds(midnight(last) + ACTOR_RETENTION),
        )
        return item

    # ── reporting

    def ledger(self, scope: str, today: int) -> Ledger:
        """The scope's latest balance before `today` and all tallies from there; eventually consistent.

        One request as long as yesterday is closed; otherwise it reads on, a page at a time, until it meets a balance.
        """
        tallies: dict[int, Tally] = {}
        for item in self._days.query(
            scope_key(scope),
            self._days.sk < opening_key(today + 1),
            scan_index_forward=False,
            page_size=SLICES + 1,
        ):
            day = _day_of(item.sk)
            if item.balance is not None:
                return Ledger(unpacked(item.balance, day - 1), tallies)
            tallies.setdefault(day, Counter()).update(item.tally)
        return Ledger(None, tallies)

    # ── closing

    def closing(self) -> Closing:
        """How far days are closed; strongly consistent."""
        try:
            return _closing_of(self._closing.get("closing", "state", consistent_read=True))
        except DoesNotExist:
            return Closing()

    def open_from(self, day: int) -> Closing:
        """Notes that there is traffic on a day. The first day with traffic may move back until one is closed."""
        item, model = self._closing(), self._closing
        earlier = model.closed.does_not_exist() & (model.opened.does_not_exist() | (model.opened > day))
        try:
            with conditions():
                item.update([model.opened.set(day)], condition=earlier)
        except ConditionFailed:
            return self.closing()
        return _closing_of(item)

    def scopes(self) -> frozenset[str]:
        """All that ever had traffic; strongly consistent."""
        found = [item.sk for item in self._scopes.query(ScopeItem.pk.default, consistent_read=True)]
        self._known_scopes.update(found)
        return frozenset(found)

    def has_scope(self, scope: str) -> bool:
        """Whether it ever had traffic; strongly consistent."""
        if not scope or not could_be_scope(scope):
            return False
        try:
            self._scopes.get(ScopeItem.pk.default, scope, consistent_read=True)
        except DoesNotExist:
            return False
        return True

    def add_scopes(self, scopes: Collection[str]) -> None:
        """Notes that these have traffic. Costs nothing for those that this store has read or noted before."""
        keys = [(ScopeItem.pk.default, scope) for scope in set(scopes) - self._known_scopes]
        if not keys:
            return
        known = {item.sk for item in batch_get(self._scopes, keys, consistent_read=True)}
        for key in keys:
            if key[1] not in known:
                self._scopes(*key).save()
        self._known_scopes.update(scopes)

    def day(self, scope: str, day: int) -> tuple[Balance | None, Tally]:
        """The balance before a day and what happened on it; strongly consistent.

        Raises LedgerBroken when that balance is missing although there are earlier days.
        """
        before: Balance | None = None
        tally: Tally = Counter()
        keys = self._days.sk.between(opening_key(day), tally_key(day, SLICES - 1))
        for item in self._days.query(scope_key(scope), keys, consistent_read=True):
            if item.balance is not None:
                before = unpacked(item.balance, day - 1)
            else:
                tally.update(item.tally)
        if before is None and self._has_days_before(scope, day):
            raise LedgerBroken(f"The balance before {date.fromordinal(day)} is missing for {scope}")
        return before, tally

    def _has_days_before(self, scope: str, day: int) -> bool:
        earlier = self._days.sk < opening_key(day)
        return any(True for _ in self._days.query(scope_key(scope), earlier, consistent_read=True, limit=1))

    def close(self, day: int) -> None:
        """Marks a day closed whose balances are written. Nothing happens when it is; days close in order."""
        model = self._closing
        follows = model.closed.does_not_exist() & (model.opened == day) | (model.closed == day - 1)
        try:
            with conditions():
                model().update([model.closed.set(day)], condition=follows)
        except ConditionFailed as exc:
            if not self.closing().is_closed(day):
                raise LedgerBroken(f"{date.fromordinal(day)} is not the next day to close") from exc


def _closing_of(item: ClosingItem) -> Closing:
    return Closing(
        opened=None if item.opened is None else int(item.opened),
        closed=None if item.closed is None else int(item.closed),
    )


def packed(balance: Balance) -> bytes:
    """About 900 B per audience at a hundred thousand users."""
    counters = [balance.counters[audience] for audience in _AUDIENCES]
    return zlib.compress(json.dumps(counters, separators=(",", ":")).encode(), level=9)


def unpacked(stored: bytes, day: int) -> Balance:
    """The balance of a day as it was packed."""
    counters = json.loads(zlib.decompress(stored))
    return Balance(day, {audience: tuple(found) for audience, found in zip(_AUDIENCES, counters, strict=True)})
