"""A body costs what it is worth: no body that API Gateway can deliver takes much memory or time."""

import sys

import pytest

from telemetry.domain.environment import Environment
from tests.benchmarks.body_costs import BODIES, measured
from tests.worlds.deployment import Deployment

pytestmark = pytest.mark.slow

MOST_MEGABYTES = 256
MOST_CPU = 20
"""Times that of an ordinary batch of 500 in the same run."""


@pytest.mark.skipif(sys.platform != "linux", reason="a process's peak of memory is read from /proc")
@pytest.mark.parametrize("part", range(3))
def test_no_body_costs_much(deployment: Deployment, part: int) -> None:
    names = list(BODIES)[part::3]
    ordinary, *found = measured(deployment.keys[Environment.PRODUCTION], names)
    assert [(each["name"], each["status"]) for each in found] == [(name, 200) for name in names]
    for each in found:
        assert each["megabytes"] <= MOST_MEGABYTES, each
        assert each["cpu"] <= MOST_CPU * ordinary["cpu"], (each, ordinary)
