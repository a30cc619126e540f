"""Spellings of one device have one fingerprint; nothing else has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.ids import normalise_device
from telemetry.domain.keyring import Identity, Keyring
from telemetry.domain.license import activation_id

KEYRING = Keyring(bytes(32))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("AABB-01", "aabb-01"),
        ("Example.com", "example.com."),
        ("EXAMPLE.COM.", "example.com"),
        ("bu\u0308cher.example.\u200b", "BÜCHER.example"),
        ("\ufeffJ\u030c-1", "\u01f0-1"),
        ("BÜCHER.example", "bücher.example."),
        ("9B74C9897BAC770FFC029102A200C5DE", "9b74c9897bac770ffc029102a200c5de"),
    ],
)
def test_spellings_of_one_device(one: str, other: str) -> None:
    assert normalise_device(one) == normalise_device(other)
    assert KEYRING.fingerprint(Identity.DEVICE, one) == KEYRING.fingerprint(Identity.DEVICE, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("example.com", "www.example.com"),
        ("example.com", "example.com.."),
        ("example.com", "example.com:8443"),
        ("straße.example", "strasse.example"),
        ("aabb-01", "aabb01"),
        ("aabb\u200b-01", "aabb-01"),
        (".", ""),
    ],
)
def test_devices_that_only_look_alike(one: str, other: str) -> None:
    assert normalise_device(one) != normalise_device(other)


@given(st.text(min_size=1))
def test_a_device_that_is_named_keeps_a_name(text: str) -> None:
    assert normalise_device(text)


def test_users_and_licences_are_compared_as_given() -> None:
    for identity in (Identity.USER, Identity.LICENSE):
        assert KEYRING.fingerprint(identity, "AABB.") != KEYRING.fingerprint(identity, "aabb")


def test_an_activation_has_an_id_that_never_changes() -> None:
    # written down once: another value here would give every activation another id
    ids = {activation_id("a-license", spelling, KEYRING) for spelling in ("AABB-01", "aabb-01", "aabb-01.")}
    assert ids == {"920b8322-9511-80df-94f5-65168802d55c"}
