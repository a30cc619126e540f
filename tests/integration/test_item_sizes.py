"""The largest item of every kind there can be, written by the store that writes it: none outgrows DynamoDB.

Texts are of four-byte characters, at random so that nothing deflates, or of those that take the most room where they
are kept; ids are the longest, counts are beyond what anybody lives to see. `-s` prints the table.
"""

import importlib
import json
import pkgutil
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address
from random import Random
from typing import Any, NamedTuple

import pytest
from pynamodb.models import Model

import telemetry.storage
from local.template import read_template
from telemetry.dialects.getkeymanager import licensing
from telemetry.domain.active_users import BEGINNING, COUNTERS, Actor, ActorKey, Audience, Balance, Place, TallyKey
from telemetry.domain.api_key import ApiKey, Capability, KeyKind, Role
from telemetry.domain.closing import Candidate
from telemetry.domain.company_domains import LONGEST_NAME as LONGEST_COMPANY
from telemetry.domain.correction import Correction
from telemetry.domain.day_report import DayReport, Moments, product_report
from telemetry.domain.day_summary import summary
from telemetry.domain.environment import Environment
from telemetry.domain.event import Dialect, Event
from telemetry.domain.failed_call import OTHERS, Cause, caller
from telemetry.domain.flags import Flag
from telemetry.domain.hourly_counts import (
    DEVICE_BYTES,
    FLAGGED,
    OTHER,
    RECORDS,
    SUSPECT,
    Fold,
    HourKey,
    Kind,
    LicenseDay,
    Measure,
    of_key,
)
from telemetry.domain.hourly_counts import (
    MOST_DEVICES as MOST_FLAGGED_DEVICES,
)
from telemetry.domain.judge import Verdict, _verdict
from telemetry.domain.keyring import Identity, Keyring
from telemetry.domain.license import License, LicenseState, license_id
from telemetry.domain.license_activity import LicenseCount
from telemetry.domain.licensing import DeviceAction, DeviceRequest, Finding, LicensingOutcome
from telemetry.domain.name_words import LONGEST_WORD
from telemetry.domain.overrides import LARGEST_OVERRIDES, Overrides
from telemetry.domain.product import Product
from telemetry.domain.profiles.cards import (
    LONGEST_SHOWN,
    WEEKS,
    Activity,
    CompanyCard,
    CompanyName,
    DeveloperCard,
    Order,
)
from telemetry.domain.profiles.closing import Current, Pin, Range, View
from telemetry.domain.profiles.people import MOST_USERS, DeviceUsers, Profile
from telemetry.domain.profiles.rows import MOST_ACTIVITIES, MOST_COUNTRIES, MOST_DEVICES, Row
from telemetry.domain.profiles.rows import MOST_VERSIONS as MOST_VERSIONS_OF_A_ROW
from telemetry.domain.profiles.tenure import Tenure
from telemetry.domain.profiles.today import CompanyToday, DeveloperToday
from telemetry.domain.profiles.views import Totals
from telemetry.domain.record import Record, record_key
from telemetry.domain.recount import MOST_VERSIONS, Recount, Unit
from telemetry.domain.retention import LONGEST_DAYS
from telemetry.domain.session import Session
from telemetry.domain.sighting import CATALOGUE
from telemetry.domain.sign_in_attempts import SignInAttempts
from telemetry.domain.spike_handling import Handling, Said
from telemetry.domain.spikes import MOST_LICENSES, Episode, Spike
from telemetry.domain.spikes import Cause as SpikeCause
from telemetry.domain.staff import AuditEntry, Author, Staff
from telemetry.domain.values.kept import DayValues, HourValues
from telemetry.domain.values.numbers import MOST_BUCKETS, Numbers
from telemetry.domain.values.summary import MOST_GROUPS, MOST_SERIES, SeriesKey, Summary, Values, merged
from telemetry.domain.values.texts import MOST_TEXTS, Texts
from telemetry.domain.values.value import Moment, ValueType
from telemetry.domain.window import Window
from telemetry.retry import Deadline
from telemetry.services.administration import api_keys, catalogue, company_overrides, retention
from telemetry.services.administration.stores import Stores, audited
from telemetry.services.counting import MOST_COUNTERS
from telemetry.services.idempotency import once
from telemetry.services.profiles.stores import ProfileStores
from telemetry.services.record_export import note_export
from telemetry.storage.active_users import MOST_SCOPES, LedgerStore
from telemetry.storage.candidates import CandidateStore
from telemetry.storage.changes import Logged
from telemetry.storage.corrections import CorrectionStore
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.day_summaries import SummaryStore
from telemetry.storage.failed_calls import FailedCallStore, slot_of
from telemetry.storage.hourly_counts import HourlyCountStore
from telemetry.storage.idempotency import IdempotencyStore
from telemetry.storage.licensing_counters import LicensingCounters
from telemetry.storage.profiles.forgotten import ForgottenStore
from telemetry.storage.profiles.tenures import TenureKey
from telemetry.storage.profiles.today import TodayStore
from telemetry.storage.recount_parts import PartStore
from telemetry.storage.sessions import SessionStore
from telemetry.storage.sign_in_attempts import SignInAttemptStore
from telemetry.storage.spike_handling import HandlingStore
from telemetry.storage.spikes import EpisodeStore
from telemetry.storage.tables import CountersItem, KeyedItem, TableItem, dynamodb_client
from telemetry.storage.values import ValueStore
from telemetry.web.administration.api_keys import NewApiKey
from telemetry.web.administration.company_overrides import MOST_OVERRIDES, NewCompanyOverrides
from telemetry.web.administration.customers import NewCustomer
from telemetry.web.administration.products import ActivityType, NewProduct, ProductPatch
from telemetry.web.records import ExportQuery, Format
from telemetry.web.staff import LONGEST_USER_AGENT
from tests.item_sizes import LARGEST_ITEM, item_bytes
from tests.observations import BREAKDOWNS
from tests.unit.test_report_rules import worst_recount
from tests.worlds.deployment import Deployment

MARGIN = 25_000
"""Bytes that stay free in every item."""

LARGEST_ACTOR = 4_000_000 // 100
"""A transaction takes a hundred items, and 4 MB."""

WRITE_UNIT = 1_024
"""Bytes."""

TABLES = ("records", "aggregates", "registry")
LONGEST_PARTITION_KEY, LONGEST_SORT_KEY = 2_048, 1_024

NOW = datetime(2026, 11, 21, 8, 30, 15, tzinfo=UTC)
END = datetime(9999, 12, 31, tzinfo=UTC)
DAY = NOW.date()
MOMENT = Moment(1_795_249_815_000, "f" * 16)
PRODUCT = "p" + "-" * 63
MANY = 10**15
IP = "2001:0db8:ffff:ffff:ffff:ffff:ffff:ffff"
HERE = Environment.PRODUCTION
random = Random(9)


def wide(characters: int) -> str:
    return "".join(chr(random.randrange(0x10000, 0x110000)) for _ in range(characters))


@dataclass(frozen=True)
class Stage:
    """All tables, and the best-equipped member of staff."""

    deployment: Deployment

    @property
    def aggregates(self) -> str:
        return self.deployment.tables.aggregates(HERE)

    @property
    def registry(self) -> str:
        return self.deployment.tables.registry

    @property
    def stores(self) -> Stores:
        return Stores.of(self.registry, 90, self.deployment.keyring)

    @property
    def staff(self) -> Staff:
        key = ApiKey("k3f2a9c0d1", KeyKind.STAFF, wide(200), "tk_staff_", "abcd", frozenset(Environment))
        author = Author(key.id, key.name, NOW, IP, wide(LONGEST_USER_AGENT), "r" * 64)
        return Staff(replace(key, role=Role.SUPER_ADMIN), frozenset(Environment), author)

    def license(self) -> License:
        """As import takes it, whose customers may be called anything."""
        key = wide(256)
        return License(
            id=license_id(HERE, key, self.deployment.keyring),
            environment=HERE,
            fingerprint=self.deployment.keyring.fingerprint(Identity.LICENSE, key),
            last_four=wide(4),
            product_id=PRODUCT,
            customer_id=wide(256),
            state=LicenseState.ASSIGNED,
            expires_at=END,
            activation_limit=10_000_000,
            active_activations=9_999_998,
            created_at=NOW,
        )


# ── the registry


def write_product(stage: Stage) -> None:
    """In quotation marks, which the log's JSON spells out."""
    quotes = '"' * 59
    versions, keys, later, others = ([f"{quotes}{group}{each:04d}" for each in range(500)] for group in "abcd")
    types, last = (
        [ActivityType(key=key, label=quotes, level="primary") for key in some[:200]] for some in (keys, others)
    )
    new = NewProduct(id=PRODUCT, name=wide(200), versions=versions, activity_types=types)
    catalogue.create_product(stage.staff, Product(**dict(new)), stage.stores)
    patch = ProductPatch(name=wide(200), versions=later, activity_types=last)
    catalogue.change_product(stage.staff, PRODUCT, 1, patch.changes(), stage.stores)


def write_customer(stage: Stage) -> None:
    new = NewCustomer(id="c" * 64, name=wide(200), email=f"{wide(125)}@{wide(128)}")
    catalogue.create_customer(stage.staff, new.id, new.name, new.email, stage.stores)
    letters = "𐐨" * (LONGEST_WORD - 1)
    name = " ".join(f"{letters}{last}" for last in "𐐩𐐪𐐫𐐬𐐭𐐮").ljust(200, "𐐨")
    catalogue.create_customer(stage.staff, "d" * 64, name, None, stage.stores)


def write_license(stage: Stage) -> None:
    license_ = stage.license()
    stage.stores.licenses.add(license_, wide(256))
    identifier = wide(licensing.LONGEST_IDENTIFIER)
    stage.stores.activations.activate(license_, identifier, NOW, Deadline(60))


def write_api_key(stage: Stage) -> None:
    networks = [f"fe80::{each:02x}%{wide(55)}" for each in range(50)]
    new = NewApiKey(name=wide(200), capabilities=set(Capability), expires_at=END, allowed_networks=networks)
    terms = api_keys.KeyTerms(new.name, new.expires_at, tuple(new.allowed_networks))
    api_keys.create_sdk_key(stage.staff, HERE, new.capabilities or (), PRODUCT, terms, stage.stores)


def write_export(stage: Stage) -> None:
    texts = {name: wide(1_024) for name in ("product", "user", "hwid", "ip", "version")}
    texts |= {"license_id": license_id(HERE, "KEY", stage.deployment.keyring), "customer_id": wide(256)}
    query = ExportQuery(environment=HERE, format=Format.NDJSON, flagged=True, flag=Flag.UNKNOWN_PRODUCT, **texts)
    note_export(stage.staff, HERE, query.named(Window(NOW, END)), stage.stores.audit)


def write_session(stage: Stage) -> None:
    entry = audited(stage.staff, "session.create", "k3f2a9c0d1", ())
    SessionStore(stage.registry).add(Session("s" * 24, bytes(32), END), entry)
    SignInAttemptStore(stage.registry).put(IP, SignInAttempts(MANY, NOW), None)


def write_answer(stage: Stage) -> None:
    question = DeviceRequest(DeviceAction.ACTIVATE, "key", None)
    found = Finding(LicensingOutcome.IDENTIFIER_REQUIRED, stage.license(), Product(PRODUCT, wide(200)))
    answer = licensing.answer(question, found, NOW)
    keys, keyring = IdempotencyStore(stage.registry), stage.deployment.keyring
    once((wide(9_000),), b"", lambda: (200, answer), keys, keyring, NOW, Deadline(60))


def write_failed_calls(stage: Stage) -> None:
    """As many callers of one slot as it takes, and the others."""
    store, fits = FailedCallStore(stage.registry), True
    while fits:
        each = caller(Cause.ADDRESS_NOT_ALLOWED, random.randbytes(8).hex(), IPv6Address(random.randbytes(16)).exploded)
        fits = slot_of(each) != slot_of(OTHERS) or store.add(HERE, each, NOW, MANY)
    store.add(HERE, OTHERS, NOW, MANY)


def write_retention(stage: Stage) -> None:
    version = stage.stores.retention.get(HERE).version
    retention.change_retention(stage.staff, HERE, LONGEST_DAYS, version, stage.stores)


def write_overrides(stage: Stage) -> None:
    """As many as there may be, in quotation marks, which take twice the room. They are changed into others."""
    quotes = '"' * 44
    for version, group in enumerate("ab", start=1):
        ids = [f"~o:{group}{number:03d}{quotes}" for number in range(MOST_OVERRIDES)]
        overrides = NewCompanyOverrides(ignored_companies=ids).known()
        assert len(json.dumps(overrides.to_json(), separators=(",", ":"))) > LARGEST_OVERRIDES - 2_000
        company_overrides.change_overrides(stage.staff, overrides, version, stage.stores)


# ── aggregates


def write_actor(stage: Stage) -> None:
    """Seen every day of a year in which no day was closed."""
    today, store = DAY.toordinal(), LedgerStore(stage.aggregates)
    days = (BEGINNING, *range(today - LONGEST_DAYS, today + 1))
    first = [f"p{'-' * 60}{number:03d}" for number in range(MOST_SCOPES)]
    history = {Place(scope, audience): days for scope in (*first, CATALOGUE) for audience in Audience}
    apart = {Place(PRODUCT, audience): days for audience in Audience}
    actors = {ActorKey(bytes(16)): Actor(1, history, is_full=True), ActorKey(bytes(16), PRODUCT): Actor(1, apart)}
    store.commit(actors, {}, salt=0)


def write_tally(stage: Stage) -> None:
    counters = [(audience, age) for audience in Audience for age in range(COUNTERS)]
    for start in range(0, len(counters), MOST_COUNTERS):
        tally = Counter(dict.fromkeys(counters[start : start + MOST_COUNTERS], -MANY))
        LedgerStore(stage.aggregates).commit({}, {TallyKey(PRODUCT, DAY.toordinal()): tally}, salt=0)


def a_report() -> DayReport:
    """Of as many shards as there may be."""
    counters = {each: tuple(random.randrange(MANY) for _ in range(COUNTERS)) for each in Audience}
    balance, recount = Balance(DAY.toordinal(), counters), worst_recount(PRODUCT, shards=999)
    report = product_report(PRODUCT, DAY, recount, balance, None, Moments(NOW, NOW))
    totals = replace(
        report.totals,
        records=MANY,
        flagged=MANY,
        flags={flag.code: MANY for flag in Flag},
        lifetime_records=MANY,
        lifetime_flagged=MANY,
        expires_at=END,
    )
    return replace(report, totals=totals)


def write_report(stage: Stage) -> None:
    DayReportStore(stage.aggregates).keep(a_report())


def write_correction(stage: Stage) -> None:
    correction = Correction(PRODUCT, DAY, wide(500), MANY, MANY, MANY, NOW)
    CorrectionStore(stage.aggregates).correct(correction, bytes(32))


def write_summary(stage: Stage) -> None:
    report = a_report()
    details = replace(report.details, versions={wide(16): MANY + each for each in range(MOST_VERSIONS)})
    calls = Counter({(action, code): MANY for action in DeviceAction for code in codes()})
    SummaryStore(stage.aggregates).put([summary(replace(report, details=details), {PRODUCT: calls})])


def write_closing(stage: Stage) -> None:
    ledger = LedgerStore(stage.aggregates)
    ledger.add_scopes([PRODUCT])
    ledger.open_from(DAY.toordinal())
    ledger.close(DAY.toordinal())
    candidate = Candidate(PRODUCT, DAY, MANY, MANY, NOW, MANY, "d" * 64)
    CandidateStore(stage.aggregates).put_candidates([candidate], NOW)


def write_part(stage: Stage) -> None:
    """Of a licence with more devices and addresses than an item takes, and of names that are long and many."""
    store = PartStore(stage.aggregates)
    unit = Unit(PRODUCT, DAY, f"{MANY}-second", 998, 0, 24, counts_users=True, buckets=1)
    crowd = LicenseCount(NOW, NOW, flags=Counter({flag.code: MANY for flag in Flag}), countries={wide(2)})
    crowd.devices = {random.randbytes(8) for _ in range(30_000)}
    crowd.ips = {IPv6Address(random.randbytes(16)).exploded for _ in range(30_000)}
    versions = Counter({wide(16): MANY for _ in range(9_000)})
    store.put_tables(unit, "a1b2c3d4", 9_999, Recount(versions=versions, licenses={"1" + "L" * 22: crowd}), NOW)
    store.put(unit, "a1b2c3d4", worst_recount(PRODUCT, shards=1), NOW)


def write_hour(stage: Stage) -> None:
    measures = [RECORDS, FLAGGED, SUSPECT, *(Measure(Kind.FLAG, flag.code) for flag in Flag)]
    measures += [Measure(kind, wide(16)) for kind in BREAKDOWNS for _ in range(500)]
    measures += [of_key(f"k{number:09x}") for number in range(500)]
    fold = Fold({HourKey(CATALOGUE, NOW): Counter(dict.fromkeys(measures, MANY))}).bounded({})
    fold.licenses[LicenseDay(PRODUCT, DAY, "1" + "L" * 22)] = MANY
    HourlyCountStore(stage.aggregates).add("s" * 65, None, "9" * 40, fold, NOW)
    HourlyCountStore(stage.aggregates).note_use("k3f2a9c0d1", NOW)


def write_values(stage: Stage) -> None:
    """Of numbers that are spread over all there are and come in each bucket, some 10^9 in an hour; and of texts."""

    def crowd(type_: ValueType) -> Summary:
        if type_ is ValueType.TEXT:
            texts = Texts()
            for _ in range(MOST_TEXTS + 1):
                texts.add(wide(16), MOMENT)
            return Texts(
                MANY, MOMENT.received_ms, Counter({each: MANY + random.randrange(MANY) for each in texts.counts})
            )
        numbers = Numbers()
        for at in range(MOST_BUCKETS):
            numbers.add(random.uniform(0.9, 1) * 2.0 ** (1_000 - at * 10), MOMENT)
        return replace(
            numbers, buckets={place: random.randrange(10**5) for place in random.sample(range(9_000), MOST_BUCKETS)}
        )

    for hours_ago, type_ in enumerate((ValueType.NUMBER, ValueType.TEXT)):
        groups, values = [wide(16) for _ in range(MOST_GROUPS)], Values(MANY, MANY)
        for at in range(MOST_SERIES):
            values.series[SeriesKey(type_, groups[at % MOST_GROUPS], wide(16))] = crowd(type_)
        for group in (*groups, OTHER):
            values.series[SeriesKey(type_, group, OTHER)] = crowd(type_)
        bounded = merged([values])
        bounded.make_room()
        assert bounded.series.keys() == values.series.keys()
        hour = HourKey(PRODUCT, NOW - timedelta(hours=hours_ago))
        positions = {f"shardId-{number:020d}-{number:08x}": "9" * 40 for number in range(100)}
        ValueStore(stage.aggregates).keep("s" * 65, hour, HourValues(bounded, positions))
        ValueStore(stage.aggregates).close(DayValues.of(PRODUCT, DAY - timedelta(days=hours_ago), bounded, MANY))


def write_today(stage: Stage) -> None:
    """Of names that are cut, and of ids of companies that are as long as they may be."""
    store, name = TodayStore(stage.aggregates), wide(50)
    assert len(name.encode()) == LONGEST_SHOWN
    company = CompanyName("d" * LONGEST_COMPANY, name, "address", 3)
    store.note_company(PRODUCT, DAY, CompanyToday(company, NOW, is_new=True))
    store.note_developer(PRODUCT, DAY, DeveloperToday(bytes(16), name, "USERNAME", company, NOW))


def write_licensing_hour(stage: Stage) -> None:
    for action in DeviceAction:
        for code in codes():
            LicensingCounters(stage.aggregates).add(PRODUCT, action, code, NOW)


def codes() -> list[int]:
    return [licensing.code_of(outcome) for outcome in LicensingOutcome]


def write_episode(stage: Stage) -> None:
    flags = {flag.code: MANY for flag in Flag}
    spike = Spike(PRODUCT, NOW, SpikeCause.LICENSE, MANY, MANY, "1" + "L" * 22, flags)
    store, episode = EpisodeStore(stage.aggregates), Episode(spike, NOW)
    store.open(episode, None)
    for number in range(MOST_LICENSES):
        other = replace(spike, license=f"1{number:022}")
        store.extend(episode, other)
        episode = episode.with_spike(other)


def write_handling(stage: Stage) -> None:
    """Of an episode with the longest id, by a key with the longest name."""
    said = Said("k3f2a9c0d1", wide(50), NOW)
    episode = Episode(Spike(PRODUCT, NOW, SpikeCause.HOUR, MANY, MANY), NOW)
    entry = AuditEntry("e1", Author("k1", "test", NOW, IP, "", "r1"), HERE, "spike.mute", episode.id, {}, {})
    logged = Logged(entry, stage.deployment.tables.registry)
    HandlingStore(stage.aggregates).change(Handling(episode.id, said, said, NOW), logged)


def write_flagged_devices(stage: Stage) -> None:
    """Two batches of as many devices as there is room for: the second one comes just before the room ends."""
    of, store = LicenseDay(PRODUCT, DAY, "1" + "L" * 22), HourlyCountStore(stage.aggregates)
    for start, end in ((1, MOST_FLAGGED_DEVICES), (MOST_FLAGGED_DEVICES, 2 * MOST_FLAGGED_DEVICES)):
        assert store.note_devices(of, [number.to_bytes(DEVICE_BYTES) for number in range(start, end)])


def a_company() -> CompanyName:
    return CompanyName(f"~o:{wide(24)}", wide(LONGEST_SHOWN // 4), "address", 1)


def a_row(number: int) -> Row:
    """Of somebody new, who did all there is to do."""
    event = Event(b"", Dialect.REO, wide(16), event_id=wide(32), user_id=wide(99))
    return Row(
        fingerprint=random.randbytes(16),
        company=a_company(),
        told_on=DAY,
        first=DAY,
        records=MANY + number,
        uses={wide(8): MANY for _ in range(MOST_ACTIVITIES + 1)},
        versions=tuple(wide(16) for _ in range(MOST_VERSIONS_OF_A_ROW)),
        countries=tuple(wide(2) for _ in range(MOST_COUNTRIES)),
        devices=tuple(random.randbytes(16) for _ in range(MOST_DEVICES)),
        key=record_key(event, "", NOW, Keyring(bytes(32))),
        company_first=DAY,
    )


def a_tenure() -> Tenure:
    row = a_row(0)
    weeks = dict.fromkeys(range(100_000, 100_000 + WEEKS), MANY)
    return Tenure(
        company=row.company,
        through=DAY,
        first=DAY,
        last=DAY,
        told_on=DAY,
        days=2**91 - 1,
        weeks=weeks,
        uses=row.uses,
        versions=row.versions,
        countries=row.countries,
        name=wide(LONGEST_SHOWN // 4),
        id_type="EMAIL",
    )


def an_activity() -> Activity:
    return Activity(DAY, DAY, 30, 30, a_row(0).uses, (MANY,) * WEEKS, is_quiet=True)


def write_profiles(stage: Stage) -> None:
    """A day's rows, what was added to tenures, and who was seen with what; the day's view, pin and lists."""
    stores = ProfileStores.of(stage.aggregates)
    company = a_company().id
    stores.rows.keep(9_999, PRODUCT, DAY, 998, [a_row(number) for number in range(200)])
    stores.tenures.put(9_999, PRODUCT, TenureKey(company, random.randbytes(16)), a_tenure(), None)
    who, seen = random.randbytes(16), {random.randbytes(16): DAY for _ in range(MOST_DEVICES)}
    stores.people.put_profile(PRODUCT, who, Profile(DAY, wide(LONGEST_SHOWN // 4), "EMAIL", seen))
    stores.people.put_users(PRODUCT, who, DeviceUsers(dict(list(seen.items())[: MOST_USERS + 1])))
    stores.people.note_company(9_999, PRODUCT, who, company)
    totals = Totals(MANY, MANY, a_row(0).uses, a_row(1).uses)
    view = View(9_998, NOW, 9_997, Range(DAY, DAY), DAY)
    stores.views.begin(PRODUCT, view)
    ids = {f"~o:{wide(24)}": "d" * 60 + ".example" for _ in range(450)}
    view = stores.views.advance(PRODUCT, view, DAY, Pin("d" * 64, Overrides(merged=ids), "l" * 99, NOW))
    stores.views.list_up_to(PRODUCT, view, totals, 1_000, NOW)
    stores.views.show(PRODUCT, 9_998, Current())
    stores.views.pin_to(9_998, PRODUCT, DAY, Pin("d" * 64, Overrides(merged=ids), "l" * 99, NOW))
    companies = [CompanyCard(a_company(), an_activity(), MANY, MANY, a_row(0).countries) for _ in range(100)]
    developers = [
        DeveloperCard(random.randbytes(16), wide(LONGEST_SHOWN // 4), "EMAIL", a_company(), True, an_activity())  # noqa: FBT003
        for _ in range(100)
    ]
    stores.lists.put_companies(9_998, PRODUCT, DAY, Order.ACTIVE, companies)
    stores.lists.put_developers(9_998, PRODUCT, DAY, Order.ACTIVE, developers)
    entry = audited(stage.staff, "developer.forget", "A" * 22, (), environment=HERE)
    ForgottenStore(stage.registry, HERE).add(who, entry)


# ── records


def write_records(stage: Stage) -> None:
    """One whose body is the largest that is kept with it, another in chunks, and a judgement of it."""
    store = stage.deployment.records(HERE)
    for size in (349_999, 700_000):
        record = a_record(stage, size)
        store.insert([record], Deadline(60))
    store.add_judgement(record, verdict(), NOW, Deadline(60))


def a_record(stage: Stage, size: int) -> Record:
    """Every flag at once, and ids of characters that may be escaped in a key."""
    event = Event(random.randbytes(size), Dialect.GETKEYMANAGER, "#" * 64, license_key="k", event_id="#" * 128)
    return Record(
        key=record_key(event, "", NOW, stage.deployment.keyring),
        raw=event.raw,
        digest=random.randbytes(32),
        dialect=event.dialect,
        product=PRODUCT,
        received_at=NOW,
        expires_at=NOW + timedelta(days=LONGEST_DAYS),
        user=random.randbytes(16),
        device=random.randbytes(16),
        product_version=wide(64),
        flags=verdict().flags,
        evidence=verdict().evidence,
        api_key_id="k3f2a9c0d1",
        source_ip=IP,
        country=wide(56),
    ).as_conflict()


def verdict() -> Verdict:
    return _verdict({flag: wide(99) for flag in Flag})


# ── all of them


class ItemKind(NamedTuple):
    """What items of a kind are called in storage, which are theirs, who writes the largest, and what bounds it."""

    model: str
    table: str
    keys: str
    write: Callable[[Stage], None]
    bound: str


KINDS = {
    "record": ItemKind("RecordItem", "records", r"[LUDA].*", write_records, "350,000 B of body; 40 characters a flag"),
    "chunk": ItemKind("RecordItem", "records", r"C.*", write_records, "350,000 B of body"),
    "judgement": ItemKind("RecordItem", "records", r"J.*", write_records, "40 characters a flag"),
    "mark": ItemKind("RecordItem", "records", r"M\S* .*", write_records, "one product"),
    "actor": ItemKind("ActorItem", "aggregates", r"actor#\S* days", write_actor, "16 products, a year of open days"),
    "actor, apart": ItemKind("ActorItem", "aggregates", r"actor#\S* days#.*", write_actor, "one product, a year"),
    "tally": ItemKind("DayItem", "aggregates", r"uniques#\S* \S{10}#1#\d", write_tally, "1,098 counters"),
    "opening": ItemKind("DayItem", "aggregates", r"uniques#\S* \S{10}#0", write_report, "1,098 counters, deflated"),
    "totals": ItemKind("TotalsItem", "aggregates", r"days#.*", write_report, "15 flags"),
    "details": ItemKind("DetailsItem", "aggregates", r"details#.*", write_report, "300,000 B of JSON"),
    "correction": ItemKind("CorrectionItem", "aggregates", r"corrections#.*", write_correction, "500 characters"),
    "candidate": ItemKind("CandidateItem", "aggregates", r"candidate#.*", write_closing, "one product"),
    "closing": ItemKind("ClosingItem", "aggregates", r"closing state", write_closing, "-"),
    "scope": ItemKind("ScopeItem", "aggregates", r"scopes .*", write_closing, "one product"),
    "part": ItemKind("PartItem", "aggregates", r"recount#\S* summary", write_part, "100 licences, 101 versions"),
    "part, tables": ItemKind("PartItem", "aggregates", r"recount#\S* \w{8}#.*", write_part, "300,000 B of JSON"),
    "summary": ItemKind("SummaryItem", "aggregates", r"summaries#.*", write_summary, "24 versions of 64 B"),
    "hour": ItemKind("HourItem", "aggregates", r"hours#.*", write_hour, "24 versions, 24 groups of 64 B, 200 keys"),
    "values of an hour": ItemKind(
        "ValueHourItem", "aggregates", r"value_hours#.*", write_values, "187 series of 192 buckets"
    ),
    "values of a day": ItemKind(
        "ValueDayItem", "aggregates", r"value_days#.*", write_values, "187 series of 192 buckets"
    ),
    "position": ItemKind("PositionItem", "aggregates", r"position#.*", write_hour, "-"),
    "licence's day": ItemKind("LicenseDayItem", "aggregates", r"flagged#.*", write_hour, "-"),
    "licence's devices": ItemKind(
        "LicenseDevicesItem", "aggregates", r"flagged_devices#.*", write_flagged_devices, "twice 1,000 devices"
    ),
    "use of a key": ItemKind("KeyUseItem", "aggregates", r"api_key#.*", write_hour, "-"),
    "licensing hour": ItemKind("LicensingHourItem", "aggregates", r"licensing .*", write_licensing_hour, "39 answers"),
    "episode": ItemKind("EpisodeItem", "aggregates", r"spikes .*", write_episode, "15 flags, 10 licences"),
    "latest episode": ItemKind("LatestEpisodeItem", "aggregates", r"spike#.*", write_episode, "-"),
    "handling of an episode": ItemKind(
        "HandlingItem", "aggregates", r"spike_handling .*", write_handling, "two names of a key"
    ),
    "rows": ItemKind("RowsItem", "aggregates", r"profiles#uses#.*", write_profiles, "200 rows"),
    "tenure": ItemKind("TenureItem", "aggregates", r"profiles#at#.*", write_profiles, "17 uses, 4 versions"),
    "profile": ItemKind("ProfileItem", "aggregates", r"profiles#developer#\S* profile", write_profiles, "8 devices"),
    "users of a device": ItemKind("DeviceUsersItem", "aggregates", r"profiles#dev\S* users", write_profiles, "4 users"),
    "company's mark": ItemKind("MarkItem", "aggregates", r"profiles#developer#\S* at#.*", write_profiles, "-"),
    "view": ItemKind("ViewItem", "aggregates", r"profiles#state#\S* view#.*", write_profiles, "2 lists of 17 uses"),
    "view shown": ItemKind("CurrentItem", "aggregates", r"profiles#state#\S* current", write_profiles, "-"),
    "pin": ItemKind("PinItem", "aggregates", r"profiles#pin#.*", write_profiles, "100,000 B of JSON"),
    "list": ItemKind("ListItem", "aggregates", r"profiles#lists#.*", write_profiles, "100 cards"),
    "forgotten": ItemKind("ForgottenItem", "registry", r"forgotten#.*", write_profiles, "-"),
    "mark of today": ItemKind("TodayItem", "aggregates", r"profiles#today#\S* [cd]#.*", write_today, "-"),
    "new company": ItemKind("NewCompanyItem", "aggregates", r"profiles#today#\S* new#c#.*", write_today, "two names"),
    "new developer": ItemKind(
        "NewDeveloperItem", "aggregates", r"profiles#today#\S* new#d#.*", write_today, "three names"
    ),
    "product": ItemKind("ProductItem", "registry", r"product .*", write_product, "2 lists of 500 texts of 64 B"),
    "customer": ItemKind("CustomerItem", "registry", r"customer .*", write_customer, "200 and 254 characters"),
    "word of a customer": ItemKind("WordItem", "registry", r"customer_words#.*", write_customer, "a name of 200"),
    "licence": ItemKind("LicenseItem", "registry", r"license#\S* license", write_license, "256 characters each"),
    "activation": ItemKind("ActivationItem", "registry", r"license#\S* act.*", write_license, "1,024 characters"),
    "API key": ItemKind("ApiKeyItem", "registry", r"api_key#.*", write_api_key, "50 networks of 64 characters"),
    "API key's place": ItemKind("ApiKeyPointer", "registry", r"api_key_id#.*", write_api_key, "-"),
    "audit entry": ItemKind("AuditItem", "registry", r"audit#.*", write_export, "a product before and after"),
    "session": ItemKind("SessionItem", "registry", r"session#.*", write_session, "-"),
    "sign-in attempts": ItemKind("SignInAttemptsItem", "registry", r"sign_in#.*", write_session, "-"),
    "kept answer": ItemKind("IdempotencyItem", "registry", r"idempotency#.*", write_answer, "constant texts"),
    "failed calls": ItemKind("FailedCallsItem", "registry", r"failed_calls#.*", write_failed_calls, "12 callers"),
    "retention": ItemKind("RetentionItem", "registry", r"settings#\S+ retention", write_retention, "-"),
    "overrides": ItemKind("OverridesItem", "registry", r"settings#\* companies", write_overrides, "100,000 B of JSON"),
}

NO_KIND = {"AnyItem"}
"""Reads items of several kinds."""

BASES = {TableItem, KeyedItem, CountersItem}


def test_every_kind_of_item_is_here() -> None:
    for module in pkgutil.walk_packages(telemetry.storage.__path__, "telemetry.storage."):
        importlib.import_module(module.name)
    assert Model.__subclasses__() == [TableItem]
    models = {model for base in BASES for model in base.__subclasses__()} - BASES
    assert {model.__name__ for model in models} == {
        *(kind.model for kind in KINDS.values()),
        *NO_KIND,
    }


def test_no_item_outgrows_dynamodb(deployment: Deployment) -> None:
    for write in dict.fromkeys(kind.write for kind in KINDS.values()):
        write(Stage(deployment))
    sizes, keys = dict.fromkeys(KINDS, 0), {table: longest_keys(table) for table in TABLES}
    for table, item in stored(deployment):
        name = kind_of(table, item)
        sizes[name] = max(sizes[name], item_bytes(item))
        for attribute, longest in keys[table].items():
            assert item_bytes({"": item.get(attribute, {"S": ""})}) <= longest, (name, attribute)
    for name, size in sorted(sizes.items(), key=lambda each: -each[1]):
        print(f"{size:9,}  {name:18}  {KINDS[name].bound}")  # noqa: T201
        assert 0 < size <= LARGEST_ITEM - MARGIN, name
    assert sizes["actor"] <= LARGEST_ACTOR
    assert max(sizes[name] for name in ("mark of today", "new company", "new developer")) <= WRITE_UNIT


def test_a_usual_tenure_is_written_by_one_unit(deployment: Deployment) -> None:
    table, company = deployment.tables.aggregates(HERE), CompanyName("globex.example", "globex.example", "domain", 3)
    uses = {f"secondary{number}": 123_456 for number in range(10)} | {"primary": 1_234_567}
    weeks = dict.fromkeys(range(105_700, 105_700 + WEEKS), 9_999)
    days = random.getrandbits(91)
    tenure = Tenure(company, DAY, DAY, DAY, DAY, days=days, weeks=weeks, uses=uses, name="jane.doe@globex.example")
    seen = replace(tenure, versions=("2026.3.1", "2026.4.0-rc.1"), countries=("DE", "GB", "US"), id_type="EMAIL")
    ProfileStores.of(table).tenures.put(0, PRODUCT, TenureKey(company.id, random.randbytes(16)), seen, None)
    (item,) = dynamodb_client().scan(TableName=table)["Items"]
    assert item_bytes(item) <= 1_024


def stored(deployment: Deployment) -> list[tuple[str, Mapping[str, Any]]]:
    tables = deployment.tables
    names = (tables.records(HERE), tables.aggregates(HERE), tables.registry)
    pages = [dynamodb_client().get_paginator("scan").paginate(TableName=name) for name in names]
    return [
        (table, item) for table, found in zip(TABLES, pages, strict=True) for page in found for item in page["Items"]
    ]


def longest_keys(table: str) -> dict[str, int]:
    """How many bytes the key attributes of a table and of its indexes may have."""
    create = next(each.create for each in read_template("any").tables if each.name.startswith(f"any-{table}"))
    schemas = [create["KeySchema"], *(index["KeySchema"] for index in create.get("GlobalSecondaryIndexes", ()))]
    longest = {"HASH": LONGEST_PARTITION_KEY, "RANGE": LONGEST_SORT_KEY}
    return {key["AttributeName"]: longest[key["KeyType"]] for schema in schemas for key in schema}


def kind_of(table: str, item: Mapping[str, Any]) -> str:
    """Raises ValueError unless exactly one kind has such keys."""
    keys = " ".join(item[each]["S"] for each in (("p", "s") if table == "records" else ("pk", "sk")))
    (name,) = (name for name, kind in KINDS.items() if kind.table == table and re.fullmatch(kind.keys, keys, re.DOTALL))
    return name


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"a": {"S": "äb"}}, 4),
        ({"é": {"N": "-123"}}, 2 + 4),
        ({"a": {"L": [{"S": "x"}, {"N": "12"}]}}, 1 + 3 + 2 + 3),
        ({"a": {"M": {"bc": {"BOOL": True}}}}, 1 + 3 + 1 + 2 + 1),
        ({"a": {"SS": ["x", "yz"]}, "b": {"B": b"\0\0"}}, 1 + 3 + 1 + 2),
    ],
)
def test_sizes_are_counted_as_dynamodb_does(item: dict[str, Any], size: int) -> None:
    assert item_bytes(item) == size
