"""What can be wrong with a record, and what follows from it."""

from collections.abc import Iterable
from enum import Enum, StrEnum


class FlagClass(Enum):
    """What a flag is about. Only `QUALITY` leaves a user on the bill."""

    PIRACY = "piracy"
    LICENSE = "license"
    QUALITY = "quality"


class Flag(StrEnum):
    """A finding on a record (docs/protocols.md).

    `code` is how a record stores it: one letter, because every byte of a record is paid for. Codes are never reused.
    """

    code: str
    flag_class: FlagClass

    def __new__(cls, name: str, code: str, flag_class: FlagClass) -> "Flag":
        member = str.__new__(cls, name)
        member._value_ = name
        member.code = code
        member.flag_class = flag_class
        return member

    INVALID_LICENSE = "INVALID_LICENSE", "I", FlagClass.PIRACY
    ENVIRONMENT_MISMATCH = "ENVIRONMENT_MISMATCH", "E", FlagClass.PIRACY
    REVOKED_LICENSE = "REVOKED_LICENSE", "R", FlagClass.PIRACY
    BYPASSED_ACTIVATION = "BYPASSED_ACTIVATION", "B", FlagClass.PIRACY
    EXPIRED_LICENSE = "EXPIRED_LICENSE", "X", FlagClass.LICENSE
    SUSPENDED_LICENSE = "SUSPENDED_LICENSE", "S", FlagClass.LICENSE
    UNASSIGNED_LICENSE = "UNASSIGNED_LICENSE", "A", FlagClass.LICENSE
    PRODUCT_MISMATCH = "PRODUCT_MISMATCH", "P", FlagClass.LICENSE
    MALFORMED = "MALFORMED", "m", FlagClass.QUALITY
    UNKNOWN_PRODUCT = "UNKNOWN_PRODUCT", "p", FlagClass.QUALITY
    UNKNOWN_ACTIVITY_TYPE = "UNKNOWN_ACTIVITY_TYPE", "a", FlagClass.QUALITY
    ENVIRONMENT_TEXT_CONFLICT = "ENVIRONMENT_TEXT_CONFLICT", "e", FlagClass.QUALITY
    CLOCK_SKEW = "CLOCK_SKEW", "s", FlagClass.QUALITY
    EVENT_ID_CONFLICT = "EVENT_ID_CONFLICT", "i", FlagClass.QUALITY
    CLIENT_REPORTED = "CLIENT_REPORTED", "c", FlagClass.QUALITY
    PLACEHOLDER_ID = "PLACEHOLDER_ID", "h", FlagClass.QUALITY


_BY_CODE = {flag.code: flag for flag in Flag}


def encode(flags: Iterable[Flag]) -> str:
    """`{REVOKED_LICENSE, MALFORMED}` → `"Rm"`, in the order of `Flag`."""
    chosen = set(flags)
    return "".join(flag.code for flag in Flag if flag in chosen) if chosen else ""


def decode(codes: str) -> frozenset[Flag]:
    """The inverse of `encode`; leaves out what `unknown` names."""
    return frozenset(_BY_CODE[code] for code in codes if code in _BY_CODE)


def unknown(codes: str) -> str:
    """The codes that this version never issued, in order: a later one has written them, or they are damaged."""
    return "".join(sorted(set(codes) - _BY_CODE.keys()))


def by_code(code: str) -> Flag:
    """`"R"` → REVOKED_LICENSE; raises KeyError on a code that was never issued."""
    return _BY_CODE[code]


def is_billable(flags: Iterable[Flag]) -> bool:
    """Whether a record with these flags counts towards audience `users`: no piracy and no licence flag."""
    return all(flag.flag_class is FlagClass.QUALITY for flag in flags)
