"""Summaries of values: the same whatever the order, within their bounds, and as exact as they say."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from telemetry.domain.event import Dialect, Event
from telemetry.domain.hourly_counts import OTHER
from telemetry.domain.sighting import Sighting
from telemetry.domain.values import numbers as numbers_module
from telemetry.domain.values import summary as summary_module
from telemetry.domain.values import texts as texts_module
from telemetry.domain.values.kept import DayValues
from telemetry.domain.values.numbers import MOST_BUCKETS, Numbers
from telemetry.domain.values.pairs import Pairs
from telemetry.domain.values.summary import (
    MOST_GROUPS,
    MOST_SERIES,
    MOST_TEXTS_IN_ALL,
    MOST_VERSIONS,
    SeriesKey,
    Values,
    merged,
)
from telemetry.domain.values.texts import MOST_TEXTS, Texts
from telemetry.domain.values.value import LONGEST_TEXT, Moment, Pair, Value, ValueType, counted_text
from telemetry.domain.values.written import read, written
from telemetry.storage.deflated_json import QUICK, deflated_json
from tests.observations import observe

AT = Moment(1_795_249_800_000, "")
START = datetime(2026, 11, 21, 8, tzinfo=UTC)
DOUBLES = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0)
NEAR = st.floats(0.5, 5_000)
FAR = st.builds(lambda sign, exponent: sign * 2.0**exponent, st.sampled_from((-1, 1)), st.floats(-1_074, 1_023.9))
SOME = st.lists(DOUBLES | NEAR | st.just(0.0), min_size=1, max_size=60)
MANY = st.builds(
    lambda seed, spread, count: [math.exp(Random(seed + at).gauss(0, spread)) for at in range(count)],
    st.integers(0, 10**9),
    st.floats(0.1, 40),
    st.integers(1, 700),
)


def summed(numbers: Sequence[float]) -> Numbers:
    found = Numbers()
    for number in numbers:
        found.add(number, AT)
    return found


def nearest_rank(numbers: Sequence[float], part: float) -> float:
    return sorted(numbers)[max(1, math.ceil(part * len(numbers))) - 1]


# ── numbers


@settings(max_examples=50, deadline=None)
@given(SOME | MANY | st.lists(FAR, min_size=1, max_size=600), st.floats(0, 1))
@example([5e-324, 1.7976931348623157e308, -1.7976931348623157e308], 0.5)
def test_numbers_are_as_exact_as_they_say(numbers: list[float], part: float) -> None:
    found = summed(numbers)
    assert (found.count, found.least, found.most) == (len(numbers), min(numbers), max(numbers))
    assert found.mean == float(sum(map(Fraction, numbers)) / len(numbers))
    assert len(found.buckets) <= MOST_BUCKETS
    for each in (part, 0.5, 0.95):
        true = nearest_rank(numbers, each)
        assert abs(Fraction(found.quantile(each)) - Fraction(true)) <= Fraction(found.error) * abs(Fraction(true)) * (
            1 + Fraction(1, 10**12)
        ) + Fraction(5e-324)


@settings(max_examples=50, deadline=None)
@given(SOME | MANY, st.randoms(use_true_random=False), st.integers(1, 5))
def test_numbers_merge_in_any_order_and_in_any_parts(numbers: list[float], random: Random, parts: int) -> None:
    whole = summed(numbers)
    mixed = random.sample(numbers, len(numbers))
    found = Numbers()
    for part in random.sample(range(parts), parts):
        found.merge(summed(mixed[part::parts]))
    assert found == whole


def test_what_numbers_are_far_apart_costs_is_told() -> None:
    errors = [summed([2.0 ** (spread * at / 2_000) for at in range(2_000)]).error for spread in (5, 11, 23, 47, 1_000)]
    assert errors == [1 / 65, 1 / 33, 1 / 17, 1 / 9, pytest.approx(1, abs=0.3)]
    assert all(earlier < later < 1 for earlier, later in pairwise(errors))


def test_a_merge_leaves_the_other_one_as_it_was() -> None:
    one, other = summed([1.0, 2.0]), summed([3.0] * 3)
    kept = replace(other, buckets=dict(other.buckets))
    one.merge(other)
    one.add(4.0, AT)
    assert other == kept


def test_no_numbers_have_no_quantile() -> None:
    with pytest.raises(ValueError, match="no number"):
        Numbers().quantile(0.5)


# ── texts and pairs


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 40).map(lambda at: f"t{at % 30}"), max_size=200))
def test_named_texts_are_counted_at_least_so_often(sent: list[str]) -> None:
    found, true = Texts(), Counter(sent)
    for text in sent:
        found.add(text, AT)
    assert found.counts.total() == found.count == len(sent)
    assert len(found.counts) <= MOST_TEXTS + 1
    rest = found.counts[OTHER]
    assert all(count <= true[text] <= count + rest for text, count in found.counts.items() if text != OTHER)
    if rest == 0:
        assert found.counts == true


def test_a_long_text_is_counted_by_its_beginning_and_hash() -> None:
    one, other = "é" * 33, "é" * 32 + "è"
    assert counted_text("é" * 32) == "é" * 32
    assert counted_text(one) != counted_text(other)
    assert counted_text(one).startswith("é" * 22 + "…~")
    assert all(len(counted_text(each * 100).encode()) <= LONGEST_TEXT for each in ("x", "é", "€", "😀"))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc"), DOUBLES, DOUBLES), min_size=1), st.randoms())
def test_the_latest_pair_and_the_ranges(sent: list[tuple[int, str, float, float]], random: Random) -> None:
    found, mixed = Pairs(), Pairs()
    for pairs, order in ((found, sent), (mixed, random.sample(sent, len(sent)))):
        for at, tie, x, y in order:
            pairs.add(Pair(x, y), Moment(at, tie))
    assert found == mixed
    assert (found.at, found.latest) == max((Moment(at, tie), Pair(x, y)) for at, tie, x, y in sent)
    assert found.least == (min(x for *_, x, _ in sent), min(y for *_, y in sent))
    assert found.most == (max(x for *_, x, _ in sent), max(y for *_, y in sent))


# ── all of a product


def event(value: Value | None, group: str | None = "g") -> Event:
    return Event(b"", Dialect.GETKEYMANAGER, group=group, value=value)


def add(values: Values, value: Value | None, group: str | None = "g", version: str | None = "1", ms: int = 0) -> None:
    seen = observe(Sighting("p", START.date(), None, None, billable=True), version=version)
    values.add(replace(seen, received_at=START + timedelta(milliseconds=ms)), event(value, group))


def test_one_group_may_have_values_of_each_type() -> None:
    values = Values()
    for at, value in enumerate((1.0, Pair(1.0, 2.0), "x", "x", None)):
        add(values, value, ms=at)
    add(values, 2.0, None, None, 9)
    assert (values.records, values.unread, values.count) == (6, 0, 5)
    assert {key: (each.count, each.last_ms - int(START.timestamp() * 1000)) for key, each in values.series.items()} == {
        SeriesKey(ValueType.NUMBER, "g", "1"): (1, 0),
        SeriesKey(ValueType.PAIR, "g", "1"): (1, 1),
        SeriesKey(ValueType.TEXT, "g", "1"): (2, 3),
        SeriesKey(ValueType.NUMBER, "~unknown", "~unknown"): (1, 9),
    }


def test_a_record_without_its_body_is_unread_unless_it_is_usage() -> None:
    values, seen = Values(), observe(Sighting("p", START.date(), None, None, billable=True))
    values.add(seen, None)
    values.add(replace(seen, uses=3), None)
    assert (values.records, values.unread, values.count) == (2, 1, 0)


NAMES = st.tuples(
    st.sampled_from((1.0, "x", Pair(1.0, 1.0))),
    st.integers(0, 30).map(lambda at: f"g{at}" if at < 28 else OTHER),
    st.integers(0, 30).map(lambda at: f"v{at % 20}" if at < 28 else OTHER),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(NAMES, max_size=400), st.integers(0, 3))
def test_names_have_a_bound_and_nothing_is_lost(sent: list[tuple[Value, str, str]], cut: int) -> None:
    values = Values()
    for value, group, version in sent:
        add(values, value, group, version)
    halves = [Values(), Values()]
    for at, (value, group, version) in enumerate(sent):
        add(halves[(at >> cut) % 2], value, group, version)
    together, turned = merged(halves), merged(halves[::-1])
    assert written(together) == written(turned)
    together.make_room()
    turned.make_room()
    assert written(together) == written(turned)
    true = Counter((type(value), group, version) for value, group, version in sent)
    for found in (values, together):
        assert (found.records, found.count) == (len(sent), len(sent))
        named = {key for key in found.series if key.version != OTHER}
        groups = {key[:2] for key in found.series if key.group != OTHER}
        assert len(groups) <= MOST_GROUPS
        assert len(named) <= MOST_SERIES
        assert max(Counter(key[:2] for key in named).values(), default=0) <= MOST_VERSIONS
        kinds = {ValueType.NUMBER: float, ValueType.TEXT: str, ValueType.PAIR: Pair}
        for key in named:
            assert found.series[key].count <= true[kinds[key.type], key.group, key.version]


def test_names_go_to_those_that_come_first_and_in_a_day_to_the_most_frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (summary_module, "MOST_VERSIONS"),
        (summary_module, "MOST_GROUPS"),
        (texts_module, "MOST_TEXTS"),
    ):
        monkeypatch.setattr(module, name, 1)
    early, late = Values(), Values()
    add(early, "a", "g", "1")
    add(early, "b", "g", "2")
    add(early, "b", "h", "1")
    for _ in range(3):
        add(late, "b", "h", "2")
    counts = {key[1:]: each.counts for key, each in early.series.items() if isinstance(each, Texts)}
    assert counts == {("g", "1"): {"a": 1}, ("g", OTHER): {"b": 1}, (OTHER, OTHER): {"b": 1}}
    day = merged([early, late])
    day.make_room()
    counts = {key[1:]: each.counts for key, each in day.series.items() if isinstance(each, Texts)}
    assert counts == {("h", "2"): {"b": 3}, (OTHER, OTHER): {"b": 2, OTHER: 1}}


def test_texts_that_are_made_up_stay_a_small_part_of_an_hour() -> None:
    """Each batch of the hour writes them again."""
    random, hour = Random(3), Values()
    for number in range(6_000):
        text = "".join(chr(random.randrange(0x10000, 0x110000)) for _ in range(16))
        add(hour, text, f"g{number % 24}", f"{number // 24 % 16}")
    named = [len(each.named) for each in hour.series.values() if isinstance(each, Texts)]
    assert (sum(named), hour.count) == (MOST_TEXTS_IN_ALL, 6_000)
    assert len(deflated_json(written(hour), QUICK)) < 64_000
    day = merged([hour, hour])
    for each in range(1_000):
        add(day, f"t{each}", f"g{each % 24}", "1")
    day.make_room()
    assert sum(len(each.named) for each in day.series.values() if isinstance(each, Texts)) <= MOST_TEXTS_IN_ALL
    assert day.count == 13_000


# ── as they are stored


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(DOUBLES | st.text(max_size=80) | st.builds(Pair, DOUBLES, DOUBLES), NAMES), max_size=40))
def test_what_is_written_is_read_again(sent: list[tuple[Value, tuple[Value, str, str]]]) -> None:
    values = Values(unread=2)
    for at, (value, (_, group, version)) in enumerate(sent):
        add(values, value, group, version, at)
    said = json.dumps(written(values))
    assert read(json.loads(said)) == values
    assert json.dumps(written(read(json.loads(said)))) == said


def test_the_digest_is_of_all_that_a_day_says() -> None:
    one, other = Values(), Values()
    for values, order in ((one, (1.0, 2.0, 4.0)), (other, (4.0, 1.0, 2.0))):
        for value in order:
            add(values, value)
    day = date(2026, 11, 21)
    digest = DayValues.of("p", day, one, 3).digest
    assert DayValues.of("p", day, other, 3).digest == digest
    add(other, 4.0)
    others = (
        DayValues.of("q", day, one, 3),
        DayValues.of("p", date(2026, 11, 22), one, 3),
        DayValues.of("p", day, one, 4),
        DayValues.of("p", day, other, 3),
    )
    assert len({digest, *(each.digest for each in others)}) == 5


@pytest.mark.parametrize(
    ("records", "unread", "expected", "missing", "complete"),
    [(5, 0, 5, 0, True), (4, 0, 5, 1, False), (5, 1, 5, 0, False), (6, 0, 5, 0, False)],
)
def test_a_day_is_complete_when_each_record_was_read(
    records: int, unread: int, expected: int, missing: int, *, complete: bool
) -> None:
    day = DayValues.of("p", date(2026, 11, 21), Values(records, unread), expected)
    assert (day.missing, day.is_complete) == (missing, complete)


def test_the_buckets_of_all_doubles_have_places_in_their_order() -> None:
    sent = [2.0**exponent for exponent in range(-1_074, 1_024)] + [1.7976931348623157e308]
    places = [numbers_module._place(number) for number in sent]
    assert places == sorted(set(places))
    assert places[0] >> 10 > 0
