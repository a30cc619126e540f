"""Everything secret is derived from one deployment secret."""

import hmac
from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Final

from telemetry.domain.errors import ConfigurationError
from telemetry.domain.ids import normalise_device

FINGERPRINT_VERSION: Final = "1"
"""Goes before every fingerprint that names a partition, so that a later version could be used at the same time."""

_FINGERPRINT_BYTES = 16

NEVER_SEEN: Final = bytes(_FINGERPRINT_BYTES)
"""A fingerprint that nothing has: whoever is looked for by it is not found."""

_MINIMUM_SECRET_BYTES = 32


class Identity(StrEnum):
    """What a fingerprint is of. Equal texts of two kinds have unrelated fingerprints."""

    LICENSE = "license"
    USER = "user"
    DEVICE = "device"


class Purpose(StrEnum):
    """What a derived key is for. Changing a value orphans all that was made with it."""

    FINGERPRINTS = "fingerprints/1"
    API_KEYS = "api-keys/1"
    TELEMETRY_IDS = "telemetry-ids/1"
    ENCRYPTION = "encryption/1"
    LICENSE_IDS = "license-ids/1"
    ACTIVATION_IDS = "activation-ids/1"
    CURSORS = "cursors/1"
    IDEMPOTENCY = "idempotency/1"
    SESSIONS = "sessions/1"


def derive(secret: bytes, purpose: Purpose) -> bytes:
    """A 32-byte key for one purpose: HKDF-SHA256 (RFC 5869) with no salt and the purpose as info, one block."""
    pseudorandom_key = hmac.digest(bytes(32), secret, sha256)
    return hmac.digest(pseudorandom_key, purpose.encode() + b"\x01", sha256)


class Keyring:
    """The keys of one deployment. Raises ConfigurationError when the secret is too short to be one."""

    _keys: Mapping[Purpose, bytes]
    _keyed: Mapping[Purpose, hmac.HMAC]
    """Begun once and copied for each message: OpenSSL takes longer to begin than to hash what is short."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _MINIMUM_SECRET_BYTES:
            raise ConfigurationError(f"The deployment secret must have at least {_MINIMUM_SECRET_BYTES} bytes")
        self._keys = {purpose: derive(secret, purpose) for purpose in Purpose}
        self._keyed = {purpose: hmac.new(key, digestmod=sha256) for purpose, key in self._keys.items()}

    def fingerprint(self, identity: Identity, value: str) -> bytes:
        """16 bytes that stand for an identity and reveal nothing of it without the secret.

        Users and licences are taken as they are given; all spellings of a device have one fingerprint.
        """
        name = normalise_device(value) if identity is Identity.DEVICE else value
        return self.mac(Purpose.FINGERPRINTS, f"{identity}\0{name}".encode())[:_FINGERPRINT_BYTES]

    def fingerprint_if(self, identity: Identity, value: str | None) -> bytes | None:
        """The fingerprint of an identity that may be absent."""
        return self.fingerprint(identity, value) if value else None

    def remembering(self) -> "Keyring":
        """The same keys, for one request: fingerprints are worked out once, however often and for whatever asked."""
        return _Remembering(self)

    def mac(self, purpose: Purpose, message: bytes) -> bytes:
        """HMAC-SHA256 of the message, 32 bytes."""
        keyed = self._keyed[purpose].copy()
        keyed.update(message)
        return keyed.digest()

    def key(self, purpose: Purpose) -> bytes:
        """The derived key itself, for ciphers."""
        return self._keys[purpose]


class _Remembering(Keyring):
    def __init__(self, keyring: Keyring) -> None:
        self._keys, self._keyed = keyring._keys, keyring._keyed  # noqa: SLF001 (a keyring, too)
        self._fingerprints: dict[tuple[Identity, str], bytes] = {}

    def fingerprint(self, identity: Identity, value: str) -> bytes:
        known = self._fingerprints.get((identity, value))
        if known is None:
            known = self._fingerprints[identity, value] = super().fingerprint(identity, value)
        return known
