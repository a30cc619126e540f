import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.errors import ConfigurationError
from telemetry.domain.keyring import Identity, Keyring, Purpose, derive


@given(st.binary(min_size=32, max_size=64), st.sampled_from(Purpose))
def test_keys_are_derived_as_rfc_5869_says(secret: bytes, purpose: Purpose) -> None:
    reference = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret)
    assert derive(secret, purpose) == reference


def test_each_purpose_has_a_key_of_its_own() -> None:
    assert len({derive(bytes(32), purpose) for purpose in Purpose}) == len(Purpose)


def test_equal_texts_of_two_kinds_have_unrelated_fingerprints() -> None:
    keyring = Keyring(bytes(32))
    assert len({keyring.fingerprint(identity, "same") for identity in Identity}) == len(Identity)


def test_fingerprints_depend_on_the_secret_and_never_change() -> None:
    # written down once: another value here would orphan every partition of every deployment
    assert Keyring(bytes(32)).fingerprint(Identity.USER, "jane").hex() == "1df577b51a5d83860ce537078dce3110"
    assert Keyring(bytes([1] * 32)).fingerprint(Identity.USER, "jane").hex() != "1df577b51a5d83860ce537078dce3110"


def test_a_short_secret_is_none() -> None:
    with pytest.raises(ConfigurationError):
        Keyring(b"short")


@given(st.text(), st.sampled_from(Identity))
def test_what_remembers_fingerprints_gives_the_same(value: str, identity: Identity) -> None:
    keyring = Keyring(bytes(range(32)))
    remembering = keyring.remembering()
    expected = keyring.fingerprint(identity, value.encode("utf-8", "replace").decode())
    for _ in range(2):
        assert remembering.fingerprint(identity, value.encode("utf-8", "replace").decode()) == expected
    assert remembering.mac(Purpose.CURSORS, b"x") == keyring.mac(Purpose.CURSORS, b"x")
    assert remembering.remembering() is not remembering
