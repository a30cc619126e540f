"""Every flag has words of its own, made from what was seen."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.environment import Environment
from telemetry.domain.event import Dialect, Event
from telemetry.domain.flag_explanations import explain
from telemetry.domain.flags import Flag
from telemetry.domain.judge import EventProducts, LicenseView, Verdict, judge

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("flag", "seen", "reason"),
    [
        (Flag.INVALID_LICENSE, "unknown", "its licence key was never issued"),
        (Flag.INVALID_LICENSE, "absent", "it carries no licence key although its product requires one"),
        (Flag.ENVIRONMENT_MISMATCH, "elsewhere", "its licence key was issued in another environment only"),
        (Flag.REVOKED_LICENSE, "revoked", "its licence is revoked"),
        (Flag.BYPASSED_ACTIVATION, "inactive", "its device has no active activation under its licence"),
        (
            Flag.BYPASSED_ACTIVATION,
            "no device",
            "it names no device, so that no activation of its licence can match",
        ),
        (Flag.EXPIRED_LICENSE, "2026-01-31", "its licence expired on 2026-01-31"),
        (Flag.EXPIRED_LICENSE, "expired", "its licence has expired"),
        (Flag.SUSPENDED_LICENSE, "suspended", "its licence is suspended"),
        (Flag.UNASSIGNED_LICENSE, "available", "its licence is not assigned to a customer"),
        (Flag.PRODUCT_MISMATCH, "acme-cli", "its licence is for acme-cli"),
        (Flag.MALFORMED, "data_type,hwid", "it is malformed (data_type, hwid)"),
        (Flag.UNKNOWN_PRODUCT, "wrong", "its product wrong is not registered"),
        (Flag.UNKNOWN_PRODUCT, "-", "it names no product"),
        (Flag.UNKNOWN_ACTIVITY_TYPE, "dancing", "its product knows no activity dancing"),
        (Flag.ENVIRONMENT_TEXT_CONFLICT, "staging", "it says it comes from staging"),
        (Flag.CLOCK_SKEW, "+86401", "its time is 24 hours ahead of the time it was received"),
        (Flag.CLOCK_SKEW, "-3024001", "its time is 35 days behind the time it was received"),
        (Flag.EVENT_ID_CONFLICT, "", "another record with its event id says something else"),
        (Flag.CLIENT_REPORTED, "debugger,vm", "the client reported debugger, vm"),
        (Flag.PLACEHOLDER_ID, "user", "its user id is a placeholder, as programs send them when they have none"),
        (
            Flag.PLACEHOLDER_ID,
            "user,hwid",
            "its user id and hardware id are placeholders, as programs send them when they have none",
        ),
    ],
)
def test_the_words_for_what_was_seen(flag: Flag, seen: str, reason: str) -> None:
    assert explain([flag], {flag: seen}) == f"Flagged because {reason}."


def test_every_flag_has_words_of_its_own_even_without_evidence() -> None:
    sentences = {explain([flag], {}) for flag in Flag}
    assert len(sentences) == len(Flag)
    assert all(sentence and sentence.startswith("Flagged because ") for sentence in sentences)


def test_several_reasons_are_one_sentence_in_the_order_of_flags() -> None:
    seen = {Flag.CLOCK_SKEW: "-3456000", Flag.MALFORMED: "country"}
    flags = {Flag.CLOCK_SKEW, Flag.REVOKED_LICENSE, Flag.MALFORMED}
    assert explain(flags, seen) == (
        "Flagged because its licence is revoked, it is malformed (country), "
        "and its time is 40 days behind the time it was received."
    )
    assert explain([], {}) is None


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(st.tuples(texts), texts)
def test_evidence_is_read_as_it_was_written(client_flags: tuple[str, ...], product: str) -> None:
    event = Event(raw=b"", dialect=Dialect.REO, product_id=product, event_at=0, client_flags=client_flags)
    verdict = judge(event, LicenseView(), EventProducts(), Environment.PRODUCTION, NOW)
    assert verdict.rules_version == 3
    assert verdict.seen == {
        Flag.UNKNOWN_PRODUCT: product,
        Flag.CLOCK_SKEW: f"{-NOW.timestamp():+.0f}",
        Flag.CLIENT_REPORTED: client_flags[0],
    }
    assert set(verdict.seen) == verdict.flags


def test_evidence_of_what_says_no_more() -> None:
    assert (Verdict(frozenset(), "").seen, Verdict(frozenset(), "").rules_version) == ({}, None)
    conflict = Verdict(frozenset({Flag.EVENT_ID_CONFLICT}), "2")  # domain.record.as_conflict
    assert (conflict.seen, conflict.rules_version) == ({}, 2)
