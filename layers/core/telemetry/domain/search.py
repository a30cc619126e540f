"""What somebody looks for, as far as the text alone tells it, and what is found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final
from uuid import UUID

from telemetry.domain.api_key import without_keys
from telemetry.domain.environment import Environment
from telemetry.domain.event import address_in, normalise_license, normalise_user
from telemetry.domain.ids import trimmed
from telemetry.domain.license import LONGEST_KEY, SHORTEST_KEY
from telemetry.domain.name_words import words_of
from telemetry.domain.placeholder import is_placeholder
from telemetry.domain.record import fingerprint_named, license_named

SHORTEST_TEXT, LONGEST_TEXT = 2, 256
"""Characters of what is looked for, blanks at its ends not counted. What is shorter finds nothing."""

MOST_HITS = 8
"""Of each kind."""

_LONGEST_ENDING = 4
_MASK = "•·*…."
"""What stands for the characters of a key that are not shown."""


class HitKind(StrEnum):
    """What can be found, in the order in which it is told."""

    RECORD = "record"
    """By its telemetry id."""
    LICENSE = "license"
    """By its whole key, its id, or the last characters of its key."""
    KEY = "key"
    """A licence key with which records of the environment were sent, though no licence of the environment has it."""
    API_KEY = "api_key"
    """Of an SDK: by the whole key, its id, its last four characters, or the beginning of a word of its name."""
    USER = "user"
    DEVICE = "device"
    IP = "ip"
    PRODUCT = "product"
    """By its id, or the beginnings of words of its name; so are customers and companies (of a product)."""
    CUSTOMER = "customer"
    COMPANY = "company"
    DEVELOPER = "developer"
    """Of a product: by its id, or what it calls itself."""


FOR_VIEWERS: Final = frozenset({HitKind.PRODUCT})
"""All else names people, customers or keys."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found, and what the page needs for a link to it.

    `id` is never a licence key: of HitKind.KEY it is the name that stands for one (`domain.record.license_named`).
    `title` and `note` are for people. `environment` is where it is; `product` its product, where a link needs one.
    """

    kind: HitKind
    id: str
    title: str
    environment: Environment
    note: str | None = None
    product: str | None = None


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found of each kind, at most MOST_HITS, the surest first; and of which kinds there may be more."""

    found: Mapping[HitKind, Sequence[Hit]]
    more: frozenset[HitKind]


class Asked:
    """A text that is looked for. It may be a secret: its `repr` does not tell it."""

    def __init__(self, text: str) -> None:
        self.text: Final = trimmed(text)

    @property
    def is_long_enough(self) -> bool:
        return SHORTEST_TEXT <= len(self.text) <= LONGEST_TEXT

    @property
    def is_api_key(self) -> bool:
        """Whether it is, or holds, a whole API key: that is looked for as such, and as nothing else."""
        return without_keys(self.text) != self.text

    @cached_property
    def license_keys(self) -> tuple[str, ...]:
        """As which licence keys it may be meant: as it stands, or in the capitals of the keys that are made here."""
        if not SHORTEST_KEY <= len(self.text) <= LONGEST_KEY or normalise_license(self.text) is None:
            return ()
        return tuple(dict.fromkeys((self.text, self.text.upper())))

    @property
    def may_be_unissued_key(self) -> bool:
        """Whether to look for records that were sent with it as their licence key, where nobody issued that."""
        return bool(self.license_keys) and self.address is None and self.license_id is None and not self.has_blanks

    @cached_property
    def license_id(self) -> str | None:
        """As a licence's id."""
        try:
            return str(UUID(self.text)) if len(self.text) == len(str(UUID(int=0))) else None
        except ValueError:
            return None

    @cached_property
    def key_name(self) -> bytes | None:
        """The fingerprint of a licence key, where it is written as lists of licences show it."""
        return fingerprint_of_key_name(self.text)

    @cached_property
    def ending(self) -> str | None:
        """As the last characters of a key, with or without dots for those before."""
        shown = self.text.lstrip(_MASK).strip()
        return shown if SHORTEST_TEXT <= len(shown) <= _LONGEST_ENDING and not _has_blanks(shown) else None

    @property
    def is_masked(self) -> bool:
        """Whether it can only be the last characters of a key."""
        return self.ending is not None and self.text[0] in "•·*…"

    @cached_property
    def words(self) -> tuple[str, ...]:
        """As beginnings of words of a name, folded."""
        return words_of(self.text)

    @cached_property
    def address(self) -> str | None:
        """As an IP address, in its usual spelling."""
        return address_in(self.text)

    @cached_property
    def user(self) -> str | None:
        """As a user's id, as it is counted."""
        return _counted(normalise_user(self.text))

    @cached_property
    def device(self) -> str | None:
        """As a device's id; nobody is called by a placeholder."""
        return _counted(self.text)

    @property
    def may_be_id(self) -> bool:
        """Whether it can be the id of something that staff or an import named."""
        return not self.has_blanks and self.text.isprintable()

    @property
    def has_blanks(self) -> bool:
        return _has_blanks(self.text)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


def fingerprint_of_key_name(text: str) -> bytes | None:
    """The fingerprint that a licence key's name stands for (`1Zm9vYmFyYmF6cXV4MTIzNA`); None of any other text."""
    if not text.isascii():
        return None
    found = fingerprint_named(text)
    return found if found is not None and license_named(found) == text and len(text) == _NAME_CHARACTERS else None


_NAME_CHARACTERS = len(license_named(bytes(16)))


def _counted(id_: str | None) -> str | None:
    return None if not id_ or is_placeholder(id_) else id_


def _has_blanks(text: str) -> bool:
    return any(each.isspace() for each in text)
