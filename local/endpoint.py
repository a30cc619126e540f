"""What functions call of AWS besides DynamoDB, on one loopback address: SQS, SNS, and Lambda to invoke each other.

Messages land in files, a JSON line each, for people and tests to read. Only the few actions our functions use are
understood; any other is refused.
"""

import hashlib
import json
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, unquote
from uuid import uuid4
from xml.sax.saxutils import escape

from local import Json
from local.containers import FunctionFailed
from local.template import Template

_SQS = "AmazonSQS."
_INVOCATIONS = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
_JSON = "application/json"

Invoke = Callable[[str, Any], Any]
"""Runs a function by name with an event; raises FunctionFailed."""


class _Refused(Exception):
    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    media_type: str
    body: bytes


class Endpoint:
    """The template's queues, topics and functions at `url`. Use it as a context manager."""

    def __init__(self, template: Template, folder: Path, report: Callable[[str], None] = print) -> None:
        """Takes a free port. Messages go to `queues/<name>.ndjson` and `topics/<name>.ndjson` of the folder."""
        self._queues = {queue.url: folder / "queues" / f"{queue.name}.ndjson" for queue in template.queues}
        self._topics = {topic.arn: folder / "topics" / f"{topic.name}.ndjson" for topic in template.topics}
        self._functions = {function.physical_name: function.name for function in template.functions}
        self._functions |= {function.arn: function.name for function in template.functions}
        self._report = report
        self._invoke: Invoke | None = None
        self._writing = threading.Lock()
        self._server = _Server(self.answer)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that send AWS clients here."""
        return {f"AWS_ENDPOINT_URL_{service}": self.url for service in ("SQS", "SNS", "LAMBDA")}

    def start(self, invoke: Invoke) -> None:
        """Answers from now on; who called before has waited."""
        self._invoke = invoke
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="endpoint", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._invoke:
            self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Does what a POST asks for; `headers` have lower-case names. Messages are on disk when it returns."""
        failure = _xml_failure if _is_form(headers) else _json_failure
        try:
            return self._done(path, headers, body)
        except _Refused as refused:
            return failure(refused)
        except (KeyError, ValueError) as exc:
            return failure(_Refused("MalformedRequest", f"{type(exc).__name__}: {exc}"))
        except OSError as exc:
            return failure(_Refused("InternalFailure", str(exc), 500))

    def _done(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        # AWS clients sign what they send. A web page in this user's browser reaches this port too, but it may not set
        # this header.
        if not headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
            raise _Refused("MissingAuthenticationToken", "the request is not signed", 403)
        target = headers.get("x-amz-target", "")
        if target.startswith(_SQS):
            return _json(200, self._send(target.removeprefix(_SQS), json.loads(body)))
        if match := _INVOCATIONS.fullmatch(path):
            return self._accept(unquote(match[1]), headers.get("x-amz-invocation-type"), json.loads(body or b"{}"))
        if _is_form(headers):
            return self._publish(dict(parse_qsl(body.decode(), strict_parsing=True)))
        raise _Refused("UnknownOperation", f"POST {path} {target}".rstrip() + " is not understood")

    def _send(self, action: str, request: Json) -> Json:
        if action not in {"SendMessage", "SendMessageBatch"}:
            raise _Refused("InvalidAction", f"SQS {action} is not understood")
        file = self._queues.get(request["QueueUrl"])
        if file is None:
            raise _Refused("QueueDoesNotExist", f"{request['QueueUrl']} is no queue of the template")
        entries = request["Entries"] if action == "SendMessageBatch" else [request]
        lines = [_line(entry["MessageBody"]) for entry in entries]
        self._append(file, lines)
        sent = [
            {"MessageId": line["id"], "MD5OfMessageBody": _md5(entry["MessageBody"])}
            for line, entry in zip(lines, entries, strict=True)
        ]
        if action == "SendMessage":
            return sent[0]
        return {"Successful": [{"Id": e["Id"]} | one for e, one in zip(entries, sent, strict=True)], "Failed": []}

    def _publish(self, form: Mapping[str, str]) -> Answer:
        if form["Action"] != "Publish":
            raise _Refused("InvalidAction", f"SNS {form['Action']} is not understood")
        file = self._topics.get(form["TopicArn"])
        if file is None:
            raise _Refused("NotFound", f"{form['TopicArn']} is no topic of the template", 404)
        line = _line(form["Message"]) | {"subject": form.get("Subject")}
        self._append(file, [line])
        return _xml(200, "Publish", f"<PublishResult><MessageId>{line['id']}</MessageId></PublishResult>")

    def _accept(self, function: str, invocation_type: str | None, event: Json) -> Answer:
        """`function` is a physical name or an ARN."""
        if invocation_type != "Event":
            raise _Refused("InvalidParameterValueException", "only the invocation type Event is understood")
        name = self._functions.get(function)
        if name is None:
            raise _Refused("ResourceNotFoundException", f"{function} is no function of the template", 404)
        threading.Thread(target=self._run, args=(name, event), name=f"invocation of {name}", daemon=True).start()
        return Answer(202, _JSON, b"")

    def _run(self, name: str, event: Json) -> None:
        """Once: Lambda would try a failed one twice more, and keep what it has accepted over a crash."""
        try:
            if self._invoke:
                self._invoke(name, event)
        except FunctionFailed as exc:
            self._report(f"{name}: {exc}")

    def _append(self, file: Path, lines: Iterable[Json]) -> None:
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        with self._writing:
            file.parent.mkdir(exist_ok=True)
            with file.open("ab") as output:
                output.write(text.encode())
                output.flush()
                os.fsync(output.fileno())


def _is_form(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _line(text: str) -> dict[str, Json]:
    """A message as it lies in its file: what is JSON is no text within JSON."""
    try:
        body = json.loads(text)
    except ValueError:
        body = text
    return {"id": str(uuid4()), "sent_at": datetime.now(UTC).isoformat(timespec="milliseconds"), "body": body}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _json(status: int, document: Json) -> Answer:
    return Answer(status, _JSON, json.dumps(document).encode())


def _json_failure(refused: _Refused) -> Answer:
    return _json(refused.status, {"__type": refused.code, "message": str(refused)})


def _xml(status: int, name: str, content: str) -> Answer:
    document = f'<{name}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/">{content}</{name}Response>'
    return Answer(status, "text/xml", document.encode())


def _xml_failure(refused: _Refused) -> Answer:
    error = f"<Code>{refused.code}</Code><Message>{escape(str(refused))}</Message>"
    return _xml(refused.status, "Error", f"<Error>{error}</Error>")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answer: Callable[[str, Mapping[str, str], bytes], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        answer = self.server.answer(self.path, headers, body)
        self.send_response(answer.status)
        self.send_header("content-type", answer.media_type)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Logs nothing: causes may name customers."""
