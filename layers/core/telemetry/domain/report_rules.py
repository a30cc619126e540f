"""The rules by which days are counted and reported, by version."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """How a day is counted and reported. A report names the version of its rules, and is verified by them for ever.

    `longest_country` is in bytes of UTF-8: longer ones count as OTHER. `most_distinct` devices, and addresses, of a
    licence are told apart: from there on a number means "at least". `largest_details` are the bytes of a report's
    details as JSON.
    """

    version: int
    longest_country: int
    most_distinct: int
    largest_details: int


RULES_1 = Rules(1, longest_country=sys.maxsize, most_distinct=sys.maxsize, largest_details=sys.maxsize)
"""Of reports that name no version: nothing that clients send was bounded, and the catalogue listed all products."""

RULES = Rules(2, longest_country=8, most_distinct=100_000, largest_details=300_000)
"""Of reports that are written now. Whoever changes what a day counts to makes another version, and keeps this one."""

RULES_BY_VERSION = {rules.version: rules for rules in (RULES_1, RULES)}
