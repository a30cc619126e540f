"""Aggregates in memory, for tests that need thousands of histories. It passes the same contract test as the table."""

from collections import Counter
from collections.abc import Collection, Mapping

from telemetry.domain.active_users import Actor, Balance, Closing, Ledger, LedgerBroken, Outdated, Tally, TallyKey


class MemoryAggregates:
    """Same interface as `AggregateStore`."""

    def __init__(self) -> None:
        self._actors: dict[bytes, Actor] = {}
        self._tallies: dict[str, dict[int, Tally]] = {}
        self._balances: dict[str, dict[int, Balance]] = {}
        self._closing = Closing()

    def actors(self, fingerprints: Collection[bytes]) -> dict[bytes, Actor]:
        return {each: self._actors[each] for each in fingerprints if each in self._actors}

    def commit(self, moved: Mapping[bytes, Actor], tallies: Mapping[TallyKey, Tally], salt: int) -> None:
        del salt
        assert len(moved) + len(tallies) <= 100
        for fingerprint, actor in moved.items():
            if self._actors.get(fingerprint, Actor()).version != actor.version - 1:
                raise Outdated
        self._actors.update(moved)
        for (scope, day), tally in tallies.items():
            if any(tally.values()):
                self._tallies.setdefault(scope, {}).setdefault(day, Counter()).update(tally)

    def ledger(self, scope: str, today: int) -> Ledger:
        balances = self._balances.get(scope, {})
        latest = max((day for day in balances if day < today), default=None)
        tallies = self._tallies.get(scope, {})
        return Ledger(
            None if latest is None else balances[latest],
            {day: tally for day, tally in tallies.items() if (latest or 0) < day <= today},
        )

    def closing(self) -> Closing:
        return self._closing

    def announce(self, scopes: Collection[str], day: int) -> Closing:
        known = self._closing
        earlier = known.closed is None and (known.opened is None or day < known.opened)
        self._closing = Closing(day if earlier else known.opened, known.closed, known.scopes | set(scopes))
        return self._closing

    def day(self, scope: str, day: int) -> tuple[Balance | None, Tally]:
        before = self._balances.get(scope, {}).get(day - 1)
        if before is None:
            earlier = {*self._tallies.get(scope, {}), *(each + 1 for each in self._balances.get(scope, {}))}
            if any(each < day for each in earlier):
                raise LedgerBroken
        return before, Counter(self._tallies.get(scope, {}).get(day, Counter()))

    def write_balance(self, scope: str, balance: Balance) -> None:
        if self._balances.setdefault(scope, {}).setdefault(balance.day, balance) != balance:
            raise LedgerBroken

    def close(self, day: int) -> None:
        known = self._closing
        if known.is_closed(day):
            return
        if day != (known.opened if known.closed is None else known.closed + 1):
            raise LedgerBroken
        self._closing = Closing(known.opened, day, known.scopes)
