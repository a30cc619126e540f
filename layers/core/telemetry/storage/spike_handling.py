"""What staff say of episodes of spikes: in an environment's aggregates, beside the episodes and for good as these."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from telemetry.domain.errors import ChangedMeanwhile
from telemetry.domain.instant import from_milliseconds, to_milliseconds
from telemetry.domain.spike_handling import Handling, Said
from telemetry.storage.batches import batch_get
from telemetry.storage.changes import Logged, put
from telemetry.storage.errors import store
from telemetry.storage.tables import KeyedItem, bind, found_item

_PARTITION = "spike_handling"


class HandlingItem(KeyedItem):
    """What was said of an episode. pk `spike_handling`, sk the episode's id; times in epoch milliseconds.

    Without `muted_until` it is muted until it ends, if it is.
    """

    pk = UnicodeAttribute(hash_key=True, default=_PARTITION)
    version = NumberAttribute()
    acknowledged_at = NumberAttribute(null=True)
    acknowledged_by = UnicodeAttribute(null=True)
    acknowledged_name = UnicodeAttribute(null=True)
    muted_at = NumberAttribute(null=True)
    muted_by = UnicodeAttribute(null=True)
    muted_name = UnicodeAttribute(null=True)
    muted_until = NumberAttribute(null=True)


@store("handling of spikes")
@dataclass(frozen=True, slots=True)
class HandlingStore:
    """Reads and changes what was said in one environment. Raises StoreUnavailable."""

    table: str

    def get(self, episode: str) -> Handling:
        """What was said of an episode, strongly consistent; of most nothing was."""
        item = found_item(bind(HandlingItem, self.table), _PARTITION, episode)
        return _handling(item) if item else Handling(episode)

    def many(self, episodes: Collection[str]) -> dict[str, Handling]:
        """The same of several, without those of which nothing was said."""
        keys = [(_PARTITION, each) for each in episodes]
        found = batch_get(bind(HandlingItem, self.table), keys, consistent_read=True) if keys else ()
        return {item.sk: _handling(item) for item in found}

    def change(self, handling: Handling, logged: Logged) -> Handling:
        """Stores what was read at this version; gives it with the next one. Raises ChangedMeanwhile."""
        acknowledged, muted, until = handling.acknowledged, handling.muted, handling.muted_until
        item = bind(HandlingItem, self.table)(
            _PARTITION,
            handling.episode,
            version=handling.version + 1,
            acknowledged_at=to_milliseconds(acknowledged.at) if acknowledged else None,
            acknowledged_by=acknowledged.key_id if acknowledged else None,
            acknowledged_name=acknowledged.key_name if acknowledged else None,
            muted_at=to_milliseconds(muted.at) if muted else None,
            muted_by=muted.key_id if muted else None,
            muted_name=muted.key_name if muted else None,
            muted_until=to_milliseconds(until) if until else None,
        )
        unchanged = HandlingItem.version == handling.version if handling.version else HandlingItem.pk.does_not_exist()
        put(item, unchanged, ChangedMeanwhile(f"spike {handling.episode}"), logged)
        return replace(handling, version=handling.version + 1)


def _handling(item: HandlingItem) -> Handling:
    return Handling(
        episode=item.sk,
        acknowledged=_said(item.acknowledged_by, item.acknowledged_name, item.acknowledged_at),
        muted=_said(item.muted_by, item.muted_name, item.muted_at),
        muted_until=from_milliseconds(item.muted_until) if item.muted_until is not None else None,
        version=int(item.version),
    )


def _said(key_id: str | None, key_name: str | None, at: float | None) -> Said | None:
    return None if key_id is None or at is None else Said(key_id, key_name or "", from_milliseconds(int(at)))
