"""What a licence, or all of a customer's, sent: counted from their own records, as many as can be looked at."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import NamedTuple

from telemetry.domain.errors import NotFound, SearchTooWide
from telemetry.domain.instant import from_milliseconds, to_milliseconds
from telemetry.domain.license_use import LicenseUse, use_of
from telemetry.domain.record_search import RecordFilter
from telemetry.services.record_search import RecordSearch
from telemetry.storage.record_item import observation_of

MOST_RECORDS = 5_000
"""Records that are counted, those with the latest event times, and as many without one. Bodies are read with them."""

LATE = timedelta(days=7)
"""A record is not looked for in a window when its event was so long before that."""

EPOCH, MILLISECOND = datetime.fromtimestamp(0, UTC), timedelta(milliseconds=1)


class NamedUse(NamedTuple):
    """What was sent, and the names of its devices in their order; None: forgotten, or in a body that cannot be read."""

    use: LicenseUse
    devices: Sequence[str | None]


def license_use(search: RecordSearch, wanted: RecordFilter) -> NamedUse:
    """Counts what came in a window. Raises NotFound for a licence of another environment, SearchTooWide.

    A licence's records lie together in the order of their event times, and so are read alone. Those whose events have
    none lie before all others.
    """
    if wanted.license_id and search.stores.licenses.get(wanted.license_id).environment is not search.environment:
        raise NotFound(f"license {wanted.license_id}")
    reader = search.reader(wanted, None, MOST_RECORDS)
    if reader.wanted.partitions is None:
        raise SearchTooWide
    oldest = _sort(wanted.window.since - LATE)
    reader = replace(reader, walk=takewhile(lambda step: step.at[0] >= oldest, reader.walk))
    found = reader.read(MOST_RECORDS)
    counted_from = None if reader.rest is None else from_milliseconds(int(reader.rest[0][:13]))
    timeless = search.reader(wanted, (_sort(EPOCH + MILLISECOND), ""), MOST_RECORDS)
    found += timeless.read(MOST_RECORDS)
    items = ((one.listed.item, one.judged_later) for one in found)
    seen = (observation_of(item, judged) for item, judged in items if item)
    use = use_of(seen, counted_from, is_whole=reader.rest is None and timeless.rest is None)
    newest = [device.newest.key for device in use.devices]
    told = frozenset(newest)
    shown = search.views(one for one in found if one.listed.key in told)
    names = {one.listed.key: view.contents.event.device_id for one, view in shown}
    return NamedUse(use, [names.get(key) if key else None for key in newest])


def _sort(moment: datetime) -> str:
    """Where sort keys of this event time begin."""
    return f"{to_milliseconds(moment):013d}"
