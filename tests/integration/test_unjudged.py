"""While the registry cannot be read, events are kept unjudged; before their day closes they are judged."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from telemetry.dialects.stored import event_of
from telemetry.domain.active_users import Audience
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.flags import Flag
from telemetry.domain.license import LicenseState
from telemetry.domain.record import Record
from telemetry.retry import Deadline
from telemetry.services.close_day import DayCloser
from telemetry.services.judging import Judge, judge_stored
from telemetry.services.reports import active_users
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.license_lookup import LicenseLookup
from telemetry.storage.licenses import LicenseStore
from tests.worlds.deployment import Deployment, never, start_ingest
from tests.worlds.licenses import DEVICE, KEY, activation_store, event, issue, license_store

pytestmark = pytest.mark.days

PRODUCTION = Environment.PRODUCTION
NOW = datetime(2026, 11, 3, 9, 20, tzinfo=UTC)
TODAY = NOW.date()
DEADLINE = datetime.combine(TODAY + timedelta(days=2), datetime.min.time(), UTC) + timedelta(hours=2)


def judge_of(deployment: Deployment) -> Judge:
    licenses = LicenseLookup(license_store(deployment), deployment.keyring)
    return Judge(PRODUCTION, deployment.products.all(), licenses.views, event_of)


def close(deployment: Deployment) -> LedgerStore:
    table, records, judge = deployment.tables.aggregates(PRODUCTION), deployment.day_records(), judge_of(deployment)
    closer = DayCloser.of(
        table,
        records,
        list(deployment.products.all()),
        never,
        lambda product, day: judge_stored(
            records.unjudged(product, day), records.records, judge, DEADLINE, Deadline(60)
        ),
    )
    assert TODAY in [closed.day for closed in closer.close(DEADLINE)]
    return LedgerStore(table)


def keep_unjudged(deployment: Deployment, monkeypatch: pytest.MonkeyPatch, *bodies: str) -> list[Record]:
    def unavailable(*_: object) -> None:
        raise StoreUnavailable("licenses")

    post = start_ingest(deployment, NOW)
    with monkeypatch.context() as patch:
        patch.setattr(LicenseStore, "known", unavailable)
        answers = [post("/api/v1/telemetry", body).body for body in bodies]
    assert [answer["response"]["code"] for answer in answers] == [830] * len(bodies)
    return [deployment.record(answer["telemetry_id"]) for answer in answers]


def test_unjudged_records_are_judged_once_and_never_touched(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    activation_store(deployment).activate(issue(deployment), DEVICE, DEADLINE, Deadline(60))
    good = event(user_identifier="good")
    pirated = event(user_identifier="pirate", license_key="NOBODYS")
    records = keep_unjudged(
        deployment, monkeypatch, good, pirated, event(user_identifier="free", license_key="unknown")
    )
    assert [record.is_judged for record in records] == [False, False, True]
    assert [record.flags for record in records] == [frozenset()] * 3

    store, days = deployment.records(), deployment.day_records()
    assert {seen.sighting.billable for seen in days.observations("acme-desktop", TODAY)} == {True, False}
    assert len(list(days.unjudged("acme-desktop", TODAY))) == 2

    aggregates = close(deployment)
    assert active_users("acme-desktop", 1, TODAY, Audience.USERS, aggregates) == 2  # good and free
    assert active_users("acme-desktop", 1, TODAY, Audience.ALL_USERS, aggregates) == 3
    judgements = store.judgements([record.key for record in records])
    assert {key: verdict.flags for key, verdict in judgements.items()} == {
        records[0].key: frozenset(),
        records[1].key: frozenset({Flag.INVALID_LICENSE}),
    }
    assert list(days.unjudged("acme-desktop", TODAY)) == []
    assert [store.get(record.key) for record in records] == records


def test_a_day_waits_while_its_records_cannot_be_judged(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_unjudged(deployment, monkeypatch, event())
    aggregates = LedgerStore(deployment.tables.aggregates(PRODUCTION))

    def unavailable(*_: object) -> None:
        raise StoreUnavailable("licenses")

    with monkeypatch.context() as patch:
        patch.setattr(LicenseStore, "known", unavailable)
        with pytest.raises(StoreUnavailable):
            close(deployment)
    assert aggregates.closing().closed is None
    close(deployment)


def test_a_judgement_under_todays_registry_stands_beside_what_was_flagged(deployment: Deployment) -> None:
    store, license_ = license_store(deployment), issue(deployment)
    activation_store(deployment).activate(license_, DEVICE, DEADLINE, Deadline(60))
    answer = start_ingest(deployment, NOW)("/api/v1/telemetry", event(license_key=KEY)).body
    record = deployment.record(answer["telemetry_id"])
    store.change(replace(store.get(license_.id), state=LicenseState.REVOKED))
    (verdict,) = judge_of(deployment).verdicts([record])
    assert (record.flags, verdict.flags) == (frozenset(), frozenset({Flag.REVOKED_LICENSE}))
    assert verdict.evidence == "3;R=revoked"
    assert deployment.record(answer["telemetry_id"]) == record
