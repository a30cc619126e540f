"""The state folder: who holds it, the deployment secret, the database, and what a command needs to attach to it.

A process that only wants to look (`python -m local key`, `records`) attaches to the service that runs on the folder, or
holds the folder itself while it works.
"""

import fcntl
import hmac
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Self

from local import Json
from local.engine import Engine, is_alive
from local.errors import CommandError

SECRET_FILE = "secret"  # noqa: S105 (a file name)
DEMO_KEYS_FILE = "demo-keys.json"
DATABASE_FILE = "dynamodb.sqlite"
NETWORK_FILE = "networks.mmdb"

_SECRET_BYTES = 32

_BEFORE_FORMAT = frozenset({"lock", "format.new", SECRET_FILE})
"""What may lie in a folder before its format is written: a start that was cut off, a secret to be used."""

DYING_SECONDS = 4
"""How long a killed predecessor's engine may take to be gone."""


FORMAT = 6
"""Of what lies in a state folder. Raised with every change that makes data of an earlier version unreadable: nothing
migrates it. Folders of format 1 do not name theirs."""


class StateError(CommandError):
    """The state folder cannot be used; the message says why."""


class StateInUse(StateError):
    """Another process holds it."""


class State:
    """A state folder this process holds the lock of. Use it as a context manager."""

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder = folder
        self.lock = lock
        """Descriptor of the lock; whoever inherits it holds the lock too."""

    @classmethod
    def hold(cls, folder: Path, patience: float = DYING_SECONDS) -> Self:
        """Takes the folder, making it if need be.

        Raises StateInUse while another process holds it, StateError when it is of another format.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_ours(folder)
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            reason = "it is no folder" if folder.exists() and not folder.is_dir() else exc.strerror
            raise StateError(f"cannot use {folder}: {reason}; choose another STATE=") from exc
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(lock)
                    raise StateInUse(f"another instance is using {folder}: stop it, or choose another STATE=") from None
                time.sleep(0.05)
        try:
            _check_format(folder)
        except StateError:
            os.close(lock)
            raise
        return cls(folder.resolve(), lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.lock)

    @property
    def database(self) -> Path:
        return self.folder / DATABASE_FILE

    @property
    def positions(self) -> Path:
        return self.folder / "stream-positions.json"

    @property
    def demo_keys(self) -> Path:
        return self.folder / DEMO_KEYS_FILE

    @property
    def network_file(self) -> Path:
        """The demo's; states without the demo, and those of earlier versions, have none."""
        return self.folder / NETWORK_FILE

    def read_demo_keys(self) -> dict[str, Json]:
        """The demo's keys, empty where there are none. Raises StateError when the file is damaged."""
        return read_json(self.demo_keys, {})

    @property
    def secret_file(self) -> Path:
        return self.folder / SECRET_FILE

    def secret(self) -> bytes:
        """The deployment secret, 32 bytes, made when there is none. Losing the file makes the data unreadable.

        Raises StateError where it was lost, and where data is lost that was there with it.
        """
        is_used = self.database.exists()
        _check_not_lost(self.folder)
        if not self.secret_file.exists():
            if is_used:
                raise StateError(f"{self.secret_file} is lost, and the data is of no use without it; put it back")
            write_atomically(self.secret_file, secrets.token_hex(_SECRET_BYTES) + "\n")
        secret = read_secret(self.folder)
        if is_used and not _is_loading(self.folder):
            self._keep_check(secret)  # a state of before there was one
        return secret

    def _keep_check(self, secret: bytes) -> None:
        if not _check_file(self.folder).exists():
            write_atomically(_check_file(self.folder), f"{_check_value(secret)}\n")

    def log(self, function: str) -> Path:
        """Where a function's output goes; one earlier file is kept beside a large one."""
        path = self.folder / "logs" / f"{function}.log"
        path.parent.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):
            if path.stat().st_size > 10_000_000:
                path.replace(path.with_suffix(".log.1"))
        return path

    def begin_loading(self) -> None:
        """From here until `end_loading` a crash means that the next start begins again."""
        _loading_mark(self.folder).touch()
        _sync(self.folder)

    def end_loading(self) -> None:
        """What was loaded stays. On disk when it returns: what is acknowledged from now on must not be emptied away."""
        self._keep_check(read_secret(self.folder))
        _loading_mark(self.folder).unlink()
        _sync(self.folder)

    def discard_unfinished(self) -> bool:
        """Empties a folder whose first loading was interrupted: nobody was served from it yet."""
        if not _is_loading(self.folder):
            return False
        for path in (
            self.positions,
            self.demo_keys,
            self.network_file,
            _check_file(self.folder),
            *self.folder.glob(f"{self.database.name}*"),
        ):
            path.unlink(missing_ok=True)
        for folder in ("logs", "queues", "topics"):
            shutil.rmtree(self.folder / folder, ignore_errors=True)
        _loading_mark(self.folder).unlink()
        return True

    def announce(self, endpoint: str) -> None:
        """Tells commands where the engine is."""
        write_atomically(_runtime(self.folder), json.dumps({"pid": os.getpid(), "endpoint": endpoint}))

    def withdraw(self) -> None:
        """Takes back what this or a killed instance announced."""
        _runtime(self.folder).unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Has the names in a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_secret(folder: Path) -> bytes:
    """The deployment secret of a folder. Raises StateError when it is none, or not that of the data there."""
    path = folder / SECRET_FILE
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii"))
    except OSError as exc:
        raise StateError(f"cannot read {path}: {exc.strerror}") from exc
    except ValueError:
        secret = b""
    if len(secret) != _SECRET_BYTES:
        raise StateError(
            f"{path} is damaged: it has to hold {2 * _SECRET_BYTES} hexadecimal digits, and the data is of no use "
            "without them; put it back"
        )
    check = _check_file(folder)
    if check.exists() and not hmac.compare_digest(_read_bytes(check).strip(), _check_value(secret).encode()):
        raise StateError(f"{path} is not the secret that the data in {folder} was written with; put that one back")
    return secret


def _check_not_lost(folder: Path) -> None:
    """Raises StateError where there was data: a new beginning must not take its place unasked."""
    database = folder / DATABASE_FILE
    left = [path for path in (_check_file(folder), folder / DEMO_KEYS_FILE) if path.exists()]
    if left and not database.exists() and not _is_loading(folder):
        raise StateError(f"{database} is lost: put it back, or remove {folder} to begin anew")


def _check_file(folder: Path) -> Path:
    """It tells one secret from another; it is there from the moment on when there is data to lose."""
    return folder / "secret-check"


def _check_value(secret: bytes) -> str:
    """Tells nothing of the secret."""
    return hmac.digest(secret, b"the secret of this state folder", sha256).hex()


@contextmanager
def attached(folder: Path) -> Iterator[str]:
    """The endpoint of the database in this folder: a running service's, else of an engine started for the occasion.

    Raises StateError when there is nothing there, or when another command is holding it.
    """
    _check_not_lost(folder)
    if not (folder / DATABASE_FILE).exists():
        raise StateError(f"{folder} holds no data yet: start the service first (make run)")
    if _is_loading(folder):
        raise StateError(f"{folder} is not loaded yet: start the service (make run), and wait until it is ready")
    try:
        state = State.hold(folder, patience=0.3)
    except StateInUse:
        endpoint = _announced(folder)
        if endpoint is None:
            raise
        read_secret(folder)
        yield endpoint
        return
    with state:
        read_secret(folder)
        with Engine.start(state.database, [state.lock]) as engine:
            yield engine.endpoint


def _check_ours(folder: Path) -> None:
    """Nothing is written into a folder of another kind, not even a lock. Raises StateError."""
    if any((folder / name).exists() for name in ("format", DATABASE_FILE)):
        return
    if others := sorted({entry.name for entry in folder.iterdir()} - _BEFORE_FORMAT):
        raise StateError(
            f"cannot use {folder}: it holds {others[0]!a} and no format, so it is no state folder; "
            "choose another STATE="
        )


def _check_format(folder: Path) -> None:
    """A folder without data gets ours; raises StateError on data of another."""
    file = folder / "format"
    written = _read_bytes(file).strip() if file.exists() else b"1"
    if not written.isdigit():
        raise StateError(f"{file} is damaged: it has to hold the number of a format, {FORMAT} is this version's")
    if not (folder / DATABASE_FILE).exists():
        write_atomically(file, f"{FORMAT}\n")
        return
    if written != str(FORMAT).encode():
        raise StateError(
            f"{folder} was written by another version: remove the folder, or choose another STATE= "
            f"(its format is {written.decode()[:20]}, this version's {FORMAT})"
        )


def _read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as exc:
        raise StateError(f"cannot read {file}: {exc.strerror}") from exc


def _announced(folder: Path, patience: float = 3) -> str | None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        endpoint = str(read_json(_runtime(folder), {}).get("endpoint", ""))
        if endpoint and is_alive(endpoint):
            return endpoint
        time.sleep(0.05)
    return None


def _is_loading(folder: Path) -> bool:
    return _loading_mark(folder).exists()


def _loading_mark(folder: Path) -> Path:
    return folder / "loading"


def _runtime(folder: Path) -> Path:
    return folder / "runtime.json"


def write_atomically(path: Path, content: str) -> None:
    """Replaces a file of this user alone, so that a crash leaves either the old content or the new."""
    temporary = path.with_name(f"{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_json(path: Path, default: dict[str, Json]) -> dict[str, Json]:
    """The object in a file of ours, or `default` when there is no file. Raises StateError when it holds anything else.

    A crash does not damage these files: `write_atomically`. None of them is needed to start again.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return default
    except OSError as exc:
        raise StateError(f"cannot read {path}: {exc.strerror}") from exc
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise damaged(path)
    return content


def damaged(path: Path) -> StateError:
    """What to do about a file whose content cannot be."""
    return StateError(f"{path} is damaged: remove it, and start again")
