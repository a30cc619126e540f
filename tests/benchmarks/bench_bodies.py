"""What bodies cost the ingest function that are made to cost much."""

from telemetry.domain.environment import Environment
from tests.benchmarks.body_costs import BODIES, measured
from tests.worlds.deployment import Deployment


def test_hostile_bodies(deployment: Deployment) -> None:
    ordinary, *found = measured(deployment.keys[Environment.PRODUCTION], list(BODIES))
    print(f"\n{'an ordinary batch of 500':32} {ordinary['megabytes']:6.0f} MB  {1000 * ordinary['cpu']:6.0f} ms CPU")
    for each in found:
        print(f"{each['name']:32} {each['megabytes']:6.0f} MB  {each['cpu'] / ordinary['cpu']:6.1f} x as much CPU")
