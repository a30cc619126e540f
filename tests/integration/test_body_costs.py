"""A body costs what it is worth: no body that API Gateway can deliver takes much memory or time."""

import sys
from typing import Any

import pytest

from telemetry.domain.environment import Environment
from tests.benchmarks.body_costs import BODIES, measured
from tests.worlds.deployment import Deployment

pytestmark = pytest.mark.slow

MOST_MEGABYTES = 256
MOST_CPU = 20
"""Times that of an ordinary batch of 500 in the same run."""

TURNS = 2
"""In which a body may prove that it takes no more."""


@pytest.mark.skipif(sys.platform != "linux", reason="a process's peak of memory is read from /proc")
@pytest.mark.parametrize("part", range(3))
def test_no_body_costs_much(deployment: Deployment, part: int) -> None:
    names = list(BODIES)[part::3]
    key = deployment.keys[Environment.PRODUCTION]
    ordinary, *found = measured(key, names)
    assert [(each["name"], each["status"]) for each in found] == [(name, 200) for name in names]
    assert [each for each in found if each["megabytes"] > MOST_MEGABYTES] == []
    dear = beyond(ordinary, found)
    for _ in range(TURNS):
        if dear:  # perhaps because of what else ran: it is what a body takes each time that counts
            ordinary, *again = measured(key, [each["name"] for each in dear])
            dear = beyond(ordinary, again)
    assert dear == [], ordinary


def beyond(ordinary: dict[str, Any], found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in found if each["cpu"] > MOST_CPU * ordinary["cpu"]]
