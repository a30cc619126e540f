"""Ids that programs send when they have none (docs/protocols.md). There are few here: a real id must not be among them.

Case and blanks do not matter, nor do brackets around an id or a dot at its end (`normalise_device`).
"""

from functools import lru_cache

_WORDS = frozenset(
    {
        # how languages print that there is nothing, and what SDKs have as a default
        "undefined", "null", "nil", "none", "nan", "n/a", "unknown", "anonymous", "guest", "-1", "objectobject",
        # what mainboards say whose maker left a field as it was, and how dmidecode puts it (SMBIOS types 1 and 2)
        "tobefilledbyo.e.m", "o.e.m", "defaultstring", "systemserialnumber", "baseboardserialnumber", "invalid",
        "notspecified", "notapplicable", "notavailable", "notpresent", "notsettable",
    }
)  # fmt: skip
_NUMBERS = frozenset(
    {
        # UUIDs that firmware of one maker gave to many machines, in both orders of bytes
        "03000200040005000006000700080009", "00020003000400050006000700080009",
        # MD5, SHA-1 and SHA-256 of an empty text
        "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }
)  # fmt: skip
_BRACKETS = "()<>[]{}"
_LONGEST = 128
_FEWEST_F = 12


def is_placeholder(text: str) -> bool:
    """Whether an id of a user or a device (as `trimmed`) says that there is none.

    So does one of nothing but zeros, as the zero UUID and the zero MAC address, or of twelve and more F (SMBIOS: a UUID
    that nobody has set), with or without hyphens and colons.
    """
    return len(text) <= _LONGEST and _is_placeholder(text)


@lru_cache(1_024)  # each id of an event is asked about several times
def _is_placeholder(text: str) -> bool:
    word = "".join(text.split()).lower().strip(_BRACKETS).removesuffix(".")
    number = word.replace("-", "").replace(":", "")
    if word in _WORDS or number in _NUMBERS:
        return True
    if number.strip(number[:1]):
        return False  # not the same sign over and over: that is all but a few ids
    return number[:1] == "0" or (number[:1] == "f" and len(number) >= _FEWEST_F)
