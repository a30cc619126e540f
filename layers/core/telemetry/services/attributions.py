"""Who is behind a record, as it looks today: for show. What is shown tomorrow may be another company."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from telemetry.domain.attribution import Attribution, Networks, attribute, no_networks
from telemetry.domain.company_domains import DomainLists
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.overrides import VersionedOverrides
from telemetry.domain.record import Record
from telemetry.storage.errors import is_fault
from telemetry.storage.network_files import NetworkFile, NetworkFileDamaged, NetworkFileMissing


class Files(Protocol):
    """Where the network file is (storage.network_files.NetworkFiles)."""

    def current(self) -> NetworkFile: ...


class NetworkFileUse(StrEnum):
    """Whether addresses were looked up."""

    USED = "used"
    NONE = "none"
    """The deployment has no network file: addresses tell nothing."""
    UNREADABLE = "unreadable"
    """There should be one, and it cannot be read: it is missing, damaged, or its storage refuses."""


class Shown(NamedTuple):
    """Who is behind a record, and whether its address could tell."""

    attribution: Attribution
    network_file: NetworkFileUse


@dataclass(frozen=True, slots=True)
class Attributions:
    """By today's overrides, lists and network file."""

    overrides: Callable[[], VersionedOverrides]
    lists: Callable[[], DomainLists]
    files: Files | None

    def of(self, record: Record) -> Shown:
        """A network file that cannot be read never keeps a record from being shown. Raises StoreUnavailable."""
        networks, use = self._networks()
        return Shown(
            attribute(record.company, record.use_address, self.overrides().overrides, self.lists(), networks), use
        )

    def _networks(self) -> tuple[Networks, NetworkFileUse]:
        if self.files is None:
            return no_networks, NetworkFileUse.NONE
        try:
            return self.files.current().facts, NetworkFileUse.USED
        except (NetworkFileMissing, NetworkFileDamaged, StoreUnavailable, OSError):
            return no_networks, NetworkFileUse.UNREADABLE
        except Exception as exc:
            if not is_fault(exc):
                raise
            return no_networks, NetworkFileUse.UNREADABLE
