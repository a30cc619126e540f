"""Ingest on a real engine: what is answered, and what lies in the table afterwards."""

import gzip
import json
from base64 import b64decode
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from telemetry.dialects.body.reader import read_one
from telemetry.domain.environment import Environment
from telemetry.domain.flags import Flag
from telemetry.domain.record import Record
from telemetry.retry import Deadline
from telemetry.storage.inserts import Insertion
from telemetry.storage.record_item import RecordItem
from telemetry.storage.records import RecordStore
from telemetry.storage.tables import bind
from tests.lambdas import example_event
from tests.worlds.deployment import Deployment, Post, start_ingest

pytestmark = pytest.mark.days

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
"""A second after the examples of events/ happened."""

TELEMETRY = "/api/v1/telemetry"
USAGE = "/api/product/usage"
GOOD: dict[str, Any] = {
    "data_type": "text",
    "data_group": "g",
    "text_data": "started",
    "product_id": "acme-desktop",
    "user_identifier": "Jane@Customer.example",
    "hwid": "9b74c9897bac770ffc029102a200c5de",
    "product_version": "4.12.1",
    "country": "DE",
}


@pytest.fixture
def post(deployment: Deployment) -> Post:
    return start_ingest(deployment, NOW)


def test_a_good_event_is_answered_830_and_stored_as_sent(deployment: Deployment, post: Post) -> None:
    raw = json.dumps(GOOD)
    result = post(TELEMETRY, raw)
    answer = result.body
    assert result.status == 200
    timestamp = int(NOW.timestamp())
    response = {"code": 830, "message": "Correct format data saved", "errors": [], "timestamp": timestamp}
    assert answer == {
        "response": response,
        "response_base64": answer["response_base64"],
        "private_key_used": "global",
        "telemetry_id": answer["telemetry_id"],
        "is_flagged": False,
    }
    assert b64decode(answer["response_base64"]) == json.dumps(response, separators=(",", ":")).encode()
    record = deployment.record(answer["telemetry_id"])
    assert record.raw == raw.encode()
    assert (record.product, record.product_version, record.flags) == ("acme-desktop", "4.12.1", frozenset())
    assert (record.source_ip, record.country) == ("203.0.113.7", "DE")


@pytest.mark.parametrize("base", ["/api/v1", "/v1"])
@pytest.mark.parametrize("name", ["telemetry", "send-telemetry", "send-telemetry-data"])
def test_every_alias_stores(deployment: Deployment, post: Post, base: str, name: str) -> None:
    answer = post(f"{base}/{name}", json.dumps(GOOD)).body
    assert deployment.record(answer["telemetry_id"]).raw == json.dumps(GOOD).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not json",
        b'{"data_type":"text","data_group":"g","text_data":NaN}',
        b'{"data_type":"text","data_group":"g","text_data":"\\ud800"}',
        b'{"data_type":"text","data_group":"g","text_data":1}',
        b'{"data_type":"numeric-single-value","data_group":"g","numeric_data_single_value":1e999}',
        b"\xff\xfe invalid utf-8 \x80",
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"user_identifier":' + b"9" * 5_000 + b"}",
        b"\x1f\x8b broken gzip",
        b'"only text"',
        b"null",
        json.dumps({**GOOD, "metadata": "no object"}).encode(),
        json.dumps({"events": [GOOD], "product": "would be lost"}).encode(),
        json.dumps([GOOD] * 501).encode(),
        json.dumps({**GOOD, "pad": "x" * 900_000}).encode(),
        Random(1).randbytes(1_500_000),
    ],
    ids=lambda raw: repr(raw[:30]),
)
def test_whatever_is_wrong_is_stored_byte_for_byte_and_flagged(deployment: Deployment, post: Post, raw: bytes) -> None:
    result = post(TELEMETRY, raw)
    answer = result.body
    record = deployment.record(answer["telemetry_id"])
    assert result.status == 200
    assert record.raw == raw
    if b'"pad"' in raw:
        assert answer["response"]["code"] == 830
    else:
        assert (answer["response"]["code"], answer["response"]["message"]) == (831, "Incorrect format data saved")
        assert answer["response"]["errors"]
        assert answer["is_flagged"] is True
        assert Flag.MALFORMED in record.flags


@pytest.mark.parametrize(
    "wrong", ["NaN", '{"data_type":"numeric-single-value","data_group":"g","numeric_data_single_value":1e400}',
              "9" * 5_000, "{bad}", "[" * 10_000 + "]" * 10_000, "[" + "{}," * 40_000 + "{}]"],
    ids=lambda raw: raw[:30],
)  # fmt: skip
@pytest.mark.parametrize("body", ["[{},{},{},{},{}]", '{{"events":[{},{},{},{},{}]}}', "\ufeff [{},{},{},{},{}]\n"])
def test_one_bad_element_is_malformed_alone(deployment: Deployment, post: Post, body: str, wrong: str) -> None:
    good = [json.dumps({**GOOD, "user_identifier": f"u{number}"}) for number in range(4)]
    result = post(TELEMETRY, body.format(*good[:2], wrong, *good[2:]))
    answer = result.body
    records = [deployment.record(each["telemetry_id"]) for each in answer["results"]]
    assert (result.status, answer["response"]["code"]) == (200, 831)
    assert [record.raw.decode() for record in records] == [*good[:2], wrong, *good[2:]]
    assert [Flag.MALFORMED in record.flags for record in records] == [False, False, True, False, False]
    assert len({record.user for record in records}) == 5  # four, and nobody


@pytest.mark.parametrize("media_type", ["application/ndjson", "application/jsonl", "application/json", "text/plain"])
def test_five_lines_are_five_events_whatever_the_media_type(
    deployment: Deployment, post: Post, media_type: str
) -> None:
    lines = [json.dumps({**GOOD, "user_identifier": f"u{number}"}) for number in range(5)]
    headers = {"content-type": media_type, "x-api-key": deployment.keys[Environment.PRODUCTION]}
    answer = post(TELEMETRY, "\ufeff" + "\n".join(lines), headers).body
    assert [deployment.record(each["telemetry_id"]).raw.decode() for each in answer["results"]] == lines
    assert answer["response"]["code"] == 830


def test_no_key_is_readable_in_what_is_stored(deployment: Deployment, post: Post) -> None:
    """The key of the header is another one than that of the body, which is spelled with escapes, or there twice."""
    header, other = deployment.keys[Environment.PRODUCTION], deployment.key()
    spelled = "".join(f"\\u{ord(each):04x}" for each in other)
    for inside in (
        f'"api_key":"{other}"', f'"api_key":"{spelled}"', f'"api_key":"{other}","api_key":"{header}"',
        f'"user_identifier":"{other}"', f'"metadata":{{"deep":["x {spelled} y"]}}',
    ):  # fmt: skip
        body = json.dumps(GOOD)[:-1] + f",{inside}}}"
        for sent in (body, f"[{body}]", f'{{"events":[{body}],"api_key":"{other}"}}', f"{body}\n{body}", body[:-1]):
            answer = post(TELEMETRY, sent, {"x-api-key": header}).body
            for each in answer.get("results", [answer]):
                record = deployment.record(each["telemetry_id"])
                assert len(record.raw) in {len(body), len(body) - 1}
                for secret in (header, other):
                    assert secret.encode() not in record.raw
                    assert secret not in json.dumps(read_one(record.raw).value)


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"data_type": None}, {"data_type": ["The data type field is required."]}),
        ({"data_type": "other"}, {"data_type": ["The selected data type is invalid."]}),
        ({"product_id": "nobody-knows"}, {"product_id": ["The selected product id is invalid."]}),
        ({"product_id": None}, {"product_id": ["The product id field is required."]}),
        ({"product_id": ["acme-cli"]}, {"product_id": ["The product id must be a string."]}),
        (
            {"data_type": "numeric-xy-axis", "data_group": "g", "numeric_data_x": "1.5"},
            {"numeric_data_y": ["The numeric data y field is required."]},
        ),
        ({"user_identifier": 12}, {}),
        ({"event_at": "yesterday"}, {"event_at": ["The event at is not a valid date."]}),
        ({"license_key": "unknown"}, {}),
        ({"flags": []}, {}),
        ({"flags": "", "metadata": " "}, {}),
        ({"data_type": "numeric-single-value", "numeric_data_single_value": "1_000"},
         {"numeric_data_single_value": ["The numeric data single value must be a number."]}),
        ({"data_type": "numeric-single-value", "numeric_data_single_value": "٣"},
         {"numeric_data_single_value": ["The numeric data single value must be a number."]}),
    ],
)  # fmt: skip
def test_errors_name_the_field(post: Post, change: dict[str, Any], errors: dict[str, list[str]]) -> None:
    response = post(TELEMETRY, json.dumps({**GOOD, **change})).body["response"]
    assert (response["code"], response["errors"] or {}) == (831 if errors else 830, errors)


@pytest.mark.parametrize("body", ['{"a":', "", "[" * 9, json.dumps([GOOD] * 501)])
def test_of_what_cannot_be_read_no_field_is_missed(post: Post, body: str) -> None:
    response = post(TELEMETRY, body).body["response"]
    assert (response["code"], list(response["errors"])) == (831, ["body"])


@pytest.mark.parametrize(
    ("flags", "flagged"),
    [([], False), (["tampering"], True), ({"tampering_detected": True}, True), ({"tampering_detected": False}, False)],
)
def test_client_flags_come_in_three_shapes(post: Post, flags: object, flagged: bool) -> None:  # noqa: FBT001
    answer = post(TELEMETRY, json.dumps({**GOOD, "flags": flags})).body
    assert (answer["is_flagged"], answer["response"]["code"]) == (flagged, 830)


def test_an_event_id_makes_it_idempotent(deployment: Deployment, post: Post) -> None:
    raw = json.dumps({**GOOD, "event_id": 9223372036854775807, "event_at": 1795249799})
    first, second = post(TELEMETRY, raw).body, post(TELEMETRY, raw).body
    assert first["telemetry_id"] == second["telemetry_id"]
    assert deployment.record(first["telemetry_id"]).key.sort == "1795249799000#9223372036854775807"


def test_other_content_under_the_same_id_is_kept_beside_and_flagged(deployment: Deployment, post: Post) -> None:
    first = post(TELEMETRY, json.dumps({**GOOD, "event_id": "e1"})).body
    other = json.dumps({**GOOD, "event_id": "e1", "text_data": "stopped"})
    second, again = post(TELEMETRY, other).body, post(TELEMETRY, other).body
    assert first["telemetry_id"] != second["telemetry_id"] == again["telemetry_id"]
    record = deployment.record(second["telemetry_id"])
    assert (record.raw, record.flags) == (other.encode(), frozenset({Flag.EVENT_ID_CONFLICT}))
    assert (first["is_flagged"], second["is_flagged"], second["response"]["code"]) == (False, True, 830)
    assert deployment.record(first["telemetry_id"]).flags == frozenset()


@pytest.mark.parametrize("shape", ["array", "events", "ndjson", "gzip"])
def test_a_batch_is_answered_event_by_event(deployment: Deployment, post: Post, shape: str) -> None:
    events = [json.dumps({**GOOD, "event_id": f"e{i}"}, indent=i or None) for i in range(3)]
    headers = {"authorization": f"Bearer {deployment.keys[Environment.PRODUCTION]}"}
    match shape:
        case "array" | "gzip":
            body: bytes = f" [ {' , '.join(events)} ]\n".encode()
        case "events":
            body = f'{{"api_key":"x", "events" : [{",".join(events)}]}}'.encode()
        case _:
            events = [event.replace("\n", "") for event in events]
            body = "\r\n".join(events).encode() + b"\n\n"
            headers["content-type"] = "application/x-ndjson"
    result = post(TELEMETRY, gzip.compress(body) if shape == "gzip" else body, headers)
    answer = result.body
    assert result.status == 200
    assert answer["response"]["code"] == 830
    assert [(item["status"], item["is_flagged"], item["errors"]) for item in answer["results"]] == [
        ("stored", False, [])
    ] * 3
    assert [deployment.record(item["telemetry_id"]).raw.decode() for item in answer["results"]] == events
    again = post(TELEMETRY, body, headers).body
    assert [item["status"] for item in again["results"]] == ["duplicate"] * 3
    assert [item["telemetry_id"] for item in again["results"]] == [item["telemetry_id"] for item in answer["results"]]


def test_a_batch_folds_equal_keys_and_tells_conflicts(deployment: Deployment, post: Post) -> None:
    one, other = {**GOOD, "event_id": "e1"}, {**GOOD, "event_id": "e1", "text_data": "stopped"}
    answer = post(TELEMETRY, json.dumps([one, one, other, other, 5])).body
    statuses = [item["status"] for item in answer["results"]]
    assert statuses == ["stored", "duplicate", "conflict", "conflict", "stored"]
    ids = [item["telemetry_id"] for item in answer["results"]]
    assert ids[0] == ids[1] != ids[2] == ids[3]
    assert answer["response"]["code"] == 831
    assert deployment.record(ids[4]).raw == b"5"


def test_an_empty_batch_is_fine(post: Post) -> None:
    answer = post(TELEMETRY, "[]").body
    assert (answer["response"]["code"], answer["results"]) == (830, [])


def test_the_presented_key_is_masked_wherever_it_stands(deployment: Deployment, post: Post) -> None:
    key = deployment.keys[Environment.PRODUCTION]
    body = json.dumps({"api_key": key, **GOOD, "metadata": {"again": key}})
    answer = post(TELEMETRY, body, headers={}).body
    assert answer["response"]["code"] == 830
    assert deployment.record(answer["telemetry_id"]).raw.decode() == body.replace(key, "*" * len(key))


@pytest.mark.parametrize("way", ["bearer", "x-api-key", "query", "body"])
def test_a_key_may_be_presented_in_four_ways(deployment: Deployment, post: Post, way: str) -> None:
    key = deployment.keys[Environment.STAGING]
    headers = {"bearer": {"Authorization": f"bearer {key}"}, "x-api-key": {"X-Api-Key": key}}.get(way, {})
    query = {"api_key": key} if way == "query" else None
    answer = post(TELEMETRY, json.dumps({**GOOD, "api_key": key} if way == "body" else GOOD), headers, query).body
    deployment.record(answer["telemetry_id"], Environment.STAGING)


def test_a_key_opens_its_own_environment_only(deployment: Deployment, post: Post) -> None:
    refused = post(TELEMETRY, json.dumps(GOOD), query={"environment": "staging"})
    assert (refused.status, refused.body["response"]["code"]) == (403, 150)
    allowed = post(TELEMETRY, json.dumps(GOOD), query={"environment": "production"})
    telemetry_id = allowed.body["telemetry_id"]
    deployment.record(telemetry_id)
    with pytest.raises(AssertionError):
        deployment.record(telemetry_id, Environment.STAGING)


@pytest.mark.parametrize("headers", [{}, {"x-api-key": "nobody-issued-this"}, {"authorization": "Basic !!"}])
def test_a_bad_key_is_refused_in_each_dialect(post: Post, headers: dict[str, str]) -> None:
    telemetry, usage = post(TELEMETRY, json.dumps(GOOD), headers), post(USAGE, "{}", headers)
    response = telemetry.body["response"]
    assert telemetry.status == 401
    assert (response["code"], response["message"], response["errors"]) == (100, "Invalid API Key", [])
    assert usage.status == 400
    assert usage.body == {"response_code": 400, "response": "Authentication Failure", "status": "failure"}


def test_a_key_without_the_capability_is_refused(deployment: Deployment, post: Post) -> None:
    result = post(TELEMETRY, json.dumps(GOOD), {"x-api-key": deployment.key(frozenset())})
    assert (result.status, result.body["response"]["code"]) == (401, 102)


def test_a_key_lends_its_product_to_events_without_one(deployment: Deployment, post: Post) -> None:
    headers = {"x-api-key": deployment.key(product_id="acme-desktop")}
    unnamed = post(TELEMETRY, json.dumps({**GOOD, "product_id": None}), headers).body
    wrong = post(TELEMETRY, json.dumps({**GOOD, "product_id": "wrong"}), headers).body
    assert (unnamed["response"]["code"], unnamed["is_flagged"]) == (830, False)
    assert (wrong["response"]["code"], wrong["is_flagged"]) == (831, True)
    assert deployment.record(wrong["telemetry_id"]).product == "acme-desktop"


UPLOADED = {"response_code": "200", "response": "Data Uploaded", "status": "success"}


def usage_records(deployment: Deployment, product: str = "acme-cli") -> list[Any]:
    store = deployment.records()
    items = bind(RecordItem, store.table).scan(RecordItem.index_partition.exists())
    return [store.whole(item) for item in items if item.index_partition.startswith(f"{product}#")]


def test_product_usage_is_stored_once_whatever_the_client_repeats(deployment: Deployment, post: Post) -> None:
    raw = example_event("ingest-usage")["body"]
    results = [post(USAGE, raw) for _ in range(3)]
    assert [(result.status, result.body) for result in results] == [(200, UPLOADED)] * 3
    (record,) = usage_records(deployment)
    assert record.raw == raw.encode()
    assert record.flags == frozenset()


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"activity_type": "tertiary"}, Flag.UNKNOWN_ACTIVITY_TYPE),
        ({"activity_type": "CALL HOME"}, None),
        ({"activity_type": "CALL_HOME"}, None),
        ({"activity_type": None}, Flag.MALFORMED),
        ({"environment": "Staging"}, Flag.ENVIRONMENT_TEXT_CONFLICT),
        ({"environment": "PRODUCTION"}, None),
        ({"environment": "eu-west"}, None),
        ({"event_at": "1795249799"}, None),
        ({"event_at": 1}, Flag.CLOCK_SKEW),
        ({"ip_addr": None}, None),
        ({"user_id": ""}, None),
        ({"user_id": "", "user_agent": None}, Flag.MALFORMED),
        ({"meta": [1]}, Flag.MALFORMED),
    ],
)
def test_product_usage_is_flagged_but_answered_alike(
    deployment: Deployment, post: Post, change: dict[str, Any], flag: Flag | None
) -> None:
    payload = json.loads(example_event("ingest-usage")["body"])["payload"] | change
    for path in (USAGE, "/api/product/aggregateusage"):
        payload["event_id"] += 1
        result = post(path, json.dumps({"payload": payload}))
        assert (result.status, result.body) == (200, UPLOADED)
    assert [record.flags for record in usage_records(deployment)] == [frozenset({flag} if flag else ())] * 2


@pytest.mark.parametrize("raw", ["", "{", '{"payload":1}', '{"payload":{}}', "[]"])
def test_unreadable_product_usage_is_stored_all_the_same(deployment: Deployment, post: Post, raw: str) -> None:
    assert post(USAGE, raw).body == UPLOADED
    (record,) = usage_records(deployment, "~unknown")
    assert record.raw == raw.encode()
    assert Flag.MALFORMED in record.flags


def test_what_could_not_be_stored_is_never_acknowledged(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def every_other(_store: RecordStore, records: Sequence[Record], _deadline: Deadline) -> list[Insertion]:
        return [Insertion.UNAVAILABLE if i % 2 else Insertion.INSERTED for i in range(1, len(records) + 1)]

    monkeypatch.setattr(RecordStore, "insert", every_other)
    single, usage = post(TELEMETRY, json.dumps(GOOD)), post(USAGE, example_event("ingest-usage")["body"])
    many = post(TELEMETRY, json.dumps([GOOD] * 3))
    assert [result.status for result in (single, usage, many)] == [503] * 3
    assert [result.headers["retry-after"] for result in (single, usage, many)] == ["5"] * 3
    assert single.body["response"]["code"] == 503
    assert usage.body["status"] == "failure"
    results = many.body["results"]
    assert [(item["status"], bool(item["telemetry_id"])) for item in results] == [
        ("failed", False),
        ("stored", True),
        ("failed", False),
    ]


def test_an_unforeseen_failure_says_nothing_of_itself(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a detail")

    monkeypatch.setattr(RecordStore, "insert", broken)
    for path in (TELEMETRY, USAGE):
        result = post(path, json.dumps(GOOD))
        assert result.status == 500
        assert "a detail" not in result.text


def test_keys_and_bodies_stay_out_of_the_log(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = deployment.keys[Environment.PRODUCTION]
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "logged-here")  # a logger writes where it was first made
    post = start_ingest(deployment)
    post(TELEMETRY, json.dumps(GOOD), {}, {"api_key": key})
    post(TELEMETRY, json.dumps(GOOD), {"x-api-key": "tk_prod_somebody-elses"})
    monkeypatch.setattr(RecordStore, "insert", None)
    post(TELEMETRY, json.dumps({**GOOD, "api_key": key}), {})
    logged = capsys.readouterr().out
    assert '"message":"Refused"' in logged
    assert '"message":"Failed"' in logged
    for secret in (key, "somebody-elses", "started", GOOD["user_identifier"]):
        assert secret not in logged
