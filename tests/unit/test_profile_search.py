"""Whom filters of companies and developers mean, and how uses are classified."""

import pytest

from telemetry.domain.product import ActivityLevel, ActivityType, by_key
from telemetry.domain.profiles.ids import fingerprint_of, id_of
from telemetry.domain.profiles.search import Wanted
from telemetry.domain.profiles.uses import ClassifiedUse, classified
from telemetry.domain.record import listed
from tests.worlds.profiles import company, company_card, developer_card


@pytest.mark.parametrize(
    ("name", "is_meant"),
    [
        ("acme", True),
        ("ACME", True),
        ("inc", True),
        ("acme, i", True),
        ("gmbh", True),
        ("cme", False),
        ("nc", False),
        ("a.me", False),
        ("(haupt", True),
        ("(x", False),
        ("straße", True),
        ("STRASSE", True),
        ("aero", True),
        ("ÆRØ", True),
        ("ærö", True),
    ],
)
def test_a_name_is_the_beginning_of_a_word(name: str, is_meant: bool) -> None:  # noqa: FBT001
    card = company_card(company("~o:acme gmbh", "Acme, Inc. (Hauptstraße) strasse_9 Ærø"))
    assert Wanted(name).fits_company(card) is is_meant


def test_who_has_no_name_is_found_by_none() -> None:
    nobody = developer_card(1, None)
    assert Wanted().fits_developer(nobody)
    assert not Wanted("a").fits_developer(nobody)
    assert not Wanted(company="acme.com").fits_developer(nobody)


def test_uses_have_the_level_that_the_product_gives_them_now() -> None:
    uses = {"CALL_HOME": 5, "build": 3, "docs": 3}
    known = by_key(ActivityType("docs", "Opened the docs", ActivityLevel.SECONDARY))
    assert [tuple(each) for each in classified(uses, known)] == [
        ("CALL_HOME", None, None, 5),
        ("build", None, None, 3),
        ("docs", "Opened the docs", ActivityLevel.SECONDARY, 3),
    ]


@pytest.mark.parametrize("fingerprint", [bytes(16), bytes(range(16)), b"\xff" * 16])
def test_a_fingerprint_has_one_id(fingerprint: bytes) -> None:
    id_ = id_of(fingerprint)
    assert len(id_) == 22
    assert fingerprint_of(id_) == fingerprint


@pytest.mark.parametrize("id_", ["", "a" * 21, "a" * 23, "é" * 22, "a" * 21 + "=", "a" * 21 + "\n", "a" * 21 + "B"])
def test_anything_else_is_no_id(id_: str) -> None:
    assert fingerprint_of(id_) is None


def test_types_are_classified_as_they_are_set_also_very_long_ones() -> None:
    long = "a" * 40
    known = by_key(ActivityType(long, "Long", ActivityLevel.PRIMARY), ActivityType("b", "B", ActivityLevel.SECONDARY))
    assert classified({listed(long) or "": 3, "b": 5, "c": 3}, known) == [
        ClassifiedUse("b", "B", ActivityLevel.SECONDARY, 5),
        ClassifiedUse("c", None, None, 3),
        ClassifiedUse(long, "Long", ActivityLevel.PRIMARY, 3),
    ]
