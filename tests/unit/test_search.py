"""What a text may mean that somebody looks for, and by which words a name is found."""

import re
from string import printable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.api_key import KEY_PREFIXES, SECRET_CHARACTERS
from telemetry.domain.environment import Environment
from telemetry.domain.ids import trimmed
from telemetry.domain.keyring import Identity, Keyring
from telemetry.domain.license import last_four, license_id
from telemetry.domain.name_words import LONGEST_WORD, MOST_WORDS, begins_words, found_by, words_of
from telemetry.domain.record import license_named
from telemetry.domain.search import LONGEST_TEXT, Asked, fingerprint_of_key_name
from telemetry.services.administration.licenses import new_license_key
from tests.worlds.deployment import SECRET

KEYRING = Keyring(SECRET)
KEYS = st.text(printable.strip(), min_size=8, max_size=LONGEST_TEXT)


@given(st.text(max_size=300))
def test_any_text_can_be_asked_for_and_is_not_told(text: str) -> None:
    asked = Asked(text)
    assert repr(asked) == "Asked(…)"
    told = [
        asked.is_api_key, asked.license_keys, asked.may_be_unissued_key, asked.license_id, asked.key_name, asked.ending,
        asked.is_masked, asked.words, asked.address, asked.user, asked.device, asked.may_be_id,
    ]  # fmt: skip
    assert len(told) == 12
    assert asked.ending is None or 2 <= len(asked.ending) <= 4


@given(KEYS)
def test_a_key_is_looked_for_as_it_stands_and_in_capitals(key: str) -> None:
    name = trimmed(key)
    asked = Asked(f" {key}\n")
    if len(name) >= 8 and name not in {"unknown", "UNKNOWN"}:
        assert asked.license_keys == tuple(dict.fromkeys((name, name.upper())))
    shown = last_four(key)
    if shown == shown.lstrip(".*"):
        assert (Asked(f"••••{shown}").ending, Asked(f"••••{shown}").is_masked) == (shown, True)


def test_keys_that_are_made_here_are_found_however_they_are_typed() -> None:
    key = new_license_key()
    assert key in Asked(key.lower()).license_keys
    assert Asked(key).may_be_unissued_key
    assert not Asked("198.51.100.17").may_be_unissued_key
    assert not Asked("Aurora Works").may_be_unissued_key
    assert not Asked("unknown").license_keys


@given(KEYS)
def test_the_name_of_a_key_leads_to_its_fingerprint_and_is_no_key(key: str) -> None:
    fingerprint = KEYRING.fingerprint(Identity.LICENSE, key)
    name = license_named(fingerprint)
    assert fingerprint_of_key_name(name) == fingerprint
    assert Asked(name).key_name == fingerprint
    assert fingerprint_of_key_name(name[:-1]) is None
    assert fingerprint_of_key_name(name + "A") is None


@given(st.text(max_size=60))
def test_what_stands_for_a_fingerprint_is_what_is_made_of_it(text: str) -> None:
    found = fingerprint_of_key_name(text)
    assert found is None or license_named(found) == text


@pytest.mark.parametrize(
    ("text", "ending", "is_masked"),
    [
        ("0C33", "0C33", False),
        ("••••0C33", "0C33", True),
        ("**** 0C33", "0C33", True),
        ("…0C33", "0C33", True),
        ("tk", "tk", False),
        ("0 33", None, False),
        ("00C33", None, False),
        ("••••", None, False),
    ],
)
def test_last_characters_of_keys(text: str, ending: str | None, is_masked: bool) -> None:  # noqa: FBT001
    asked = Asked(text)
    assert (asked.ending, asked.is_masked) == (ending, is_masked)


def test_ids_and_addresses_are_known_by_their_form() -> None:
    id_ = license_id(Environment.STAGING, "ACME-0000", KEYRING)
    assert Asked(id_.upper()).license_id == id_
    assert Asked("::ffff:192.0.2.1").address == "192.0.2.1"
    assert Asked("Jane@Acme.Example").user == "jane@acme.example"
    assert Asked("00000000").device is None
    assert Asked(f"{KEY_PREFIXES[0]}{'x' * SECRET_CHARACTERS}").is_api_key
    assert not Asked(" x ").is_long_enough


# ── words of names


def test_words_are_found_in_any_case_and_without_accents() -> None:
    assert words_of("Ærø & Søn GmbH") == ("aero", "son", "gmbh")
    assert begins_words(words_of("société gén"), "La Societe Generale")
    assert begins_words(words_of("STRASSE"), "Straße 7")
    assert not begins_words(words_of("urora"), "Aurora Works")
    assert not begins_words((), "Aurora Works")


@given(st.text(max_size=200))
def test_a_name_is_found_by_few_short_words_that_no_case_changes(name: str) -> None:
    words = found_by(name)
    assert len(words) == len(set(words)) <= MOST_WORDS
    assert all(1 <= len(word) <= LONGEST_WORD and re.fullmatch(r"[^\W_]+", word) for word in words)
    assert found_by(" ".join(words)) == words
    assert words_of(name.casefold())[:MOST_WORDS] == words or "İ" in name


@given(st.text(max_size=80), st.data())
def test_every_beginning_of_every_word_finds_a_name(name: str, data: st.DataObject) -> None:
    for word in words_of(name):
        assert begins_words([word[: data.draw(st.integers(1, len(word)))]], name)
