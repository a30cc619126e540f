"""Clients who name their events so that keys of ours could meet, or begin one another."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random

import pytest

from telemetry.dialects import getkeymanager
from telemetry.domain.api_key import Access, ApiKey, KeyKind
from telemetry.domain.environment import Environment
from telemetry.domain.flags import Flag
from telemetry.domain.judge import LicenseView
from telemetry.domain.keyring import Keyring
from telemetry.domain.record import Record, RecordKey, read_telemetry_id
from telemetry.retry import Deadline
from telemetry.services.ingest import EventOutcome, Ingest, Status
from telemetry.storage.inserts import Insertion
from telemetry.storage.records import Existing
from tests.client import Answer, Client, bearer
from tests.clock import FakeClock
from tests.lambdas import load_function
from tests.worlds.deployment import Deployment, Post, start_ingest

pytestmark = pytest.mark.days

TELEMETRY = "/api/v1/telemetry"
NOW = datetime(2026, 11, 21, 8, 30, 0, 123_456, UTC)
EVENT = {
    "data_type": "text",
    "data_group": "g",
    "product_id": "acme-desktop",
    "user_identifier": "u1",
    "event_at": 1795249799,
}


@pytest.fixture
def post(deployment: Deployment) -> Post:
    return start_ingest(deployment, NOW)


def text(seed: int) -> str:
    """Larger than an item, also deflated."""
    return Random(seed).randbytes(450_000).hex()


def ids_of(answer: Answer) -> list[str]:
    body = answer.body
    assert answer.status == 200
    return [item["telemetry_id"] for item in body.get("results", [body])]


def ask(path: str, key: str, **query: str) -> Answer:
    answer = Client(load_function("analytics", FakeClock(NOW + timedelta(minutes=1))), bearer(key)).get(path, query)
    assert answer.status == 200, answer
    return answer


def test_no_event_id_begins_the_chunks_of_another(deployment: Deployment, post: Post) -> None:
    first = EVENT | {"event_id": "big", "text_data": text(1)}
    small = {
        "data_type": "text",
        "data_group": "g",
        "product_id": "acme-desktop",
        "user_identifier": "u1",
        "text_data": "small",
    }
    ids = ids_of(post(TELEMETRY, json.dumps([first, small])))
    key = read_telemetry_id(ids[1], Environment.PRODUCTION, deployment.keyring)
    assert key
    milliseconds = key.sort.partition("#")[0]
    assert milliseconds == str(int(NOW.timestamp() * 1000))
    second = EVENT | {"event_id": f"big#{milliseconds}#0000", "text_data": text(2)}
    ids += ids_of(post(TELEMETRY, json.dumps(second)))
    bodies = dict(zip(ids, map(json.dumps, (first, small, second)), strict=True))
    assert {id_: deployment.record(id_).raw.decode() for id_ in ids} == bodies

    staff = deployment.staff_key()
    base, production = "/api/v1/analytics", {"environment": "production"}
    listed = ask(f"{base}/records", staff, **production).body["items"]
    assert {row["id"]: row["damage"] for row in listed} == dict.fromkeys(ids)
    for id_ in ids:
        assert ask(f"{base}/records/{id_}", staff, **production)
    file = ask(f"{base}/export", staff, **production, format="ndjson").text.splitlines()
    assert {row["id"]: row["raw"]["text"] for row in map(json.loads, file)} == bodies
    read = ask(TELEMETRY, deployment.keys[Environment.PRODUCTION]).body
    assert {row["id"] for row in read["response"]["data"]} == set(ids)


def test_no_event_id_is_that_of_a_conflict(deployment: Deployment, post: Post) -> None:
    other = json.dumps(EVENT | {"event_id": "x", "text_data": "c"})
    forged = f"x#{urlsafe_b64encode(sha256(other.encode()).digest()[:16]).rstrip(b'=').decode()}"
    bodies = [
        json.dumps(EVENT | {"event_id": "x", "text_data": "a"}),
        json.dumps(EVENT | {"event_id": forged, "text_data": "b"}),
        other,
    ]
    ids = [ids_of(post(TELEMETRY, body))[0] for body in bodies]
    records = [deployment.record(id_) for id_ in ids]
    assert [record.raw.decode() for record in records] == bodies
    assert [record.flags for record in records] == [frozenset(), frozenset(), frozenset({Flag.EVENT_ID_CONFLICT})]


@dataclass
class Taken:
    """Records under whose every key there is something already: what, a test says for one look after the other."""

    digests: list[bytes | None]

    def insert(self, records: Sequence[Record], deadline: Deadline) -> list[Insertion]:
        del deadline
        return [Insertion.EXISTS] * len(records)

    def existing(self, keys: Sequence[RecordKey], deadline: Deadline) -> dict[RecordKey, Existing]:
        del deadline
        digest = self.digests.pop(0)
        return {key: Existing(digest, frozenset({Flag.CLOCK_SKEW})) for key in keys} if digest else {}


def keep(store: Taken, *bodies: bytes) -> list[EventOutcome]:
    ingest = Ingest(
        lambda _: store,
        lambda *_: {},
        lambda events, *_: [LicenseView()] * len(events),
        Keyring(bytes(32)),
        lambda _: 90,
    )
    environment = Environment.PRODUCTION
    access = Access(ApiKey("k1", KeyKind.SDK, "", "", "", frozenset({environment})), environment)
    return ingest.keep([getkeymanager.parse_one(body) for body in bodies], access, "192.0.2.1", NOW, Deadline(60))


def test_a_conflict_is_acknowledged_only_for_what_it_says() -> None:
    body, other = (json.dumps(EVENT | {"event_id": "x", "text_data": text}).encode() for text in "ab")
    store = Taken([bytes(32), sha256(body).digest()])
    outcomes = keep(store, body, other, body)
    assert [outcome.status for outcome in outcomes] == [Status.CONFLICT, Status.FAILED, Status.CONFLICT]
    assert outcomes[0].flags == {Flag.CLOCK_SKEW}
    assert not store.digests


def test_a_conflict_that_nobody_can_look_at_is_not_acknowledged() -> None:
    (outcome,) = keep(Taken([bytes(32), None]), json.dumps(EVENT | {"event_id": "x"}).encode())
    assert outcome.status is Status.FAILED
