"""Days that were received through the ingest function by an injected clock, and closed, for tests."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from telemetry.domain.closing import DEADLINE, end_of
from telemetry.domain.environment import Environment
from telemetry.domain.recount import Unit
from telemetry.domain.shards import ShardPlan
from telemetry.services.close_day import DayCloser
from telemetry.storage.day_records import DayRecordStore
from telemetry.storage.records import RecordStore
from tests.worlds.deployment import Deployment, start_ingest

SHARDS = 1
"""Of the index: reading a day then takes one query per class, not eight. RECORD_SHARDS must say the same."""

NOON = time(12)


class Site:
    """A deployment whose past can be written."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._ingest = start_ingest(deployment)

    def receive(
        self,
        events: Sequence[dict[str, Any]],
        day: date,
        at: time = NOON,
        environment: Environment = Environment.PRODUCTION,
    ) -> None:
        moment = datetime.combine(day, at, UTC)
        self._ingest.clock.advance(3600)  # what ingest remembers of products and licences is old by then
        self._ingest.clock.set(moment)
        key = {"x-api-key": self.deployment.keys[environment]}
        assert self._ingest("/api/v1/telemetry", json.dumps(events), key).status == 200

    def close_through(self, day: date, environment: Environment = Environment.PRODUCTION) -> datetime:
        """Closes all days up to this one; gives the moment at which that was."""
        now = end_of(day) + DEADLINE
        closer = DayCloser.of(
            self.deployment.tables.aggregates(environment),
            DayRecordStore(RecordStore(self.deployment.tables.records(environment), ShardPlan(SHARDS))),
            list(self.deployment.products.all()),
            _no_part,
        )
        closer.close(now)
        assert closer.ledger.closing().is_closed(day.toordinal())
        return now


def _no_part(unit: Unit) -> None:
    raise AssertionError(f"no test's day is counted in parts: {unit}")
