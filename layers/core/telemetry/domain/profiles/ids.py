"""Developers' ids in addresses and answers: the fingerprint as unpadded base64url, 22 characters."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

FINGERPRINT_BYTES = 16

_ID = re.compile(r"[\w-]{22}", re.ASCII)


def id_of(fingerprint: bytes) -> str:
    """`kTq…`, 22 characters."""
    return urlsafe_b64encode(fingerprint).decode().rstrip("=")


def fingerprint_of(id_: str) -> bytes | None:
    """The fingerprint; None for what no developer's id can be."""
    found = urlsafe_b64decode(f"{id_}==") if _ID.fullmatch(id_) else None
    return found if found is not None and id_of(found) == id_ else None
