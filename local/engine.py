"""The local DynamoDB: one dynoxide process, on disk or in memory, that never outlives the process that started it."""

import os
import platform
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.error import URLError
from urllib.request import urlopen

import boto3
from botocore.config import Config

from local.errors import CommandError
from local.template import REGION, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

READY_SECONDS = 15
STOP_SECONDS = 5

# The shell outlives a kill -9 of its parent, sees its standard input end, and stops the engine. Descriptor 3 is that
# input, because a shell gives what it starts in the background an empty one.
_KEEPER = """
exec 3<&0
"$@" </dev/null 3<&- >/dev/null 2>&1 &
engine=$!
{
  while read -r line; do :; done
  kill "$engine"
  for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    sleep 0.1
    kill -0 "$engine" || exit
  done
  kill -9 "$engine"
} <&3 >/dev/null 2>&1 &
keeper=$!
exec 3<&-
wait "$engine"
kill "$keeper" 2>/dev/null
"""


class EngineError(CommandError):
    """The engine is missing or does not start; the message says what to do."""


def binary() -> Path:
    """The engine for this machine; raises EngineError when there is none."""
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system(), platform.system().lower())
    cpu = {"x86_64": "x64", "AMD64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    path = Path(__file__).parent / "node_modules" / "@dynoxide" / f"{system}-{cpu}" / "dynoxide"
    if path.is_file():
        return path
    if (system, cpu) == ("linux", "x64"):
        raise EngineError("the local DynamoDB is not installed: run `make run` or `make test`, which install it")
    raise EngineError(f"no local DynamoDB is pinned for {system}-{cpu}; it runs on linux-x64 (README)")


class Engine:
    """A running engine at `endpoint`. Use it as a context manager."""

    def __init__(self, process: "subprocess.Popen[bytes]", endpoint: str) -> None:
        self._process = process
        self.endpoint = endpoint

    @classmethod
    def start(cls, database: Path | None = None, inherited: Sequence[int] = ()) -> Self:
        """Starts the engine on a free port and waits until it answers.

        `database` is its file; without one it works in memory. `inherited` descriptors stay open as long as the engine
        lives: a lock among them is held until nothing can write to the database any more.
        """
        executable = binary()
        shell = shutil.which("sh") or "/bin/sh"
        for _ in range(3):  # another process may take the port between finding and binding it
            port = free_port()
            command = [str(executable), "serve", "--host", "127.0.0.1", "--port", str(port)]
            if database is not None:
                command += ["--db-path", str(database)]
            process = subprocess.Popen(
                [shell, "-c", _KEEPER, "engine", *command],
                stdin=subprocess.PIPE,
                pass_fds=inherited,
                start_new_session=True,  # Ctrl-C is for the service, which stops the engine last
            )
            engine = cls(process, f"http://127.0.0.1:{port}")
            if engine._answers():
                if database is not None:
                    _prepare(database, engine)
                return engine
            engine.stop()
        on = "" if database is None else f" on {database}: is that file damaged?"
        raise EngineError(f"the local DynamoDB did not start{on} ({executable})")

    def _answers(self) -> bool:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if is_alive(self.endpoint):
                # Only its own answer counts, not that of whoever took the port and made it exit.
                time.sleep(0.02)
                return self._process.poll() is None
            time.sleep(0.01)
        return False

    def wait(self) -> None:
        """Returns when the engine has ended, asked or not."""
        self._process.wait()

    def stop(self) -> None:
        """Ends the engine and waits until it is gone."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


# Without it each write and each read of a stream goes through all the stream has ever had: 7 ms per write at 20,000
# records, against 0.5 ms.
_STREAM_INDEX = """
CREATE INDEX IF NOT EXISTS stream_position ON _stream_records (table_name, CAST(sequence_number AS INTEGER))
"""


def _prepare(database: Path, engine: Engine) -> None:
    try:
        with closing(sqlite3.connect(database, timeout=5)) as connection, connection:
            connection.execute(_STREAM_INDEX)
    except sqlite3.DatabaseError as exc:
        engine.stop()
        raise EngineError(damage(database) or f"{database} cannot be used: {exc}") from exc


def damage(database: Path) -> str | None:
    """What to do where the file is damaged; None where it is not. Reads all of it: for when the engine has failed."""
    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:  # busy, or gone: that is no damage
        return None
    except sqlite3.DatabaseError:
        found = ()
    if found == ("ok",):
        return None
    return f"the database {database} is damaged: put a copy of it back, or remove its folder to begin anew"


def free_port() -> int:
    """A TCP port nothing listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def is_alive(endpoint: str) -> bool:
    """Whether an engine answers there."""
    try:
        with urlopen(f"{endpoint}/", timeout=1) as answer:  # noqa: S310 (a loopback address)
            return bool(answer.read().startswith(b"healthy"))
    except (URLError, OSError):
        return False


def environment(endpoint: str) -> dict[str, str]:
    """The variables that send AWS clients to the engine, and nowhere else; AWS_PROFILE must not be set beside them."""
    return {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        # what the user keeps for real work must not reach in here
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


def use(endpoint: str) -> None:
    """Sends all AWS clients that this process makes to the engine there."""
    os.environ.pop("AWS_PROFILE", None)
    os.environ.update(environment(endpoint))


_IDENTITY: dict[str, Any] = {
    "region_name": REGION,
    "aws_access_key_id": "local",
    "aws_secret_access_key": "local",
}
_CONFIG = Config(connect_timeout=1, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
# The engine's sequence numbers are shorter than botocore allows.
_STREAMS_CONFIG = _CONFIG.merge(Config(parameter_validation=False))


def dynamodb(endpoint: str) -> "DynamoDBClient":
    """A client of the engine there, whatever the environment says."""
    return boto3.client("dynamodb", endpoint_url=endpoint, config=_CONFIG, **_IDENTITY)


def dynamodb_streams(endpoint: str) -> "DynamoDBStreamsClient":
    """A client of the engine's streams there, whatever the environment says."""
    return boto3.client("dynamodbstreams", endpoint_url=endpoint, config=_STREAMS_CONFIG, **_IDENTITY)


def create_tables(client: "DynamoDBClient", tables: Iterable[Table]) -> None:
    """Creates those that are missing."""
    for table in tables:
        try:
            client.create_table(**table.create)
        except client.exceptions.ResourceInUseException:
            continue
        if table.ttl_attribute:
            client.update_time_to_live(
                TableName=table.name,
                TimeToLiveSpecification={"Enabled": True, "AttributeName": table.ttl_attribute},
            )
