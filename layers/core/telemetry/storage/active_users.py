"""The aggregates table of one environment: actors, tallies, balances, and how far days are closed."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date, timedelta

from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from telemetry.domain.active_users import (
    Actor,
    ActorKey,
    Balance,
    LedgerBroken,
    Outdated,
    RunningBalance,
    Tally,
    TallyKey,
)
from telemetry.domain.closing import Closing
from telemetry.domain.instant import midnight, to_seconds
from telemetry.domain.sighting import could_be_scope
from telemetry.storage.active_user_items import (
    SCOPES,
    SLICES,
    ActorItem,
    ClosingItem,
    DayItem,
    ScopeItem,
    actor_key,
    actor_sort_key,
    counter_name,
    day_of,
    opening_key,
    scope_key,
    tally_key,
    unpacked,
)
from telemetry.storage.batches import batch_get
from telemetry.storage.errors import ConditionFailed, conditions, store
from telemetry.storage.tables import bind, connection, found_item

ACTOR_RETENTION = timedelta(days=400)
"""After the last active day. Longer than any window, so whoever comes back later is new anyway."""

MOST_SCOPES = 16
"""Products in an actor's first item; each further one is an item of its own.

With the longest names, and closing a year behind, no item then has more than 40 KB: a hundred of them are what DynamoDB
takes in one transaction (4 MB).
"""


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

    def actors(self, keys: Collection[ActorKey], *, consistent: bool = True) -> dict[ActorKey, Actor]:
        """The actors known. Expired ones too: leaving a day that long ago counts as new.

        Not `consistent` costs half, and may give an actor as it was a moment ago.
        """
        by_key = {(actor_key(key.fingerprint), actor_sort_key(key.scope)): key for key in keys}
        items = batch_get(self._actors, by_key, consistent_read=consistent)
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
        return self._actors(
            actor_key(key.fingerprint),
            actor_sort_key(key.scope),
            version=actor.version,
            history=actor.history,
            is_full=actor.is_full or None,
            expires_at=to_seconds(midnight(last) + ACTOR_RETENTION),
        )

    # ── reporting

    def ledger(self, scope: str, today: int) -> RunningBalance:
        """The scope's latest balance before `today` and all tallies from there; eventually consistent.

        One request as long as yesterday is closed; otherwise it reads on, a page at a time, until it meets a balance.
        """
        tallies: dict[int, Tally] = {}
        for item in self._days.query(
            scope_key(scope), self._days.sk < opening_key(today + 1), scan_index_forward=False, page_size=SLICES + 1
        ):
            day = day_of(item.sk)
            if item.balance:
                return RunningBalance(unpacked(item.balance, day - 1), tallies)
            tallies.setdefault(day, Counter()).update(item.tally)
        return RunningBalance(None, tallies)

    # ── closing

    def closing(self) -> Closing:
        """How far days are closed; strongly consistent."""
        item = found_item(self._closing, "closing", "state")
        return _closing_of(item) if item else Closing()

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
        found = [item.sk for item in self._scopes.query(SCOPES, consistent_read=True)]
        self._known_scopes.update(found)
        return frozenset(found)

    def has_scope(self, scope: str) -> bool:
        """Whether it ever had traffic; strongly consistent."""
        is_name = bool(scope) and could_be_scope(scope)
        return is_name and found_item(self._scopes, SCOPES, scope) is not None

    def add_scopes(self, scopes: Collection[str]) -> None:
        """Notes that these have traffic. Costs nothing for those that this store has read or noted before."""
        keys = [(SCOPES, scope) for scope in set(scopes) - self._known_scopes]
        if not keys:
            return
        known = {item.sk for item in batch_get(self._scopes, keys, consistent_read=True)}
        with self._scopes.batch_write() as batch:
            for key in keys:
                if key[1] not in known:
                    batch.save(self._scopes(*key))
        self._known_scopes.update(scopes)

    def day(self, scope: str, day: int) -> tuple[Balance | None, Tally]:
        """The balance before a day and what happened on it; strongly consistent.

        Raises LedgerBroken when that balance is missing although there are earlier days.
        """
        before: Balance | None = None
        tally: Tally = Counter()
        keys = self._days.sk.between(opening_key(day), tally_key(day, SLICES - 1))
        for item in self._days.query(scope_key(scope), keys, consistent_read=True):
            if item.balance:
                before = unpacked(item.balance, day - 1)
            else:
                tally.update(item.tally)
        if before is None and self._has_days_before(scope, day):
            raise LedgerBroken(f"The balance before {date.fromordinal(day)} is missing for {scope}")
        return before, tally

    def openings(self, scopes: Collection[str], day: int) -> dict[str, Balance]:
        """The balances before a day, of those scopes that have one; strongly consistent."""
        by_key = {(scope_key(scope), opening_key(day)): scope for scope in scopes}
        found = batch_get(self._days, by_key, consistent_read=True)
        return {by_key[item.pk, item.sk]: unpacked(item.balance, day - 1) for item in found if item.balance}

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
