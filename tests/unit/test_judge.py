from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from telemetry.domain.environment import Environment
from telemetry.domain.event import CALL_HOME, Dialect, Event
from telemetry.domain.flags import Flag, FlagClass, decode, encode, is_billable
from telemetry.domain.judge import EventProducts, LicenseView, Verdict, judge
from telemetry.domain.product import ActivityLevel, ActivityType, Product, by_key

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
MS = int(NOW.timestamp() * 1000)
CLEAN = Event(raw=b"", dialect=Dialect.REO, product_id="acme", group="primary", event_at=MS)
BUILDS = ActivityType("primary", "Ran a build", ActivityLevel.PRIMARY)
ANY, SOME = Product("acme", "Acme"), Product("acme", "Acme", activity_types=by_key(BUILDS))


@pytest.mark.parametrize(
    ("event", "product", "flags", "evidence"),
    [
        (CLEAN, ANY, set(), ""),
        (CLEAN, None, {Flag.UNKNOWN_PRODUCT}, "3;p=acme"),
        (replace(CLEAN, product_id=None), None, {Flag.UNKNOWN_PRODUCT}, "3;p=-"),
        (replace(CLEAN, errors={"b": ["x"], "a": ["y"]}), ANY, {Flag.MALFORMED}, "3;m=a,b"),
        (replace(CLEAN, group="other"), ANY, set(), ""),
        (replace(CLEAN, group="other"), SOME, {Flag.UNKNOWN_ACTIVITY_TYPE}, "3;a=other"),
        (replace(CLEAN, group=CALL_HOME), SOME, set(), ""),
        (replace(CLEAN, environment_text="Staging"), ANY, {Flag.ENVIRONMENT_TEXT_CONFLICT}, "3;e=staging"),
        (replace(CLEAN, environment_text="staging-2"), ANY, set(), ""),
        (replace(CLEAN, environment_text="production"), ANY, set(), ""),
        (replace(CLEAN, event_at=MS + 24 * 3_600_000), ANY, set(), ""),
        (replace(CLEAN, event_at=MS + 24 * 3_600_000 + 1000), ANY, {Flag.CLOCK_SKEW}, "3;s=+86401"),
        (replace(CLEAN, event_at=MS - 35 * 86_400_000), ANY, set(), ""),
        (replace(CLEAN, event_at=MS - 35 * 86_400_000 - 1000), ANY, {Flag.CLOCK_SKEW}, "3;s=-3024001"),
        (replace(CLEAN, event_at=None), ANY, set(), ""),
        (replace(CLEAN, user_id="null"), ANY, {Flag.PLACEHOLDER_ID}, "3;h=user"),
        (replace(CLEAN, user_id="null", is_anonymous=True), ANY, set(), ""),
        (
            replace(CLEAN, user_id="NULL", hwid="Default string", activation_identifier="none", is_anonymous=True),
            ANY,
            {Flag.PLACEHOLDER_ID},
            "3;h=hwid,activation_identifier",
        ),
        (replace(CLEAN, client_flags=("vm;=", "\ud800")), ANY, {Flag.CLIENT_REPORTED}, r"3;c=vm%3B%3D,%5Cud800"),
        (
            replace(CLEAN, client_flags=("x" * 99,), event_at=0),
            None,
            {Flag.UNKNOWN_PRODUCT, Flag.CLOCK_SKEW, Flag.CLIENT_REPORTED},
            f"3;p=acme;s=-1795249800;c={'x' * 40}",
        ),
    ],
)
def test_verdicts(event: Event, product: Product | None, flags: set[Flag], evidence: str) -> None:
    verdict = judge(event, LicenseView(), EventProducts(product, product), Environment.PRODUCTION, NOW)
    assert verdict == Verdict(frozenset(flags), evidence)


def test_every_flag_has_a_code_of_its_own() -> None:
    assert len({flag.code for flag in Flag}) == len(Flag)
    assert decode(encode(Flag)) == frozenset(Flag)
    assert encode(Flag) == "IERBXSAPmpaesich"  # stored in every record: never changes


def test_only_quality_leaves_a_user_on_the_bill() -> None:
    assert is_billable([])
    for flag in Flag:
        assert is_billable([flag]) is (flag.flag_class is FlagClass.QUALITY)


def test_skew_is_measured_against_time_of_receipt() -> None:
    late = judge(CLEAN, LicenseView(), EventProducts(ANY), Environment.PRODUCTION, NOW + timedelta(days=36))
    assert late.flags == {Flag.CLOCK_SKEW}
