"""The one call that reads the deployment secret: what is sent, and what an answer of SSM means."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from botocore.session import Session

from local.engine import Engine
from telemetry.domain.errors import ConfigurationError, StoreUnavailable
from telemetry.retry import Deadline
from telemetry.storage import secret, tables
from telemetry.storage.errors import is_fault
from telemetry.storage.secret import keyring

SECRET = bytes(range(32))
GOOD = 200, json.dumps({"Parameter": {"Name": "/s", "Type": "SecureString", "Value": SECRET.hex()}}).encode()


def refusal(code: str, status: int = 400) -> tuple[int, bytes]:
    return status, json.dumps({"__type": code, "message": "because"}).encode()


@dataclass
class Ssm:
    """Answers in turn, the last one again and again. `asked` is what came: headers and body."""

    answers: list[tuple[int, bytes]] = field(default_factory=lambda: [GOOD])
    asked: list[tuple[dict[str, str], Any]] = field(default_factory=list)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        ssm = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                ssm.asked.append(({name.lower(): value for name, value in self.headers.items()}, json.loads(body)))
                status, answer = ssm.answers.pop(0) if len(ssm.answers) > 1 else ssm.answers[0]
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def ssm(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ssm]:  # noqa: ARG001 (region, credentials)
    ssm = Ssm()
    monkeypatch.delenv("SECRET_FILE", raising=False)
    monkeypatch.setenv("SECRET_PARAMETER", "/s")
    keyring.cache_clear()
    tables.session.cache_clear()  # it remembers the credentials of whoever came first
    with ThreadingHTTPServer(("127.0.0.1", 0), ssm.handler()) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", f"http://127.0.0.1:{server.server_address[1]}")
        yield ssm
        server.shutdown()
        thread.join()
    keyring.cache_clear()


def test_it_is_asked_once_and_signed(ssm: Ssm) -> None:
    assert keyring() is keyring()
    ((headers, body),) = ssm.asked
    assert body == {"Name": "/s", "WithDecryption": True}
    assert headers["x-amz-target"] == "AmazonSSM.GetParameter"
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert headers["x-amz-security-token"] == "local"
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=local/")
    assert "/us-east-1/ssm/aws4_request, SignedHeaders=content-type;host;x-amz-date;" in headers["authorization"]


def test_it_is_signed_as_a_client_of_botocore_signs(ssm: Ssm) -> None:
    """Both in the same second: asked again until they are."""
    client: Any = tables.session().create_client("ssm", config=tables.short_config())
    for _ in range(20):
        ssm.asked.clear()
        secret.get_parameter("/s")
        client.get_parameter(Name="/s", WithDecryption=True)
        (ours, sent), (theirs, sent_by_client) = ssm.asked
        if ours["x-amz-date"] == theirs["x-amz-date"]:
            break
    assert ours["x-amz-date"] == theirs["x-amz-date"]
    assert sent == sent_by_client
    signed = ("content-type", "x-amz-target", "x-amz-security-token", "host")
    assert [ours[name] for name in signed] == [theirs[name] for name in signed]
    assert ours["authorization"] == theirs["authorization"]


@pytest.mark.parametrize(
    "answer",
    [
        refusal("ThrottlingException"),
        refusal("com.amazonaws.ssm#RequestLimitExceeded"),
        refusal("InternalServerError", 500),
        (503, b"<html>"),
        (502, b"[1]"),
        (200, GOOD[1][:20]),
        (200, b"{}"),
    ],
    ids=str,
)
def test_what_passes_is_asked_again_once(ssm: Ssm, answer: tuple[int, bytes]) -> None:
    ssm.answers = [answer, GOOD]
    assert keyring() is keyring()
    assert len(ssm.asked) == 2
    keyring.cache_clear()
    ssm.answers = [answer]
    with pytest.raises(StoreUnavailable, match="deployment secret"):
        keyring()
    assert len(ssm.asked) == 4
    ssm.answers = [GOOD]
    keyring()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refusal("AccessDeniedException"), "AccessDeniedException"),
        (refusal("com.amazonaws.ssm#ParameterNotFound"), "ParameterNotFound"),
        ((403, b""), "403"),
        ((404, b"[]"), "404"),
    ],
    ids=str,
)
def test_what_lasts_is_raised_at_once(ssm: Ssm, answer: tuple[int, bytes], code: str) -> None:
    ssm.answers = [answer]
    with pytest.raises(ClientError) as told:
        keyring()
    assert told.value.response["Error"]["Code"] == code
    assert is_fault(told.value)
    assert len(ssm.asked) == 1


@pytest.mark.parametrize("value", ["not hexadecimal", "abcd"])
def test_what_is_no_secret(ssm: Ssm, value: str) -> None:
    ssm.answers = [(200, json.dumps({"Parameter": {"Value": value}}).encode())]
    with pytest.raises(ConfigurationError):
        keyring()


def test_no_attempt_begins_after_the_deadline(ssm: Ssm) -> None:
    now = [0.0]
    with Deadline(1, clock=lambda: now[0]).in_force():
        now[0] = 2.0
        with pytest.raises(StoreUnavailable, match="no time is left"):
            keyring()
    assert ssm.asked == []


def test_nobody_there(ssm: Ssm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:1")
    with pytest.raises(StoreUnavailable):
        keyring()
    assert ssm.asked == []


@pytest.mark.parametrize(("missing", "raised"), [("region", NoRegionError), ("credentials", NoCredentialsError)])
def test_without_region_or_credentials(
    ssm: Ssm, missing: str, raised: type[BotoCoreError], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in {"region": ("AWS_REGION", "AWS_DEFAULT_REGION"), "credentials": ("AWS_ACCESS_KEY_ID",)}[missing]:
        monkeypatch.delenv(name)
    bare = Session()
    monkeypatch.setattr(tables, "session", lambda: bare)
    with pytest.raises(raised) as told:
        keyring()
    assert is_fault(told.value)
    assert ssm.asked == []


@pytest.mark.parametrize(
    ("region", "host"),
    [("eu-central-1", "ssm.eu-central-1.amazonaws.com"), ("cn-north-1", "ssm.cn-north-1.amazonaws.com.cn")],
)
def test_where_ssm_is(region: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    assert secret._endpoint(region) == f"https://{host}/"
