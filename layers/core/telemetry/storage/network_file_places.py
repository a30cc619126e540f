"""Where an operator puts the network file: a path of this machine, or an object in S3. Copies are kept beside it."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any, Protocol

from botocore.exceptions import ClientError, IncompleteReadError

from telemetry.domain.errors import ConfigurationError, StoreUnavailable
from telemetry.storage.tables import in_time, session, short_config

_BLOCK = 1 << 20
"""Bytes that are copied at once."""

_IN_BUCKET = re.compile(r"s3://([^/]+)/(.+)")
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
_UNCHANGED = frozenset({"304", "NotModified"})
_THERE_ALREADY = frozenset({"412", "PreconditionFailed"})


class AbsentFile(Exception):
    """There is no such file at the place."""


class FilePlace(Protocol):
    """The place of a file. Its copies lie beside it, as `<SHA-256 in hex>.mmdb`."""

    def fetch(self, into: IO[bytes], unless: str | None = None) -> str | None:
        """Writes the file and returns its stamp, which changes with it; None if that is `unless`. Raises AbsentFile."""

    def fetch_copy(self, digest: str, into: IO[bytes]) -> None:
        """Writes the copy that is kept under a digest. Raises AbsentFile."""

    def keep(self, digest: str, path: Path) -> None:
        """Keeps a copy of what is at the path under its digest, if there is none."""


class LocalPlace:
    """A path, e.g. `.local/networks.mmdb`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def fetch(self, into: IO[bytes], unless: str | None = None) -> str | None:
        with _opened(self._path) as file:
            status = os.fstat(file.fileno())
            stamp = f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"
            if stamp == unless:
                return None
            _copy(file, into)
        return stamp

    def fetch_copy(self, digest: str, into: IO[bytes]) -> None:
        with _opened(self._copy(digest)) as file:
            _copy(file, into)

    def keep(self, digest: str, path: Path) -> None:
        copy = self._copy(digest)
        if copy.exists():
            return
        with arriving(copy.parent) as (part, into), path.open("rb") as file:
            _copy(file, into)
            into.flush()
            part.replace(copy)

    def _copy(self, digest: str) -> Path:
        return self._path.with_name(f"{digest}.mmdb")


class BucketPlace:
    """An object in S3, e.g. `s3://acme-networks/company.mmdb`.

    A function needs `s3:GetObject`, to keep copies `s3:PutObject`, and `s3:ListBucket`: without that S3 denies what is
    not there, and a missing file looks like a missing right.
    """

    def __init__(self, bucket: str, key: str) -> None:
        self._bucket = bucket
        self._key = key

    def __str__(self) -> str:
        return f"s3://{self._bucket}/{self._key}"

    def fetch(self, into: IO[bytes], unless: str | None = None) -> str | None:
        condition = {"IfNoneMatch": unless} if unless else {}
        try:
            answer = self._object(self._key, **condition)
        except ClientError as exc:
            if _code(exc) in _UNCHANGED:
                return None
            raise
        _copy_body(answer["Body"], into)
        return str(answer["ETag"])

    def fetch_copy(self, digest: str, into: IO[bytes]) -> None:
        _copy_body(self._object(self._copy(digest))["Body"], into)

    def keep(self, digest: str, path: Path) -> None:
        if self._has_copy(digest):
            return
        try:
            with path.open("rb") as file:
                s3_client().put_object(Bucket=self._bucket, Key=self._copy(digest), Body=file, IfNoneMatch="*")
        except ClientError as exc:
            if _code(exc) not in _THERE_ALREADY:
                raise

    def _has_copy(self, digest: str) -> bool:
        try:
            s3_client().head_object(Bucket=self._bucket, Key=self._copy(digest))
        except ClientError as exc:
            if _code(exc) not in _ABSENT:
                raise
            return False
        return True

    def _object(self, key: str, **condition: str) -> Any:  # noqa: ANN401 (botocore's answer)
        try:
            return s3_client().get_object(Bucket=self._bucket, Key=key, **condition)
        except ClientError as exc:
            if _code(exc) in _ABSENT:
                raise AbsentFile from exc
            raise

    def _copy(self, digest: str) -> str:
        folder, slash, _ = self._key.rpartition("/")
        return f"{folder}{slash}{digest}.mmdb"


def file_place(setting: str) -> FilePlace:
    """The place that a setting names: `s3://bucket/key`, else a path. Raises ConfigurationError for anything else."""
    if in_bucket := _IN_BUCKET.fullmatch(setting):
        return BucketPlace(*in_bucket.groups())
    if not setting or "://" in setting:
        raise ConfigurationError(f"A network file is s3://bucket/key or a path, not {setting!r}")
    return LocalPlace(Path(setting))


@contextmanager
def arriving(folder: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """A new file to write into, which goes if nobody has moved it: what is in the folder by name is there whole."""
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as into:
        path = Path(into.name)
        try:
            yield path, into
        finally:
            path.unlink(missing_ok=True)


@cache
def s3_client() -> Any:  # noqa: ANN401 (no stubs are needed for three calls)
    """The client, made when a file is first needed."""
    client: Any = session().create_client("s3", config=short_config())
    in_time(client)
    return client


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as exc:
        raise AbsentFile from exc


def _copy(file: IO[bytes], into: IO[bytes]) -> None:
    while block := file.read(_BLOCK):
        into.write(block)


def _copy_body(body: Any, into: IO[bytes]) -> None:  # noqa: ANN401 (botocore's)
    try:
        _copy(body, into)
    except IncompleteReadError as exc:
        raise StoreUnavailable("network file: cut off on its way") from exc


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
