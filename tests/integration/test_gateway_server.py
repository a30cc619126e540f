"""The gateway behind its HTTP server, over sockets: what reaches a function, whatever way it is sent."""

import base64
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn

from local import Json
from local.gateway import Gateway, Receive, Scope, Send
from local.http_server import served
from local.template import Route
from tests.waiting import eventually

BODY = b'{"event_id":"one","text_data":"kept"}'
HOST = "Host: 127.0.0.1"
JSON = "Content-Type: application/json"
LENGTH = f"Content-Length: {len(BODY)}"
H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
CHUNKS = b"".join(b"%x;note=1\r\n%s\r\n" % (len(BODY[n : n + 9]), BODY[n : n + 9]) for n in range(0, len(BODY), 9))
ROUTE = Route("POST", "/v1/telemetry", "ingest")


@dataclass
class Service:
    """A server whose only function keeps its events."""

    events: list[dict[str, Any]] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def invoke(self, _name: str, event: Json, _patience: float) -> Json:
        self.events.append(event)
        return {"statusCode": 200, "body": "stored"}

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def post(self, *headers: str, body: bytes = BODY) -> tuple[int, dict[str, Any] | None]:
        """The status, and the function's event, of a request."""
        self.events.clear()
        with self.connect() as connection:
            connection.sendall(head(*headers) + body)
            status = status_of(connection)
        return status, self.events[0] if self.events else None

    def post_later(self, *headers: str, body: tuple[bytes, ...]) -> tuple[int, dict[str, Any] | None]:
        """The same, when the body is sent after the headers have been read, in packets."""
        self.events.clear()
        self.begun.clear()
        with self.connect() as connection:
            connection.sendall(head(*headers))
            assert self.begun.wait(20)
            for part in body:
                connection.sendall(part)
            status = status_of(connection)
        return status, self.events[0] if self.events else None


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    running = Service()
    gateway = Gateway([ROUTE], None, running.invoke, lambda _text: None)

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        running.begun.set()
        await gateway(scope, receive, send)

    config = served(gateway, finish_seconds=1)
    config.app = noting
    config.port = 0
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    running.port = server.servers[0].sockets[0].getsockname()[1]
    yield running
    server.should_exit = True
    thread.join()


def head(*headers: str) -> bytes:
    return "\r\n".join(("POST /v1/telemetry HTTP/1.1", *headers, "", "")).encode("latin-1")


def status_of(connection: socket.socket) -> int:
    answer = b""
    while b"\r\n\r\n" not in answer and (part := connection.recv(65536)):
        answer += part
    return int(answer.split(b" ", 2)[1]) if answer else 0


def body_of(event: dict[str, Any] | None) -> bytes:
    assert event
    body = str(event.get("body", ""))
    return base64.b64decode(body) if event["isBase64Encoded"] else body.encode()


@pytest.mark.parametrize("upgrade", [(), H2C, ("Connection: upgrade", "Upgrade: websocket"), ("Upgrade: TLS/1.2",)])
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((LENGTH,), (BODY,)),
        ((LENGTH,), tuple(BODY[n : n + 1] for n in range(len(BODY)))),
        (("Transfer-Encoding: chunked",), (CHUNKS + b"0\r\n\r\n",)),
        (("Transfer-Encoding: chunked",), (CHUNKS[:7], CHUNKS[7:30], CHUNKS[30:], b"0\r\nX-Trailer: 1\r\n\r\n")),
    ],
)
def test_a_body_arrives_however_it_comes(
    service: Service, upgrade: tuple[str, ...], headers: tuple[str, ...], body: tuple[bytes, ...]
) -> None:
    status, event = service.post_later(HOST, JSON, *upgrade, *headers, body=body)
    assert (status, body_of(event)) == (200, BODY)
    assert event
    assert not event["headers"].keys() & {"upgrade", "connection", "transfer-encoding"}


@pytest.mark.parametrize("upgrade", [(), H2C])
def test_a_body_in_the_packet_of_its_headers(service: Service, upgrade: tuple[str, ...]) -> None:
    service.events.clear()
    with service.connect() as connection:
        connection.sendall(head(HOST, JSON, *upgrade, LENGTH) + BODY)
        assert status_of(connection) == 200
    assert body_of(service.events[0]) == BODY


@pytest.mark.parametrize("upgrade", [(), H2C])
def test_a_body_that_waits_to_be_asked_for(service: Service, upgrade: tuple[str, ...]) -> None:
    service.events.clear()
    with service.connect() as connection:
        connection.sendall(head(HOST, JSON, *upgrade, LENGTH, "Expect: 100-continue"))
        assert status_of(connection) == 100
        connection.sendall(BODY)
        assert status_of(connection) == 200
    assert body_of(service.events[0]) == BODY


def test_a_connection_serves_on_after_an_upgrade_that_is_not_taken(service: Service) -> None:
    service.events.clear()
    with service.connect() as connection:
        for _ in range(3):
            connection.sendall(head(HOST, JSON, *H2C, LENGTH))
            connection.sendall(BODY)
            assert status_of(connection) == 200
    assert [body_of(event) for event in service.events] == [BODY] * 3


@pytest.mark.parametrize("upgrade", [(), H2C])
@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ((f"Content-Length: {len(BODY) + 1}",), BODY),
        ((LENGTH,), b""),
        (("Transfer-Encoding: chunked",), CHUNKS),
        (("Transfer-Encoding: chunked",), CHUNKS + b"0\r\n"),
    ],
)
def test_who_leaves_before_the_end_has_sent_nothing(
    service: Service, upgrade: tuple[str, ...], headers: tuple[str, ...], sent: bytes
) -> None:
    service.events.clear()
    for is_half_closed in (True, False):
        with service.connect() as connection:
            connection.sendall(head(HOST, JSON, *upgrade, *headers) + sent)
            if is_half_closed:
                connection.shutdown(socket.SHUT_WR)
                assert connection.recv(1) in {b"", b"H"}
    assert service.post(HOST, JSON, LENGTH)[0] == 200  # whatever came before would have arrived before it
    assert len(service.events) == 1


@pytest.mark.parametrize(
    "headers",
    [
        ("X-Forwarded-For: 203.0.113.1",),
        ("X-Forwarded-For: 203.0.113.1, 127.0.0.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: example.org"),
        ("Forwarded: for=203.0.113.1;proto=https;host=example.org", "X-Real-IP: 203.0.113.1"),
        ("X-Forwarded-For: 203.0.113.1", "x-forwarded-for: 203.0.113.2", "X-Forwarded-Port: 443"),
    ],
)
def test_the_caller_is_who_connects(service: Service, headers: tuple[str, ...]) -> None:
    _, event = service.post(HOST, JSON, LENGTH, *headers)
    assert event
    context = event["requestContext"]
    assert (context["http"]["sourceIp"], context["domainName"]) == ("127.0.0.1", "127.0.0.1")
    assert (event["headers"]["x-forwarded-proto"], event["headers"]["x-forwarded-port"]) == ("http", "80")
    # as with API Gateway, the last of them is the only one to be believed
    assert event["headers"]["x-forwarded-for"].rpartition(",")[2].strip() == "127.0.0.1"


@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        (("127.0.0.1:8000",), 200),
        (("localhost",), 200),
        (("[::1]:8000",), 200),
        (("telemetry.example.org",), 200),
        (("[",), 400),
        (("[::1",), 400),
        (("a/b",), 400),
        (("a b",), 400),
        (("a@b",), 400),
        (("127.0.0.1:port",), 400),
        (("127.0.0.1", "example.org"), 400),
        ((), 400),
    ],
)
def test_a_host_is_a_host(service: Service, hosts: tuple[str, ...], status: int) -> None:
    answered, event = service.post(*(f"Host: {host}" for host in hosts), JSON, LENGTH)
    assert answered == status
    assert (event is None) is (status == 400)


@pytest.mark.parametrize(
    "sent",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
        b"POST /v1/telemetry HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"POST /v1/telemetry HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/telemetry HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /v1/telemetry HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_what_is_no_request_is_answered_so(service: Service, sent: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    service.events.clear()
    with service.connect() as connection:
        connection.sendall(sent)
        assert status_of(connection) in {400, 404}
    assert service.post(HOST, JSON, LENGTH)[0] == 200
    assert len(service.events) == 1
    assert capfd.readouterr().err == ""


def test_the_limit_is_told_through_the_server(service: Service) -> None:
    size = 10 * 1024 * 1024
    _, event = service.post(HOST, "Content-Type: x/y", f"Content-Length: {size}", body=bytes(size))
    assert len(body_of(event)) == size
    status, event = service.post(HOST, "Content-Type: x/y", f"Content-Length: {size + 1}", body=bytes(size + 1))
    assert (status, event) == (413, None)


def test_answers_are_whole(service: Service) -> None:
    with service.connect() as connection:
        connection.sendall(head(HOST, JSON, LENGTH, "Connection: close") + BODY)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\nstored")
