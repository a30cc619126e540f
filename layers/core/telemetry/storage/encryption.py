"""Secrets that must be shown again, at rest."""

import secrets

from telemetry.domain.keyring import Keyring, Purpose

_NONCE_BYTES = 12


def encrypt(text: str, bound_to: str, keyring: Keyring) -> bytes:
    """AES-256-GCM: nonce, then ciphertext with tag. `bound_to` is the id of what it belongs to, and must come again."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + bytes(_cipher(keyring).encrypt(nonce, text.encode(), bound_to.encode()))


def decrypt(stored: bytes, bound_to: str, keyring: Keyring) -> str:
    """The text again. Raises cryptography's InvalidTag when it was made for something else, or changed."""
    nonce, ciphertext = stored[:_NONCE_BYTES], stored[_NONCE_BYTES:]
    return str(_cipher(keyring).decrypt(nonce, ciphertext, bound_to.encode()), "utf-8")


def _cipher(keyring: Keyring):  # type: ignore[no-untyped-def]  # noqa: ANN202
    # slow to import, and only needed where keys are made or shown
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(keyring.key(Purpose.ENCRYPTION))
