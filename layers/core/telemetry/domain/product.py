"""The products that a vendor registers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
from unicodedata import category

from telemetry.domain.sighting import CATALOGUE

LONGEST_PRODUCT_ID = 64
"""Bytes of UTF-8."""

_UNPRINTABLE = {"Cc", "Cs"}  # control characters, and halves of one, which JSON can spell


def is_product_id(text: str) -> bool:
    """Whether a product may be called so: as vendors write ids (docs/protocols.md), trimmed as clients' are.

    `*` is all products, and `~` begins names of ours.
    """
    if not text or text != text.strip() or text == CATALOGUE or text.startswith("~"):
        return False
    size = len(text.encode("utf-8", "surrogatepass"))
    return size <= LONGEST_PRODUCT_ID and all(category(character) not in _UNPRINTABLE for character in text)


class ActivityLevel(StrEnum):
    """How much a use tells of a product's value to whom it is counted for, as its vendor sees it."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


class ActivityType(NamedTuple):
    """A use of a product that its vendor tells from others. `key` is what events send, `label` what people read."""

    key: str
    label: str
    level: ActivityLevel


def by_key(*known: ActivityType) -> dict[str, ActivityType]:
    """As a product has them."""
    return {each.key: each for each in known}


@dataclass(frozen=True, slots=True)
class Product:
    """A registered product. `activity_types` are those its vendor knows, by key; empty when any will do.

    `versions` are the product's own; `version` grows with every change of this entry. `profiles`: developers and
    companies are kept of its use; off, nothing is written for them.
    """

    id: str
    name: str
    requires_license: bool = False
    activity_types: Mapping[str, ActivityType] = field(default_factory=dict)
    versions: frozenset[str] = frozenset()
    is_active: bool = True
    profiles: bool = False
    version: int = 1
