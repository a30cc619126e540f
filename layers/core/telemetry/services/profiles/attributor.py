"""Attribution of many uses beside other work: by what is remembered, and without waiting for a file."""

from collections.abc import Callable
from threading import Thread
from typing import TypeVar

from cachetools import LRUCache

from telemetry.domain.attribution import Attribution, Networks, attribute, no_networks
from telemetry.domain.company_domains import DomainLists
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.overrides import VersionedOverrides
from telemetry.services.attributions import Files

OVERRIDES_SECONDS = 60
"""How old the overrides may be."""

WAIT_SECONDS = 1.0
"""For a network file that is being fetched; once for each attempt to fetch it."""

RETRY_SECONDS = 300.0
"""After a network file could not be read."""

MOST_REMEMBERED = 20_000
"""Pairs of domain and address: looking an address up takes 80 µs, and batch after batch brings the same."""

T = TypeVar("T")


class NetworksSoon:
    """The network file of a process, fetched beside its work: until it is there, addresses tell nothing.

    Fetching a large file takes as long as S3 takes, and must keep nobody waiting.
    """

    def __init__(
        self, files: Files | None, clock: Callable[[], float], wait: float = WAIT_SECONDS, retry: float = RETRY_SECONDS
    ) -> None:
        self._files = files
        self._clock = clock
        self._wait = wait
        self._retry = retry
        self._networks: Networks | None = None
        self._fetching: Thread | None = None
        self._begun_at = float("-inf")
        self._failure: Exception | None = None

    def now(self) -> Networks:
        """What is known of addresses by now. Never raises."""
        if self._files is None:
            return no_networks
        if self._networks is None and self._is_due():
            self._begun_at = self._clock()
            self._fetching = Thread(target=self._fetch, args=(self._files,), daemon=True)
            self._fetching.start()
            self._fetching.join(self._wait)
        return self._networks or no_networks

    def failure(self) -> Exception | None:
        """Why it could not be read, once for each attempt: for the log."""
        failure, self._failure = self._failure, None
        return failure

    def _is_due(self) -> bool:
        is_fetching = self._fetching is not None and self._fetching.is_alive()
        return not is_fetching and self._clock() - self._begun_at >= self._retry

    def _fetch(self, files: Files) -> None:
        try:
            self._networks = files.current().facts
        except Exception as exc:  # noqa: BLE001 (whatever is wrong with it, domains tell on)
            self._failure = exc


class Attributor:
    """Says who is behind uses, by overrides of the last minute. What it said it remembers as long as that holds."""

    def __init__(
        self,
        overrides: Callable[[], VersionedOverrides],
        lists: Callable[[], DomainLists],
        networks: NetworksSoon,
        clock: Callable[[], float],
    ) -> None:
        self._read = overrides
        self._lists = lists
        self.networks = networks
        self._clock = clock
        self._overrides: VersionedOverrides | None = None
        self._read_at = float("-inf")
        self._said_by: tuple[int, Networks] | None = None
        self._said: LRUCache[tuple[str | None, str | None], Attribution] = LRUCache(MOST_REMEMBERED)

    def now(self) -> Callable[[str | None, str | None], Attribution]:
        """What attributes a domain and an address at this moment. Raises StoreUnavailable without any overrides."""
        networks, versioned, lists = self.networks.now(), self._current(), self._lists()
        if self._said_by != (versioned.version, networks):
            self._said.clear()
            self._said_by = versioned.version, networks

        def attribution(company: str | None, address: str | None) -> Attribution:
            found = self._said.get((company, address))
            if found is None:
                found = attribute(company, address, versioned.overrides, lists, networks)
                self._said[company, address] = found
            return found

        return attribution

    def _current(self) -> VersionedOverrides:
        """Read anew each minute; those before serve on while the registry cannot be read."""
        if self._overrides is None or self._clock() - self._read_at > OVERRIDES_SECONDS:
            try:
                self._overrides = self._read()
            except StoreUnavailable:
                if self._overrides is None:
                    raise
            self._read_at = self._clock()
        return self._overrides
