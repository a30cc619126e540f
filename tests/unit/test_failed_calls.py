"""What is noted of calls that failed, and that it never takes more than one write."""

from collections import Counter
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
from telemetry.services.failed_calls import FailureLog
from telemetry.storage.failed_calls import slot_of

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
    log = FailureLog(store)
    for number, each in enumerate([first, first, second, second, third, first, second], 1):
        log.note(PRODUCTION, each, NOW)
        assert store.writes == number
    assert store.calls == {(PRODUCTION, first): 3, (PRODUCTION, OTHERS): 4}


def test_environments_and_hours_have_room_of_their_own() -> None:
    store, first, second = Store(), *SAME_PLACE[:2]
    log = FailureLog(store)
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
    log = FailureLog(store)
    for each in (first, second, elsewhere):
        log.note(PRODUCTION, each, NOW)
    assert store.calls == {(PRODUCTION, first): 1, (PRODUCTION, elsewhere): 1}
