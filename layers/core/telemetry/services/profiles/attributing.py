"""What days are attributed with: today's overrides, lists and network file, and later the same again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cachetools import LRUCache

from telemetry.domain.attribution import Attribution, Networks, attribute, no_networks
from telemetry.domain.company_domains import DomainLists
from telemetry.domain.overrides import VersionedOverrides
from telemetry.domain.profiles.closing import Pin
from telemetry.domain.profiles.rows import Attribute
from telemetry.storage.network_files import NetworkFile, NetworkFileDamaged, NetworkFileMissing

_REMEMBERED = 100_000


class PinnedFiles(Protocol):
    """Where network files are (storage.network_files.NetworkFiles)."""

    def refresh(self) -> NetworkFile: ...
    def pinned(self, digest: str) -> NetworkFile: ...
    def keep(self, digest: str) -> None: ...


@dataclass(frozen=True, slots=True)
class DayAttributing:
    """Pins days, and attributes by pins. `files` is None in a deployment without a network file.

    `goes_without`: staff has said that a day whose file is gone is attributed without one.
    """

    overrides: Callable[[], VersionedOverrides]
    lists: Callable[[], DomainLists]
    files: PinnedFiles | None
    goes_without: bool = False

    def pin(self, now: datetime) -> Pin:
        """Today's. A copy of the file is kept first.

        Raises NetworkFileMissing or NetworkFileDamaged where there should be a file and none can be used.
        """
        return Pin(self._kept(), self.overrides().overrides, self.lists().versions, now)

    def is_given_up(self, pin: Pin) -> bool:
        """Whether its network file is gone, and staff has said to go on without."""
        try:
            self._networks(pin)
        except (NetworkFileMissing, NetworkFileDamaged):
            return self.goes_without
        return False

    def attribute(self, pin: Pin) -> Attribute:
        """By what a day is pinned to; the domain lists are those that come with this version. Raises as `pin`."""
        networks, lists = self._networks(pin), self.lists()
        known: LRUCache[tuple[str | None, str | None], Attribution] = LRUCache(_REMEMBERED)

        def attributed(hint: str | None, address: str | None) -> Attribution:
            found = known.get((hint, address))
            if found is None:
                found = known[hint, address] = attribute(hint, address, pin.overrides, lists, networks)
            return found

        return attributed

    def _kept(self) -> str | None:
        """The digest of the file as it is now, of which a copy is kept."""
        if self.files is None:
            return None
        try:
            digest = self.files.refresh().digest
            self.files.keep(digest)
        except (NetworkFileMissing, NetworkFileDamaged):
            if self.goes_without:
                return None
            raise
        return digest

    def _networks(self, pin: Pin) -> Networks:
        if pin.network_file is None:
            return no_networks
        if self.files is None:
            raise NetworkFileMissing("no network file is set", pin.network_file)
        return self.files.pinned(pin.network_file).facts
