"""What a caller is told and an operator sees when storage, or the deployment secret, is away or refuses."""

import gc
import json
import logging
import re
import socket
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError
from pynamodb.exceptions import PynamoDBException

from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.storage import secret, tables
from tests.client import Answer, Client
from tests.faulty_transport import bad_day, silent, soon
from tests.lambdas import Context, example_event, load_function, load_function_as_it_is
from tests.worlds.deployment import SECRET, Deployment

EVENT = json.dumps({"data_type": "text", "data_group": "g", "text_data": "x", "product_id": "acme-cli"})
ROUTES = [
    ("ingest", "POST", "/v1/telemetry"),
    ("ingest", "POST", "/api/product/usage"),
    ("licensing", "POST", "/v1/verify"),
    ("reports", "POST", "/rest/v3/telemetry/report"),
    ("reports", "GET", "/api/v1/reports/applications"),
    ("analytics", "GET", "/api/v1/telemetry"),
    ("analytics", "GET", "/api/v1/analytics/products"),
    ("admin", "GET", "/api/v1/admin/products"),
    ("dashboard", "POST", "/admin/session"),
]
GETKEYMANAGER = {"/v1/telemetry", "/v1/verify", "/api/v1/telemetry"}
TEXTS = {500: "Internal error", 503: "Temporarily unavailable, please send again"}
JOBS = {"rollup": "rollup-batch", "close_day": "close-day"}

AWAY: dict[str, Exception] = {
    "throttled": ClientError({"Error": {"Code": "ThrottlingException"}}, "Any"),
    "their fault": ClientError({"Error": {"Code": "InternalServerError"}}, "Any"),
    "unanswered": ReadTimeoutError(endpoint_url="https://aws"),
}
REFUSED: dict[str, Exception] = {
    "denied": ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not authorised"}}, "Any"),
    "missing": ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "Any"),
    "invalid": ClientError({"Error": {"Code": "ValidationException"}}, "Any"),
}
_original: Any = BaseClient._make_api_call  # type: ignore[attr-defined]

Call = Callable[[str, str, str], Answer]
Breaks = Callable[[Exception], list[str]]
Ssm = Callable[[Exception | str], list[str]]


@pytest.fixture
def call(deployment: Deployment) -> Call:
    """Calls a route of a function that has just started, with a key that is good for it."""
    staff = deployment.staff_key()

    def called(name: str, method: str, path: str) -> Answer:
        is_staffs = name in {"admin", "dashboard"} or "analytics/" in path
        key = staff if is_staffs else deployment.keys[Environment.PRODUCTION]
        body = json.dumps({"key": staff}) if name == "dashboard" else EVENT if method == "POST" else ""
        headers = {"x-api-key": key, "sec-fetch-site": "same-origin"}
        return Client(load_function(name), headers).request(method, path, body, {"environment": "production"})

    return called


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Breaks:
    """Lets all reads of DynamoDB fail; gives the operations, as they come."""

    def breaking(failure: Exception) -> list[str]:
        operations: list[str] = []

        def make(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401
            operations.append(operation)
            if operation == "UpdateItem":
                return _original(client, operation, arguments)
            raise failure

        monkeypatch.setattr(BaseClient, "_make_api_call", make)
        return operations

    return breaking


def assert_told(path: str, result: Answer, status: int) -> None:
    """In the shape of whoever asked, with a text that is always the same."""
    body = result.body
    assert result.status == status
    assert result.headers.get("retry-after") == ("5" if status == 503 else None)
    if path in GETKEYMANAGER:
        assert (body["response"]["code"], TEXTS[status] in json.dumps(body)) == (status, True)
    elif path == "/api/product/usage":
        assert body == {"response_code": status, "response": TEXTS[status], "status": "failure"}
    elif path.startswith("/rest/"):
        assert (body["status"], body["responseObject"]["code"]) == ("ERROR", "ERROR_TELEMETRY")
    else:
        kind = "unavailable" if status == 503 else "internal-error"
        assert (body["type"], body["status"]) == (f"/docs#problem-{kind}", status)


@dataclass(frozen=True)
class Operator:
    """Who looks at log and metrics."""

    logged: pytest.LogCaptureFixture
    printed: pytest.CaptureFixture[str]

    def errors(self) -> list[str]:
        """Of the log, each with its traceback."""
        errors = (record for record in self.logged.records if record.levelno >= logging.ERROR)
        return ["".join(traceback.format_exception(*record.exc_info)) if record.exc_info else "" for record in errors]

    def faults(self) -> list[dict[str, Any]]:
        """The metrics of storage's faults."""
        printed = self.printed.readouterr().out.splitlines()
        lines = (json.loads(line) for line in printed if line.startswith('{"_aws"'))
        return [line for line in lines if "StorageFaults" in line]


@pytest.fixture
def operator(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(caplog, capsys)


@pytest.mark.parametrize(("name", "method", "path"), ROUTES)
@pytest.mark.parametrize("failure", REFUSED.values(), ids=REFUSED)
def test_what_storage_refuses_is_our_fault(
    call: Call,
    breaks: Breaks,
    name: str,
    method: str,
    path: str,
    failure: ClientError,
    operator: Operator,
) -> None:
    operations = breaks(failure)
    assert_told(path, call(name, method, path), 500)
    assert len(operations) <= 2
    (told,) = operator.errors()
    assert failure.response["Error"]["Code"] in told
    (metric,) = operator.faults()
    assert (metric["service"], metric["StorageFaults"]) == ("telemetry", [1.0])
    assert metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
    assert metric["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Telemetry"


@pytest.mark.parametrize(("name", "method", "path"), ROUTES)
@pytest.mark.parametrize("failure", AWAY.values(), ids=AWAY)
def test_what_passes_is_to_be_sent_again(
    call: Call,
    breaks: Breaks,
    name: str,
    method: str,
    path: str,
    failure: Exception,
    operator: Operator,
) -> None:
    breaks(failure)
    assert_told(path, call(name, method, path), 503)
    assert operator.faults() == []


def test_a_good_request_prints_nothing_of_it(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("licensing", "POST", "/v1/verify").status == 200
    assert '"_aws"' not in capsys.readouterr().out


@pytest.mark.parametrize(("name", "event"), JOBS.items())
@pytest.mark.parametrize(("failure", "count"), [(REFUSED["denied"], 1), (AWAY["unanswered"], 0)])
def test_jobs_count_faults_too(
    deployment: Deployment,
    breaks: Breaks,
    name: str,
    event: str,
    failure: Exception,
    count: int,
    monkeypatch: pytest.MonkeyPatch,
    operator: Operator,
) -> None:
    monkeypatch.setattr("telemetry.retry.time.sleep", lambda _: None)
    monkeypatch.setattr("telemetry.storage.batches.Deadline", soon)
    breaks(failure)
    with pytest.raises((PynamoDBException, ClientError, StoreUnavailable)):
        load_function(name).handler(asked(event, deployment), Context())
    counted = operator.faults()
    assert [metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"] for metric in counted] == [[["service"]]] * count


def asked(event: str, deployment: Deployment) -> dict[str, Any]:
    """A job's event, of this deployment's tables."""
    text = json.dumps(example_event(event))
    event_of_ours: dict[str, Any] = json.loads(
        re.sub(r"table/[^/]+-records-", f"table/{deployment.tables.prefix}-records-", text)
    )
    return event_of_ours


# ── the deployment secret


@pytest.fixture
def parameter(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:  # noqa: ARG001 (goes first)
    """The secret is in SSM."""
    monkeypatch.delenv("SECRET_FILE")
    monkeypatch.setenv("SECRET_PARAMETER", "/telemetry/secret")
    secret.keyring.cache_clear()
    yield
    secret.keyring.cache_clear()


@pytest.fixture
def ssm(parameter: None, monkeypatch: pytest.MonkeyPatch) -> Ssm:  # noqa: ARG001
    """What SSM answers; gives the names of the parameters that are asked for, as they come."""

    def answering(answer: Exception | str) -> list[str]:
        asked: list[str] = []

        def get_parameter(name: str) -> str:
            asked.append(name)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(secret, "get_parameter", get_parameter)
        return asked

    return answering


@pytest.mark.slow
@pytest.mark.parametrize(("name", "method", "path"), ROUTES)
@pytest.mark.parametrize("failure", AWAY.values(), ids=AWAY)
def test_a_secret_that_cannot_be_read_now(
    call: Call,
    ssm: Ssm,
    name: str,
    method: str,
    path: str,
    failure: Exception,
    operator: Operator,
) -> None:
    asked = ssm(failure)
    assert_told(path, call(name, method, path), 503)
    assert asked == ["/telemetry/secret"]
    assert operator.faults() == []


@pytest.mark.slow
@pytest.mark.parametrize(("name", "method", "path"), ROUTES)
@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetParameter"), "AccessDeniedException"),
        (ClientError({"Error": {"Code": "ParameterNotFound"}}, "GetParameter"), "ParameterNotFound"),
        ("not hexadecimal", "not hexadecimal"),
        ("abcd", "at least 32 bytes"),
    ],
    ids=["denied", "missing", "unreadable", "short"],
)
def test_a_secret_that_is_none(
    call: Call,
    ssm: Ssm,
    name: str,
    method: str,
    path: str,
    answer: Exception | str,
    cause: str,
    operator: Operator,
) -> None:
    asked = ssm(answer)
    assert_told(path, call(name, method, path), 500)
    assert len(asked) == 1
    (told,) = operator.errors()
    assert cause in told
    assert len(operator.faults()) == 1


def test_the_next_request_asks_again(deployment: Deployment, ssm: Ssm) -> None:
    ingest = Client(load_function("ingest"), {"x-api-key": deployment.keys[Environment.PRODUCTION]})
    ssm(AWAY["throttled"])
    assert ingest.post("/v1/telemetry", EVENT).status == 503
    asked = ssm(bytes(range(32)).hex())
    assert [ingest.post("/v1/telemetry", EVENT).status for _ in range(2)] == [200, 200]
    assert len(asked) == 1  # and keeps what it got


@pytest.fixture
def at_init(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Functions are loaded as Lambda loads them."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "ingest")
    yield
    assert gc.isenabled()
    gc.unfreeze()


@pytest.mark.usefixtures("at_init")
def test_the_secret_is_read_before_the_first_request(deployment: Deployment, ssm: Ssm) -> None:
    asked = ssm(SECRET.hex())
    function = load_function_as_it_is("ingest")
    assert asked == ["/telemetry/secret"]
    ingest = Client(function, {"x-api-key": deployment.keys[Environment.PRODUCTION]})
    assert ingest.post("/v1/telemetry", EVENT).status == 200
    assert asked == ["/telemetry/secret"]


@pytest.mark.usefixtures("at_init")
@pytest.mark.parametrize(("failure", "status"), [(AWAY["throttled"], 503), (REFUSED["denied"], 500)])
def test_what_fails_at_init_is_answered_in_the_request(
    deployment: Deployment, ssm: Ssm, failure: Exception, status: int
) -> None:
    asked = ssm(failure)
    ingest = Client(load_function_as_it_is("ingest"), {"x-api-key": deployment.keys[Environment.PRODUCTION]})
    assert_told("/v1/telemetry", ingest.post("/v1/telemetry", EVENT), status)
    assert len(asked) == 2
    ssm(SECRET.hex())
    assert ingest.post("/v1/telemetry", EVENT).status == 200


@pytest.mark.usefixtures("at_init")
def test_settings_that_are_missing_at_init(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RETENTION_DAYS")
    ingest = Client(load_function_as_it_is("ingest"), {"x-api-key": deployment.keys[Environment.PRODUCTION]})
    assert_told("/v1/telemetry", ingest.post("/v1/telemetry", EVENT), 500)


@pytest.mark.usefixtures("parameter")
@pytest.mark.parametrize(("name", "method", "path"), ROUTES)
def test_a_store_of_secrets_that_takes_the_connection_and_never_answers(
    call: Call, name: str, method: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "READ_TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", f"http://127.0.0.1:{server.getsockname()[1]}")
        assert_told(path, call(name, method, path), 503)


def test_the_secret_takes_its_time_from_the_request(
    deployment: Deployment,
    ssm: Ssm,
) -> None:
    """What SSM used of it, DynamoDB has no more."""
    ssm(bytes(range(32)).hex())
    headers = {"x-api-key": deployment.keys[Environment.PRODUCTION]}
    with bad_day(silent) as day:
        context = day.context(10)
        day.pass_(6)
        assert Client(load_function("ingest"), headers, context=context).post("/v1/telemetry", EVENT).status == 503
        assert day.calls == []
