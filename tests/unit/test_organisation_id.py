"""The id of a company that has a name only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.organisation_id import LONGEST_ID, ORGANISATION, organisation_id


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        ("ACME, Inc.", "~o:acme inc"),
        ("  acme\tINC ", "~o:acme inc"),
        ("Acme GmbH", "~o:acme gmbh"),
        ("AT&T Services, Inc.", "~o:at t services inc"),
        ("Universität Straße", "~o:universität strasse"),
        ("ＡＣＭＥ", "~o:acme"),
        ("株式会社アクメ", "~o:株式会社アクメ"),
        ("a#b|c", "~o:a b c"),
        ("", None),
        ("-.-", None),
    ],
)
def test_names_that_mean_the_same_have_one_id(name: str, id_: str | None) -> None:
    assert organisation_id(name) == id_


def test_long_names_stay_apart() -> None:
    one, other = organisation_id("Department of " * 20 + "Health"), organisation_id("Department of " * 20 + "Labour")
    assert one is not None
    assert one.startswith("~o:department of department of ")
    assert one != other


@given(st.text())
def test_an_id_is_short_and_can_be_stored(name: str) -> None:
    id_ = organisation_id(name)
    if id_ is not None:
        assert id_.startswith(ORGANISATION)
        assert len(id_.encode()) <= LONGEST_ID
        assert "#" not in id_
