from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.errors import TooManyAttempts
from telemetry.domain.keyring import Keyring
from telemetry.domain.session import cookie_value, csrf_token, session_id_of
from telemetry.domain.sign_in_attempts import (
    FORGOTTEN_AFTER,
    FREE_ATTEMPTS,
    SignInAttempts,
    attempts_from,
    next_attempt,
)

pytestmark = pytest.mark.days

KEYRING = Keyring(bytes(32))
NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


def test_a_cookie_leads_to_its_session_where_it_was_signed() -> None:
    cookie = cookie_value("an-id_09", KEYRING)
    assert session_id_of(cookie, KEYRING) == "an-id_09"
    assert session_id_of(cookie, Keyring(bytes([1] * 32))) is None


@given(st.text())
def test_nothing_else_is_a_cookie(text: str) -> None:
    cookie = cookie_value("an-id", KEYRING)
    if text != cookie:
        assert session_id_of(text, KEYRING) is None
    assert session_id_of(cookie.replace("an-id", text), KEYRING) in {None, "an-id"}


def test_the_csrf_token_is_no_cookie() -> None:
    assert csrf_token("an-id", KEYRING) != csrf_token("another", KEYRING)
    assert session_id_of(f"an-id.{csrf_token('an-id', KEYRING)}", KEYRING) is None


def test_an_address_waits_ever_longer() -> None:
    attempts, now, waits = None, NOW, []
    for _ in range(FREE_ATTEMPTS + 8):
        try:
            attempts = next_attempt(attempts, now)
        except TooManyAttempts as exc:
            waits.append(exc.wait.total_seconds())
            with pytest.raises(TooManyAttempts):
                next_attempt(attempts, now + exc.wait - timedelta(milliseconds=1))
            now += exc.wait
            attempts = next_attempt(attempts, now)
    assert waits == [15, 30, 60, 120, 240, 480, 480, 480]
    assert next_attempt(attempts, now + FORGOTTEN_AFTER) == SignInAttempts(1, now + FORGOTTEN_AFTER)


@given(st.lists(st.integers(0, 1200), max_size=60))
def test_no_pace_gets_more_than_its_share(gaps: list[int]) -> None:
    """Whoever tries however often: of any 15 minutes, at most eleven attempts are listened to."""
    attempts, now, heard = None, NOW, []
    for gap in gaps:
        now += timedelta(seconds=gap)
        try:
            attempts = next_attempt(attempts, now)
        except TooManyAttempts:
            continue
        heard.append(now)
    for moment in heard:
        assert sum(moment <= other < moment + FORGOTTEN_AFTER for other in heard) <= 11


@pytest.mark.parametrize(
    ("source_ip", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:cb00:7107", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("testclient", "unknown"),
        ("203.0.113.7, 192.0.2.1", "unknown"),
    ],
)
def test_attempts_are_counted_by_who_pays_for_the_address(source_ip: str, counted: str) -> None:
    assert attempts_from(source_ip) == counted
