"""One meaning of an error, whatever method of whatever store meets it.

A new method of a store needs a row in CALLS.
"""

import importlib
import inspect
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Protocol

import pytest
from botocore.client import BaseClient
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    NoCredentialsError,
    ReadTimeoutError,
)
from pynamodb.attributes import Attribute
from pynamodb.exceptions import PynamoDBException
from pynamodb.models import Model

import telemetry.messages
import telemetry.storage
from local.engine import Engine
from telemetry.domain.active_users import Actor, ActorKey, Audience, Balance, Place, TallyKey
from telemetry.domain.api_key import ApiKey, KeyKind
from telemetry.domain.closing import Candidate
from telemetry.domain.correction import Correction
from telemetry.domain.customer import Customer
from telemetry.domain.day_report import Moments, product_report
from telemetry.domain.day_summary import DaySummary
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable, TelemetryError
from telemetry.domain.event import Dialect
from telemetry.domain.failed_call import Caller
from telemetry.domain.hourly_counts import RECORDS, Fold, HourKey, LicenseDay
from telemetry.domain.judge import Verdict
from telemetry.domain.keyring import Keyring
from telemetry.domain.license import License, LicenseState
from telemetry.domain.license_list import LicenseFilter
from telemetry.domain.licensing import DeviceAction
from telemetry.domain.overrides import Overrides, VersionedOverrides
from telemetry.domain.product import Product
from telemetry.domain.profiles.cards import CompanyName, Order
from telemetry.domain.profiles.closing import Current, Pin, View
from telemetry.domain.profiles.people import DeviceUsers, Profile
from telemetry.domain.profiles.rows import Row
from telemetry.domain.profiles.tenure import Tenure
from telemetry.domain.profiles.today import CompanyDay, CompanyToday, DeveloperOf, DeveloperToday
from telemetry.domain.profiles.views import Totals
from telemetry.domain.record import Record, RecordKey
from telemetry.domain.recount import Recount, Unit
from telemetry.domain.retention import Retention
from telemetry.domain.session import Session
from telemetry.domain.shards import ShardPlan
from telemetry.domain.sign_in_attempts import SignInAttempts
from telemetry.domain.spike_handling import Handling
from telemetry.domain.spikes import Cause, Episode, Spike
from telemetry.domain.staff import AuditEntry, Author
from telemetry.domain.uncounted_record import UncountedRecord
from telemetry.domain.values.kept import DayValues, HourValues
from telemetry.domain.values.summary import Values
from telemetry.messages.alerts import AlertTopic
from telemetry.messages.clients import lambda_client, sns_client, sqs_client
from telemetry.messages.invocations import Invocations
from telemetry.messages.uncounted_records import UncountedRecordQueue
from telemetry.services.profiles.stores import ProfileStores
from telemetry.storage import batches, changes
from telemetry.storage.activations import ActivationStore
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.api_keys import ApiKeyStore, StoredKey
from telemetry.storage.audit import AuditLog
from telemetry.storage.candidates import CandidateStore
from telemetry.storage.changes import Logged
from telemetry.storage.closed_day_memory import ClosedDayMemory
from telemetry.storage.corrections import CorrectionStore
from telemetry.storage.customers import CustomerStore
from telemetry.storage.day_records import DayRecordStore
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.day_summaries import SummaryStore
from telemetry.storage.effort import Effort
from telemetry.storage.errors import is_fault
from telemetry.storage.failed_calls import FailedCallStore
from telemetry.storage.hourly_counts import HourlyCountStore
from telemetry.storage.idempotency import IdempotencyStore
from telemetry.storage.index_marks import KnownMarks
from telemetry.storage.index_partition import EVERY_CLASS
from telemetry.storage.index_sizes import IndexSizes
from telemetry.storage.inserts import Insertion
from telemetry.storage.license_lookup import LicenseLookup
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.licensing_counters import LicensingCounters, RememberedCalls
from telemetry.storage.network_file_places import BucketPlace, LocalPlace, s3_client
from telemetry.storage.network_files import NetworkFile, NetworkFiles
from telemetry.storage.overrides import OverridesStore
from telemetry.storage.products import Catalogue, ProductStore
from telemetry.storage.profiles.forgotten import ForgottenStore, RememberedForgotten
from telemetry.storage.profiles.tenures import TenureKey
from telemetry.storage.profiles.today import TodayStore
from telemetry.storage.record_browser import RecordBrowser
from telemetry.storage.record_item import RecordItem
from telemetry.storage.record_runs import Pace, Run
from telemetry.storage.records import RecordStore
from telemetry.storage.recount_parts import PartStore
from telemetry.storage.retention import RememberedRetention, RetentionStore
from telemetry.storage.selection import Listed, Selection
from telemetry.storage.sessions import SessionStore
from telemetry.storage.sign_in_attempts import SignInAttemptStore
from telemetry.storage.spike_handling import HandlingStore
from telemetry.storage.spikes import EpisodeStore
from telemetry.storage.values import ValueStore
from tests.faulty_transport import soon

TABLE = "test-stack-registry"
NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
DAY = date(2026, 11, 21)
KEYRING = Keyring(bytes(32))
PRODUCTION = Environment.PRODUCTION

KEY = RecordKey("L1#acme-cli", "1763713800123#evt-1")
RECORD = Record(
    KEY,
    b"{}",
    b"digest",
    Dialect.GETKEYMANAGER,
    "acme-cli",
    NOW,
    NOW,
    None,
    None,
    None,
    frozenset(),
    "",
    "k1",
    "192.0.2.1",
)
CHUNKED = RecordItem(*KEY, received_at=1, chunks=1, digest=bytes(32))
LISTED = Listed(KEY, "acme-cli", "c", NOW, NOW, None, None, None, "192.0.2.1", frozenset())
LICENSE = License("l1", PRODUCTION, b"f", "1234", None, None, LicenseState.ACTIVE, None, 3, 0, NOW)
API_KEY = ApiKey("k1", KeyKind.SDK, "test", "tk_prod_", "last", frozenset({PRODUCTION}))
STORED_KEY = StoredKey(API_KEY, b"secret", "api_key#1")
ENTRY = AuditEntry("e1", Author("k1", "test", NOW, "192.0.2.1", "", "r1"), PRODUCTION, "any.create", "e", {}, {})
PRODUCT = Product("acme-cli", "Acme CLI")
CUSTOMER = Customer("c1", "Globex", None, NOW)
UNIT = Unit("acme-cli", DAY, "1", 0, 0, 24, counts_users=True)
EPISODE = Episode(Spike("acme-cli", NOW, Cause.HOUR, 90, 10), NOW)
SESSION = Session("s1", b"hash", NOW)
CALLER = Caller("bad_key", "1234", "192.0.2.1")
BALANCE = Balance(DAY.toordinal(), dict.fromkeys(Audience, (0,) * 366))
REPORT = product_report("acme-cli", DAY, Recount(), BALANCE, None, Moments(NOW, NOW))
CORRECTION = Correction("acme-cli", DAY, "records", 1, 0, 1, NOW)
SUMMARY = DaySummary("acme-cli", DAY, {}, Counter())
ACTOR = Actor(1, {Place("*", Audience.USERS): (DAY.toordinal(),)})
FOLD = Fold({HourKey("*", NOW): Counter({RECORDS: 1})})
SELECTION = Selection(frozenset({"acme-cli"}))

products, api_keys, audit = ProductStore(TABLE), ApiKeyStore(TABLE), AuditLog(TABLE)
customers, licenses, retention = CustomerStore(TABLE), LicenseStore(TABLE, KEYRING), RetentionStore(TABLE, 90)
activations = ActivationStore(TABLE, KEYRING)
sessions, attempts, idempotency = SessionStore(TABLE), SignInAttemptStore(TABLE), IdempotencyStore(TABLE)
failed_calls, counters = FailedCallStore(TABLE), LicensingCounters(TABLE)
records = RecordStore(TABLE, ShardPlan(1))
day_records = DayRecordStore(records)
activity, reports = HourlyCountStore(TABLE), DayReportStore(TABLE)
candidates, corrections = CandidateStore(TABLE), CorrectionStore(TABLE)
values = ValueStore(TABLE)
summaries, parts, episodes = SummaryStore(TABLE), PartStore(TABLE), EpisodeStore(TABLE)

profiles = ProfileStores.of(TABLE)
views, rows, tenures, people, lists = profiles.views, profiles.rows, profiles.tenures, profiles.people, profiles.lists
WHO, ACME = bytes(range(16)), CompanyName("acme.com", "Acme", "domain", 3)
handlings = HandlingStore(TABLE)
VIEW, TOTALS, LOGGED = View(0, NOW), Totals(0, 0, {}, {}), Logged(ENTRY, TABLE)
PIN, ROW, AT = Pin(None, Overrides(), "1", NOW), Row(WHO, ACME, DAY, DAY, 1, {}), TenureKey("acme.com", WHO)
TENURE = Tenure(ACME, DAY, DAY, DAY, DAY, name="ann")

today = TodayStore(TABLE)
COMPANY = CompanyToday(CompanyName("globex.example", "Globex", "domain", 3), NOW, is_new=True)
DEVELOPER = DeveloperToday(bytes(16), "ann", None, None, NOW)


def browser() -> RecordBrowser:
    return RecordBrowser(records, NOW, DAY, Effort(1_000, 60))


def network_files() -> NetworkFiles:
    return NetworkFiles(BucketPlace("acme-networks", "networks.mmdb"))


CALLS: dict[str, Callable[[], object]] = {
    "ActivationStore.page": lambda: activations.page("l1", 10),
    "ActivationStore.get": lambda: activations.get("l1", "device"),
    "ActivationStore.activate": lambda: activations.activate(LICENSE, "device", NOW, soon()),
    "ActivationStore.deactivate": lambda: activations.deactivate(LICENSE, "device", NOW, soon()),
    "HourlyCountStore.position": lambda: activity.position("shard"),
    "HourlyCountStore.known": lambda: activity.known([HourKey("*", NOW)]),
    "HourlyCountStore.add": lambda: activity.add("shard", "1", "2", FOLD, NOW),
    "HourlyCountStore.hours": lambda: activity.hours("*", NOW, NOW),
    "HourlyCountStore.suspects": lambda: activity.suspects("*", NOW, NOW),
    "HourlyCountStore.license_counts": lambda: activity.license_counts([LicenseDay("acme-cli", DAY, "f")]),
    "HourlyCountStore.note_devices": lambda: activity.note_devices(LicenseDay("acme-cli", DAY, "f"), [b"device"]),
    "HourlyCountStore.flagged_days": lambda: activity.flagged_days([LicenseDay("acme-cli", DAY, "f")]),
    "HourlyCountStore.note_use": lambda: activity.note_use("k1", NOW),
    "HourlyCountStore.uses": lambda: activity.uses(["k1"]),
    "LedgerStore.actors": lambda: LedgerStore(TABLE).actors([ActorKey(b"a")]),
    "LedgerStore.commit": lambda: LedgerStore(TABLE).commit({ActorKey(b"a"): ACTOR}, {TallyKey("*", 1): Counter()}, 0),
    "LedgerStore.ledger": lambda: LedgerStore(TABLE).ledger("*", DAY.toordinal()),
    "LedgerStore.closing": lambda: LedgerStore(TABLE).closing(),
    "LedgerStore.open_from": lambda: LedgerStore(TABLE).open_from(DAY.toordinal()),
    "LedgerStore.scopes": lambda: LedgerStore(TABLE).scopes(),
    "LedgerStore.has_scope": lambda: LedgerStore(TABLE).has_scope("acme-cli"),
    "LedgerStore.add_scopes": lambda: LedgerStore(TABLE).add_scopes(["acme-cli"]),
    "LedgerStore.openings": lambda: LedgerStore(TABLE).openings(["*"], DAY.toordinal()),
    "LedgerStore.day": lambda: LedgerStore(TABLE).day("*", DAY.toordinal()),
    "LedgerStore.close": lambda: LedgerStore(TABLE).close(DAY.toordinal()),
    "ApiKeyStore.get": lambda: api_keys.get("k1"),
    "ApiKeyStore.page": lambda: api_keys.page(KeyKind.SDK, PRODUCTION, 10, None),
    "ApiKeyStore.replace": lambda: api_keys.replace(STORED_KEY, API_KEY, b"hash", None, ENTRY),
    "ApiKeyStore.revoke": lambda: api_keys.revoke(STORED_KEY, ENTRY),
    "AuditLog.add": lambda: audit.add(ENTRY),
    "AuditLog.history": lambda: audit.history("license", "l1", PRODUCTION, 10, None),
    "AuditLog.page": lambda: audit.page(PRODUCTION, NOW, NOW, 10, None),
    "RecordBrowser.by_receipt": lambda: browser().by_receipt(SELECTION),
    "RecordBrowser.by_event_time": lambda: browser().by_event_time(["L1#acme-cli"], SELECTION),
    "RecordBrowser.load": lambda: browser().load([LISTED]),
    "RecordBrowser.get": lambda: browser().get(KEY),
    "RecordBrowser.judgements": lambda: browser().judgements([KEY]),
    "CandidateStore.candidates": lambda: candidates.candidates(DAY),
    "CandidateStore.put_candidates": lambda: candidates.put_candidates([Candidate("acme-cli", DAY, 0, 0)], NOW),
    "CorrectionStore.correct": lambda: corrections.correct(CORRECTION, b"digest"),
    "CorrectionStore.corrections": lambda: corrections.corrections("*", DAY, DAY),
    "CustomerStore.get": lambda: customers.get("c1"),
    "CustomerStore.many": lambda: customers.many(["c1"]),
    "CustomerStore.page": lambda: customers.page(10, None),
    "CustomerStore.add": lambda: customers.add(CUSTOMER, ENTRY),
    "CustomerStore.change": lambda: customers.change(CUSTOMER, CUSTOMER, ENTRY),
    "CustomerStore.named": lambda: customers.named(["acme"]),
    "DayRecordStore.observations": lambda: day_records.observations("acme-cli", DAY),
    "DayRecordStore.examined": lambda: day_records.examined("acme-cli", DAY),
    "DayRecordStore.newest_flagged": lambda: day_records.newest_flagged(["acme-cli"], DAY, 10),
    "DayRecordStore.products": lambda: day_records.products(DAY),
    "DayRecordStore.has_any": lambda: day_records.has_any("acme-cli", DAY),
    "DayRecordStore.unjudged": lambda: day_records.unjudged("acme-cli", DAY),
    "DayReportStore.report": lambda: reports.report("*", DAY),
    "DayReportStore.users": lambda: reports.users("*", DAY),
    "DayReportStore.users_on": lambda: reports.users_on("*", [DAY]),
    "DayReportStore.details": lambda: reports.details("*", DAY),
    "DayReportStore.totals": lambda: reports.totals("*", DAY, DAY),
    "DayReportStore.details_between": lambda: reports.details_between("*", DAY, DAY),
    "DayReportStore.latest": lambda: reports.latest("*", DAY),
    "DayReportStore.keep": lambda: reports.keep(REPORT),
    "DayReportStore.totals_on": lambda: reports.totals_on(["*"], DAY),
    "DayReportStore.keep_all": lambda: reports.keep_all([REPORT]),
    "DayReportStore.told": lambda: reports.told(["*"], DAY),
    "SummaryStore.put": lambda: summaries.put([SUMMARY]),
    "SummaryStore.read": lambda: summaries.read("*", DAY, DAY),
    "FailedCallStore.add": lambda: failed_calls.add(PRODUCTION, CALLER, NOW),
    "FailedCallStore.hours": lambda: failed_calls.hours(PRODUCTION, NOW, NOW),
    "IdempotencyStore.claim": lambda: idempotency.claim("name", b"request", "claim", NOW),
    "IdempotencyStore.keep": lambda: idempotency.keep("name", "claim", (200, {})),
    "IdempotencyStore.release": lambda: idempotency.release("name", "claim"),
    "LicenseStore.get": lambda: licenses.get("l1"),
    "LicenseStore.key_of": lambda: licenses.key_of(LICENSE),
    "LicenseStore.page": lambda: licenses.page(LicenseFilter(PRODUCTION), NOW, 10),
    "LicenseStore.of_customer": lambda: licenses.of_customer(PRODUCTION, "c1"),
    "LicenseStore.ending": lambda: licenses.ending(PRODUCTION, "LL08", 5),
    "LicenseStore.known": lambda: licenses.known({"l1"}, {("l1", "device")}),
    "LicenseStore.add": lambda: licenses.add(LICENSE, "KEY", ENTRY),
    "LicenseStore.add_many": lambda: licenses.add_many([(LICENSE, "KEY")], soon()),
    "LicenseStore.change": lambda: licenses.change(LICENSE, None, ENTRY),
    "LicensingCounters.add": lambda: counters.add("acme-cli", DeviceAction.VERIFY, 100, NOW),
    "LicensingCounters.calls": lambda: counters.calls(NOW, NOW),
    "RecordStore.marked": lambda: records.marked(DAY),
    "LicensingCounters.by_hour": lambda: counters.by_hour(NOW, NOW),
    "RecordStore.insert": lambda: records.insert([RECORD], soon()),
    "RecordStore.existing": lambda: records.existing([KEY], soon()),
    "RecordStore.get": lambda: records.get(KEY),
    "RecordStore.many": lambda: records.many([KEY]),
    "RecordStore.whole": lambda: records.whole(CHUNKED),
    "RecordStore.one_of_each": lambda: records.one_of_each(["L1#acme-cli"]),
    "RecordStore.last_received": lambda: records.last_received(["L1#acme-cli"], NOW),
    "RecordStore.judgements": lambda: records.judgements([KEY]),
    "RecordStore.add_judgement": lambda: records.add_judgement(RECORD, Verdict(frozenset(), ""), NOW, soon()),
    "PartStore.put_tables": lambda: parts.put_tables(UNIT, "copy", 0, Recount(versions=Counter({"1.0": 1})), NOW),
    "PartStore.put": lambda: parts.put(UNIT, "copy", Recount(), NOW),
    "PartStore.summaries": lambda: parts.summaries([UNIT]),
    "PartStore.tables": lambda: parts.tables(UNIT, 0),
    "ProductStore.all": products.all,
    "ProductStore.named": lambda: products.named(["acme-cli"]),
    "ProductStore.get": lambda: products.get("acme-cli"),
    "ProductStore.page": lambda: products.page(10, None),
    "ProductStore.add": lambda: products.add(PRODUCT, ENTRY),
    "ProductStore.change": lambda: products.change(PRODUCT, ENTRY),
    "ProductStore.put": lambda: products.put(PRODUCT),
    "ApiKeyStore.find": lambda: api_keys.find(bytes(32)),
    "ApiKeyStore.add": lambda: api_keys.add(API_KEY, bytes(32), None, ENTRY),
    "RetentionStore.get": lambda: retention.get(PRODUCTION),
    "RetentionStore.change": lambda: retention.change(PRODUCTION, Retention(90), ENTRY),
    "OverridesStore.get": lambda: OverridesStore(TABLE).get(),
    "OverridesStore.change": lambda: OverridesStore(TABLE).change(VersionedOverrides(), ENTRY),
    "SessionStore.add": lambda: sessions.add(SESSION, ENTRY),
    "SessionStore.session": lambda: sessions.session("s1"),
    "SessionStore.end": lambda: sessions.end(SESSION, ENTRY),
    "SignInAttemptStore.get": lambda: attempts.get("192.0.2.1"),
    "SignInAttemptStore.put": lambda: attempts.put("192.0.2.1", SignInAttempts(1, NOW), None),
    "SignInAttemptStore.forget": lambda: attempts.forget("192.0.2.1"),
    "TodayStore.views": lambda: today.views(["acme-cli"]),
    "TodayStore.noted_companies": lambda: today.noted_companies([CompanyDay("acme-cli", DAY, "globex.example")]),
    "TodayStore.known_companies": lambda: today.known_companies(
        [CompanyDay("acme-cli", DAY, "globex.example")], {"acme-cli": 0}
    ),
    "TodayStore.known_developers": lambda: today.known_developers([DeveloperOf("acme-cli", bytes(16))]),
    "TodayStore.noted_developers": lambda: today.noted_developers([DeveloperOf("acme-cli", bytes(16))], [DAY]),
    "TodayStore.note_company": lambda: today.note_company("acme-cli", DAY, COMPANY),
    "TodayStore.note_developer": lambda: today.note_developer("acme-cli", DAY, DEVELOPER),
    "TodayStore.active_companies": lambda: today.active_companies("acme-cli", DAY, ["globex.example"]),
    "TodayStore.new_companies": lambda: today.new_companies("acme-cli", DAY, 10),
    "TodayStore.new_developers": lambda: today.new_developers("acme-cli", DAY, 10),
    "NetworkFiles.current": lambda: network_files().current(),
    "NetworkFiles.refresh": lambda: network_files().refresh(),
    "NetworkFiles.pinned": lambda: network_files().pinned("0" * 64),
    "NetworkFiles.keep": lambda: network_files().keep("0" * 64),
    "EpisodeStore.latest": lambda: episodes.latest("acme-cli"),
    "EpisodeStore.open": lambda: episodes.open(EPISODE, None),
    "EpisodeStore.extend": lambda: episodes.extend(EPISODE, EPISODE.opened),
    "EpisodeStore.get": lambda: episodes.get(EPISODE.id),
    "HandlingStore.get": lambda: handlings.get(EPISODE.id),
    "HandlingStore.many": lambda: handlings.many([EPISODE.id]),
    "HandlingStore.change": lambda: handlings.change(Handling(EPISODE.id), LOGGED),
    "EpisodeStore.announced": lambda: episodes.announced(EPISODE),
    "EpisodeStore.all": episodes.all,
    "ViewStore.current": lambda: views.current("acme-cli"),
    "ViewStore.views": lambda: views.views("acme-cli"),
    "ViewStore.shown": lambda: views.shown("acme-cli"),
    "ViewStore.begin": lambda: views.begin("acme-cli", VIEW, LOGGED),
    "ViewStore.advance": lambda: views.advance("acme-cli", VIEW, DAY, None),
    "ViewStore.list_up_to": lambda: views.list_up_to("acme-cli", VIEW, TOTALS, 1, NOW),
    "ViewStore.show": lambda: views.show("acme-cli", 1, Current(), LOGGED),
    "ViewStore.pin": lambda: views.pin(0, "acme-cli", DAY),
    "ViewStore.pin_to": lambda: views.pin_to(0, "acme-cli", DAY, PIN),
    "ViewStore.release": lambda: views.release(0, "acme-cli", DAY),
    "RowStore.kept": lambda: rows.kept(0, "acme-cli", DAY, [0]),
    "RowStore.keep": lambda: rows.keep(0, "acme-cli", DAY, 0, [ROW]),
    "RowStore.read": lambda: rows.read(0, "acme-cli", DAY),
    "RowStore.read_part": lambda: rows.read_part(0, "acme-cli", DAY, 0, 1),
    "RowStore.kept_part": lambda: rows.kept_part(0, "acme-cli", DAY, 0, 1),
    "RowStore.note_added": lambda: rows.note_added(0, "acme-cli", DAY, 0, 1),
    "RowStore.added": lambda: rows.added(0, "acme-cli", DAY, [(0, 1)]),
    "TenureStore.get": lambda: tenures.get(0, "acme-cli", [AT]),
    "TenureStore.put": lambda: tenures.put(0, "acme-cli", AT, TENURE, None),
    "TenureStore.at": lambda: tenures.at(0, "acme-cli", "acme.com", None, 10),
    "TenureStore.nobodys": lambda: tenures.nobodys(0, "acme-cli", ["acme.com"]),
    "TenureStore.forget": lambda: tenures.forget(0, "acme-cli", AT),
    "PeopleStore.profiles": lambda: people.profiles("acme-cli", [WHO]),
    "PeopleStore.put_profile": lambda: people.put_profile("acme-cli", WHO, Profile(DAY)),
    "PeopleStore.users": lambda: people.users("acme-cli", [WHO]),
    "PeopleStore.put_users": lambda: people.put_users("acme-cli", WHO, DeviceUsers()),
    "PeopleStore.note_company": lambda: people.note_company(0, "acme-cli", WHO, "acme.com"),
    "PeopleStore.unlink": lambda: people.unlink("acme-cli", WHO, bytes(16), LOGGED),
    "PeopleStore.link_again": lambda: people.link_again("acme-cli", WHO, bytes(16), LOGGED),
    "PeopleStore.developer": lambda: people.developer(0, "acme-cli", WHO),
    "ListStore.put_companies": lambda: lists.put_companies(0, "acme-cli", DAY, Order.NEW, []),
    "ListStore.put_developers": lambda: lists.put_developers(0, "acme-cli", DAY, Order.NEW, []),
    "ListStore.companies": lambda: lists.companies(0, "acme-cli", DAY, Order.NEW, 0, 10),
    "ListStore.developers": lambda: lists.developers(0, "acme-cli", DAY, Order.NEW, 0, 10),
    "ListStore.company": lambda: lists.company(0, "acme-cli", DAY, "acme.com"),
    "ListStore.developer": lambda: lists.developer(0, "acme-cli", DAY, WHO),
    "ForgottenStore.all": lambda: ForgottenStore(TABLE, PRODUCTION).all(),
    "ForgottenStore.add": lambda: ForgottenStore(TABLE, PRODUCTION).add(WHO, ENTRY),
    "AlertTopic.publish": lambda: AlertTopic("arn:aws:sns:us-east-1:0:alerts").publish("Spike", {}),
    "UncountedRecordQueue.send": lambda: UncountedRecordQueue("https://queue").send(
        [UncountedRecord(PRODUCTION, {}, "x", "i", "s", "1")]
    ),
    "Invocations.ask_for": lambda: Invocations("arn:aws:lambda:us-east-1:0:function:f").ask_for({}),
    "ValueStore.kept": lambda: values.kept("shard", [HourKey("acme-cli", NOW)]),
    "ValueStore.keep": lambda: values.keep("shard", HourKey("acme-cli", NOW), HourValues()),
    "ValueStore.hours": lambda: values.hours("acme-cli", NOW, NOW),
    "ValueStore.days": lambda: values.days("acme-cli", DAY, DAY),
    "ValueStore.closed": lambda: values.closed(["acme-cli"], DAY),
    "ValueStore.close": lambda: values.close(DayValues.of("acme-cli", DAY, Values(), 1)),
}

CALLS_NOTHING = {"DayRecordStore.shard_count", "NetworkFiles.check"}

NO_STORES = (
    BucketPlace, Catalogue, ClosedDayMemory, Effort, IndexSizes, KnownMarks, LicenseLookup, LocalPlace, NetworkFile,
    Pace, RememberedCalls, RememberedForgotten, RememberedRetention, Run, Selection,
)  # fmt: skip
"""What calls stores, or nothing at all; a Run is read within methods of RecordBrowser."""

TRANSACTIONS = {
    "ActivationStore.activate", "ActivationStore.deactivate",
    "HourlyCountStore.add", "LedgerStore.commit", "ApiKeyStore.replace", "ApiKeyStore.revoke", "CustomerStore.add",
    "CustomerStore.change", "DayReportStore.keep", "DayReportStore.keep_all", "EpisodeStore.open", "LicenseStore.add",
    "LicenseStore.change", "ProductStore.add", "ProductStore.change",
    "ApiKeyStore.add", "OverridesStore.change", "RetentionStore.change", "SessionStore.add", "SessionStore.end",
    "ForgottenStore.add", "PeopleStore.link_again", "PeopleStore.unlink", "ViewStore.begin", "ViewStore.show",
    "HandlingStore.change",
}  # fmt: skip

SIDE_BY_SIDE = {"RecordBrowser.by_receipt"}

ANSWERED_UNAVAILABLE = {
    "LicenseStore.add_many": [Insertion.UNAVAILABLE],
    "RecordStore.add_judgement": Insertion.UNAVAILABLE,
    "RecordStore.existing": {},
    "RecordStore.insert": [Insertion.UNAVAILABLE],
}
"""These tell of each item what became of it."""


def error(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Any")  # type: ignore[typeddict-item]


def cancelled(*codes: str) -> ClientError:
    reasons = [{"Code": code} for code in codes]
    response: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
    return ClientError(response, "TransactWriteItems")


URL = "https://dynamodb"
PASSING: dict[str, Exception] = {
    "throttled": error("ThrottlingException"),
    "over capacity": error("ProvisionedThroughputExceededException"),
    "over the account's limit": error("RequestLimitExceeded"),
    "their fault": error("InternalServerError", 500),
    "their fault, unnamed": error("503", 503),
    "in conflict": error("TransactionConflictException"),
    "not connected": ConnectTimeoutError(endpoint_url=URL),
    "not answered": ReadTimeoutError(endpoint_url=URL),
    "hung up": ConnectionClosedError(endpoint_url=URL),
}
LASTING: dict[str, Exception] = {
    "denied": error("AccessDeniedException"),
    "no table": error("ResourceNotFoundException"),
    "invalid": error("ValidationException"),
    "no credentials": NoCredentialsError(),
}
CANCELLED_PASSING = [
    ("TransactionConflict",),
    ("ThrottlingError",),
    ("ProvisionedThroughputExceeded",),
    ("None", "TransactionConflict"),
    ("ThrottlingError", "TransactionConflict"),
]
CANCELLED_FOR_GOOD = [
    ("ValidationError",),
    ("AccessDenied",),
    ("ItemCollectionSizeLimitExceeded",),
    ("TransactionConflict", "ValidationError"),
    (),
]
CANCELLED_BY_CONDITION = [
    ("ConditionalCheckFailed",),
    ("None", "ConditionalCheckFailed"),
    ("TransactionConflict", "ConditionalCheckFailed"),
]


class Fails(Protocol):
    """Lets every call of AWS fail with an error; gives the operations, as they come."""

    def __call__(self, failure: Exception) -> list[str]: ...


@pytest.fixture
def fails(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fails]:  # noqa: ARG001 (clients need its variables)
    monkeypatch.setattr(changes, "Deadline", soon)
    monkeypatch.setattr(batches, "Deadline", soon)

    def failing(failure: Exception) -> list[str]:
        operations: list[str] = []

        def call(_client: BaseClient, operation: str, _arguments: dict[str, Any]) -> None:
            operations.append(operation)
            raise failure

        monkeypatch.setattr(BaseClient, "_make_api_call", call)
        return operations

    yield failing
    for client in (lambda_client, s3_client, sns_client, sqs_client):
        client.cache_clear()


def called(name: str) -> object:
    """The method's answer; what it yields is read to the end."""
    result = CALLS[name]()
    return list(result) if isinstance(result, Iterator) else result


def methods() -> Iterator[str]:
    """Every public method of every class that calls AWS."""
    for package in (telemetry.storage, telemetry.messages):
        for module_info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(module_info.name)
            for cls in vars(module).values():
                if inspect.isclass(cls) and cls.__module__ == module.__name__ and _may_call(cls):
                    yield from (f"{cls.__name__}.{name}" for name, each in vars(cls).items() if _is_public(name, each))


def _may_call(cls: type) -> bool:
    plain = not issubclass(cls, (Model, Attribute, Enum, Exception)) and not getattr(cls, "_is_protocol", False)
    return plain and cls not in NO_STORES and not cls.__name__.startswith("_")


def _is_public(name: str, value: object) -> bool:
    return inspect.isfunction(value) and not name.startswith("_")


def test_every_method_is_in_this_test() -> None:
    assert set(methods()) == CALLS.keys() | CALLS_NOTHING


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("failure", PASSING.values(), ids=PASSING)
def test_what_passes_by_itself_may_be_tried_again(fails: Fails, name: str, failure: Exception) -> None:
    assert fails(failure) == []
    if name in ANSWERED_UNAVAILABLE:
        assert called(name) == ANSWERED_UNAVAILABLE[name]
    else:
        with pytest.raises(StoreUnavailable) as told:
            called(name)
        assert not is_fault(told.value)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("failure", LASTING.values(), ids=LASTING)
def test_what_lasts_is_raised_as_it_is_and_at_once(fails: Fails, name: str, failure: Exception) -> None:
    operations = fails(failure)
    with pytest.raises((ClientError, PynamoDBException, NoCredentialsError)) as told:
        called(name)
    assert is_fault(told.value)
    assert 1 <= len(operations) <= (len(EVERY_CLASS) if name in SIDE_BY_SIDE else 1)


@pytest.mark.parametrize("name", sorted(TRANSACTIONS))
@pytest.mark.parametrize("codes", CANCELLED_PASSING, ids=str)
def test_a_transaction_cancelled_by_what_passes(fails: Fails, name: str, codes: tuple[str, ...]) -> None:
    operations = fails(cancelled(*codes))
    with pytest.raises(StoreUnavailable):
        called(name)
    assert set(operations) == {"TransactWriteItems"}


@pytest.mark.parametrize("name", sorted(TRANSACTIONS))
@pytest.mark.parametrize("codes", CANCELLED_FOR_GOOD, ids=str)
def test_a_transaction_cancelled_for_good(fails: Fails, name: str, codes: tuple[str, ...]) -> None:
    operations = fails(cancelled(*codes))
    with pytest.raises(PynamoDBException) as told:
        called(name)
    assert is_fault(told.value)
    assert operations == ["TransactWriteItems"]


@pytest.mark.parametrize("name", sorted(TRANSACTIONS))
@pytest.mark.parametrize("codes", CANCELLED_BY_CONDITION, ids=str)
def test_a_transaction_cancelled_by_a_condition(fails: Fails, name: str, codes: tuple[str, ...]) -> None:
    """It means something else for each; never that storage is away or broken, and it is not tried again."""
    operations = fails(cancelled(*codes))
    told = Exception()
    try:
        called(name)
    except (TelemetryError, PynamoDBException, ClientError) as exc:
        told = exc
    # an id of 144 random bits again is nothing that lasts
    assert not isinstance(told, StoreUnavailable) or name == "SessionStore.add"
    # some then read what there is instead, and here no call is answered
    assert not is_fault(told) or operations[1:]
    assert operations.count("TransactWriteItems") == 1


def test_no_other_method_is_a_transaction(fails: Fails) -> None:
    for name in CALLS.keys() - TRANSACTIONS:
        operations = fails(error("AccessDeniedException"))
        with pytest.raises((ClientError, PynamoDBException)):
            called(name)
        assert "TransactWriteItems" not in operations, name
