"""What callers are told while the service starts."""

import json
import re
from base64 import b64encode
from hashlib import sha256

import pytest

from local.payloads import Request
from local.starting import not_ready


def ask(method: str, path: str) -> tuple[int, dict[str, str], bytes]:
    answer = not_ready(Request(method, path, "", [], b"", "HTTP/1.1", "127.0.0.1"), "r-1", "loading the demo: <day 3>")
    return answer.status, dict(answer.headers), answer.body


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/v1/telemetry"), ("GET", "/nothing"), ("POST", "/admin")])
def test_programs_get_a_problem_and_when_to_come_again(method: str, path: str) -> None:
    status, headers, body = ask(method, path)
    assert (status, headers) == (
        503,
        {"content-type": "application/problem+json", "retry-after": "5", "cache-control": "no-store"},
    )
    assert json.loads(body) == {
        "type": "/docs#problem-unavailable",
        "title": "Unavailable",
        "status": 503,
        "detail": "The service is starting (loading the demo: <day 3>). Please try again.",
        "instance": path,
        "request_id": "r-1",
    }


@pytest.mark.parametrize("path", ["/", "/admin", "/admin/telemetry"])
def test_people_get_a_page_that_asks_again_by_itself(path: str) -> None:
    status, headers, body = ask("GET", path)
    page = body.decode()
    assert (status, headers["content-type"], headers["retry-after"]) == (503, "text/html; charset=utf-8", "5")
    assert '<meta http-equiv="refresh" content="1">' in page
    assert "Loading the demo: &lt;day 3&gt;" in page


def test_the_page_keeps_a_strict_policy() -> None:
    _, headers, body = ask("GET", "/")
    (style,) = re.findall(r"<style>(.*?)</style>", body.decode())
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    assert b"<script" not in body
    assert b"//" not in body  # nothing of anybody else
