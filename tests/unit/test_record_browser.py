"""What no engine here shows: an index may give equal sort keys in any order, another one each time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.instant import to_nearest_millisecond
from telemetry.domain.record import RecordKey
from telemetry.storage.effort import Effort
from telemetry.storage.index_sizes import IndexSizes
from telemetry.storage.record_runs import ReceiptOrder, Step, ties_in_order
from telemetry.storage.selection import Listed

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


def step(milliseconds: int, sort: str) -> Step:
    received_at = NOW + timedelta(milliseconds=milliseconds)
    key = RecordKey("L1x#acme", sort)
    record = Listed(key, "acme", "c", received_at, NOW, None, None, None, "", frozenset())
    return Step((to_nearest_millisecond(received_at), *key), record)


def read(steps: list[Step], at_once: int) -> Iterator[Step]:
    """Page by page, each with a step to where reading has come."""
    for start in range(0, len(steps), at_once):
        page = steps[start : start + at_once]
        yield from page
        if start + at_once < len(steps):
            yield ReceiptOrder.read_to({"t": {"N": str(page[-1].at[0])}})


@given(
    st.sets(st.tuples(st.integers(0, 3), st.text("ab", min_size=1, max_size=4)), max_size=20),
    st.integers(1, 21),
    st.randoms(use_true_random=False),
)
def test_ties_come_in_the_order_of_positions(records: set[tuple[int, str]], at_once: int, random: Random) -> None:
    steps = [step(*record) for record in sorted(records)]
    random.shuffle(steps)
    steps.sort(key=lambda one: int(one.at[0]), reverse=True)  # all that an index promises
    told = list(ties_in_order(read(steps, at_once)))
    assert [one for one in told if one.record] == sorted(steps, key=lambda one: one.at, reverse=True)
    assert all(before.at > after.at or after.record is None for before, after in pairwise(told))
    assert all(before.at >= after.at for before, after in pairwise(told))


def test_effort_ends_by_records_and_seconds_and_denies_requests() -> None:
    now = [0.0]
    effort = Effort(2, 10, 3, clock=lambda: now[0])
    effort.note(records=2, requests=2)
    assert (effort.is_spent, effort.allows_more(), effort.is_cut_short) == (False, True, False)
    effort.note(requests=1)
    assert (effort.is_spent, effort.allows_more(), effort.is_cut_short) == (False, False, True)
    effort.note(records=1)
    assert effort.is_spent
    late = Effort(2, 10, 3, clock=lambda: now[0])
    now[0] = 5
    assert (late.is_half_over, late.is_late, late.is_spent) == (True, False, False)
    now[0] = 10
    assert (late.is_late, late.is_spent, late.allows_more()) == (True, True, False)


def test_what_is_known_of_an_index_is_forgotten_after_an_hour() -> None:
    now = [0.0]
    sizes = IndexSizes(clock=lambda: now[0])
    sizes.note("records", 2_001)
    now[0] = 3_599
    assert (sizes.at_least("records"), sizes.at_least("others")) == (2_001, 0)
    now[0] = 3_600
    assert sizes.at_least("records") == 0
