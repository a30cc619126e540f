from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.retention import LONGEST_DAYS, SHORTEST_DAYS, SHORTEST_STORED_DAYS, Retention, expiry, oldest_day
from telemetry.storage.retention import RememberedRetention, RetentionStore

pytestmark = pytest.mark.days

DAYS = st.integers(SHORTEST_DAYS, LONGEST_DAYS)
ZONES = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=ZONES)  # noqa: DTZ001


def test_a_day_expires_as_one() -> None:
    morning, night = datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC)
    assert expiry(morning, 90) == expiry(night, 90) == datetime(2026, 11, 22, tzinfo=UTC) + timedelta(days=90)


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=400)), DAYS)
def test_a_record_is_seen_until_it_expires(received_at: datetime, age: timedelta, days: int) -> None:
    now = received_at + age
    is_seen = received_at.astimezone(UTC).date() >= oldest_day(now, days)
    is_there = now < expiry(received_at, days)
    assert is_seen == is_there if days >= SHORTEST_STORED_DAYS else is_there or not is_seen


class Registry(RetentionStore):
    """Three days in production, unless it cannot be read."""

    reads = 0
    is_up = True

    def get(self, environment: Environment) -> Retention:
        type(self).reads += 1
        if not self.is_up:
            raise StoreUnavailable("retention")
        return Retention(3 if environment is Environment.PRODUCTION else self.default_days)


def test_what_ingest_remembers() -> None:
    class Down(Registry):
        is_up = False

    now = [1000.0]
    remembered = RememberedRetention(Down("registry", 90), lambda: now[0])
    assert Down.reads == 0
    assert [remembered.days(Environment.PRODUCTION) for _ in range(3)] == [90] * 3
    assert Down.reads == 1  # an outage is not met with a request for each event
    Down.is_up = True
    now[0] += 2
    assert [remembered.days(Environment.PRODUCTION) for _ in range(3)] == [3] * 3
    assert Down.reads == 2
    Down.is_up = False
    now[0] += 59
    assert (remembered.days(Environment.PRODUCTION), Down.reads) == (3, 2)
    now[0] += 1
    assert (remembered.days(Environment.PRODUCTION), Down.reads) == (3, 3)  # what was last known
    now[0] += 59
    assert (remembered.days(Environment.PRODUCTION), Down.reads) == (3, 3)
    assert (remembered.days(Environment.STAGING), Down.reads) == (90, 4)
