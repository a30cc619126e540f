"""The rule of closing, without any store: what a run does next for a product's day."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from telemetry.domain.closing import (
    BETWEEN_COUNTS,
    CLOSES_AFTER,
    DEADLINE,
    LONGEST_WAIT,
    MARGIN,
    Candidate,
    Closing,
    Step,
    end_of,
    last_day_over,
    next_step,
    wait_until_closed,
)

DAY = date(2028, 2, 29)
MIDNIGHT = datetime(2028, 3, 1, tzinfo=UTC)
COUNTED_AT = MIDNIGHT + MARGIN
SECOND = timedelta(seconds=1)

NEVER = Candidate("editor", DAY, 0, 0)
UNDER_WAY = Candidate("editor", DAY, 1, 100)
COUNTED = UNDER_WAY.counted(100, b"\xab", COUNTED_AT)


@pytest.mark.parametrize(
    ("candidate", "live", "now", "step"),
    [
        (NEVER, 0, COUNTED_AT, Step.FIRST_COUNT),
        (UNDER_WAY, 100, COUNTED_AT, Step.FIRST_COUNT),
        (COUNTED, 100, COUNTED_AT + BETWEEN_COUNTS - SECOND, Step.WAIT),
        (COUNTED, 100, COUNTED_AT + BETWEEN_COUNTS, Step.SECOND_COUNT),
        (COUNTED, 99, COUNTED_AT + BETWEEN_COUNTS, Step.WAIT),
        (COUNTED, 99, MIDNIGHT + DEADLINE - SECOND, Step.WAIT),
        (COUNTED, 101, COUNTED_AT, Step.FIRST_COUNT),
        (COUNTED, 101, MIDNIGHT + DEADLINE - SECOND, Step.FIRST_COUNT),
        (COUNTED, 100, MIDNIGHT + DEADLINE, Step.COUNT_BY_DEADLINE),
        (COUNTED, 99, MIDNIGHT + DEADLINE, Step.COUNT_BY_DEADLINE),
        (NEVER, 0, MIDNIGHT + DEADLINE, Step.COUNT_BY_DEADLINE),
        (UNDER_WAY, 100, MIDNIGHT + DEADLINE, Step.COUNT_BY_DEADLINE),
    ],
)
def test_what_a_run_does_next(candidate: Candidate, live: int, now: datetime, step: Step) -> None:
    assert next_step(candidate, live, now) is step


def test_a_first_count_is_under_way_from_its_beginning_to_its_end() -> None:
    assert [each.is_under_way for each in (NEVER, UNDER_WAY, COUNTED)] == [False, True, False]


def test_a_day_is_outgrown_when_there_are_more_than_twice_as_many_records_as_expected() -> None:
    assert [UNDER_WAY.is_outgrown(live) for live in (0, 200, 201)] == [False, False, True]
    assert [NEVER.is_outgrown(live) for live in (0, 1)] == [False, True]


def test_an_attempt_keeps_nothing_of_the_one_before() -> None:
    assert Candidate("editor", DAY, 1, 100, COUNTED_AT, 100, "ab") == COUNTED
    assert COUNTED.next_attempt(300) == Candidate("editor", DAY, 2, 300)
    assert replace(UNDER_WAY, expected=7).counted(3, b"\x01", MIDNIGHT).expected == 3


def test_a_day_is_over_half_an_hour_after_its_midnight() -> None:
    assert end_of(DAY) == MIDNIGHT
    assert last_day_over(MIDNIGHT + MARGIN - SECOND) == DAY - timedelta(days=1)
    assert last_day_over(MIDNIGHT + MARGIN) == DAY


def test_days_behind_counts_days_that_are_over_and_not_closed() -> None:
    over, ordinal = MIDNIGHT + MARGIN, DAY.toordinal()
    assert Closing().days_behind(over) == 0
    assert Closing(opened=ordinal).days_behind(over) == 1
    assert Closing(opened=ordinal - 5, closed=ordinal - 3).days_behind(over) == 3
    assert Closing(opened=ordinal, closed=ordinal).days_behind(over) == 0
    assert Closing(opened=ordinal + 1).days_behind(over) == 0


def test_who_asks_too_early_is_told_to_wait_from_one_count_to_a_week() -> None:
    assert wait_until_closed(DAY, MIDNIGHT) == CLOSES_AFTER
    assert wait_until_closed(DAY, MIDNIGHT + DEADLINE) == BETWEEN_COUNTS
    assert wait_until_closed(DAY, MIDNIGHT - timedelta(days=30)) == LONGEST_WAIT
