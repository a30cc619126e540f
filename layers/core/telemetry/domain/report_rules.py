"""The rules by which days are counted and reported, by version."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """How a day is counted and reported. A report names the version of its rules, and is verified by that version.

    `longest_country` is in bytes of UTF-8: longer ones count as OTHER. Up to `most_distinct` devices, and addresses, of
    a licence are counted exactly; from that number on it means "at least". `largest_details` are the bytes of a
    report's details as JSON.
    """

    version: int
    longest_country: int
    most_distinct: int
    largest_details: int


RULES_1 = Rules(1, longest_country=sys.maxsize, most_distinct=sys.maxsize, largest_details=sys.maxsize)
"""For reports that name no version: nothing that clients send was limited, and the catalogue listed all products."""

RULES = Rules(2, longest_country=8, most_distinct=100_000, largest_details=300_000)
"""For reports that are written now. A change of what is counted needs a new version, and this one stays."""

RULES_BY_VERSION = {rules.version: rules for rules in (RULES_1, RULES)}
