"""Runs that have too little time, or are cut off: each gets further, and in the end the reports are the same."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.domain.active_users import LedgerBroken
from telemetry.domain.closing import Candidate
from telemetry.domain.day_report import DayDetails, DayReport
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.recount import Unit
from telemetry.domain.sighting import CATALOGUE, UNKNOWN_PRODUCT, Observation, Sighting
from telemetry.services.close_day import Closed, DayCloser, count_part
from telemetry.services.recount import RECORDS_A_SECOND, RESERVE_SECONDS, Allowance, Recounter
from tests.observations import observe
from tests.unit.test_close_day import DAY, LATE, World, at, seen

pytestmark = pytest.mark.days

A_RECORD = 1 / RECORDS_A_SECOND
"""Seconds that it takes to count; nothing else takes any."""

SECONDS = RESERVE_SECONDS + 60 * A_RECORD
"""Of an invocation: time for sixty records."""


class Crashed(BaseException):
    """The process is gone: nothing in it can catch this."""


@dataclass
class Hasty:
    """A world's store that ends the process at one of its calls, before or after it did what it was asked."""

    store: Any
    at_call: int
    after: bool = False
    calls: int = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        method = getattr(self.store, name)
        if not callable(method):
            return method

        def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
            self.calls += 1
            if self.calls == self.at_call and not self.after:
                raise Crashed
            answer = method(*arguments, **named)
            if self.calls == self.at_call:
                raise Crashed
            return answer

        return call


@dataclass
class Closing:
    """The runs of one world's close_day, an hour apart; what they ask others to count is counted before the next."""

    world: World
    products: Sequence[str]
    at_once: int
    seconds: float = float("inf")
    runs: int = 0
    asked_for: list[Unit] = field(default_factory=list)

    def closer(self, store: Any) -> DayCloser:  # noqa: ANN401
        began = len(self.world.reads)
        allowance = Allowance(lambda: self.seconds - A_RECORD * (len(self.world.reads) - began))
        dispatch = self.asked_for.append
        recounter = Recounter(self.world, store, store, dispatch, self.at_once, lambda _: None, allowance)
        return DayCloser(store, store, store, store, store, self.world, recounter, self.products)

    def run(self, store: Any = None) -> list[Closed]:  # noqa: ANN401
        now = at(1) + timedelta(hours=self.runs)
        self.runs += 1
        closer = self.closer(store or self.world.aggregates)
        closed = closer.close(now)
        assert closer.contradicted == []
        asked_for, self.asked_for = self.asked_for, []
        for unit in asked_for:
            count_part(self.closer(self.world.aggregates).recounter, self.world.aggregates, unit, now)
        return closed

    def until_closed(self, most_runs: int = 20) -> None:
        while not self.run():
            assert self.runs <= most_runs


def reports(world: World, products: Sequence[str]) -> list[tuple[bytes, bytes, DayDetails]]:
    """All that is said of the day, but when it was written."""
    found = [world.aggregates.report(scope, DAY) for scope in (*products, UNKNOWN_PRODUCT, CATALOGUE)]
    return [(each.totals.digest, each.totals.chain, each.details) for each in found if each]


def delivered(records: Sequence[Observation]) -> World:
    world = World(list(records))
    world.deliver()
    return world


def quiet(records: Sequence[Observation], products: Sequence[str]) -> list[tuple[bytes, bytes, DayDetails]]:
    """What one run says that has all the time in the world."""
    world = delivered(records)
    Closing(world, products, at_once=100_000).until_closed(2)
    found = reports(world, products)
    assert len(found) == len(products) + 2
    return found


def a_busy_day(products: Sequence[str], records: int) -> list[Observation]:
    """Every product's day has so many records."""
    chance = Random(1)
    return [
        replace(
            observe(
                Sighting(
                    product, DAY, b"u%d" % chance.randrange(30), b"d%d" % chance.randrange(20), billable=number % 7 > 0
                ),
                number,
                time(chance.randrange(24), chance.randrange(60)),
                version=f"1.{chance.randrange(150)}",
                license_=f"L{chance.randrange(120)}" if number % 3 else None,
            ),
            country=chance.choice((None, "DE", "Nirgendwo", "\U0001f600" * 3)),
            source_ip=f"192.0.2.{chance.randrange(40)}",
        )
        for product in products
        for number in range(records)
    ]


SIX = ("a", "b", "c", "d", "e", "f")


def test_six_large_products_close_in_several_runs() -> None:
    """Each takes two runs' time for itself, and there are six of them, counted twice."""
    records = a_busy_day(SIX, 45)
    world = delivered(records)
    closing = Closing(world, SIX, at_once=10, seconds=SECONDS)
    closed, most = list[Closed](), 0
    while not closed:
        before = len(world.reads)
        closed = closing.run()
        most = max(most, len(world.reads) - before)
    assert [each.day for each in closed] == [DAY]
    assert most < 80  # no run was long at work when its time was over
    assert len(world.reads) == 2 * len(records)  # nothing was counted again
    assert closing.runs <= 12
    assert reports(world, SIX) == quiet(records, SIX)


def test_what_takes_longer_than_expected_is_given_up_and_begun_first_the_next_time() -> None:
    """Of b rollup has counted nothing, so nobody knew that there are nineteen records."""
    records = [seen(0, product="a"), *a_busy_day(("b",), 19)]
    world = delivered(records[:1])
    world.records = list(records)
    closing = Closing(world, ("a", "b"), at_once=10)
    closer = closing.closer(world.aggregates)
    closer.recounter.allowance.seconds_left = lambda: 9 if len(world.reads) < 5 else 0
    assert closer.close(at(1)) == []
    assert len(world.reads) == 1 + 10
    assert closing.run() == []
    world.deliver()
    closing.until_closed()
    assert reports(world, ("a", "b")) == quiet(records, ("a", "b"))


@pytest.mark.parametrize("at_once", [7, 100])
def test_a_run_without_any_time_counts_one_thing(at_once: int) -> None:
    records = a_busy_day(("a", "b"), 30)
    world = delivered(records)
    closing = Closing(world, ("a", "b"), at_once, seconds=0)
    closing.until_closed(60)
    assert reports(world, ("a", "b")) == quiet(records, ("a", "b"))


@pytest.mark.parametrize("after", [False, True])
def test_runs_that_are_cut_off_after_some_calls_get_further(after: bool) -> None:  # noqa: FBT001
    records = a_busy_day(("a", "b"), 40)
    world = delivered(records)
    closing = Closing(world, ("a", "b"), at_once=10)
    while not world.aggregates.closing().is_closed(DAY.toordinal()):
        try:
            closing.run(Hasty(world.aggregates, at_call=45, after=after))
        except Crashed:
            assert closing.runs < 30
    assert reports(world, ("a", "b")) == quiet(records, ("a", "b"))


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    sizes=st.tuples(st.integers(0, 40), st.integers(0, 12)),
    at_once=st.integers(1, 50),
    seconds=st.sampled_from([0, 10, 30, float("inf")]),
    cuts=st.lists(st.tuples(st.integers(1, 120), st.booleans()), max_size=6),
)
def test_however_it_is_counted_the_reports_are_the_same(
    seed: int, sizes: tuple[int, int], at_once: int, seconds: float, cuts: list[tuple[int, bool]]
) -> None:
    chance, products = Random(seed), ("a", "b")
    records = [each for product, size in zip(products, sizes, strict=True) for each in a_busy_day([product], size)]
    chance.shuffle(records)
    world = delivered(records)
    closing = Closing(world, products, at_once, seconds)
    for at_call, after in cuts:
        try:
            closing.run(Hasty(world.aggregates, at_call, after))
        except Crashed:
            closing.asked_for.clear()
    if not world.aggregates.closing().is_closed(DAY.toordinal()):
        closing.until_closed(500)
    assert reports(world, products) == quiet(records, products)


def test_what_rollup_has_not_counted_is_cut_into_parts_as_well() -> None:
    """At the deadline, when nobody knows how many records there are."""
    records = a_busy_day(("a",), 200)
    world = World(list(records))
    closing = Closing(world, ("a",), at_once=10, seconds=SECONDS, runs=26)
    closing.until_closed(60)
    assert reports(world, ("a",)) == quiet(records, ("a",))


@pytest.mark.parametrize("counted", [40, 60])
def test_a_part_with_far_more_records_than_expected_is_cut_finer(counted: int) -> None:
    """Rollup has counted few when the parts are made, for this run or for others, and there are a thousand."""
    records = a_busy_day(("a",), 1_000)
    world = delivered(records[:counted])
    world.records = list(records)
    closing = Closing(world, ("a",), at_once=10)
    for _ in range(3):
        assert closing.run() == []
    world.deliver()
    closing.until_closed(12)
    assert reports(world, ("a",)) == quiet(records, ("a",))


# ── products that come


def test_a_product_registered_between_two_counts_keeps_no_day_waiting() -> None:
    """On a fresh stack too, where nothing had a report before."""
    for records in ([], [seen(0)]):
        world = delivered(records)
        assert world.close(at(1), "editor") == []
        assert world.close(at(1, 40), "compiler", "editor") == [0]
        (totals,) = world.aggregates.totals("compiler", DAY, DAY)
        assert totals.records == 0
        assert {each.scope for each in world.verify(0)} == {"compiler", "editor", UNKNOWN_PRODUCT, CATALOGUE}


def test_a_product_registered_when_the_day_was_all_but_closed_begins_the_day_after() -> None:
    world = delivered([seen(0), seen(1)])
    close = world.aggregates.close
    world.aggregates.close = lambda day: None  # type: ignore[method-assign]  # noqa: ARG005
    world.close(at(0, LATE), "editor")
    world.aggregates.close = close  # type: ignore[method-assign]
    assert world.close(at(1, LATE), "compiler", "editor") == [0, 1]
    next_day = DAY + timedelta(days=1)
    assert [each.day for each in world.aggregates.totals("compiler", DAY, next_day)] == [next_day]
    assert {each.is_sound for day in (0, 1) for each in world.verify(day)} == {True}


def test_four_thousand_products_close() -> None:
    products = [f"product-{number:04d}" for number in range(4_000)]
    world = delivered([seen(0, product=products[3_999]), seen(0, product=products[17])])
    assert world.close(at(1), *products) == []
    assert world.close(at(1, 40), *products) == [0]
    whole = world.aggregates.report(CATALOGUE, DAY)
    assert whole
    assert whole.totals.records == 2
    assert whole.details.evidence["products"] == "4001"


def test_looking_back_for_a_first_day_asks_only_what_may_have_records() -> None:
    products = [f"product-{number:04d}" for number in range(1_000)]
    world = delivered([seen(0, product=products[5])])
    asked = list[str]()
    has_any = world.has_any

    def listening(product: str, day: date) -> bool:
        asked.append(product)
        return has_any(product, day)

    world.has_any = listening  # type: ignore[method-assign]
    closer = world.closer(*products)
    closer.recounter.allowance.seconds_left = lambda: 0
    assert closer.close(at(1, 30)) == []
    assert asked == []  # the days before have no records at all
    assert world.close(at(1, 40), *products) == [0]


def test_products_without_records_are_reported_together_or_else_each_by_itself() -> None:
    """One of them has lost a balance: it keeps no other from its report."""
    products = [f"product-{number:02d}" for number in range(40)]
    world = delivered([seen(0), seen(0, product=products[3])])
    world.close(at(1), *products)
    assert world.close(at(1, LATE), *products) == [0, 1]
    del world.aggregates._balances[products[7]][DAY.toordinal() + 1]
    kept = list[int]()
    keep_all = world.aggregates.keep_all

    def listening(reports: Collection[DayReport]) -> bool:
        kept.append(len(reports))
        return keep_all(reports)

    world.aggregates.keep_all = listening  # type: ignore[method-assign]
    with pytest.raises(LedgerBroken) as caught:
        world.close(at(2, LATE), *products)
    assert caught.value.__notes__ == [f"{products[7]} on 2026-11-05"]
    assert kept == [1] * 32 + [9]
    told = world.aggregates.totals_on([*products, UNKNOWN_PRODUCT, "editor"], DAY + timedelta(days=2))
    assert told.keys() == {*products, UNKNOWN_PRODUCT, "editor"} - {products[7]}


def test_products_without_records_that_cannot_be_noted_keep_no_other_from_being_counted() -> None:
    world = delivered([seen(0)])
    put = world.aggregates.put_candidates

    def refuse(candidates: Collection[Candidate], now: datetime) -> None:
        if any(each.product != "editor" for each in candidates):
            raise StoreUnavailable("candidates")
        put(candidates, now)

    world.aggregates.put_candidates = refuse  # type: ignore[method-assign, assignment]
    with pytest.raises(StoreUnavailable, match="candidates"):
        world.close(at(1), "editor", "quiet")
    assert world.aggregates.candidates(DAY).keys() == {"editor"}
    world.aggregates.put_candidates = put  # type: ignore[method-assign]
    assert world.close(at(1, 40), "editor", "quiet") == []
    assert world.close(at(1, 50), "editor", "quiet") == [0]


def test_of_products_without_records_one_is_reported_meanwhile_by_another_run() -> None:
    products = [f"product-{number:02d}" for number in range(5)]
    world, other = delivered([seen(0)]), list[object]()
    world.close(at(1), *products)

    def be_overtaken(reports: Sequence[DayReport]) -> None:
        if not other:
            other.append(reports)
            assert world.close(at(1, 40), *products) == [0]

    closer = replace(world.closer(*products), summarise=be_overtaken)
    assert [each.day for each in closer.close(at(1, 41))] == [DAY]
    assert closer.contradicted == []
    assert world.aggregates.closing().is_closed(DAY.toordinal())


def test_looking_back_over_days_with_records_goes_on_too() -> None:
    world = World([seen(0), seen(1), seen(2)])
    for _ in range(12):
        closer = world.closer()
        closer.recounter.allowance.seconds_left = lambda: 0
        closer.close(at(2, LATE))
    assert world.aggregates.closing().opened == DAY.toordinal()
    assert world.aggregates.closing().closed is not None


# ── what is broken


def test_a_product_that_cannot_be_counted_keeps_no_other_from_getting_further() -> None:
    world = delivered([seen(0, product=product) for product in ("a", "b", "c")])
    observations = world.observations

    def broken(product: str, *rest: Any) -> Iterator[Observation]:  # noqa: ANN401
        if product == "a":
            raise StoreUnavailable("of a")
        return observations(product, *rest)

    world.observations = broken  # type: ignore[method-assign, assignment]
    for minutes in (30, 40):
        with pytest.raises(StoreUnavailable, match="of a") as caught:
            world.close(at(1, minutes), "a", "b", "c")
        assert caught.value.__notes__ == ["a on 2026-11-03"]
    assert world.aggregates.totals_on(["a", "b", "c", UNKNOWN_PRODUCT, CATALOGUE], DAY).keys() == {
        "b",
        "c",
        UNKNOWN_PRODUCT,
    }
    world.observations = observations  # type: ignore[method-assign]
    reads = len(world.reads)
    world.close(at(1, 50), "a", "b", "c")
    assert world.close(at(1, 60), "a", "b", "c") == [0]
    assert [each.sighting.product for each in world.reads[reads:]] == ["a", "a"]
