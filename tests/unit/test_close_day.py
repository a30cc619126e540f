"""When days close, where they begin, and what is kept of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256

import pytest

from telemetry.domain.active_users import Actor, ActorKey, Audience, LedgerBroken, Place
from telemetry.domain.day_report import GENESIS, DayReport, DayTotals, chain_of
from telemetry.domain.hourly_counts import Fold
from telemetry.domain.recount import Unit
from telemetry.domain.sighting import CATALOGUE, UNKNOWN_PRODUCT, Observation, Sighting
from telemetry.services.close_day import Closed, DayCloser
from telemetry.services.counting import count
from telemetry.services.recount import Recounter, RecountIncomplete
from telemetry.services.reports import active_users
from telemetry.services.verify_day import DayVerdict, Outcome, Verifier
from tests.memory_aggregates import MemoryAggregates
from tests.observations import SHARDS, observe
from tests.worlds.active_users import Store

pytestmark = pytest.mark.days

DAY = date(2026, 11, 3)
LATE = 26 * 60 + 24 * 60
"""Minutes after a day's beginning: its deadline."""


def seen(days_later: int, user: bytes = b"jane", product: str = "editor", *, hour: int = 12) -> Observation:
    sighting = Sighting(product, DAY + timedelta(days=days_later), user, None, billable=True)
    return observe(sighting, at=time(hour), version="1.0", license_=user.decode())


def at(days_later: int, minutes: int = 30) -> datetime:
    return datetime.combine(DAY, time(), UTC) + timedelta(days=days_later, minutes=minutes)


@dataclass
class World:
    """Records, of which rollup has counted `delivered`."""

    records: list[Observation] = field(default_factory=list)
    aggregates: MemoryAggregates = field(default_factory=MemoryAggregates)
    reads: list[Observation] = field(default_factory=list)
    asked_for: list[Unit] = field(default_factory=list)
    wrong: dict[bytes, str] = field(default_factory=dict)
    _delivered: int = 0

    def observations(
        self, product: str, day: date, shards: object = None, hours: range = range(24)
    ) -> Iterator[Observation]:
        chosen = [
            each
            for each in self.records
            if (each.sighting.product, each.sighting.day) == (product, day)
            and each.received_at.hour in hours
            and (not isinstance(shards, list) or int(each.partition[2:]) in shards)
        ]
        for each in sorted(chosen, key=lambda each: (each.partition, each.received_at)):
            self.reads.append(each)
            yield each

    def examined(self, product: str, day: date) -> Iterator[tuple[Observation, str | None]]:
        return ((each, self.wrong.get(each.seal)) for each in self.observations(product, day))

    def products(self, day: date) -> frozenset[str]:
        return frozenset(each.sighting.product for each in self.records if each.sighting.day == day)

    def has_any(self, product: str, day: date) -> bool:
        return any((each.sighting.product, each.sighting.day) == (product, day) for each in self.records)

    def shard_count(self, day: date) -> int:
        del day
        return SHARDS

    def deliver(self) -> None:
        """Rollup counts what it has not."""
        fresh = self.records[self._delivered :]
        count((each.sighting for each in fresh), self.aggregates)
        fold = Fold()
        for each in fresh:
            fold.add(each, None)
        before = self.aggregates.position("shard")
        self._delivered = len(self.records)
        self.aggregates.add("shard", before, str(self._delivered), fold, at(0))

    def closer(self, *products: str, at_once: int = 1_000) -> DayCloser:
        store: Store = self.aggregates
        recounter = Recounter(self, store, store, self.asked_for.append, at_once, lambda _: None)
        return DayCloser(store, store, store, store, store, self, recounter, products or ("editor",))

    def close(self, now: datetime, *products: str) -> list[int]:
        return [(closed.day - DAY).days for closed in self.closer(*products).close(now)]

    def users(self, days: int, days_later: int, scope: str = "editor") -> int:
        return active_users(scope, days, DAY + timedelta(days=days_later), Audience.USERS, self.aggregates)

    def verify(self, days_later: int, scope: str = CATALOGUE, now: datetime | None = None) -> list[DayVerdict]:
        verifier = Verifier(self.aggregates, self.aggregates, self.aggregates, self)
        return verifier.verify(scope, DAY + timedelta(days=days_later), now or at(5))


def delivered(*records: Observation) -> World:
    world = World(list(records))
    world.deliver()
    return world


# ── when


def test_a_day_closes_once_two_counts_agree_with_each_other_and_with_rollup() -> None:
    world = delivered(seen(0))
    assert world.close(at(1, minutes=29)) == []
    assert world.reads == []
    assert world.close(at(1, minutes=30)) == []
    assert world.close(at(1, minutes=39)) == []
    assert world.close(at(1, minutes=40)) == [0]
    assert world.close(at(1, minutes=41)) == []
    assert world.reads == world.records * 2


def test_a_day_waits_for_rollup_without_reading_its_records_again() -> None:
    world = World([seen(0)])
    for minutes in (30, 90, 150):
        assert world.close(at(1, minutes)) == []
    assert len(world.reads) == 1
    world.deliver()
    assert world.close(at(1, 210)) == [0]
    assert len(world.reads) == 2


def test_a_record_between_two_counts_takes_a_third() -> None:
    world = delivered(seen(0))
    assert world.close(at(1)) == []
    world.records.append(seen(0, b"john"))
    assert world.close(at(1, 90)) == []  # the second count differs
    world.deliver()
    assert world.close(at(1, 110)) == [0]
    assert world.users(1, 0) == 2


def test_a_record_that_rollup_counts_after_the_first_count_makes_it_count_anew() -> None:
    world = delivered(seen(0))
    assert world.close(at(1)) == []
    world.records.append(seen(0, b"john"))
    world.deliver()
    assert world.close(at(1, 60)) == []
    assert world.close(at(1, 75)) == [0]
    assert len(world.reads) == 1 + 2 + 2


def test_after_26_hours_the_records_decide_alone() -> None:
    world = World([seen(0)])
    assert world.close(at(0, LATE - 1)) == []
    (closed,) = world.closer().close(at(0, LATE))
    assert closed == Closed(DAY, by_deadline=True)
    assert world.users(1, 0) == 1


def test_days_that_were_missed_are_caught_up_in_order() -> None:
    world = delivered(seen(0), seen(1, b"john"))
    assert world.close(at(4, 125)) == [0, 1, 2]
    assert world.close(at(4, 140)) == [3]
    assert [each.by_deadline for each in world.closer().close(at(5, LATE))] == [False, False]
    assert world.users(3, 2) == 2


def test_days_without_traffic_close_too() -> None:
    world = World()
    assert world.close(at(1)) == []
    assert world.close(at(1, 40)) == [0]
    for scope in ("editor", UNKNOWN_PRODUCT, CATALOGUE):
        (totals,) = world.aggregates.totals(scope, DAY, DAY)
        assert (totals.records, totals.users(365), totals.expires_at) == (0, 0, None)
    assert world.closer().days_behind(at(1, 40)) == 0
    assert world.closer().days_behind(at(4)) == 3


def test_days_begin_with_the_first_record_though_a_later_one_was_delivered_first() -> None:
    late, early = seen(0), seen(1, b"john")
    world = World([late, early])
    count([early.sighting], world.aggregates)
    assert world.close(at(1, LATE)) == [0, 1]
    assert (world.users(1, 0), world.users(1, 1), world.users(2, 1)) == (1, 1, 2)


def test_days_begin_with_the_first_record_though_none_was_ever_delivered() -> None:
    world = World([seen(days) for days in (0, 2, 3, 5, 6)] + [seen(1, product=UNKNOWN_PRODUCT)])
    assert world.close(at(6, LATE)) == [0, 1, 2, 3, 4, 5, 6]
    assert (world.users(1, 1, UNKNOWN_PRODUCT), world.users(7, 6, CATALOGUE)) == (1, 1)


def test_a_product_no_longer_registered_is_recounted() -> None:
    world = World([seen(0, product="old")])
    world.close(at(0, LATE), "old")
    world.records.append(seen(1, b"john", "old"))
    world.close(at(1, LATE))
    assert world.users(2, 1, "old") == 2


def test_a_day_is_not_closed_without_everyone_its_records_show() -> None:
    world = World([seen(1)])
    forgotten = {Place(scope, each): (DAY.toordinal() + 9,) for scope in ("editor", CATALOGUE) for each in Audience}
    world.aggregates.commit({ActorKey(b"jane"): Actor(1, forgotten)}, {}, salt=0)
    with pytest.raises(RecountIncomplete):
        world.close(at(1, LATE))
    assert world.aggregates.closing().closed is None


def test_a_record_that_appears_after_its_day_closed_is_refused() -> None:
    world = World([seen(0)])
    world.close(at(0, LATE))
    (one, *_) = refused = count([seen(0, b"john").sighting], world.aggregates)
    assert str(one.cause) == "2026-11-03 is closed"
    assert {each.presence.place.scope for each in refused} == {"editor", CATALOGUE}
    assert world.users(1, 0) == 1


# ── what


def test_reports_add_up_and_are_chained() -> None:
    world = delivered(seen(0), seen(0, b"john", hour=7), seen(1), seen(1, b"ann", UNKNOWN_PRODUCT))
    world.close(at(1, LATE))
    first, second = world.aggregates.totals("editor", DAY, DAY + timedelta(days=1))
    assert (first.records, second.records, second.lifetime_records) == (2, 1, 3)
    assert (second.users(1), second.users(7)) == (1, 2)
    assert first.chain == chain_of(GENESIS, first.digest)
    assert second.chain == chain_of(first.chain, second.digest)
    whole = world.aggregates.report(CATALOGUE, second.day)
    assert whole
    assert (whole.totals.records, whole.totals.users(1), whole.totals.users(30)) == (2, 2, 3)
    (of_unknown,) = world.aggregates.totals(UNKNOWN_PRODUCT, second.day, second.day)
    assert whole.details.evidence == {"products": "2", "reports": evidence_of(second, of_unknown)}
    assert [each.license for each in whole.details.licenses] == ["ann", "jane"]
    report = world.aggregates.report("editor", DAY)
    assert report
    assert dict(report.details.versions) == {"1.0": 2}
    assert (report.details.hours[7], report.details.hours[12], sum(all_ for all_, _ in report.details.hours)) == (
        (1, 0),
        (1, 0),
        2,
    )


def evidence_of(*products: DayTotals) -> str:
    return sha256(b"".join(sha256(each.scope.encode()).digest() + each.digest for each in products)).hexdigest()


def test_a_report_that_was_written_stays_and_what_contradicts_it_stands_beside() -> None:
    """A product was recounted, its report written, the run ended; and then its day got another record."""
    world = delivered(seen(0))
    close = world.aggregates.close
    world.aggregates.close = lambda day: None  # type: ignore[method-assign]  # noqa: ARG005
    world.close(at(0, LATE))
    world.aggregates.close = close  # type: ignore[method-assign]
    kept = world.aggregates.totals("editor", DAY, DAY)
    world.records.append(seen(0, b"john"))
    world.deliver()
    reads = len(world.reads)
    closed, *_ = world.closer().close(at(0, LATE + 60))
    assert closed == Closed(DAY, by_deadline=True)
    assert {each.sighting.day for each in world.reads[reads:]} == set()  # what is reported is not counted again
    assert world.aggregates.totals("editor", DAY, DAY) == kept
    assert [each.outcome for each in world.verify(0)] == [
        Outcome.DIFFERS,
        Outcome.HOLDS,
        Outcome.DIFFERS,
    ]
    (correction,) = world.aggregates.corrections("editor", DAY, DAY)
    assert (correction.records, correction.users) == (2, 2)
    assert correction.difference == "records: the report says 1, its records 2"


def test_of_two_runs_at_once_that_count_different_records_the_later_one_tells() -> None:
    """While one writes its report another one does, which has not seen the last record."""
    world = delivered(seen(0))
    late = seen(0, b"john")

    def be_overtaken(reports: Sequence[DayReport]) -> None:
        if late in world.records and reports[0].totals.scope == "editor":
            world.records.remove(late)
            assert world.close(at(0, LATE)) == [0]

    world.records.append(late)
    closer = replace(world.closer(), summarise=be_overtaken)
    closer.close(at(0, LATE))
    assert closer.contradicted == ["editor"]
    (correction,) = world.aggregates.corrections("editor", DAY, DAY)
    assert correction.difference == "records: the report says 1, its records 2"


def test_a_gap_in_the_chain_is_never_closed_over() -> None:
    world = delivered(seen(0))
    world.close(at(1, LATE))
    del world.aggregates._reports["editor"][DAY + timedelta(days=1)]
    with pytest.raises(LedgerBroken):
        world.close(at(2, LATE))


# ── in parts


def test_a_large_day_is_counted_in_parts_to_the_same_report() -> None:
    records = [seen(0, b"u%02d" % number, hour=number % 24) for number in range(60)]
    plain, parted = delivered(*records), delivered(*records)
    for world in (plain, parted):
        assert world.close(at(1)) == []
    assert plain.close(at(1, 60)) == [0]
    parted = delivered(*records)
    closer = parted.closer(at_once=10)
    for minutes, passes in ((30, "1-first"), (60, "1-first"), (90, "1-second"), (120, "1-second")):
        parted.asked_for.clear()
        closed = closer.close(at(1, minutes))
        assert {unit.pass_ for unit in parted.asked_for} <= {passes}
        for unit in parted.asked_for:
            closer.recounter.count_unit(unit, at(1, minutes))
    assert [each.day for each in closed] == [DAY]
    assert len(parted.reads) == 2 * len(records)
    for scope in ("editor", CATALOGUE):
        one, other = (world.aggregates.report(scope, DAY) for world in (plain, parted))
        assert one
        assert other
        assert one.totals.digest == other.totals.digest
        assert one.details == other.details


def test_many_records_that_nobody_expected_are_counted_in_parts_as_well() -> None:
    world = World([seen(0, b"u%02d" % number) for number in range(60)])
    closer = world.closer(at_once=10)
    assert closer.close(at(0, LATE)) == []
    assert {unit.end_hour - unit.first_hour for unit in world.asked_for} == {1}
    for unit in world.asked_for:
        closer.recounter.count_unit(unit, at(0, LATE))
    (closed,) = closer.close(at(0, LATE + 60))
    assert closed.by_deadline
    assert world.users(1, 0) == 60


# ── verified


def test_what_nobody_touched_holds() -> None:
    world = delivered(seen(0), seen(1, b"john"))
    world.close(at(1, LATE))
    assert {each.outcome for day in (0, 1) for each in world.verify(day)} == {Outcome.HOLDS}


def test_a_record_that_was_changed_or_lost_is_noticed() -> None:
    world = delivered(seen(0), seen(0, b"john"), seen(1))
    world.close(at(1, LATE))
    untouched = list(world.records)

    world.records = [replace(untouched[0], seal=sha256(b"forged").digest()), *untouched[1:]]
    assert [(each.scope, each.outcome) for each in world.verify(0)] == [
        ("editor", Outcome.DIFFERS),
        (UNKNOWN_PRODUCT, Outcome.HOLDS),
        (CATALOGUE, Outcome.HOLDS),
    ]
    assert (world.verify(0)[0].difference or "").startswith("digest of c#")

    world.records = untouched[1:]
    assert [each.difference for each in world.verify(0, "editor")] == ["records: the report says 2, its records 1"]
    assert {each.outcome for each in world.verify(1)} == {Outcome.HOLDS}

    world.records, world.wrong = untouched, {untouched[0].seal: "record x is gone"}
    assert [each.difference for each in world.verify(0, "editor")] == ["record x is gone"]


def test_a_report_that_was_changed_is_noticed() -> None:
    world = delivered(seen(0), seen(1))
    world.close(at(1, LATE))
    reports = world.aggregates._reports["editor"]
    kept = reports[DAY]
    reports[DAY] = replace(kept, totals=replace(kept.totals, flagged=7))
    assert [each.difference for each in world.verify(0, "editor")] == ["flagged: the report says 7, its records 0"]
    reports[DAY] = replace(kept, totals=replace(kept.totals, chain=bytes(32)))
    assert (world.verify(0, "editor")[0].difference or "").startswith("chain: ")
    assert (world.verify(1, "editor")[0].difference or "").startswith("chain: ")


def test_of_a_purged_day_report_and_chain_are_left() -> None:
    world = delivered(seen(0), seen(1))
    world.close(at(1, LATE))
    world.records.clear()
    later = at(200)
    outcomes = {each.scope: each.outcome for each in world.verify(0, now=later)}
    assert outcomes == {
        "editor": Outcome.PURGED,
        UNKNOWN_PRODUCT: Outcome.HOLDS,
        CATALOGUE: Outcome.PURGED,
    }
    reports = world.aggregates._reports["editor"]
    reports[DAY] = replace(reports[DAY], totals=replace(reports[DAY].totals, records=2))
    assert world.verify(0, "editor", later)[0].outcome is Outcome.DIFFERS
    assert world.verify(1, "editor", later)[0].outcome is Outcome.PURGED
