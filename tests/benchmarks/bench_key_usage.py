"""What the usage of an API key costs to read, from ReturnConsumedCapacity: ninety days, an hour's item each."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from telemetry.domain.hourly_counts import (
    FLAGGED,
    LONGEST_NAME,
    MOST_KEYS,
    MOST_NAMES,
    RECORDS,
    Fold,
    HourCounts,
    HourKey,
    Measure,
    of_key,
)
from telemetry.domain.overview import timeline
from telemetry.domain.sighting import CATALOGUE
from telemetry.domain.spikes import HISTORY
from telemetry.domain.window import Range, recent
from telemetry.services.administration.api_keys import KeyActivity
from telemetry.services.api_keys import issue_sdk_key
from telemetry.storage.hourly_counts import HourlyCountStore
from tests.benchmarks.capacity import metered
from tests.observations import BREAKDOWNS
from tests.worlds.analytics import PRODUCTION
from tests.worlds.deployment import ALL, Deployment

NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
HOURS = 90 * 24


@pytest.mark.parametrize(("keys", "names", "length"), [(1, 4, 6), (20, 10, 6), (MOST_KEYS, MOST_NAMES, LONGEST_NAME)])
def test_the_usage_of_a_key(deployment: Deployment, keys: int, names: int, length: int) -> None:
    store = HourlyCountStore(deployment.tables.aggregates(PRODUCTION))
    key = issue_sdk_key("a key", PRODUCTION, ALL, None, deployment.keyring, deployment.api_keys).key
    counts: HourCounts = Counter({RECORDS: 5_000, FLAGGED: 40, of_key(key.id): 777})
    counts |= Counter({of_key(f"k{number:09}"): 4_223 // keys for number in range(keys - 1)})
    for kind in BREAKDOWNS:
        counts |= Counter({Measure(kind, f"{n:02}".ljust(length, "x")): 5_000 // names for n in range(names)})
    hour = NOW.replace(minute=0)
    for start in range(0, HOURS, 80):
        some = [HourKey(CATALOGUE, hour - timedelta(hours=n)) for n in range(start, min(start + 80, HOURS))]
        store.add(f"shard-{start}", None, "1", Fold(dict.fromkeys(some, counts)), NOW)
    print(f"\n{keys} keys, {names} versions and groups of {length} letters:", end="")
    for range_ in Range:
        cut = timeline(recent(range_, NOW), NOW, is_hourly=range_ is Range.DAY)
        with metered() as calls:
            usage = KeyActivity(store).usage(key, cut)
        hours = 24 if cut.is_hourly else len(cut.days) * 24
        assert sum(usage.events.values()) == 777 * hours
        print(f"  {range_}: {len(calls)} requests, {sum(units for _, units in calls)} read units;", end="")
    with metered() as calls:
        assert len(list(store.hours(CATALOGUE, hour - HISTORY, hour - timedelta(hours=1)))) == 336
    print(f"  history of the alert: {len(calls)} requests, {sum(units for _, units in calls)} read units", end="")
