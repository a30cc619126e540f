"""What closing and rollup ask of a store, of the real one and of the one in memory alike."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from telemetry.domain.active_users import COUNTERS, Audience, Balance, LedgerBroken, Outdated, next_balance
from telemetry.domain.closing import Candidate
from telemetry.domain.correction import Correction
from telemetry.domain.day_report import DayReport, Moments, product_report
from telemetry.domain.environment import Environment
from telemetry.domain.flags import Flag
from telemetry.domain.hourly_counts import (
    DEVICE_BYTES,
    FLAGGED,
    LONGEST_NAME,
    MOST_DEVICES,
    MOST_KEYS,
    MOST_NAMES,
    OTHER,
    RECORDS,
    SUSPECT,
    FlaggedDay,
    Fold,
    HourCounts,
    HourKey,
    Kind,
    LicenseDay,
    Measure,
    events_by_key,
    of_key,
)
from telemetry.domain.license_activity import LicenseCount
from telemetry.domain.recount import Recount, Unit
from telemetry.domain.recount import counted as count_all
from telemetry.domain.sighting import CATALOGUE, UNKNOWN_PRODUCT, Sighting
from telemetry.domain.spikes import Cause, Episode, Spike
from telemetry.services.rollup import Batch, Rollup
from telemetry.settings import TableNames
from telemetry.storage.hourly_counts import HourlyCountStore
from telemetry.storage.spikes import EpisodeStore
from telemetry.storage.tables import dynamodb_client
from tests.item_sizes import item_bytes
from tests.memory_aggregates import MemoryAggregates
from tests.observations import BREAKDOWNS, observe
from tests.table_aggregates import TableAggregates
from tests.unit.test_spikes import MemoryEpisodes
from tests.worlds.active_users import stream_record
from tests.worlds.deployment import Mailbox

pytestmark = pytest.mark.days

DAY = date(2026, 11, 3)
NOW = datetime(2026, 11, 4, 1, 30, tzinfo=UTC)
HOUR = datetime(2026, 11, 3, 9, tzinfo=UTC)
Store = MemoryAggregates | TableAggregates


@pytest.fixture(params=["memory", "table"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryAggregates()
    tables: TableNames = request.getfixturevalue("tables")
    return TableAggregates(tables.aggregates(Environment.PRODUCTION))


def a_recount(records: int = 40) -> Recount:
    """Of a day with everything in it."""
    return count_all(
        observe(
            Sighting("editor", DAY, b"user %d" % (number % 9), b"device %d" % (number % 7), billable=number % 5 > 0),
            number,
            time(number % 3, number % 60, 2, 3_000),
            flags=frozenset() if number % 5 else frozenset({Flag.REVOKED_LICENSE, Flag.CLOCK_SKEW}),
            version=f"1.{number % 4}" if number % 6 else None,
            license_=f"licence {number % 8}",
        )
        for number in sorted(range(records), key=lambda number: (number % 3, number % 60))
    )


def a_report(day: date = DAY, before: DayReport | None = None, records: int = 40, scope: str = "editor") -> DayReport:
    tally = Counter({(Audience.USERS, 0): 7, (Audience.ALL_USERS, 0): 9, (Audience.DEVICES, 0): 7})
    balance = next_balance(before.balance if before else None, day.toordinal(), tally)
    totals = before.totals if before else None
    return product_report(scope, day, a_recount(records), balance, totals, Moments(NOW, NOW))


def test_a_report_comes_back_as_it_was_kept(store: Store) -> None:
    report = a_report()
    assert store.report("editor", DAY) is None
    assert store.keep(report) == report
    assert store.report("editor", DAY, consistent=True) == report
    assert store.day("editor", DAY.toordinal() + 1) == (report.balance, Counter())


def test_a_report_is_written_once(store: Store) -> None:
    first, other = a_report(), a_report(records=41)
    store.keep(first)
    assert store.keep(other) == first
    assert store.keep(first) == first
    assert store.report("editor", DAY) == first


def test_totals_of_a_stretch_and_the_latest(store: Store) -> None:
    reports = [a_report()]
    for days in range(1, 5):
        reports.append(a_report(DAY + timedelta(days=days), reports[-1]))
    for report in reports:
        store.keep(report)
    totals = [report.totals for report in reports]
    assert store.totals("editor", DAY + timedelta(days=1), DAY + timedelta(days=3)) == totals[1:4]
    assert store.totals("edit", DAY, DAY + timedelta(days=9)) == []
    assert store.latest("editor", DAY + timedelta(days=2)) == totals[2]
    assert store.latest("editor", DAY + timedelta(days=200), consistent=True) == totals[4]
    assert store.latest("editor", DAY - timedelta(days=1)) is None


def test_corrections_stand_beside_once(store: Store) -> None:
    found = Correction("editor", DAY, "records: 1, 2", 2, 1, 2, NOW)
    again = replace(found, found_at=NOW + timedelta(hours=1))
    store.correct(found, b"\x01" * 32)
    store.correct(again, b"\x01" * 32)
    store.correct(again, b"\x02" * 32)
    assert store.corrections("editor", DAY, DAY) == [found, again]
    assert store.corrections("editor", DAY + timedelta(days=1), DAY + timedelta(days=9)) == []


def test_candidates_take_each_others_place(store: Store) -> None:
    first, other = Candidate("editor", DAY, 1, 500_000), Candidate(UNKNOWN_PRODUCT, DAY, 1, 0, NOW, 0, "ab")
    counted = replace(first, counted_at=NOW, records=3, digest="cd")
    assert store.candidates(DAY) == {}
    store.put_candidates([first, other], NOW)
    assert store.candidates(DAY) == {"editor": first, UNKNOWN_PRODUCT: other}
    store.put_candidates([counted], NOW)
    assert store.candidates(DAY) == {"editor": counted, UNKNOWN_PRODUCT: other}
    assert store.candidates(DAY + timedelta(days=1)) == {}


def test_who_has_a_report_of_a_day(store: Store) -> None:
    product_reports = [a_report(scope=f"product {number:03d}", records=3) for number in range(0, 120, 2)]
    for report in product_reports:
        store.keep(report)
    scopes = [f"product {number:03d}" for number in range(120)]
    assert store.totals_on(scopes, DAY) == {report.totals.scope: report.totals for report in product_reports}
    assert store.totals_on(scopes, DAY + timedelta(days=1)) == {}
    assert list(store.told(scopes, DAY)) == [(report.totals, report.details) for report in product_reports]
    assert list(store.told([], DAY)) == []


@pytest.mark.parametrize("buckets", [1, 7])
def test_parts_come_back_as_they_were_counted(store: Store, buckets: int) -> None:
    unit, recount = Unit("editor", DAY, "1-first", 3, 0, 12, counts_users=True, buckets=buckets), a_recount(500)
    assert store.summaries([unit]) == {}
    for copy, records in (("cut off", 900), ("whole", 500)):
        counted = a_recount(records)
        store.put_tables(unit, copy, 0, counted.take_tables(), NOW)
        assert store.summaries([unit]) == {}
    store.put(unit, "whole", counted, NOW)
    found = store.summaries([unit, unit._replace(end_hour=13), unit._replace(buckets=9), unit.merging(0)])
    assert found == {unit: counted}
    merged = found[unit]
    for bucket in range(buckets):
        merged.merge(store.tables(unit, bucket))
    assert merged == recount


def test_tables_are_kept_in_several_pieces(store: Store) -> None:
    """A licence with more devices than fit into an item, and of some licences and versions a second helping."""
    unit = Unit("editor", DAY, "1-first", 3, 0, 12, counts_users=True, buckets=2)
    crowd = LicenseCount(NOW, HOUR, records=7, devices={b"%08d" % number for number in range(30_000)}, ips={"::1"})
    rest = LicenseCount(HOUR, NOW, ips={"::2"}, countries={"DE"})
    pieces = [
        Recount(
            versions=Counter({"1.0": 1, "\U0001f600" * 16: 5}), uses=Counter({"build": 7}), licenses={"crowd": crowd}
        ),
        Recount(versions=Counter({"1.0": 2}), uses=Counter({"build": 1, "1.0": 3}), licenses={"crowd": rest}),
    ]
    for number, piece in enumerate(pieces):
        store.put_tables(unit, "copy", number, piece, NOW)
    store.put(unit, "copy", Recount(), NOW)
    expected, found = Recount(), Recount()
    for piece in pieces:
        expected.merge(piece)
    for bucket in range(2):
        found.merge(store.tables(unit, bucket))
    assert found == expected


def test_what_is_settled_comes_back(store: Store) -> None:
    unit = Unit("editor", DAY, "1-first", 3, 0, 12, counts_users=True, buckets=2).merging(1)
    counted = a_recount()
    counted.uses = Counter({"build": 10**9})
    settled = counted.settle("editor")
    assert settled.settled
    store.put(unit, "", settled, NOW)
    assert store.summaries([unit]) == {unit: settled}


def test_hours_add_up_from_the_position_that_was_read(store: Store) -> None:
    key, catalogue = HourKey("editor", HOUR), HourKey(CATALOGUE, HOUR)
    counts: HourCounts = Counter({RECORDS: 5, SUSPECT: 2, Measure(Kind.VERSION, "1.0 β.2#"): 3})
    license_ = LicenseDay("editor", DAY, "L1")
    fold = Fold({key: counts, catalogue: Counter({RECORDS: 5})}, Counter({license_: 2}))
    assert store.position("shard") is None
    store.add("shard", None, "7", fold, NOW)
    for stale in (None, "6"):
        with pytest.raises(Outdated):
            store.add("shard", stale, "8", fold, NOW)
    store.add("shard", "7", "9", fold, NOW)
    store.add("other", None, "1", Fold(), NOW)
    assert (store.position("shard"), store.position("other")) == ("9", "1")
    twice = counts + counts
    assert store.known([key, HourKey("none", HOUR)]) == {key: twice}
    assert list(store.hours("editor", HOUR, HOUR)) == [(HOUR, twice)]
    assert list(store.hours("editor", HOUR, HOUR, [SUSPECT, of_key("k1")])) == [(HOUR, {SUSPECT: 4})]
    assert list(store.hours("editor", HOUR + timedelta(hours=1), NOW)) == []
    assert store.suspects("editor", HOUR - timedelta(days=1), NOW) == {HOUR: 4}
    other_day = license_._replace(day=DAY + timedelta(days=1))
    others = [license_._replace(license="L2"), license_._replace(product="edit"), other_day]
    assert store.license_counts([license_, *others]) == {license_: 4}


def test_devices_under_a_flagged_licence_are_distinct_and_not_too_many(store: Store) -> None:
    days = [LicenseDay("editor", DAY, name) for name in ("L1", "L2", "L3")]
    store.add("shard", None, "1", Fold({}, Counter(dict.fromkeys(days[:2], 7))), NOW)
    for devices in ((b"device-1", b"device-2"), (b"device-2",)):
        assert store.note_devices(days[0], devices)
    assert store.note_devices(days[2], [b"of a licence that no flag points at"[:DEVICE_BYTES]])
    assert store.flagged_days(days) == {
        days[0]: FlaggedDay(7, frozenset({b"device-1", b"device-2"})),
        days[1]: FlaggedDay(7, frozenset()),
    }
    for number in range(3):
        many = [f"{number}{each:07}".encode() for each in range(MOST_DEVICES)]
        assert store.note_devices(days[1], many) == (number == 0)
    assert len(store.flagged_days(days)[days[1]].devices) == MOST_DEVICES
    assert store.flagged_days([]) == {}


def test_names_are_given_on_what_an_hour_was_when_they_were_chosen(store: Store) -> None:
    key, name = HourKey("editor", HOUR), Measure(Kind.VERSION, "1.0")
    fold = Fold({key: Counter({RECORDS: 2, name: 2})})
    first = fold.bounded(store.known([key]))
    store.add("shard", None, "1", first, NOW)
    with pytest.raises(Outdated):
        store.add("other", None, "1", first, NOW)
    again = fold.bounded(store.known([key]))
    assert (first.chosen_at, again.chosen_at) == ({key: 0}, {})
    store.add("shard", "1", "2", Fold({key: Counter({RECORDS: 1})}), NOW)
    store.add("other", None, "1", again, NOW)
    another = Fold({key: Counter({RECORDS: 1, Measure(Kind.GROUP, "a"): 1})}).bounded(store.known([key]))
    assert another.chosen_at == {key: 5}
    store.add("other", "1", "2", another, NOW)
    assert store.known([key]) == {key: Counter({RECORDS: 6, name: 4, Measure(Kind.GROUP, "a"): 1})}


def test_an_hour_tells_so_many_names_apart_however_many_write_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time a shard has read an hour, another one counts its own versions first."""
    known, shards = store.known, iter(range(1, 6))

    def known_to_many(hours: Sequence[HourKey]) -> Mapping[HourKey, HourCounts]:
        found = known(hours)
        if shard := next(shards, None):
            roll_up(store, shard)
        return found

    monkeypatch.setattr(store, "known", known_to_many)
    roll_up(store, 0)
    for hour in known([HourKey("editor", HOUR), HourKey(CATALOGUE, HOUR)]).values():
        assert hour[RECORDS] == 60
        assert len([each for each in hour if each.kind is Kind.VERSION and each.name != OTHER]) == MOST_NAMES


def roll_up(store: Store, shard: int) -> None:
    """Counts ten records, each of a version of its own."""
    seen = [
        observe(Sighting("editor", DAY, b"u", None, billable=True), at=time(9), version=f"{shard}.{number}")
        for number in range(10)
    ]
    records = [stream_record(number + 1, number) for number in range(10)]
    rollup = Rollup(lambda image: (seen[int(image["place"]["N"])], None), store, store, Mailbox(), {}, lambda _: None)
    rollup.count(Batch(Environment.PRODUCTION, f"shard-{shard}", records), NOW)


def test_the_use_of_a_key_is_its_latest(store: Store) -> None:
    for hours in (0, 2, 1):
        store.note_use("key", HOUR + timedelta(hours=hours))
    assert store.uses(["key", "other"]) == {"key": HOUR + timedelta(hours=2)}


@pytest.mark.parametrize("make", [MemoryEpisodes, None])
def test_episodes(make: Callable[[], MemoryEpisodes] | None, tables: TableNames) -> None:
    store = make() if make else EpisodeStore(tables.aggregates(Environment.PRODUCTION))
    spike = Spike("editor", HOUR, Cause.LICENSE, 60, 49, "L1", {})
    first = Episode(spike, HOUR)
    assert store.latest("editor") is None
    store.open(first, None)
    second = Episode(Spike("editor", HOUR + timedelta(days=9), Cause.HOUR, 90, 30, None, {"R": 90}), HOUR)
    with pytest.raises(Outdated):
        store.open(second, None)
    assert (store.get(first.id), store.get("other")) == (first, None)
    for hours, license_ in ((2, "L2"), (1, "L3"), (0, "L1")):
        store.extend(first, replace(spike, hour=HOUR + timedelta(hours=hours), license=license_))
        first = store.get(first.id) or first
    store.announced(first)
    extended = replace(first, last_seen=HOUR + timedelta(hours=2), is_announced=True)
    assert store.latest("editor") == extended
    assert extended.licenses == {"L1", "L2", "L3"}
    store.open(second, first)
    assert store.latest("editor") == second


@pytest.mark.parametrize("make", [MemoryEpisodes, None])
def test_episodes_of_keys(make: Callable[[], MemoryEpisodes] | None, tables: TableNames) -> None:
    table = tables.aggregates(Environment.PRODUCTION)
    store = make() if make else EpisodeStore(table)
    of_key = Episode(Spike(None, HOUR, Cause.API_KEY, 1_200, 999, api_key_id="k3f2a9c0d1", flags={}), HOUR)
    of_product = Episode(Spike("k3f2a9c0d1", HOUR, Cause.HOUR, 60, 49, None, {}), HOUR)
    store.open(of_key, None)
    store.open(of_product, None)
    assert (store.latest("~key#k3f2a9c0d1"), store.latest("k3f2a9c0d1")) == (of_key, of_product)
    if make is None:
        assert list(EpisodeStore(table).all()) == [of_product, of_key]


def test_an_hour_of_as_many_names_and_keys_as_there_may_be(tables: TableNames) -> None:
    """Added at once, and again. Versions and groups are as long as may be."""
    table = tables.aggregates(Environment.PRODUCTION)
    store, catalogue, many = HourlyCountStore(table), HourKey(CATALOGUE, HOUR), 10**9
    measures = [RECORDS, FLAGGED, SUSPECT, *(Measure(Kind.FLAG, flag.code) for flag in Flag)]
    for kind in BREAKDOWNS:
        measures += [Measure(kind, f"{number:03}".ljust(LONGEST_NAME, "x")) for number in range(MOST_NAMES + 9)]
    measures += [of_key(f"k{number:09x}") for number in range(MOST_KEYS + 9)]
    added: HourCounts = Counter(dict.fromkeys(measures, many))
    for number in (1, 2):
        fold = Fold({catalogue: added}).bounded(store.known([catalogue]))
        store.add("shard", str(number - 1) if number > 1 else None, str(number), fold, NOW)
    kept = store.known([catalogue])[catalogue]
    assert kept[RECORDS] == 2 * many
    assert len(events_by_key(kept)) == MOST_KEYS + 1
    assert sum(events_by_key(kept).values()) == 2 * many * (MOST_KEYS + 9)
    key = {"pk": {"S": "hours#*"}, "sk": {"S": f"{HOUR:%Y-%m-%dT%H}"}}
    item = dynamodb_client().get_item(TableName=table, Key=key)["Item"]
    assert item_bytes(item) < 8 * 1_024


def test_day_totals_are_at_most_400_bytes(tables: TableNames) -> None:
    """With every flag, and millions of users and records."""
    many = 12_345_678
    report = a_report()
    counters = dict.fromkeys(Audience, (many,) * COUNTERS)
    totals = replace(
        report.totals,
        scope="a-product-with-a-long-name",
        records=many * 10,
        flagged=many,
        flags={flag.code: many for flag in Flag},
        active=dict.fromkeys(Audience, (many,) * 5),
        lifetime_records=many * 1_000,
        lifetime_flagged=many * 100,
    )
    table = tables.aggregates(Environment.PRODUCTION)
    TableAggregates(table).keep(replace(report, totals=totals, balance=Balance(DAY.toordinal(), counters)))
    key = {"pk": {"S": "days#a-product-with-a-long-name"}, "sk": {"S": DAY.isoformat()}}
    item = dynamodb_client().get_item(TableName=table, Key=key)["Item"]
    assert item_bytes(item) <= 400


def test_a_report_that_is_not_whole_is_an_error(tables: TableNames) -> None:
    table = tables.aggregates(Environment.PRODUCTION)
    store, report = TableAggregates(table), a_report()
    store.keep(report)
    key = {"pk": {"S": "details#editor"}, "sk": {"S": DAY.isoformat()}}
    dynamodb_client().delete_item(TableName=table, Key=key)
    with pytest.raises(LedgerBroken):
        store.keep(report)
