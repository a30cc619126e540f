"""The link that signs in once: what the gateway makes of it."""

import asyncio
import json
from urllib.parse import urlsplit

import pytest

from local.payloads import Request, Response
from local.sign_in_link import LIFETIME_SECONDS, SignInLink

KEY = "tk_staff_secret"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64)"
COOKIE = ("set-cookie", "session=value; HttpOnly; SameSite=Strict")
SIGNED_IN = Response(204, [("cache-control", "no-store"), COOKIE], b"")
REFUSED = Response(429, [("content-type", "application/problem+json")], b"{}")


class Desk:
    """Answers POST /admin/session as told, and keeps what it was asked."""

    def __init__(self, answer: Response = SIGNED_IN) -> None:
        self.answer = answer
        self.asked: list[Request] = []

    async def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        return self.answer


def opened(link: str, method: str = "GET") -> Request:
    parts = urlsplit(link)
    headers = [
        ("host", parts.netloc),
        ("user-agent", BROWSER),
        ("cookie", "session=another"),
        ("origin", "http://elsewhere"),
    ]
    return Request(method, parts.path, parts.query, headers, b"", "HTTP/1.1", "127.0.0.1")


def follow(link: SignInLink, url: str, desk: Desk, method: str = "GET") -> list[tuple[str, str]]:
    """The cookies of the answer, which always leads to the page."""
    request = opened(url, method)
    assert link.is_followed_by(request)
    answer = asyncio.run(link.follow(request, desk))
    assert (answer.status, answer.body, dict(answer.headers)["location"]) == (303, b"", "/admin")
    assert dict(answer.headers)["cache-control"] == "no-store"
    return [header for header in answer.headers if header[0] == "set-cookie"]


def test_it_signs_in_with_the_demo_key() -> None:
    link, desk = SignInLink(KEY), Desk()
    url = link.url("http://127.0.0.1:8000")
    assert url.startswith("http://127.0.0.1:8000/admin?sign-in=")
    assert follow(link, url, desk) == [COOKIE]
    (request,) = desk.asked
    assert (request.method, request.path, request.query, request.source_ip) == (
        "POST",
        "/admin/session",
        "",
        "127.0.0.1",
    )
    assert json.loads(request.body) == {"key": KEY}
    # nothing of the caller's but where it connected to, and what the audit log says of it
    assert request.headers == [
        ("host", "127.0.0.1:8000"),
        ("content-type", "application/json"),
        ("user-agent", BROWSER),
    ]


def test_it_works_once() -> None:
    link, desk = SignInLink(KEY), Desk()
    url = link.url("http://127.0.0.1:8000")
    assert follow(link, url, desk) == [COOKIE]
    for _ in range(2):
        assert follow(link, url, desk) == []
    assert len(desk.asked) == 1


def test_two_at_once_are_one() -> None:
    link, desk = SignInLink(KEY), Desk()
    request = opened(link.url("http://127.0.0.1:8000"))

    async def both() -> list[int]:
        answers = await asyncio.gather(link.follow(request, desk), link.follow(request, desk))
        return sorted(sum(name == "set-cookie" for name, _ in answer.headers) for answer in answers)

    assert asyncio.run(both()) == [0, 1]
    assert len(desk.asked) == 1


@pytest.mark.parametrize("token", ["", "x", "0" * 64, "%ff", "é", "None"])
def test_a_wrong_token_leads_to_the_ordinary_sign_in_and_spends_nothing(token: str) -> None:
    link, desk = SignInLink(KEY), Desk()
    assert follow(link, f"http://127.0.0.1:8000/admin?sign-in={token}", desk) == []
    assert desk.asked == []
    assert follow(link, link.url("http://127.0.0.1:8000"), desk) == [COOKIE]


def test_another_start_has_another_token() -> None:
    desk = Desk()
    assert follow(SignInLink(KEY), SignInLink(KEY).url("http://127.0.0.1:8000"), desk) == []
    assert desk.asked == []


def test_it_ends_after_ten_minutes() -> None:
    now, desk = [5.0], Desk()
    link = SignInLink(KEY, lambda: now[0])
    url = link.url("http://127.0.0.1:8000")
    now[0] += LIFETIME_SECONDS
    assert follow(link, url, desk) == []
    now[0] -= 1
    assert follow(link, url, desk) == [COOKIE]


def test_a_sign_in_that_is_refused_does_not_spend_it() -> None:
    link, desk = SignInLink(KEY), Desk(REFUSED)
    url = link.url("http://127.0.0.1:8000")
    assert follow(link, url, desk) == []
    desk.answer = SIGNED_IN
    assert follow(link, url, desk) == [COOKIE]


def test_looking_at_it_does_not_spend_it() -> None:
    """Chats and mail programs ask for the head of links."""
    link, desk = SignInLink(KEY), Desk()
    url = link.url("http://127.0.0.1:8000")
    assert follow(link, url, desk, "HEAD") == []
    assert follow(link, url, desk) == [COOKIE]


@pytest.mark.parametrize("path", ["/admin", "/admin?", "/admin?range=24h", "/?sign-in=x", "/admin/telemetry?sign-in=x"])
def test_other_requests_are_none_of_its_business(path: str) -> None:
    assert not SignInLink(KEY).is_followed_by(opened(f"http://127.0.0.1:8000{path}"))
