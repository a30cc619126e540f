import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import ANY

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.stub import Stubber
from moto import mock_aws

from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.uncounted_record import UncountedRecord
from telemetry.messages.alerts import LONGEST_SUBJECT, AlertTopic
from telemetry.messages.clients import sns_client, sqs_client
from telemetry.messages.uncounted_records import LONGEST_CAUSE, UncountedRecordQueue
from telemetry.retry import ATTEMPTS
from telemetry.storage.tables import session

LIMIT = 262_144
"""Bytes that SQS and SNS took per call for most of their lives; they take no less today."""


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_SNS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    session.cache_clear()  # it remembers credentials, and those here are nobody else's
    with mock_aws():
        yield
    sqs_client.cache_clear()
    sns_client.cache_clear()
    session.cache_clear()


@pytest.fixture
def url() -> str:
    return boto3.client("sqs").create_queue(QueueName="failures")["QueueUrl"]


def at_once(_failures: int) -> None:
    """Waits for nothing."""


def failure(number: int, cause: str = "ValueError: no") -> UncountedRecord:
    key = {"p": {"S": "L1Zm9v#acme-cli"}, "s": {"S": f"1763713800123#evt-{number}"}}
    return UncountedRecord(
        Environment.STAGING, key, cause, f"id-{number}", "shardId-00000001763713800123-1", str(number)
    )


def received(url: str) -> list[dict[str, Any]]:
    """All messages of a queue, by sequence number."""
    bodies = []
    while messages := boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        bodies += [json.loads(message["Body"]) for message in messages]
    return sorted(bodies, key=lambda body: int(body["sequence_number"]))


def test_failures_are_sent_as_json(url: str) -> None:
    UncountedRecordQueue(url, at_once).send([failure(1)])
    assert received(url) == [
        {
            "environment": "staging",
            "key": {"p": {"S": "L1Zm9v#acme-cli"}, "s": {"S": "1763713800123#evt-1"}},
            "cause": "ValueError: no",
            "event_id": "id-1",
            "shard": "shardId-00000001763713800123-1",
            "sequence_number": "1",
        }
    ]


@pytest.mark.parametrize("count", [0, 1, 10, 11, 25])
def test_any_number_is_sent_once_each(url: str, count: int) -> None:
    UncountedRecordQueue(url, at_once).send([failure(number) for number in range(count)])
    assert [body["event_id"] for body in received(url)] == [f"id-{number}" for number in range(count)]


def test_what_a_call_leaves_out_is_sent_again(url: str) -> None:
    """SQS answers a batch with HTTP 200 when only some of it is in the queue."""
    first = [{"Id": str(number), "MessageBody": ANY} for number in range(3)]
    partly = {
        "Successful": [{"Id": "1", "MessageId": "m", "MD5OfMessageBody": "x"}],
        "Failed": [{"Id": number, "SenderFault": False, "Code": "InternalError"} for number in ("0", "2")],
    }
    rest = [{"Id": number, "MessageId": "m", "MD5OfMessageBody": "x"} for number in ("0", "2")]
    with Stubber(sqs_client()) as stub:
        stub.add_response("send_message_batch", partly, {"QueueUrl": url, "Entries": first})
        stub.add_response(
            "send_message_batch", {"Successful": rest, "Failed": []}, {"QueueUrl": url, "Entries": [first[0], first[2]]}
        )
        UncountedRecordQueue(url, at_once).send([failure(number) for number in range(3)])
        stub.assert_no_pending_responses()


def test_what_is_left_out_again_and_again_is_an_error(url: str) -> None:
    nothing = {"Successful": [], "Failed": [{"Id": "0", "SenderFault": False, "Code": "InternalError"}]}
    with Stubber(sqs_client()) as stub:
        for _ in range(ATTEMPTS):
            stub.add_response("send_message_batch", nothing)
        with pytest.raises(StoreUnavailable, match="failure queue"):
            UncountedRecordQueue(url, at_once).send([failure(0)])
        stub.assert_no_pending_responses()


def test_a_queue_that_is_not_there_is_told_as_it_is(url: str) -> None:
    with pytest.raises(ClientError, match="NonExistentQueue"):
        UncountedRecordQueue(f"{url}-elsewhere").send([failure(0)])


def test_a_call_without_an_answer_may_be_made_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unanswered(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url=url)

    monkeypatch.setattr(sqs_client(), "send_message_batch", unanswered)
    with pytest.raises(StoreUnavailable, match="failure queue"):
        UncountedRecordQueue(url, at_once).send([failure(0)])


@pytest.mark.parametrize("character", ["\x00", "é", "😀", "\ud800", '"'])
def test_ten_of_the_longest_fit_into_a_call(url: str, monkeypatch: pytest.MonkeyPatch, character: str) -> None:
    """Keys as long as DynamoDB has them, of the characters that take most in JSON or that SQS does not take at all."""
    width = len(character.encode("utf-8", "surrogatepass"))
    key = {"p": {"S": character * (2048 // width)}, "s": {"S": character * (1024 // width)}}
    longest = UncountedRecord(
        Environment.DEVELOPMENT, key, character * 100_000, "0" * 32, "shardId-" + "0" * 60, "0" * 40
    )
    sizes = []
    send = sqs_client().send_message_batch

    def measured(**arguments: Any) -> Any:  # noqa: ANN401
        sizes.append(sum(len(entry["MessageBody"].encode()) for entry in arguments["Entries"]))
        return send(**arguments)

    monkeypatch.setattr(sqs_client(), "send_message_batch", measured)
    UncountedRecordQueue(url, at_once).send([longest] * 10)
    assert len(sizes) == 1
    assert sizes[0] <= LIMIT
    bodies = received(url)
    assert len(bodies) == 10
    assert bodies[0]["key"] == key
    assert bodies[0]["cause"] == character * LONGEST_CAUSE


@pytest.fixture
def arn() -> str:
    """A topic whose messages go to the queue."""
    topics, queues = boto3.client("sns"), boto3.client("sqs")
    topic = topics.create_topic(Name="alerts")["TopicArn"]
    url = queues.create_queue(QueueName="subscriber")["QueueUrl"]
    queue = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    return topic


def published() -> dict[str, Any]:
    (message,) = boto3.client("sqs").receive_message(QueueUrl="subscriber")["Messages"]
    envelope: dict[str, Any] = json.loads(message["Body"])
    return envelope


def test_an_alert_is_published_as_json(arn: str) -> None:
    AlertTopic(arn).publish("Spike: Grüße", {"product": "acme-cli", "evidence": {"records": 12, "name": "Grüße"}})
    envelope = published()
    assert envelope["Subject"] == "Spike: Grüße"
    assert json.loads(envelope["Message"]) == {
        "product": "acme-cli",
        "evidence": {"records": 12, "name": "Grüße"},
    }


def test_a_subject_is_made_fit_for_mail(arn: str) -> None:
    AlertTopic(arn).publish("Spike\r\nBcc: all\x00" + "x" * 200, {})
    subject = published()["Subject"]
    assert subject.startswith("Spike  Bcc: all xxx")
    assert len(subject) == LONGEST_SUBJECT


def test_an_alert_for_no_topic_is_told_as_it_is(arn: str) -> None:
    with pytest.raises(ClientError, match="NotFound"):
        AlertTopic(f"{arn}-elsewhere").publish("Spike", {})


@pytest.mark.parametrize(("code", "meant"), [("Throttled", StoreUnavailable), ("AuthorizationError", ClientError)])
def test_an_alert_that_is_refused(arn: str, code: str, meant: type[Exception]) -> None:
    with Stubber(sns_client()) as stub:
        stub.add_client_error("publish", code)
        with pytest.raises(meant):
            AlertTopic(arn).publish("Spike", {})
