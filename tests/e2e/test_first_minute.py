"""The start of `make run`: what callers and people meet before it is ready, and the link that signs in once."""

import re
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from local.engine import free_port
from tests.lambdas import ROOT
from tests.local_service import START_SECONDS, LocalService, command
from tests.waiting import eventually

pytestmark = pytest.mark.slow

EVENT = {"data_type": "text", "data_group": "g", "text_data": "too early"}


def link_of(service: LocalService) -> str:
    """The link it printed."""
    (link,) = re.findall(r"open (http\S+/admin\?sign-in=\S+)", "".join(service.output))
    return str(link)


def signed_in_as(link: str) -> str | None:
    """The role somebody has who opens the link in a fresh browser."""
    with httpx.Client() as browser:
        answer = browser.get(link)
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin")
        page = browser.get(link.partition("?")[0], follow_redirects=True)
        assert (page.status_code, page.url.path) == (200, "/admin/telemetry")
        session = browser.get(page.url.join("/admin/session"))
        return session.json()["role"] if session.status_code == 200 else None


def test_before_it_is_ready_it_says_how_far_it_is_and_takes_nothing(tmp_path: Path) -> None:
    port = free_port()
    line, environment = command("run", "--port", str(port), "--state", str(tmp_path), "--no-demo")
    early: list[httpx.Response] = []
    with (
        subprocess.Popen(line, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=START_SECONDS) as client,
    ):
        try:
            deadline = time.monotonic() + START_SECONDS
            while not early or early[-1].status_code == 503:
                assert time.monotonic() < deadline
                try:
                    early += [client.post("/api/v1/telemetry", json=EVENT), client.get("/")]
                except httpx.ConnectError:
                    assert not early  # it answers from the first second on
                time.sleep(0.05)
        finally:
            process.terminate()
    posted, pages = early[:-1:2], early[1::2]
    assert {answer.status_code for answer in posted[:-1]} == {503}
    assert {answer.headers["content-type"] for answer in posted[:-1]} == {"application/problem+json"}
    assert all("Please try again" in answer.json()["detail"] for answer in posted[:-1])
    assert any("Loading the demo" in page.text or "Making keys" in page.text for page in pages)
    assert (pages[-1].status_code, pages[-1].headers["location"]) == (302, "/admin/telemetry")


def test_a_first_start_that_is_killed_begins_again(tmp_path: Path) -> None:
    line, environment = command("run", "--port", "0", "--state", str(tmp_path), "--no-demo")
    with subprocess.Popen(line, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        eventually((tmp_path / "dynamodb.sqlite").exists, START_SECONDS, pause=0.001)
        process.kill()
    with LocalService(tmp_path) as service:
        assert "the first start was interrupted: beginning again\n" in service.output
        assert service.records() == []


def test_the_link_signs_in_once_and_not_after_a_restart(tmp_path: Path) -> None:
    with LocalService(tmp_path) as service:
        first = link_of(service)
        wrong = f"{service.url}/admin?sign-in=wrong"
        assert [signed_in_as(link) for link in (wrong, first, first)] == [None, "super_admin", None]
    with LocalService(tmp_path) as service:
        second = link_of(service)
        old = f"{service.url}/admin?{first.partition('?')[2]}"
        assert [signed_in_as(link) for link in (old, second)] == [None, "super_admin"]
    # it was on the terminal, and nowhere else
    token = first.partition("=")[2].encode()
    assert [path for path in tmp_path.rglob("*") if path.is_file() and token in path.read_bytes()] == []
