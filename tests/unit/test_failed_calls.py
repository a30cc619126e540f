"""What is noted of calls that failed, and that it never takes more than one write."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from telemetry.domain.environment import Environment
from telemetry.domain.errors import (
    AddressNotAllowed,
    CapabilityMissing,
    Forbidden,
    KeyInactive,
    StoreUnavailable,
    Unauthenticated,
)
from telemetry.domain.failed_call import OTHERS, Caller, Cause, caller, cause_of
from telemetry.services.failed_calls import MOST_WAITING, PAUSE, FailedCallLog, SummedCalls
from telemetry.storage.failed_calls import slot_of
from tests.lambdas import ROOT

pytestmark = pytest.mark.days

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
PRODUCTION = Environment.PRODUCTION


class Store:
    """Room for one caller in each place."""

    def __init__(self) -> None:
        self.calls: Counter[tuple[Environment | None, Caller]] = Counter()
        self.owners: dict[object, Caller] = {}
        self.writes = 0

    def add(self, environment: Environment | None, caller: Caller, hour: datetime, calls: int = 1) -> bool:
        assert hour.minute == 0
        self.writes += 1
        if caller != OTHERS and self.owners.setdefault((environment, slot_of(caller), hour), caller) != caller:
            return False
        self.calls[environment, caller] += calls
        return True


def who(number: int) -> Caller:
    return caller(Cause.BAD_KEY, f"0123456789ab{number:04d}", "192.0.2.7")


SAME_PLACE = [who(number) for number in range(2_000) if slot_of(who(number)) == slot_of(who(0))]


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (Unauthenticated(), "bad_key"),
        (KeyInactive("k1"), "inactive_key"),
        (AddressNotAllowed("k1"), "address_not_allowed"),
        (CapabilityMissing("k1"), "forbidden"),
        (Forbidden("k1"), "forbidden"),
        (StoreUnavailable("records"), "unavailable"),
        (ZeroDivisionError(), "failed"),
    ],
)
def test_names_the_cause(error: Exception, cause: str) -> None:
    assert cause_of(error) == cause


@pytest.mark.parametrize(
    ("api_key", "shown"),
    [("tk_prod_0123456789", "6789"), ("hunter2", "2"), ("abc", ""), ("", ""), ("0123456789abcd\n\udc80é", "d???")],
)
def test_shows_little_of_a_key_and_nothing_unprintable(api_key: str, shown: str) -> None:
    assert caller(Cause.BAD_KEY, api_key, "192.0.2.7") == ("bad_key", shown, "192.0.2.7")


def test_each_call_takes_one_write() -> None:
    store, first, second, third = Store(), *SAME_PLACE[:3]
    log = FailedCallLog(store)
    for number, each in enumerate([first, first, second, second, third, first, second], 1):
        log.note(PRODUCTION, each, NOW)
        assert store.writes == number
    assert store.calls == {(PRODUCTION, first): 3, (PRODUCTION, OTHERS): 4}


def test_environments_and_hours_have_room_of_their_own() -> None:
    store, first, second = Store(), *SAME_PLACE[:2]
    log = FailedCallLog(store)
    for environment, now in ((PRODUCTION, NOW), (None, NOW), (PRODUCTION, NOW + timedelta(hours=1))):
        for each in (first, second, second):
            log.note(environment, each, now)
    assert store.calls == {
        (PRODUCTION, first): 2,
        (PRODUCTION, OTHERS): 4,
        (None, first): 1,
        (None, OTHERS): 2,
    }


def test_one_place_being_full_leaves_the_others_open() -> None:
    store, (first, second) = Store(), SAME_PLACE[:2]
    elsewhere = next(who(number) for number in range(99) if slot_of(who(number)) != slot_of(first))
    log = FailedCallLog(store)
    for each in (first, second, elsewhere):
        log.note(PRODUCTION, each, NOW)
    assert store.calls == {(PRODUCTION, first): 1, (PRODUCTION, elsewhere): 1}


# ── many, summed up


@dataclass
class Broken(Store):
    """Does not answer so many times."""

    times: int

    def __post_init__(self) -> None:
        super().__init__()

    def add(self, environment: Environment | None, caller: Caller, hour: datetime, calls: int = 1) -> bool:
        if self.times:
            self.times -= 1
            raise StoreUnavailable("failed calls")
        return super().add(environment, caller, hour, calls)


def lost(number: int = 0) -> Caller:
    return caller(Cause.UNKNOWN_ROUTE, "", f"192.0.2.{number}")


def test_the_first_call_is_written_at_once_and_the_next_ten_seconds_in_one() -> None:
    store = Store()
    calls = SummedCalls(FailedCallLog(store))
    for second in range(20):
        calls.note(lost(), NOW + timedelta(seconds=second))
        assert store.writes == 1 + second // 10
    assert store.calls == {(None, lost()): 11}
    calls.note(lost(), NOW + timedelta(seconds=20))
    assert store.calls == {(None, lost()): 21}


def test_who_waits_longest_is_written_first() -> None:
    store = Store()
    calls = SummedCalls(FailedCallLog(store))
    for number in (0, 1, 2, 1):
        calls.note(lost(number), NOW)
    assert store.calls == {(None, lost(0)): 1}
    calls.note(lost(0), NOW + PAUSE)
    assert store.calls == {(None, lost(0)): 1, (None, lost(1)): 2}
    calls.note(lost(0), NOW + 2 * PAUSE)
    calls.note(lost(0), NOW + 3 * PAUSE)
    assert store.calls == {(None, lost(0)): 4, (None, lost(1)): 2, (None, lost(2)): 1}
    assert store.writes == 4


def test_calls_are_of_the_hour_they_came_in() -> None:
    hours: list[datetime] = []

    class Hours(Store):
        def add(self, environment: Environment | None, caller: Caller, hour: datetime, calls: int = 1) -> bool:
            hours.append(hour)
            return super().add(environment, caller, hour, calls)

    calls = SummedCalls(FailedCallLog(Hours()))
    for now in (NOW, NOW, NOW + timedelta(hours=1), NOW + timedelta(hours=1) + PAUSE):
        calls.note(lost(), now)
    assert hours == [NOW.replace(minute=0), NOW.replace(minute=0), NOW.replace(hour=9, minute=0)]


def test_so_many_callers_wait_and_no_more() -> None:
    store = Store()
    calls = SummedCalls(FailedCallLog(store))
    calls.note(lost(), NOW)
    everybody = [caller(Cause.UNKNOWN_ROUTE, "", f"198.51.{number}.1") for number in range(MOST_WAITING + 50)]
    for each in everybody:
        calls.note(each, NOW)
    for turn in range(1, MOST_WAITING + 2):
        calls.note(everybody[0], NOW + turn * PAUSE)
    # those for whom there was no room to wait are counted, as others
    assert store.calls[None, OTHERS] >= 50
    assert sum(store.calls.values()) >= 1 + len(everybody)


def test_what_could_not_be_written_is_kept() -> None:
    store = Broken(times=1)
    calls = SummedCalls(FailedCallLog(store))
    with pytest.raises(StoreUnavailable):
        calls.note(lost(), NOW)
    calls.note(lost(), NOW)
    assert store.calls == {}
    calls.note(lost(), NOW + PAUSE)
    assert store.calls == {(None, lost()): 3}


def test_the_page_on_analytics_names_the_causes_there_are() -> None:
    text = (ROOT / "docs" / "analytics.md").read_text()
    (listed,) = re.findall(r"\n## System logs\n(.*?)\n## ", text, re.DOTALL)
    assert re.findall(r"^\| `(\w+)` \|", listed, re.MULTILINE) == [cause.value for cause in Cause]
