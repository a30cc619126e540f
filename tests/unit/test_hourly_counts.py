"""Hours folded from records: nothing is lost, whatever names clients choose."""

from collections import Counter
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.flags import Flag, is_billable
from telemetry.domain.hourly_counts import (
    FLAGGED,
    LONGEST_NAME,
    MOST_KEYS,
    MOST_NAMES,
    OTHER,
    RECORDS,
    UNNAMED,
    Fold,
    HourCounts,
    HourKey,
    Kind,
    LicenseDay,
    Measure,
    bounded,
    events_by_key,
    largest,
    of_key,
    total,
)
from telemetry.domain.sighting import CATALOGUE, Sighting
from tests.observations import BREAKDOWNS, observe

pytestmark = pytest.mark.days

DAY = date(2026, 11, 3)
names = st.none() | st.text(max_size=3) | st.sampled_from(["x" * LONGEST_NAME, "ä" * LONGEST_NAME, OTHER, UNNAMED])
flags = st.frozensets(st.sampled_from(Flag), max_size=3)
seen = st.builds(
    lambda product, hour, found, version, license_: observe(
        Sighting(product, DAY, b"someone", None, billable=is_billable(found)),
        at=time(hour),
        flags=found,
        version=version,
        license_=license_,
    ),
    st.sampled_from(["editor", "compiler"]),
    st.integers(0, 3),
    flags,
    names,
    st.sampled_from([None, "L1", "L2"]),
)


@given(st.lists(st.tuples(seen, names), max_size=200))
def test_breakdowns_sum_to_their_totals(records: list[tuple[object, str | None]]) -> None:
    fold = Fold()
    for observation, group in records:
        fold.add(observation, group)  # type: ignore[arg-type]
    of_all = total(counts for key, counts in fold.hours.items() if key.scope == CATALOGUE)
    by_key = events_by_key(of_all)
    assert sum(by_key.values()) == len(records)
    assert of_all - Counter({of_key(each): count for each, count in by_key.items()}) == total(
        counts for key, counts in fold.hours.items() if key.scope != CATALOGUE
    )
    for counts in fold.hours.values():
        for kind in BREAKDOWNS:
            assert _of(counts, kind) == counts[RECORDS]
        assert counts[FLAGGED] <= counts[RECORDS]
    assert sum(counts[RECORDS] for key, counts in fold.hours.items() if key.scope == CATALOGUE) == len(records)


def test_an_hour_tells_a_bounded_number_of_keys_apart() -> None:
    hour: HourCounts = Counter()
    for start in range(0, MOST_KEYS + 100, 50):
        hour.update(bounded(Counter({of_key(f"k{number:09}"): 2 for number in range(start, start + 100)}), hour))
    assert sum(events_by_key(hour).values()) == 2 * 100 * (MOST_KEYS + 100) // 50
    assert hour[Measure(Kind.API_KEY, OTHER)] > 0
    assert len(events_by_key(hour)) == MOST_KEYS + 1


@given(st.lists(st.dictionaries(st.text(max_size=2), st.integers(1, 50), max_size=40), max_size=5))
def test_an_hour_tells_a_bounded_number_of_names_apart(batches: list[dict[str, int]]) -> None:
    hour: HourCounts = Counter()
    for batch in batches:
        added = Counter({Measure(Kind.VERSION, name): count for name, count in batch.items()})
        added[RECORDS] = sum(batch.values())
        hour.update(bounded(added, hour))
    assert _of(hour, Kind.VERSION) == hour[RECORDS]
    assert len([each for each in hour if each.kind is Kind.VERSION and each.name != OTHER]) <= MOST_NAMES


def test_who_came_first_keeps_its_name() -> None:
    known = Counter({Measure(Kind.VERSION, str(number)): 1 for number in range(MOST_NAMES)})
    added = Counter({Measure(Kind.VERSION, "3"): 2, Measure(Kind.VERSION, "new"): 5, Measure(Kind.GROUP, "new"): 1})
    assert bounded(added, known) == {
        Measure(Kind.VERSION, "3"): 2,
        Measure(Kind.VERSION, OTHER): 5,
        Measure(Kind.GROUP, "new"): 1,
    }


def test_licences_are_counted_where_a_flag_points_at_them() -> None:
    fold = Fold()
    for found in ({Flag.REVOKED_LICENSE}, {Flag.BYPASSED_ACTIVATION}, {Flag.INVALID_LICENSE}, {Flag.CLOCK_SKEW}, set()):
        who = Sighting("editor", DAY, b"someone", None, billable=is_billable(found))
        fold.add(observe(who, flags=frozenset(found), license_="L1"), None)
    assert fold.licenses == {LicenseDay("editor", DAY, "L1"): 2}
    assert {key: counts[FLAGGED] for key, counts in fold.hours.items()} == {
        HourKey(scope, key.hour): 4 for key in fold.hours for scope in ("editor", CATALOGUE)
    }


@given(st.dictionaries(st.text(max_size=2) | st.just(OTHER), st.integers(1, 9)), st.integers(0, 5))
def test_the_largest_and_the_rest_are_all(counts: dict[str, int], most: int) -> None:
    found = largest(counts, most)
    assert sum(found.values()) == sum(counts.values())
    assert len([name for name in found if name != OTHER]) <= most


def _of(counts: HourCounts, kind: Kind) -> int:
    return sum(count for each, count in counts.items() if each.kind is kind)
