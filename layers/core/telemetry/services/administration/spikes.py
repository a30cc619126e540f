"""Spikes: what staff say of their episodes, in one environment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from telemetry.domain.environment import Environment
from telemetry.domain.errors import ChangedMeanwhile, NotFound, StaleVersion
from telemetry.domain.license import ActionNotAllowed
from telemetry.domain.spike_handling import Handling, MuteFor
from telemetry.domain.staff import Staff
from telemetry.services.administration.stores import audited_facts
from telemetry.storage.changes import Logged
from telemetry.storage.spike_handling import HandlingStore
from telemetry.storage.spikes import EpisodeStore

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Spikes:
    """The episodes of an environment. `registry` is the table with the audit log.

    Changes are of what was read at a `version`, if one is named. They raise NotFound, StaleVersion, ChangedMeanwhile.
    What changes nothing is not written down.
    """

    environment: Environment
    episodes: EpisodeStore
    handlings: HandlingStore
    registry: str

    def acknowledge(self, staff: Staff, id_: str, version: int | None) -> Handling:
        """Notes that staff have seen it; who was first stays."""
        self._known(id_)
        return self._changed(staff, id_, version, "acknowledge", lambda said: said.acknowledge(staff.author))

    def mute(self, staff: Staff, id_: str, version: int | None, time: MuteFor) -> Handling:
        """Lets it be shown less for a time. Raises ActionNotAllowed when it has ended."""
        closed_at = self._known(id_)
        if closed_at(staff.now) is not None:
            raise ActionNotAllowed("The spike has ended")
        return self._changed(staff, id_, version, "mute", lambda said: said.mute(staff.author, time))

    def unmute(self, staff: Staff, id_: str, version: int | None) -> Handling:
        """Takes it back."""
        self._known(id_)
        return self._changed(staff, id_, version, "unmute", Handling.unmute)

    def _known(self, id_: str) -> Callable[[datetime], datetime | None]:
        """When it ends, by a moment."""
        episode = self.episodes.get(id_)
        if episode is None:
            raise NotFound(f"spike {id_}")
        return episode.closed_at

    def _changed(
        self, staff: Staff, id_: str, version: int | None, what: str, edit: Callable[[Handling], Handling]
    ) -> Handling:
        for _ in range(_ATTEMPTS):
            before = self.handlings.get(id_)
            if version is not None and before.version != version:
                raise StaleVersion(f"spike {id_}")
            after = edit(before)
            if after == before:
                return before
            facts = _facts(before), _facts(after)
            entry = audited_facts(staff, f"spike.{what}", id_, *facts, self.environment)
            try:
                return self.handlings.change(after, Logged(entry, self.registry))
            except ChangedMeanwhile:
                continue
        raise ChangedMeanwhile(f"spike {id_}")


def _facts(handling: Handling) -> dict[str, object]:
    return {
        "acknowledged": handling.acknowledged is not None,
        "muted": handling.muted is not None,
        "muted_until": handling.muted_until.isoformat() if handling.muted_until else None,
    }
