"""The id of a company that a file knows by name only."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from unicodedata import normalize

ORGANISATION = "~o:"
"""Before the name. No domain begins with it."""

LONGEST_ID = 100
"""Bytes."""

_LONGEST_BEGINNING = 60
_LONGEST_NORMALISED = 1_000
"""Characters that are looked at."""


def organisation_id(name: str) -> str | None:
    """`~o:` and the name in small letters, its punctuation as single blanks: `ACME, Inc.` is `~o:acme inc`.

    What has no letter and no digit names nobody: None. Legal forms stay: `Acme Inc` and `Acme GmbH` may be two firms.
    At most 100 bytes: a longer name is cut, and ends with a hash of the whole.
    """
    folded = normalize("NFKC", normalize("NFKC", name[:_LONGEST_NORMALISED]).casefold())
    words = "".join(letter if letter.isalnum() else " " for letter in folded).split()
    if not words:
        return None
    normalised = " ".join(words)
    encoded = normalised.encode("utf-8", "backslashreplace")
    if len(ORGANISATION) + len(encoded) <= LONGEST_ID:
        return f"{ORGANISATION}{normalised}"
    beginning = encoded[:_LONGEST_BEGINNING].decode("utf-8", "ignore").rstrip()
    hashed = urlsafe_b64encode(sha256(encoded).digest()[:16]).rstrip(b"=").decode()
    return f"{ORGANISATION}{beginning}~{hashed}"
