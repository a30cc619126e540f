"""Real AWS clients against the laptop's SQS, SNS and Lambda."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local import Json
from local.containers import Containers, FunctionFailed
from local.endpoint import Endpoint
from local.engine import environment
from local.template import Function, Template, read_template
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.uncounted_record import UncountedRecord
from telemetry.messages.alerts import AlertTopic
from telemetry.messages.clients import lambda_client, sns_client, sqs_client
from telemetry.messages.invocations import Invocations
from telemetry.messages.uncounted_records import UncountedRecordQueue


class Functions:
    """What was invoked; fails where the event says so."""

    def __init__(self) -> None:
        self.invoked: list[tuple[str, Json]] = []
        self.came = threading.Semaphore(0)
        self.go_on = threading.Event()

    def __call__(self, name: str, event: Json) -> Json:
        self.go_on.wait(10)
        self.invoked.append((name, event))
        self.came.release()
        if event.get("fail"):
            raise FunctionFailed("ValueError: of the function")


@dataclass(frozen=True)
class Local:
    """A running endpoint, and what there is around it."""

    endpoint: Endpoint
    template: Template
    folder: Path
    functions: Functions
    complaints: list[str]
    complained: threading.Semaphore

    def client(self, service: Any) -> Any:  # noqa: ANN401
        """A client that goes by the environment, and tries once."""
        return boto3.client(service, config=Config(retries={"total_max_attempts": 1}))

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Local]:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    template, functions = read_template("stack"), Functions()
    complaints: list[str] = []
    complained = threading.Semaphore(0)

    def report(text: str) -> None:
        complaints.append(text)
        complained.release()

    with Endpoint(template, tmp_path, report) as endpoint:
        for name, value in endpoint.environment.items():
            monkeypatch.setenv(name, value)
        endpoint.start(functions)
        yield Local(endpoint, template, tmp_path, functions, complaints, complained)
    for client in (lambda_client, sns_client, sqs_client):
        client.cache_clear()


QUEUE = "queues/stack-rollup-failures.ndjson"
TOPIC = "topics/stack-alerts.ndjson"


def test_rollup_is_given_the_queue_and_the_topic(local: Local) -> None:
    rollup = local.template.function("rollup").environment
    failures = [
        UncountedRecord(Environment.PRODUCTION, {"p": {"S": "é\x00"}}, f"ValueError: {n}", f"id-{n}", "shard", str(n))
        for n in range(12)
    ]
    UncountedRecordQueue(rollup["FAILURE_QUEUE_URL"]).send(failures)
    AlertTopic(rollup["ALERT_TOPIC_ARN"]).publish("Spike", {"product": "Grüße & <more>", "records": 12})
    sent = local.lines(QUEUE)
    assert [line["body"]["event_id"] for line in sent] == [f"id-{n}" for n in range(12)]
    assert sent[0].keys() == {"id", "sent_at", "body"}
    assert sent[0]["body"]["key"] == {"p": {"S": "é\x00"}}
    (published,) = local.lines(TOPIC)
    assert (published["subject"], published["body"]) == ("Spike", {"product": "Grüße & <more>", "records": 12})


def test_answers_like_aws(local: Local) -> None:
    (queue,), (topic,) = local.template.queues, local.template.topics
    one = local.client("sqs").send_message(QueueUrl=queue.url, MessageBody="no JSON")
    two = local.client("sqs").send_message_batch(QueueUrl=queue.url, Entries=[{"Id": "a", "MessageBody": "2"}])
    three = local.client("sns").publish(TopicArn=topic.arn, Message="no subject")
    lines = [*local.lines(QUEUE), *local.lines(TOPIC)]
    assert [line["id"] for line in lines] == [
        one["MessageId"],
        two["Successful"][0]["MessageId"],
        three["MessageId"],
    ]
    assert one["MD5OfMessageBody"] == "7c1f7bb3f8bee22bcdd6e8ae693ebb2e"
    assert (two["Successful"][0]["Id"], two["Failed"]) == ("a", [])
    assert [line["body"] for line in lines] == ["no JSON", 2, "no subject"]
    assert lines[2]["subject"] is None


def test_many_senders_at_once_do_not_mix_their_lines(local: Local) -> None:
    (queue,) = local.template.queues

    def send(sender: int) -> None:
        client = local.client("sqs")
        for number in range(10):
            client.send_message(QueueUrl=queue.url, MessageBody=json.dumps([sender, number, "x" * 20_000]))

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bodies = [tuple(line["body"][:2]) for line in local.lines(QUEUE)]
    assert sorted(bodies) == [(sender, number) for sender in range(4) for number in range(10)]


def test_what_cannot_be_written_is_not_acknowledged(local: Local) -> None:
    (local.folder / "queues").touch()  # where its folder should be
    (local.folder / "topics").touch()
    rollup = local.template.function("rollup").environment
    with pytest.raises(StoreUnavailable):
        UncountedRecordQueue(rollup["FAILURE_QUEUE_URL"]).send(
            [UncountedRecord(Environment.STAGING, {}, "x", "1", "s", "1")]
        )
    with pytest.raises(StoreUnavailable):
        AlertTopic(rollup["ALERT_TOPIC_ARN"]).publish("Spike", {})


@pytest.mark.parametrize(
    ("service", "action", "arguments", "code", "status"),
    [
        ("sqs", "send_message", {"QueueUrl": "https://sqs/0/other", "MessageBody": "x"}, "QueueDoesNotExist", 400),
        ("sqs", "receive_message", {"QueueUrl": "https://sqs/0/other"}, "InvalidAction", 400),
        ("sns", "publish", {"TopicArn": "arn:aws:sns:us-east-1:0:other", "Message": "x"}, "NotFound", 404),
        ("sns", "create_topic", {"Name": "other"}, "InvalidAction", 400),
        ("lambda", "list_functions", {}, "501", 501),
        ("lambda", "invoke", {"FunctionName": "close_day", "InvocationType": "Event"}, "ResourceNotFound", 404),
        ("lambda", "invoke", {"FunctionName": "stack-CloseDayFunction"}, "InvalidParameterValue", 400),
    ],
)
def test_anything_else_is_refused(
    local: Local, service: str, action: str, arguments: dict[str, str], code: str, status: int
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(local.client(service), action)(**arguments)
    assert refused.value.response["Error"]["Code"].removesuffix("Exception") == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert not list(local.folder.iterdir())


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"x-amz-target": "AmazonSQS.SendMessage"}, b"{}", HTTPStatus.BAD_REQUEST),
        ({"x-amz-target": "AmazonSQS.SendMessage"}, b"{", HTTPStatus.BAD_REQUEST),
        ({"content-type": "application/x-www-form-urlencoded"}, b"", HTTPStatus.BAD_REQUEST),
        ({"content-type": "application/x-www-form-urlencoded"}, b"Action=Publish", HTTPStatus.BAD_REQUEST),
        ({}, b"", HTTPStatus.BAD_REQUEST),
        ({"authorization": ""}, b"", HTTPStatus.FORBIDDEN),
    ],
)
def test_malformed_and_unsigned_requests(
    local: Local, headers: dict[str, str], body: bytes, status: HTTPStatus
) -> None:
    signed = {"authorization": "AWS4-HMAC-SHA256 Credential=local"} | headers
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(local.endpoint.url, body, signed))
    assert refused.value.code == status
    refused.value.close()


def test_functions_are_invoked_without_waiting(local: Local) -> None:
    event = {"environment": "staging", "day": "2026-11-20"}
    answer = local.client("lambda").invoke(
        FunctionName="stack-CloseDayFunction", InvocationType="Event", Payload=json.dumps(event)
    )
    assert answer["StatusCode"] == 202
    Invocations(local.template.function("close_day").arn).ask_for(event)
    assert local.functions.invoked == []
    local.functions.go_on.set()
    for _ in range(2):
        assert local.functions.came.acquire(timeout=10)
    assert local.functions.invoked == [("close_day", event)] * 2


def test_an_invocation_that_fails_is_reported(local: Local) -> None:
    local.functions.go_on.set()
    local.client("lambda").invoke(
        FunctionName="stack-CloseDayFunction", InvocationType="Event", Payload=b'{"fail": true}'
    )
    assert local.complained.acquire(timeout=10)
    assert local.complaints == ["close_day: ValueError: of the function"]


APP = """
import os
from telemetry.domain.environment import Environment
from telemetry.domain.uncounted_record import UncountedRecord
from telemetry.messages.uncounted_records import UncountedRecordQueue
from telemetry.messages.invocations import Invocations

def handler(event, context):
    if event["again"]:
        Invocations(context.invoked_function_arn).ask_for({"again": False})
    failure = UncountedRecord(Environment.STAGING, {}, "ValueError: no", str(event["again"]), "shard", "1")
    UncountedRecordQueue(os.environ["FAILURE_QUEUE_URL"]).send([failure])
"""


def test_functions_in_their_containers_reach_it(tmp_path: Path) -> None:
    """Also each other: here a function invokes itself."""
    template, done = read_template("stack"), threading.Semaphore(0)
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "app.py").write_text(APP)
    variables = template.function("rollup").environment
    arn = "arn:aws:lambda:us-east-1:000000000000:function:stack-F"
    function = Function("f", arn, tmp_path / "f", "app", "handler", variables, 10, 128)
    with Endpoint(replace(template, functions=(function,)), tmp_path) as endpoint:
        aws = environment("http://127.0.0.1:1") | endpoint.environment
        with Containers([(function, 1)], aws, lambda name: tmp_path / f"{name}.log") as containers:

            def invoke(name: str, event: Json) -> None:
                containers.invoke(name, event)
                done.release()

            endpoint.start(invoke)
            containers.invoke("f", {"again": True})
            assert done.acquire(timeout=30)
    lines = [json.loads(line) for line in (tmp_path / QUEUE).read_text().splitlines()]
    assert [line["body"]["event_id"] for line in lines] == ["True", "False"]
