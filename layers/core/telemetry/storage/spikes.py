"""Episodes of spikes, in an environment's aggregates. They stay for good: there are few, and they are evidence."""

from collections.abc import Iterator
from dataclasses import dataclass

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from telemetry.domain.active_users import Outdated
from telemetry.domain.instant import from_seconds, to_seconds
from telemetry.domain.spikes import Cause, Episode, Spike
from telemetry.storage.batches import batch_get
from telemetry.storage.errors import conditions, store
from telemetry.storage.tables import KeyedItem, bind, connection, found_item

_EPISODES = "spikes"


class EpisodeItem(KeyedItem):
    """An episode. pk `spikes`, sk whose it is and its first hour: `acme-cli#2026-11-21T08`, `~key#k1#2026-11-21T08`."""

    pk = UnicodeAttribute(hash_key=True, default=_EPISODES)
    product = UnicodeAttribute(null=True)
    api_key_id = UnicodeAttribute(null=True)
    hour = NumberAttribute()
    cause = UnicodeAttribute()
    records = NumberAttribute()
    expected = NumberAttribute()
    license = UnicodeAttribute(null=True)
    flags = JSONAttribute(default=dict)
    last_seen = NumberAttribute()
    is_announced = BooleanAttribute(default=False)
    others = UnicodeSetAttribute(null=True)


class LatestEpisodeItem(KeyedItem):
    """Which episode of a product or key is the latest. pk `spike#acme-cli`; there to be changed on a condition."""

    sk = UnicodeAttribute(range_key=True, default="latest")
    episode = UnicodeAttribute()


@store("spikes")
@dataclass(frozen=True, slots=True)
class EpisodeStore:
    """Reads and writes episodes. Raises StoreUnavailable, and Outdated where another writer was first."""

    table: str

    def latest(self, subject: str) -> Episode | None:
        """The latest episode of a product or an API key, as `Spike.subject` names it; strongly consistent."""
        pointers = batch_get(bind(LatestEpisodeItem, self.table), [_pointer(subject)], consistent_read=True)
        keys = [(_EPISODES, pointer.episode) for pointer in pointers]
        found = list(batch_get(bind(EpisodeItem, self.table), keys, consistent_read=True)) if keys else []
        return _episode(found[0]) if found else None

    def open(self, episode: Episode, before: Episode | None) -> None:
        """Keeps a new episode after the one that was `before` the latest."""
        spike, latest = episode.opened, bind(LatestEpisodeItem, self.table)
        item = bind(EpisodeItem, self.table)(
            _EPISODES,
            episode.id,
            product=spike.product,
            api_key_id=spike.api_key_id,
            hour=to_seconds(spike.hour),
            cause=spike.cause.value,
            records=spike.count,
            expected=spike.expected,
            license=spike.license,
            flags=dict(spike.flags or {}),
            last_seen=to_seconds(episode.last_seen),
        )
        still = latest.episode == before.id if before else latest.pk.does_not_exist()
        with (
            conditions(Outdated("Another episode is the latest")),
            TransactWrite(connection=connection()) as transaction,
        ):
            transaction.save(item, condition=EpisodeItem.pk.does_not_exist())
            transaction.save(latest(*_pointer(spike.subject), episode=episode.id), condition=still)

    def extend(self, episode: Episode, spike: Spike) -> None:
        """Notes another spike of it: its hour if that is a later one, and its licence."""
        after = episode.with_spike(spike)
        actions: list[Action] = [EpisodeItem.last_seen.set(to_seconds(after.last_seen))]
        if after.others != episode.others:
            actions.append(EpisodeItem.others.add(after.others - episode.others))
        self._item(episode).update(actions)

    def announced(self, episode: Episode) -> None:
        """Notes that the topic has taken it."""
        self._item(episode).update([EpisodeItem.is_announced.set(True)])

    def get(self, id_: str) -> Episode | None:
        """An episode by its id, if there is one."""
        item = found_item(bind(EpisodeItem, self.table), _EPISODES, id_)
        return _episode(item) if item else None

    def all(self) -> Iterator[Episode]:
        """Every episode there ever was, by whose it is and time."""
        for item in bind(EpisodeItem, self.table).query(_EPISODES):
            yield _episode(item)

    def _item(self, episode: Episode) -> EpisodeItem:
        return bind(EpisodeItem, self.table)(_EPISODES, episode.id)


def _episode(item: EpisodeItem) -> Episode:
    return Episode(
        opened=Spike(
            product=item.product,
            hour=from_seconds(item.hour),
            cause=Cause(item.cause),
            count=int(item.records),
            expected=int(item.expected),
            license=item.license,
            flags={code: int(count) for code, count in item.flags.items()},
            api_key_id=item.api_key_id,
        ),
        last_seen=from_seconds(item.last_seen),
        is_announced=item.is_announced,
        others=frozenset(item.others or ()),
    )


def _pointer(subject: str) -> tuple[str, str]:
    return f"spike#{subject}", "latest"
