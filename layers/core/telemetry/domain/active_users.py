"""Unique active users, exactly: who was active when, folded so that any window of days adds up.

Three things are kept. An actor's *history* is its latest active days, per place. The *tally* of a day says, for each
number of days that actors had been away, how many of them became active. The *balance* of a day says how many actors
were last active that day, the day before, and so on: summing its first N counters is the number of users in N days.

A record that shows an actor on a day for the first time is a *move*: the actor leaves its previous active day for this
one. Balances follow from tallies alone: balance(d) = balance(d-1), one day older, - those who left + those who came.

Days are integers here (`date.toordinal`), because everything is their difference.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from telemetry.domain.closing import Closing
from telemetry.domain.errors import HistoryTooShort, TelemetryError
from telemetry.domain.sighting import CATALOGUE, Sighting

LONGEST_WINDOW = 365
"""Days; the longest period users can be asked for."""

COUNTERS = LONGEST_WINDOW + 1
"""Counters per audience in a balance: last active today, …, 365 days ago."""

NEW = 0
"""The age of an actor never seen before, or not within the longest window: no counter holds it, so none is left."""

KEPT_DAYS = 8
"""Days of a history that are kept at least. Days not closed yet are all kept, see `_trimmed`."""

BEGINNING = 0
"""Stands before the first day of a history nothing was dropped from. Long ago, so leaving it counts as `NEW`."""


class DayClosed(TelemetryError):
    """The day's balance is final: nobody can be counted on it any more."""


class LedgerBroken(TelemetryError):
    """Tallies and balances contradict each other; no number derived from them is to be believed."""


class Outdated(TelemetryError):
    """An actor was moved by somebody else since it was read."""


class Audience(StrEnum):
    """Who is counted."""

    USERS = "users"
    """Actors with at least one record without a piracy or licence flag: what finance bills."""
    ALL_USERS = "all_users"
    """All actors, flagged or not."""
    DEVICES = "devices"
    """Devices, whoever used them, flagged or not."""


class Place(NamedTuple):
    """Where an actor counts. `scope` is a product id, UNKNOWN_PRODUCT or CATALOGUE."""

    scope: str
    audience: Audience


class Presence(NamedTuple):
    """An actor counts here on this day."""

    day: int
    place: Place


class TallyKey(NamedTuple):
    """Which tally: what happened in this scope on this day."""

    scope: str
    day: int


Tally = Counter[tuple[Audience, int]]
"""(audience, days since last active or NEW) → actors that became active. Corrections may make a counter negative."""

History = Mapping[Place, tuple[int, ...]]
"""Active days per place, ascending; the first is BEGINNING until something is dropped."""


class ActorKey(NamedTuple):
    """Which part of a user or device: its first scopes (`scope` None), or one scope that came when these were enough.

    Each part is stored, read and changed by itself, so that nothing grows with the number of products. A scope stays
    in the part that had it first.
    """

    fingerprint: bytes
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """A user or device as stored, or a part of it. `version` grows by one with every change; 0: not stored yet."""

    version: int = 0
    history: History = field(default_factory=dict)
    is_full: bool = False
    """Scopes that are not in this history are parts of their own."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Actors by the day they were last active. `counters[audience][i]`: last active on `day - i`."""

    day: int
    counters: Mapping[Audience, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class RunningBalance:
    """What a report needs: the latest balance, if any, and the tallies of the days after it."""

    balance: Balance | None
    tallies: Mapping[int, Tally]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A presence that could not be counted, and why."""

    fingerprint: bytes
    presence: Presence
    cause: TelemetryError


@dataclass(frozen=True, slots=True)
class Move:
    """What one actor's presences change. `left` are those there was no room for."""

    actor: Actor
    tallies: Mapping[TallyKey, Tally]
    refused: tuple[tuple[Presence, TelemetryError], ...]
    left: tuple[Presence, ...]


def presences(sighting: Sighting) -> Iterator[tuple[bytes, Presence]]:
    """Whom a record shows, and where they count. A record with neither actor nor device shows nobody."""
    day = sighting.day.toordinal()
    for scope in (sighting.product, CATALOGUE):
        if sighting.actor is not None:
            yield sighting.actor, Presence(day, Place(scope, Audience.ALL_USERS))
            if sighting.billable:
                yield sighting.actor, Presence(day, Place(scope, Audience.USERS))
        if sighting.device is not None:
            yield sighting.device, Presence(day, Place(scope, Audience.DEVICES))


def presences_by_actor(sightings: Iterable[Sighting]) -> dict[bytes, set[Presence]]:
    """Whom these records show: each fingerprint with its presences."""
    found: dict[bytes, set[Presence]] = {}
    for sighting in sightings:
        for fingerprint, presence in presences(sighting):
            found.setdefault(fingerprint, set()).add(presence)
    return found


def shares(first: Actor, seen: Collection[Presence], most_scopes: int) -> dict[str | None, list[Presence]]:
    """Which part of an actor takes which presences, by the scope of its key; `first` is the part with the first scopes.

    That takes the catalogue and up to `most_scopes` products. Once it is full, and stored so, every other scope is a
    part of its own; until then what it has no room for is left out, and has to wait: nothing may be in two parts.
    """
    held = {place.scope for place in first.history} | {CATALOGUE}
    if not first.is_full:
        others = sorted({each.place.scope for each in seen} - held)
        held.update(others[: max(1, most_scopes - len(held) + 1)])
    found: dict[str | None, list[Presence]] = {}
    for each in seen:
        scope = each.place.scope
        if scope in held or first.is_full:
            found.setdefault(None if scope in held else scope, []).append(each)
    return found


def filled(first: Actor, most_scopes: int) -> Actor:
    """The same, full if it holds `most_scopes` products. It stays full, also if that number is another one by then."""
    products = {place.scope for place in first.history} - {CATALOGUE}
    return replace(first, is_full=first.is_full or len(products) >= most_scopes)


def move(actor: Actor, seen: Iterable[Presence], closing: Closing, room: int) -> Move:
    """Adds presences to an actor, earliest first, touching at most `room` tallies (at least 2, what one may need)."""
    history = dict(actor.history)
    tallies: dict[TallyKey, Tally] = {}
    refused: list[tuple[Presence, TelemetryError]] = []
    waiting = iter(sorted(seen))
    for presence in waiting:
        day, place = presence
        days = history.get(place, (BEGINNING,))
        try:
            inserted, shifts = _insert(days, day, closing)
        except (DayClosed, HistoryTooShort) as exc:
            refused.append((presence, exc))
            continue
        touched = {TallyKey(place.scope, shift.day) for shift in shifts}
        if len(tallies.keys() | touched) > room:
            return Move(_changed(actor, history), tallies, tuple(refused), (presence, *waiting))
        history[place] = inserted
        for shift in shifts:
            tallies.setdefault(TallyKey(place.scope, shift.day), Counter())[place.audience, shift.age] += shift.by
    return Move(_changed(actor, history), tallies, tuple(refused), ())


def next_balance(before: Balance | None, day: int, tally: Tally) -> Balance:
    """The balance of `day` from the day before's (None: nobody was ever active before) and the day's own tally."""
    if before is not None and before.day != day - 1:
        raise LedgerBroken(f"A balance of {date.fromordinal(before.day)} does not come before {date.fromordinal(day)}")
    counters = {
        audience: [0, *(before.counters[audience][:-1] if before else (0,) * LONGEST_WINDOW)] for audience in Audience
    }
    for (audience, age), count in tally.items():
        counters[audience][0] += count
        if age != NEW:
            counters[audience][age] -= count
    for audience, aged in counters.items():
        if min(aged) < 0:
            raise LedgerBroken(f"{date.fromordinal(day)}: more {audience} left a day than were last active on it")
    return Balance(day, {audience: tuple(aged) for audience, aged in counters.items()})


def count_active(ledger: RunningBalance, audience: Audience, days: int, today: int) -> int:
    """How many actors were active on at least one of the `days` days up to and including `today`."""
    first = today - days + 1
    total = 0
    if ledger.balance is not None:
        still_inside = ledger.balance.day - first + 1
        total += sum(islice(ledger.balance.counters[audience], max(0, still_inside)))
    for day, tally in ledger.tallies.items():
        for (counted, age), count in tally.items():
            if counted is audience:
                came = day >= first
                left = age != NEW and day - age >= first
                total += count * (came - left)
    return total


def _changed(actor: Actor, history: History) -> Actor:
    return replace(actor, version=actor.version + 1, history=history)


class _Shift(NamedTuple):
    """Changes the tally of `day`: `by` actors more came back after `age` days."""

    day: int
    age: int
    by: int


def _insert(days: tuple[int, ...], day: int, closing: Closing) -> tuple[tuple[int, ...], tuple[_Shift, ...]]:
    """The days with one more, and what that changes in the tallies. Nothing changes when the day is there already.

    Stream shards lag differently, so a later day may be there already: it was counted as coming from the day before
    this one, and is corrected. Raises DayClosed, or HistoryTooShort when the day before this one is no longer known.
    """
    at = bisect_left(days, day)
    if days[at : at + 1] == (day,):
        return days, ()
    if closing.is_closed(day):
        raise DayClosed(f"{date.fromordinal(day)} is closed")
    if at == 0:
        raise HistoryTooShort(f"{date.fromordinal(day)} is before the first day kept, {date.fromordinal(days[0])}")
    before = days[at - 1]
    shifts = [_Shift(day, _age(before, day), 1)]
    if at < len(days):
        after = days[at]
        shifts += [_Shift(after, _age(before, after), -1), _Shift(after, _age(day, after), 1)]
    return _trimmed((*days[:at], day, *days[at:]), closing), tuple(shifts)


def _trimmed(days: tuple[int, ...], closing: Closing) -> tuple[int, ...]:
    """Drops the oldest days, but none that is open, nor the last before those.

    So the day before any open day is always known, however long closing lags, and only closed days are ever forgotten.
    """
    open_days = sum(not closing.is_closed(day) for day in days if day != BEGINNING)
    return days[-max(KEPT_DAYS, open_days + 1) :]


def _age(before: int, day: int) -> int:
    away = day - before
    return away if away < COUNTERS else NEW
