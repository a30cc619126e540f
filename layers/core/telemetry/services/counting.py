"""Moves actors to the days records show them on. The stream and the recount of a day both end here."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple
from zlib import crc32

from telemetry.domain.active_users import (
    Actor,
    ActorKey,
    Outdated,
    Presence,
    Refusal,
    Tally,
    TallyKey,
    filled,
    move,
    presences_by_actor,
    shares,
)
from telemetry.domain.closing import Closing
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.sighting import Sighting
from telemetry.retry import Attempts, Wait, wait_with_jitter
from telemetry.services.ports import Ledger

TRANSACTION_ITEMS = 100
"""What one transaction can change: actors and tallies together."""

MOST_ACTORS = 96
"""Actors read at a time: with two tallies, of one product and the catalogue, and two to spare, one full transaction."""

MOST_TALLIES = 40
"""Tallies of one actor in one transaction; the rest follows in the next one."""

MOST_COUNTERS = 140
"""Counters of one tally in one transaction: DynamoDB takes 300 operators and 4 KB per update expression."""


def count(
    sightings: Iterable[Sighting], ledger: Ledger, wait: Wait = wait_with_jitter, *, consistent: bool = True
) -> list[Refusal]:
    """Counts everyone these records show who is not counted yet; again and again is the same as once.

    Returns what could not be counted. Raises StoreUnavailable when storage keeps failing; what was counted until then
    stays, and counting again completes it.

    Actors are read `consistent` or not. If not, the result is the same: moves are made on condition that the actor is
    still as it was read, and whatever fails or would be refused is read again, consistently.
    """
    pending = presences_by_actor(sightings)
    if not pending:
        return []
    attempts = Attempts(wait)
    while True:
        try:
            closing = _announced(ledger, pending)
            break
        except StoreUnavailable as exc:
            attempts.failed(exc)
    return _count_all(_neighbours_together(pending), ledger, closing, attempts, consistent=consistent)


def _count_all(
    queue: dict[bytes, set[Presence]], ledger: Ledger, closing: Closing, attempts: Attempts, *, consistent: bool
) -> list[Refusal]:
    refused: list[Refusal] = []
    size, is_certain = MOST_ACTORS, consistent
    while queue:
        group = dict(islice(queue.items(), size))
        try:
            step = _Step(closing, ledger.most_scopes)
            step.take(_shares(group, ledger, size, consistent=is_certain))
            if step.refused and not is_certain:
                is_certain = True  # somebody may have counted these before their day was closed
                continue
            if step.moved:
                # another part of the tally each time: the writer that was in the way is probably still there
                ledger.commit(step.moved, step.tallies, salt=crc32(next(iter(group))) + attempts.failures)
        except (Outdated, StoreUnavailable) as exc:
            size, is_certain = max(1, size // 2), True
            attempts.failed(exc)
            continue
        attempts.succeeded()
        is_certain = consistent
        size = min(MOST_ACTORS, size * 2)
        refused += step.refused
        for fingerprint, taken in step.taken.items():
            if left := queue[fingerprint] - taken:
                queue[fingerprint] = left
            else:
                del queue[fingerprint]
    return refused


def _announced(ledger: Ledger, pending: Mapping[bytes, Collection[Presence]]) -> Closing:
    """How far days are closed, after the ledger knows of every scope and of the first day about to be counted."""
    closing = ledger.closing()
    countable = {seen for all_seen in pending.values() for seen in all_seen if not closing.is_closed(seen.day)}
    if not countable:
        return closing
    ledger.add_scopes({seen.place.scope for seen in countable})
    first = min(seen.day for seen in countable)
    return ledger.open_from(first) if closing.opens_with(first) else closing


def _neighbours_together(pending: Mapping[bytes, set[Presence]]) -> dict[bytes, set[Presence]]:
    """Puts actors that touch the same tallies next to each other, so that one transaction holds many of them."""
    return {one: pending[one] for one in sorted(pending, key=lambda one: (min(pending[one]), one))}


class _Share(NamedTuple):
    """The presences by which one part of an actor is moved."""

    key: ActorKey
    actor: Actor
    seen: Collection[Presence]


def _shares(
    group: Mapping[bytes, Collection[Presence]], ledger: Ledger, size: int, *, consistent: bool
) -> Iterator[_Share]:
    """The group, part by part, each actor's first part before its others. Other parts that are too many wait."""
    known = ledger.actors([ActorKey(fingerprint) for fingerprint in group], consistent=consistent)
    wanted = {
        ActorKey(fingerprint, scope): some
        for fingerprint, seen in group.items()
        for scope, some in shares(known.get(ActorKey(fingerprint), Actor()), seen, ledger.most_scopes).items()
    }
    apart = [key for key in wanted if key.scope is not None]
    waiting = set(apart[max(1, size // 2) :])  # each touches a tally of its own
    if apart:
        known |= ledger.actors([key for key in apart if key not in waiting], consistent=consistent)
    return (_Share(key, known.get(key, Actor()), some) for key, some in wanted.items() if key not in waiting)


class _Step:
    """One transaction: takes parts of actors as long as there is room."""

    def __init__(self, closing: Closing, most_scopes: int) -> None:
        self.moved: dict[ActorKey, Actor] = {}
        self.tallies: dict[TallyKey, Tally] = {}
        self.refused: list[Refusal] = []
        self.taken: dict[bytes, set[Presence]] = {}
        self._closing = closing
        self._most_scopes = most_scopes

    def take(self, shares: Iterable[_Share]) -> None:
        for key, actor, seen in shares:
            moved = move(actor, seen, self._closing, MOST_TALLIES)
            touched = {each: Counter(self.tallies.get(each, {})) for each in moved.tallies}
            for tally_key, tally in moved.tallies.items():
                touched[tally_key].update(tally)
            if self.moved and not self._fits(touched):
                return
            self.taken.setdefault(key.fingerprint, set()).update(set(seen).difference(moved.left))
            self.refused += [Refusal(key.fingerprint, presence, cause) for presence, cause in moved.refused]
            if touched:
                self.moved[key] = moved.actor if key.scope else filled(moved.actor, self._most_scopes)
                self.tallies |= touched

    def _fits(self, touched: Mapping[TallyKey, Tally]) -> bool:
        items = len(self.moved) + 1 + len(self.tallies.keys() | touched.keys())
        return items <= TRANSACTION_ITEMS and all(len(tally) <= MOST_COUNTERS for tally in touched.values())
