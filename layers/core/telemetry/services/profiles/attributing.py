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
from telemetry.storage.network_files import NetworkFile, NetworkFileMissing

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
        digest = None
        if self.files and not self.goes_without:
            digest = self.files.refresh().digest
            self.files.keep(digest)
        return Pin(digest, self.overrides().overrides, self.lists().versions, now)

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

    def _networks(self, pin: Pin) -> Networks:
        if pin.network_file is None or self.goes_without:
            return no_networks
        if self.files is None:
            raise NetworkFileMissing("no network file is set", pin.network_file)
        return self.files.pinned(pin.network_file).facts
