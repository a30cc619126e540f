"""The rules of counting, one by one."""

from collections import Counter
from datetime import date

import pytest

from telemetry.domain.active_users import (
    BEGINNING,
    COUNTERS,
    KEPT_DAYS,
    LONGEST_WINDOW,
    NEW,
    Actor,
    Audience,
    Balance,
    DayClosed,
    LedgerBroken,
    Move,
    Place,
    Presence,
    RunningBalance,
    TallyKey,
    count_active,
    filled,
    move,
    next_balance,
    presences,
    shares,
)
from telemetry.domain.closing import Closing
from telemetry.domain.errors import HistoryTooShort
from telemetry.domain.sighting import CATALOGUE, Sighting
from telemetry.storage.active_user_items import (
    HistoryAttribute,
    actor_key,
    actor_sort_key,
    counter_name,
    opening_key,
    scope_key,
    tally_key,
)

pytestmark = pytest.mark.days

DAY = date(2026, 11, 3).toordinal()
PLACE = Place("editor", Audience.USERS)


def actor(*days: int) -> Actor:
    return Actor(7, {PLACE: days})


def moved(before: Actor, *days: int, closed: int | None = None, room: int = 40) -> Move:
    return move(before, [Presence(day, PLACE) for day in days], Closing(None, closed), room)


def test_whom_a_record_shows() -> None:
    flagged = Sighting("editor", date.fromordinal(DAY), b"user", b"device", billable=False)
    everywhere = [("editor", Audience.ALL_USERS, b"user"), ("editor", Audience.DEVICES, b"device")]
    everywhere += [(CATALOGUE, audience, who) for _, audience, who in everywhere]
    assert sorted(presences(flagged)) == sorted(
        (who, Presence(DAY, Place(scope, audience))) for scope, audience, who in everywhere
    )
    nobody = Sighting("editor", date.fromordinal(DAY), None, None, billable=True)
    assert list(presences(nobody)) == []


def test_a_device_without_a_user_is_its_own_actor() -> None:
    alone = Sighting("editor", date.fromordinal(DAY), b"device", b"device", billable=True)
    assert {(who, where.place.audience) for who, where in presences(alone)} == {
        (b"device", audience) for audience in Audience
    }


@pytest.mark.parametrize(
    ("days", "day", "after", "tallies"),
    [
        pytest.param((), DAY, (BEGINNING, DAY), {DAY: {NEW: 1}}, id="never seen"),
        pytest.param((BEGINNING, DAY), DAY, (BEGINNING, DAY), {}, id="seen that day"),
        pytest.param((BEGINNING, DAY - 3), DAY, (BEGINNING, DAY - 3, DAY), {DAY: {3: 1}}, id="back after three days"),
        pytest.param((BEGINNING, DAY - 365), DAY, (BEGINNING, DAY - 365, DAY), {DAY: {365: 1}}, id="after a year"),
        pytest.param((BEGINNING, DAY - 366), DAY, (BEGINNING, DAY - 366, DAY), {DAY: {NEW: 1}}, id="after longer"),
        pytest.param(
            (BEGINNING, DAY + 1), DAY, (BEGINNING, DAY, DAY + 1), {DAY: {NEW: 1}, DAY + 1: {NEW: -1, 1: 1}}, id="late"
        ),
        pytest.param(
            (BEGINNING, DAY - 2, DAY + 1),
            DAY,
            (BEGINNING, DAY - 2, DAY, DAY + 1),
            {DAY: {2: 1}, DAY + 1: {3: -1, 1: 1}},
            id="late, in between",
        ),
    ],
)
def test_a_move(days: tuple[int, ...], day: int, after: tuple[int, ...], tallies: dict[int, dict[int, int]]) -> None:
    change = moved(actor(*days) if days else Actor(7), day)
    assert change.actor == Actor(8, {PLACE: after})
    assert change.tallies == {
        TallyKey("editor", on): Counter({(Audience.USERS, age): by for age, by in tally.items()})
        for on, tally in tallies.items()
    }
    assert (change.refused, change.left) == ((), ())


def test_closed_days_are_forgotten_but_the_last_eight() -> None:
    days = (BEGINNING, *range(DAY - KEPT_DAYS + 1, DAY + 1))
    change = moved(actor(*days), DAY + 2, closed=DAY + 1)
    assert change.actor.history[PLACE] == (*range(DAY - KEPT_DAYS + 2, DAY + 1), DAY + 2)


def test_no_open_day_is_forgotten_nor_the_last_before_them() -> None:
    change = moved(actor(BEGINNING, *range(DAY, DAY + 40, 2)), DAY + 40, closed=DAY + 3)
    assert change.actor.history[PLACE] == tuple(range(DAY + 2, DAY + 41, 2))
    late = moved(change.actor, DAY + 5, closed=DAY + 3)
    assert late.tallies[TallyKey("editor", DAY + 5)] == {(Audience.USERS, 1): 1}
    assert late.refused == ()


def test_a_closed_day_takes_nobody_in() -> None:
    change = moved(actor(BEGINNING, DAY - 5), DAY - 5, DAY - 4, DAY - 3, closed=DAY - 4)
    ((presence, cause),) = change.refused
    assert (presence.day, type(cause)) == (DAY - 4, DayClosed)
    assert change.tallies == {TallyKey("editor", DAY - 3): Counter({(Audience.USERS, 2): 1})}


def test_a_day_before_all_that_is_kept_is_never_guessed() -> None:
    change = moved(actor(*range(DAY, DAY + KEPT_DAYS)), DAY - 1)
    ((_, cause),) = change.refused
    assert isinstance(cause, HistoryTooShort)
    assert change.tallies == {}


def test_the_first_part_of_an_actor_takes_so_many_products() -> None:
    at = {scope: Presence(DAY, Place(scope, Audience.USERS)) for scope in (CATALOGUE, "a", "b", "c", "!")}
    seen = set(at.values())
    assert by_scope(shares(Actor(), seen, 2)) == {None: {CATALOGUE, "!", "a"}}  # the others wait
    room_for_one = Actor(1, {at["b"].place: (DAY,), at[CATALOGUE].place: (DAY,)})
    assert by_scope(shares(room_for_one, seen, 2)) == {None: {CATALOGUE, "!", "b"}}
    assert not filled(room_for_one, 2).is_full
    full = filled(Actor(1, {**room_for_one.history, at["a"].place: (DAY,)}), 2)
    assert by_scope(shares(full, seen, 2)) == {None: {CATALOGUE, "a", "b"}, "c": {"c"}, "!": {"!"}}
    assert by_scope(shares(full, [at["c"]], 2)) == {"c": {"c"}}


def test_what_is_full_stays_full() -> None:
    history = {Place(scope, Audience.USERS): (DAY,) for scope in ("a", "b", CATALOGUE)}
    full = filled(Actor(1, history), 2)
    assert filled(full, 9).is_full
    assert by_scope(shares(full, [Presence(DAY, Place("c", Audience.USERS))], 9)) == {"c": {"c"}}
    assert moved(full, DAY).actor.is_full
    # more than there may be by now, and not stored as full: one joins, and with it that
    assert by_scope(shares(Actor(1, history), [Presence(DAY, Place("c", Audience.USERS))], 1)) == {None: {"c"}}


def by_scope(found: dict[str | None, list[Presence]]) -> dict[str | None, set[str]]:
    return {key: {each.place.scope for each in some} for key, some in found.items()}


def test_what_there_is_no_room_for_is_left() -> None:
    days = [DAY, DAY + 1, DAY + 2, DAY + 3]
    change = moved(Actor(), *days, room=2)
    assert [each.day for each in change.left] == days[2:]
    assert change.actor == Actor(1, {PLACE: (BEGINNING, DAY, DAY + 1)})


def test_a_balance_follows_from_the_one_before_and_the_tally() -> None:
    nobody = dict.fromkeys(Audience, (0,) * COUNTERS)
    before = Balance(DAY - 1, nobody | {Audience.USERS: (5, 3, *(0,) * (COUNTERS - 3), 2)})
    tally = Counter({(Audience.USERS, NEW): 4, (Audience.USERS, 2): 1, (Audience.USERS, 1): 5})
    after = next_balance(before, DAY, tally)
    assert after == Balance(DAY, nobody | {Audience.USERS: (10, 0, 2, *(0,) * (COUNTERS - 3))})
    ledger = RunningBalance(before, {DAY: tally})
    assert count_active(ledger, Audience.USERS, 1, DAY) == 10
    assert count_active(ledger, Audience.USERS, 2, DAY) == 10
    assert count_active(ledger, Audience.USERS, 3, DAY) == 12
    assert count_active(ledger, Audience.USERS, LONGEST_WINDOW, DAY) == 12
    assert count_active(ledger, Audience.DEVICES, LONGEST_WINDOW, DAY) == 0


def test_a_balance_that_does_not_add_up_is_refused() -> None:
    nobody = Balance(DAY - 1, dict.fromkeys(Audience, (0,) * COUNTERS))
    with pytest.raises(LedgerBroken):
        next_balance(nobody, DAY, Counter({(Audience.USERS, 1): 1}))
    with pytest.raises(LedgerBroken):
        next_balance(nobody, DAY + 1, Counter())


def test_keys_are_as_documented() -> None:
    assert actor_key(b"\x01\x02\x03\x04") == "actor#AQIDBA"
    assert (actor_sort_key(None), actor_sort_key("editor")) == ("days", "days#editor")
    assert scope_key("editor") == "uniques#editor"
    assert tally_key(DAY, 2) == "2026-11-03#1#2"
    assert opening_key(DAY) == "2026-11-03#0"
    assert (counter_name(Audience.USERS, 0), counter_name(Audience.DEVICES, 365)) == ("00", "UH")
    assert opening_key(DAY) < tally_key(DAY, 0) < opening_key(DAY + 1)


def test_an_actor_of_four_products_fits_into_a_kilobyte() -> None:
    products = [f"3f2504e0-4f89-11d3-9a0c-0305e82c330{number}" for number in range(4)]
    days = tuple(range(DAY - 70, DAY + 1, 10))
    places = [Place(scope, audience) for scope in (*products, CATALOGUE) for audience in Audience]
    stored = HistoryAttribute().serialize(dict.fromkeys(places, days))
    assert len(stored) < 900
    assert HistoryAttribute().deserialize(stored) == dict.fromkeys(places, days)
