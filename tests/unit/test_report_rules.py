"""By which rules a day is reported: those of the first version for ever, and that nothing clients send is too much."""

import json
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import chain
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain import day_report
from telemetry.domain.active_users import COUNTERS, Audience, Balance, next_balance
from telemetry.domain.day_report import CatalogueSum, DayReport, Moments, catalogue_report_1, product_report
from telemetry.domain.flags import Flag
from telemetry.domain.license_activity import LicenseActivity, LicenseCount, foremost
from telemetry.domain.recount import Recount, counted
from telemetry.domain.report_rules import RULES, RULES_1
from telemetry.domain.sighting import CATALOGUE, LONGEST_SCOPE, UNKNOWN_PRODUCT, Observation, Sighting
from telemetry.services.verify_day import Outcome
from telemetry.storage.day_reports import DetailsItem, _details_body, _details_of
from tests.observations import observe
from tests.unit.test_close_day import DAY, World, at, delivered

pytestmark = pytest.mark.days

MOMENTS = Moments(at(1), at(1))
NOBODY = Balance(DAY.toordinal(), dict.fromkeys(Audience, (0,) * COUNTERS))
PRODUCTS = ("compiler", "editor", UNKNOWN_PRODUCT)

WRITTEN_BY_VERSION_1 = {
    "compiler": "54bcd4a12b0a1a08451673dae796c74b2c5546da7c0a36b877b44ffd99f29d68",
    "editor": "e10dedce27218f2f41b5f30592be5280d20b1f6d1e840099d0a6a1f6dd0cf356",
    UNKNOWN_PRODUCT: "b6f03bcac9bb93b8f376d1a10848d60dffc83723d7a14888378c3ae1ecb87f25",
    CATALOGUE: "c34a1e97e55bfbd4bf41b62ac60d82fbd9aef09a96d94f8adfb5991026ff308d",
}
"""Digests of the reports of `old_records`, from the code that knew of no versions."""

DETAILS_OF_COMPILER = (
    "78dacd97bd6e03210c80dfc55d5105989f23cfd0a9eb35c301463d294daa44c912ddbb975cd32a1edbc90cf83332d6c786af70a1e3693eec4f"
    "b0b98279d6b009aa47738ff61eb1c745c1fbe17cec95e388ca6cd5a895feddf1817f4efe57f3f75b5b05bbb9d0fe44ab1cbc6850500e1f9ff3"
    "8e8ea0ac535e5de115367e51462b5423bc9deb80b5efa4b564ee0f7948513273d52099b96a92cc5cb54866aeda24335335563273552f99b9ea"
    "2099b96a96cc5c95243353b5463273552799b96a94cc5c7592cc5cb54a66a68a5a32735594cc5c354866ae9a24336c95890943707a5d6b169d"
    "c535bb8d6a74992bed0bdd26cef2d4274ed0b5f4f2c1527059b71a4cb3d330f88ab9045bb5a710a6d8520be8d36452d1cd1a1dd0b66cfc94e3"
    "ed8fdcbe1b658b96bc9f26f28d42261707cc8d1c269f065b8b4e09ab2574bdb5439b7d444c25ba290634b9c2b27c01d08aed08"
)
"""As it lay in the table."""


def old_records() -> list[Observation]:
    return [
        an_old_record(number, product)
        for number in range(70)
        for product in ("editor", "compiler")
        if product == "editor" or number % 3 == 0
    ]


def an_old_record(number: int, product: str) -> Observation:
    who = Sighting(product, DAY, b"user %d" % (number % 7), b"device %d" % (number % 11), billable=number % 5 > 0)
    seen = observe(who, number, time(number % 24, number % 60), version=f"1.{number % 4}", license_=f"L{number % 3}")
    return replace(seen, country=chr(0x1F600 + number) * 14, source_ip=f"192.0.2.{number % 9}")


@pytest.fixture
def old() -> World:
    """A day that was closed by the first version's rules."""
    world = delivered(*old_records())
    world.aggregates.add_scopes(PRODUCTS)
    kept: dict[str, tuple[Recount, DayReport]] = {}
    for product in PRODUCTS:
        recount = counted(world.observations(product, DAY), RULES_1)
        balance = balance_of(world, product)
        kept[product] = recount, product_report(product, DAY, recount, balance, None, MOMENTS, RULES_1)
    whole = catalogue_report_1(CATALOGUE, DAY, kept, balance_of(world, CATALOGUE), None, MOMENTS)
    for report in (*(report for _, report in kept.values()), whole):
        world.aggregates.keep(report)
    world.aggregates.close(DAY.toordinal())
    return world


def balance_of(world: World, scope: str) -> Balance:
    before, tally = world.aggregates.day(scope, DAY.toordinal())
    return next_balance(before, DAY.toordinal(), tally)


# ── the first version


def test_a_day_of_the_first_version_holds_for_ever(old: World) -> None:
    found = {scope: old.aggregates.report(scope, DAY) for scope in WRITTEN_BY_VERSION_1}
    assert {scope: report and report.totals.digest.hex() for scope, report in found.items()} == WRITTEN_BY_VERSION_1
    assert {(each.scope, each.outcome) for each in old.verify(0)} == {
        (scope, Outcome.HOLDS) for scope in WRITTEN_BY_VERSION_1
    }


def test_a_day_of_the_first_version_that_was_changed_differs(old: World) -> None:
    records, reports = list(old.records), old.aggregates._reports
    old.records = records[1:]
    outcomes = {each.scope: each.outcome for each in old.verify(0)}
    assert outcomes == {
        "compiler": Outcome.HOLDS,
        "editor": Outcome.DIFFERS,
        UNKNOWN_PRODUCT: Outcome.HOLDS,
        CATALOGUE: Outcome.DIFFERS,
    }
    old.records = records
    for scope in ("compiler", CATALOGUE):
        kept = reports[scope][DAY]
        reports[scope][DAY] = replace(kept, details=replace(kept.details, licenses=kept.details.licenses[1:]))
        assert Outcome.DIFFERS in {each.outcome for each in old.verify(0) if each.scope == scope}
        reports[scope][DAY] = replace(kept, details=replace(kept.details, rules=2))
        assert not all(each.is_sound for each in old.verify(0))
        reports[scope][DAY] = kept


def test_the_day_after_follows_by_the_rules_of_now(old: World) -> None:
    at_noon = observe(Sighting("editor", DAY + timedelta(days=1), b"jane", None, billable=True), license_="jane")
    old.records.append(replace(at_noon, country="Nirgendwo"))
    assert old.close(at(1, 26 * 60 + 24 * 60), "compiler", "editor") == [1]
    report = old.aggregates.report("editor", DAY + timedelta(days=1))
    assert report
    assert (report.details.rules, report.details.licenses[0].countries) == (2, ("~other",))
    assert {each.outcome for day in (0, 1) for each in old.verify(day)} == {Outcome.HOLDS}


def test_details_of_the_first_version_are_read_and_written_as_they_were(old: World) -> None:
    body = bytes.fromhex(DETAILS_OF_COMPILER)
    report = old.aggregates.report("compiler", DAY)
    assert report
    assert _details_of(DetailsItem("details#compiler", DAY.isoformat(), body=body)) == report.details
    assert zlib.decompress(_details_body(report.details)) == zlib.decompress(body)


# ── what is bounded


def test_countries_and_distinct_devices_of_a_licence_are_bounded() -> None:
    few = replace(RULES, most_distinct=3)
    licence = LicenseCount(at(0), at(0), few)
    for number in reversed(range(50)):
        who = Sighting("editor", DAY, None, b"device%02d" % number, billable=True)
        sent = "Liechtenstein" if number == 9 else f"land {number:02d}"
        licence.add(replace(observe(who), source_ip=f"192.0.2.{number:02d}", country=sent))
    told = licence.activity("editor", "L")
    assert (told.records, told.devices, told.ips) == (50, 3, 3)
    assert told.countries == tuple(f"land {number:02d}" for number in range(21) if number != 9)
    assert max(len(licence.devices), len(licence.ips), len(licence.countries)) <= 40


places = st.sampled_from(("DE", "Österreich", "~other", "\U0001f600\U0001f600", "\U0001f600" * 3, *map(str, range(30))))
sights = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), places, st.integers(0, 3)), max_size=60)


@given(sights, st.integers(1, 7), st.randoms(use_true_random=False))
def test_parts_of_a_licence_in_any_order_merge_to_the_same(
    seen: list[tuple[int, int, str, int]], size: int, chance: Random
) -> None:
    few = replace(RULES, most_distinct=2)
    records = [
        replace(
            observe(Sighting("editor", DAY, None, b"device%02d" % device, billable=True), license_=f"L{licence}"),
            source_ip=str(ip),
            country=country,
        )
        for device, ip, country, licence in seen
    ]
    at_once = counted(records, few).top_licenses("editor")
    chance.shuffle(records)
    whole = Recount()
    for start in range(0, len(records), size):
        whole.merge(counted(records[start : start + size], few))
    assert whole.top_licenses("editor") == at_once


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=300), st.integers(1, 9))
def test_the_foremost_of_buckets_are_those_of_the_whole(counts: list[tuple[int, int]], buckets: int) -> None:
    licenses = {
        f"L{number}": LicenseCount(
            at(0), at(0), records=9, flagged=flagged, devices={b"%d" % each for each in range(own)}
        )
        for number, (flagged, own) in enumerate(counts)
    }
    versions = Counter({f"1.{number}": flagged for number, (flagged, _) in enumerate(counts) if flagged})
    whole, merged = Recount(licenses=licenses, versions=versions), Recount()
    for bucket in range(buckets):
        merged.merge(whole.bucket(bucket, buckets).settle("editor"))
    assert merged.top_licenses("editor") == whole.top_licenses("editor")
    assert merged.top_versions() == whole.top_versions()


# ── the largest there can be


def worst_license(number: int, product: str) -> LicenseActivity:
    """Every character takes as many bytes in JSON as it can, and nothing is like anything else."""
    many, chance = 9_999_999_999_999 - number, Random(number)
    return LicenseActivity(
        license=f"1{chance.randbytes(11).hex()}",
        product=product,
        records=many,
        flagged=many,
        flags={flag.code: many for flag in Flag},
        devices=RULES.most_distinct - 500 + number,
        ips=RULES.most_distinct,
        countries=tuple("".join(chr(chance.randrange(1, 32)) for _ in range(8)) for _ in range(20)),
        first_seen=datetime(2026, 11, 3, tzinfo=UTC),
        last_seen=datetime(2026, 11, 3, 23, tzinfo=UTC),
    )


def worst_recount(product: str, shards: int) -> Recount:
    chance = Random(shards)
    names = ["".join(chr(chance.randrange(1, 32)) for _ in range(64)) for _ in range(200)]
    return Recount(
        records=9_999_999_999_999,
        versions=Counter(dict.fromkeys(names, 9_999_999_999)),
        hours=Counter({(hour, bad): 9_999_999_999 for hour in range(24) for bad in (False, True)}),
        segments={
            (f"{kind}#{n}", hour): chance.randbytes(32) for n in range(shards) for kind in "cfu" for hour in (0, 9)
        },
        settled=tuple(worst_license(number, product) for number in range(100)),
    )


@pytest.mark.parametrize(("shards", "whole"), [(8, True), (999, False)])
@pytest.mark.parametrize("product", ["editor", "\x01" * LONGEST_SCOPE])
def test_details_fit_into_an_item(shards: int, whole: bool, product: str) -> None:  # noqa: FBT001
    report = product_report(product, DAY, worst_recount(product, shards), NOBODY, None, MOMENTS)
    body = _details_body(report.details)
    assert len(zlib.decompress(body)) <= RULES.largest_details
    assert len(body) <= RULES.largest_details + 200
    assert len(report.details.evidence) == 3 * shards
    assert len(report.details.versions) == 101
    licenses = report.details.licenses
    assert licenses == worst_recount(product, shards).top_licenses(product)[: len(licenses)]
    assert (len(licenses) == 100) is (whole and product == "editor")


@pytest.mark.slow
def test_of_ten_thousand_products_the_catalogue_says_no_more_than_of_ten() -> None:
    sizes = []
    for products in (100, 10_000):
        catalogue = CatalogueSum()
        for number in range(products):
            name = f"product-{number:05d}"
            licenses = (worst_license(number % 500, name),)
            recount = Recount(records=3, versions=Counter({f"{number}": 2, "1.0": 1}), settled=licenses)
            report = product_report(name, DAY, recount, NOBODY, None, MOMENTS)
            catalogue.add(report.totals, report.details)
        found = catalogue.report(CATALOGUE, DAY, NOBODY, None, MOMENTS)
        assert found.totals.records == 3 * products
        assert found.details.versions["1.0"] == products
        assert sum(found.details.versions.values()) == 3 * products
        assert found.details.evidence["products"] == str(products)
        assert len(catalogue._whole.versions) <= day_report.MOST_NAMES
        sizes.append(len(_details_body(found.details)))
    assert max(sizes) <= RULES.largest_details
    assert sizes[1] <= 1.1 * sizes[0]


@given(st.lists(st.lists(st.integers(0, 5), min_size=6, max_size=6), max_size=9))
def test_all_together_adds_up_what_the_products_say(days: Sequence[Sequence[int]]) -> None:
    """As if all their records were of one."""
    catalogue, whole = CatalogueSum(), Recount()
    for place, (records, flagged, hour, version, expires, licence) in enumerate(days):
        recount = Recount(
            records=records,
            flagged=min(records, flagged),
            flags=Counter({"R": flagged}),
            versions=Counter({f"1.{version}": records}),
            hours=Counter({(hour, False): records - min(records, flagged), (hour, True): min(records, flagged)}),
            expires_at=at(expires),
            licenses={f"L{licence}": LicenseCount(at(0), at(0), flagged=flagged)},
        )
        name = f"product-{place}"
        report = product_report(name, DAY, recount, NOBODY, None, MOMENTS)
        catalogue.add(report.totals, report.details)
        whole.merge(replace(recount, licenses={}, settled=recount.top_licenses(name)))
    together = catalogue.report(CATALOGUE, DAY, NOBODY, None, MOMENTS)
    plain = product_report(CATALOGUE, DAY, whole, NOBODY, None, MOMENTS)
    assert replace(together.details, evidence={}) == replace(plain.details, evidence={})
    assert replace(together.totals, digest=b"", chain=b"") == replace(plain.totals, digest=b"", chain=b"")
    assert foremost(chain(together.details.licenses, ())) == together.details.licenses


def test_a_report_says_by_which_rules_it_is() -> None:
    recount = Recount(records=1)
    new, old = (product_report("editor", DAY, recount, NOBODY, None, MOMENTS, each) for each in (RULES, RULES_1))
    assert new.totals.digest != old.totals.digest
    assert "rules" not in json.loads(zlib.decompress(_details_body(old.details)))
    assert json.loads(zlib.decompress(_details_body(new.details)))["rules"] == RULES.version
