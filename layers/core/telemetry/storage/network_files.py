"""Network files (MMDB): fetched from where the operator put one, kept under their digest, asked for addresses.

A file is copied into a folder of this machine and opened there, so that replacing it at its place disturbs no look-up.
It is known by the SHA-256 of its bytes: a replaced file is another file, and a day that was attributed with the one
before can be attributed with it again for as long as that is kept.

Files are read by maxminddb's Python reader (80 µs for an address that is found). Its C extension takes 4 µs, but one
damaged byte in a file may end the whole process there (13 of 5,688 changes that were tried), and what attributes
companies also counts users.
"""

import re
import tempfile
from datetime import UTC, datetime
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from threading import RLock
from typing import Any

from telemetry.domain.addresses import Address
from telemetry.domain.errors import TelemetryError
from telemetry.domain.networks import NOTHING_KNOWN, NetworkFacts, network_facts
from telemetry.storage.errors import store
from telemetry.storage.network_file_places import AbsentFile, FilePlace, arriving

_BLOCK = 1 << 20
_LONGEST_METADATA = 128 * 1024
_METADATA = b"\xab\xcd\xefMaxMind.com"
"""What stands before the metadata (MaxMind DB file format 2.0), in the last 128 KB."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


class NetworkFileMissing(TelemetryError):
    """There is no network file where one should be; `digest` says which, None for whichever should lie there now."""

    def __init__(self, place: object, digest: str | None = None) -> None:
        which = f"The network file {digest} is gone" if digest else "There is no network file"
        super().__init__(f"{which}: {place}")
        self.digest = digest


class NetworkFileDamaged(TelemetryError):
    """A network file cannot be opened: it is cut off, damaged, or something else. `digest` is that of its bytes.

    With `lookups` it is open, but so many look-ups failed.
    """

    def __init__(self, digest: str, lookups: int = 0) -> None:
        wrong = f"is damaged: {lookups} look-ups told nothing" if lookups else "cannot be opened"
        super().__init__(f"The network file {digest} {wrong}")
        self.digest = digest


class NetworkFile:
    """A network file that is open. `digest` is the SHA-256 of its bytes in hex.

    `damaged` counts the look-ups that failed because the file is damaged in the middle; they were answered as unknown.
    `type` and `built_at` are what the file says of itself.
    """

    def __init__(self, path: Path, digest: str) -> None:
        """Raises NetworkFileDamaged for what is no such file, or not all of one."""
        self.path = path
        self.digest = digest
        self.damaged = 0
        maxminddb: Any = import_module("maxminddb")  # no function pays for it that asks for no address
        try:
            self._reader = maxminddb.open_database(str(path), maxminddb.MODE_MMAP)
            about = self._reader.metadata()
            self.type = str(about.database_type)
            self.built_at = datetime.fromtimestamp(about.build_epoch, UTC)
            self._versions = {4: (4,), 6: (4, 6)}[about.ip_version]
            is_whole = _ends_whole(path)
        except Exception as exc:
            # damaged bytes raise whatever they happen to mean
            raise NetworkFileDamaged(digest) from exc
        if not is_whole:
            raise NetworkFileDamaged(digest)

    def facts(self, address: Address) -> NetworkFacts | None:
        """What the file knows of an address; None where it knows nothing, or cannot be read. Never raises."""
        if address.version not in self._versions:
            return None
        try:
            facts = network_facts(self._reader.get(address))
        except Exception:  # noqa: BLE001 (damaged bytes raise whatever they happen to mean)
            self.damaged += 1
            return None
        return None if facts == NOTHING_KNOWN else facts


@store("network file")
class NetworkFiles:
    """The network file of a deployment, and those that days before were attributed with.

    Nothing is fetched before it is asked for. One object serves all threads of a process.
    """

    def __init__(self, place: FilePlace, folder: Path | None = None) -> None:
        """`folder` is where copies lie on this machine; one of the temporary folder if none is given."""
        self._place = place
        self._folder = folder or Path(tempfile.gettempdir()) / "network-files"
        self._lock = RLock()
        self._current: NetworkFile | None = None
        self._stamp: str | None = None
        self._open: dict[str, NetworkFile] = {}
        self._copied: set[str] = set()
        self.refused: NetworkFileMissing | NetworkFileDamaged | None = None
        """Why what lies at the place now is not used, but the file before it."""

    def current(self) -> NetworkFile:
        """The file, fetched the first time; `refresh` looks whether it was replaced.

        Raises NetworkFileMissing where there is none, NetworkFileDamaged where it cannot be opened.
        """
        with self._lock:
            return self._current or self.refresh()

    def refresh(self) -> NetworkFile:
        """The file as it lies at its place now; fetched only if it changed there.

        A file that is missing or damaged now leaves the one before in use, and `refused` says why. Raises as `current`
        if there was none before.
        """
        with self._lock:
            try:
                self._current = self._arrived()
            except (NetworkFileMissing, NetworkFileDamaged) as exc:
                self.refused = exc
                if self._current is None:
                    raise
            else:
                self.refused = None
            return self._current

    def pinned(self, digest: str) -> NetworkFile:
        """The file with this digest: from this machine, from the copies beside the file, or the file itself.

        Raises NetworkFileMissing, with the digest, when it is in none of these, and NetworkFileDamaged when it cannot
        be opened.
        """
        with self._lock:
            found = self._found(digest) if _DIGEST.fullmatch(digest) else None
            if found is None:
                raise NetworkFileMissing(self._place, digest)
            return found

    def check(self) -> None:
        """Raises NetworkFileDamaged if look-ups failed since this was asked last, and `refused` if there is one."""
        with self._lock:
            for file in self._open.values():
                lookups, file.damaged = file.damaged, 0
                if lookups:
                    raise NetworkFileDamaged(file.digest, lookups)
            if self.refused:
                raise self.refused

    def keep(self, digest: str) -> None:
        """Keeps a copy of the file beside it, under its digest, so that it can be pinned after it is replaced.

        Raises as `pinned`.
        """
        with self._lock:
            if digest in self._copied:
                return
            file = self.pinned(digest)
            if not file.path.exists():
                # another process made room; what is open can be read on, but not copied
                del self._open[digest]
                self._stamp = None
                file = self.pinned(digest)
            self._place.keep(digest, file.path)
            self._copied.add(digest)

    def _arrived(self) -> NetworkFile:
        """What lies at the place: the file before if it is still that. What was wrong with it is raised again."""
        with arriving(self._made_folder()) as (path, into):
            try:
                stamp = self._place.fetch(into, self._stamp)
            except AbsentFile as exc:
                self._stamp = None
                raise NetworkFileMissing(self._place) from exc
            into.flush()
            if stamp is None:
                if self.refused or self._current is None:
                    raise self.refused or NetworkFileMissing(self._place)
                return self._current
            self._stamp = stamp
            return self._taken(path, _digest_of(path))

    def _found(self, digest: str) -> NetworkFile | None:
        if found := self._open.get(digest) or self._from_folder(digest) or self._from_copies(digest):
            return found
        try:
            self.refresh()
        except (NetworkFileMissing, NetworkFileDamaged):
            return None
        return self._open.get(digest)

    def _from_folder(self, digest: str) -> NetworkFile | None:
        path = self._path(digest)
        # others may write into a temporary folder too: the name alone says nothing
        return self._opened(path, digest) if path.is_file() and _digest_of(path) == digest else None

    def _from_copies(self, digest: str) -> NetworkFile | None:
        with arriving(self._made_folder()) as (path, into):
            try:
                self._place.fetch_copy(digest, into)
            except AbsentFile:
                return None
            into.flush()
            return self._taken(path, digest) if _digest_of(path) == digest else None

    def _taken(self, path: Path, digest: str) -> NetworkFile:
        """The file that arrived at the path, under its name and open."""
        if digest in self._open:
            return self._open[digest]
        named = self._path(digest)
        path.replace(named)
        try:
            return self._opened(named, digest)
        except NetworkFileDamaged:
            named.unlink(missing_ok=True)
            raise

    def _opened(self, path: Path, digest: str) -> NetworkFile:
        file = NetworkFile(path, digest)
        kept = [self._current, file] if self._current else [file]
        self._open = {each.digest: each for each in kept}
        self._make_room()
        return file

    def _make_room(self) -> None:
        """Removes all files but two, as the temporary folder of a function is small: the one before the newest stays.

        Who still looks something up in one that goes can do so.
        """
        for path in self._folder.glob("*.mmdb"):
            if path.stem not in self._open:
                path.unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.mmdb"

    def _made_folder(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._folder


def _ends_whole(path: Path) -> bool:
    """Whether the metadata at the end of the file are all there: the reader takes a number of which half is cut off."""
    decoder: Any = import_module("maxminddb.decoder")
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LONGEST_METADATA))
        end = file.read()
    start = end.rindex(_METADATA) + len(_METADATA)
    return bool(decoder.Decoder(end, start).decode(start)[1] <= len(end))


def _digest_of(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
