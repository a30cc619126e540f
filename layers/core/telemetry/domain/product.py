"""The products that a vendor registers."""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Product:
    """A registered product. `activity_types` is empty when any activity type will do.

    `versions` are the product's own; `version` grows with every change of this entry.
    """

    id: str
    name: str
    requires_license: bool = False
    activity_types: frozenset[str] = frozenset()
    versions: frozenset[str] = frozenset()
    is_active: bool = True
    version: int = 1
