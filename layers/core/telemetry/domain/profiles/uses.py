"""Uses by level: what a product's vendor calls primary or secondary, as it is set now."""

from collections.abc import Mapping
from typing import NamedTuple

from telemetry.domain.product import ActivityLevel, ActivityType
from telemetry.domain.record import listed


class ClassifiedUse(NamedTuple):
    """Uses of an activity type. Without label and level it is not listed, as `CALL_HOME`, which needs no listing."""

    activity_type: str
    label: str | None
    level: ActivityLevel | None
    uses: int


def classified(uses: Mapping[str, int], known: Mapping[str, ActivityType]) -> list[ClassifiedUse]:
    """Uses by activity type, the most used first; `known` are the product's.

    Rows have types as the index lists them, very long ones by their hash.
    """
    by_listed = {listed(key): each for key, each in known.items()}
    found = []
    for name, number in sorted(uses.items(), key=lambda item: (-item[1], item[0])):
        each = by_listed.get(name)
        shown = each.key if each else name
        found.append(ClassifiedUse(shown, each.label if each else None, each.level if each else None, number))
    return found
