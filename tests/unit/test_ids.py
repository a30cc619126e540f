"""Which texts are the same id, and which say that there is none."""

import json
from unicodedata import category, normalize
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.dialects import getkeymanager, reo
from telemetry.dialects.getkeymanager import licensing
from telemetry.dialects.getkeymanager.failures import BadParameters
from telemetry.dialects.getkeymanager.query import parse
from telemetry.domain.event import Event, normalise_user
from telemetry.domain.ids import LONGEST_NORMALISED, trimmed
from telemetry.domain.keyring import Identity, Keyring
from telemetry.domain.licensing import DeviceAction
from telemetry.domain.placeholder import is_placeholder

INVISIBLE = (
    "\u200b\u200c\u200d\u200e\u200f\ufeff\u2060\u2064\u00ad\u202a\u202e\u2066\u2069\u180e\u00a0\u3000\u2028\x00\x85\x1b"
)
KEYRING = Keyring(bytes(32))

ids = st.text(st.characters(exclude_categories=["Cs"]))
visible = st.text(st.characters(categories=["L", "N", "M", "P"]), min_size=1).filter(lambda text: trimmed(text) != "")
invisible = st.text(st.sampled_from(INVISIBLE), max_size=5)


def sdk(**fields: object) -> Event:
    return getkeymanager.parse_one(json.dumps(fields).encode())


def usage(**fields: object) -> Event:
    return reo.parse(json.dumps({"payload": fields}).encode())


@given(ids)
def test_an_id_is_normalised_once(text: str) -> None:
    assert trimmed(trimmed(text)) == trimmed(text)
    assert normalise_user(normalise_user(text)) == normalise_user(text)


@given(ids, ids)
def test_an_address_is_normalised_once(name: str, domain: str) -> None:
    address = normalise_user(f"a{name}@{domain}b")
    assert normalise_user(address) == address


@given(visible, invisible, invisible)
def test_what_cannot_be_seen_at_the_ends_does_not_matter(text: str, before: str, behind: str) -> None:
    assert trimmed(f"{before}{text}{behind}") == trimmed(text)
    assert normalise_user(f"{before}{text}{behind}") == normalise_user(text)


@given(visible)
def test_both_forms_of_a_text_are_one(text: str) -> None:
    assert trimmed(normalize("NFD", text)) == trimmed(normalize("NFC", text))
    assert normalise_user(normalize("NFD", text)) == normalise_user(normalize("NFC", text))


@pytest.mark.parametrize("code", [ord(each) for each in INVISIBLE])
def test_what_cannot_be_seen_inside_is_another_id(code: int) -> None:
    assert normalise_user(f"a{chr(code)}b") == f"a{chr(code)}b"


def test_every_blank_and_every_control_or_format_character_is_trimmed() -> None:
    wanted = [chr(code) for code in range(0x110000) if category(chr(code)) in {"Cc", "Cf", "Zs", "Zl", "Zp"}]
    assert [character for character in wanted if trimmed(f"{character}a{character}") != "a"] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jürgen@münchen.example", "ju\u0308rgen@mu\u0308nchen.example"),
        ("JU\u0308RGEN@MÜNCHEN.example", "jürgen@münchen.example"),
        ("J\u030c@x.example", "\u01f0@x.example"),  # together they are one letter in lower case only
        ("\u200bjane\ufeff", "jane"),
        ("\u2066Jane@Example.org\u2069", "jane@example.org"),
        ("\u212b", "\u00c5"),
    ],
)
def test_one_user(one: str, other: str) -> None:
    assert normalise_user(one) == normalise_user(other)
    for spelling in (one, other):
        assert sdk(user_identifier=spelling).user_id == usage(user_id=spelling).user_id == normalise_user(one)
        assert parse({"user_identifier": spelling}).user_id == normalise_user(one)


@pytest.mark.parametrize(
    ("one", "other"), [("Jane", "jane"), ("ja\u200bne", "jane"), ("ﬁ", "fi"), ("straße", "strasse")]
)
def test_two_users(one: str, other: str) -> None:
    assert normalise_user(one) != normalise_user(other)


def test_devices_are_normalised_everywhere() -> None:
    composed, other = "h\u00fc-1", "\ufeffhu\u0308-1\u200b"
    event = sdk(hwid=other, activation_identifier=f"{other}x")
    assert event.device_ids == (composed, "h\u00fc-1\u200bx")
    assert KEYRING.fingerprint(Identity.DEVICE, other) == KEYRING.fingerprint(Identity.DEVICE, composed)
    body = json.dumps({"license_key": "L\u00fc", "identifier": other}).encode()
    assert licensing.parse(DeviceAction.VERIFY, body).identifier == composed


def test_an_id_of_nothing_to_see_is_none() -> None:
    event = sdk(user_identifier="\u200b\u2060", hwid="\ufeff", activation_identifier="\u00ad")
    assert (event.user_id, event.device_ids) == (None, ())
    assert usage(user_id="\u200b").errors["user_agent"] == ["required"]


def test_other_ids_are_as_sent() -> None:
    composed, apart = "\u00fc\u200b", "u\u0308\u200b"
    events = [sdk(license_key=each, event_id=each, product_id=each) for each in (composed, apart)]
    assert [(each.license_key, each.event_id, each.product_id) for each in events] == [(composed,) * 3, (apart,) * 3]


def test_a_long_id_of_many_marks_costs_little() -> None:
    """Putting marks in order takes quadratic time: a megabyte of them would take hours."""
    text = "a" + "\u0300\u0327" * 500_000
    assert normalise_user(f"\u200b{text}\u200b") == text
    assert len(trimmed("u\u0308" * LONGEST_NORMALISED)) == 2 * LONGEST_NORMALISED


# ── placeholders


@pytest.mark.parametrize(
    "text",
    [
        "undefined", "NULL", "(null)", "<nil>", "None", "NaN", "N/A", "n / a", " Unknown ", "Anonymous", "guest", "0",
        "-1", "[object Object]", "00", str(UUID(int=0)), UUID(int=0).hex, f"{{{UUID(int=0)}}}", "00:00:00:00:00:00",
        "0" * 32, "0" * 64, str(UUID(int=2**128 - 1)).upper(), "FF-FF-FF-FF-FF-FF", "To be filled by O.E.M.",
        "To Be Filled By O.E.M", "Default string", "System Serial Number", "Not Specified", "Not Applicable",
        "INVALID", "03000200-0400-0500-0006-000700080009", "{03000200-0400-0500-0006-000700080009}",
        "D41D8CD98F00B204E9800998ECF8427E",
    ],
)  # fmt: skip
def test_placeholders(text: str) -> None:
    assert is_placeholder(trimmed(text))
    assert sdk(user_identifier=text).placeholders == ("user",)
    assert sdk(hwid=text).placeholders == ("hwid",)
    with pytest.raises(BadParameters):
        parse({"user_identifier": text})


@pytest.mark.parametrize(
    "text",
    [
        "1", "10", "-10", "f", "ffff", "jane", "null-island", "nullable", "nan.chen", "anonymous@example.org", "no one",
        "guest1", "unknown-7", "g-u-e-s-t", "default", "test", "user", "admin", "example.com", "00:00:00:00:00:01",
        "o", "O'Neil", "()", "-", "0" * 129, "03000200-0400-0500-0006-000700080001", "ünknown",
    ],
)  # fmt: skip
def test_real_ids(text: str) -> None:
    assert not is_placeholder(text)


@given(st.builds(lambda: str(uuid4())))
def test_no_uuid_is_a_placeholder(text: str) -> None:
    assert not is_placeholder(text)


def test_who_counts() -> None:
    event = sdk(user_identifier="null", hwid=str(UUID(int=0)), activation_identifier="A-1")
    assert (event.counted_user, event.counted_device, event.device_id) == (None, "A-1", "A-1")
    assert event.device_ids == (str(UUID(int=0)), "A-1")
    assert event.placeholders == ("user", "hwid")
    event = sdk(user_identifier="jane", hwid="Default string", activation_identifier="none")
    assert (event.counted_user, event.counted_device, event.device_id) == ("jane", None, "Default string")
    assert event.placeholders == ("hwid", "activation_identifier")


def test_who_says_that_there_is_no_user_is_not_to_blame() -> None:
    for type_ in ("ANONYMOUS", "anonymous"):
        event = usage(user_id="anonymous", user_id_type=type_)
        assert (event.counted_user, event.placeholders) == (None, ())
    assert usage(user_id="anonymous", user_id_type="USERNAME").placeholders == ("user",)
    assert usage(user_id="5f0c2a", user_id_type="ANONYMOUS").counted_user == "5f0c2a"
