"""`python -m local import`: licences and activations from a CSV or NDJSON file of any length."""

import argparse
import csv
import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from local import deployments
from local.arguments import one_of
from local.errors import CommandError
from telemetry.domain.environment import Environment
from telemetry.services.license_import import Importer, Row
from telemetry.settings import TableNames
from telemetry.storage.activations import ActivationStore
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.products import ProductStore
from telemetry.storage.secret import keyring

_SAY_EVERY_SECONDS = 2.0


class UnreadableFile(CommandError):
    """The file cannot be imported at all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `import`."""
    deployments.add_arguments(parser)
    parser.add_argument("--environment", type=one_of(Environment), choices=list(Environment), required=True)
    parser.add_argument("file", type=Path, help="*.csv with a header, or *.ndjson (*.jsonl): one object per line")
    parser.add_argument("--errors", type=Path, help="where rows that fail are reported (FILE.errors.csv)")


def run(arguments: argparse.Namespace) -> int:
    """Imports, says how far it is, and gives 0 when every row is in."""
    report = arguments.errors or arguments.file.with_name(f"{arguments.file.name}.errors.csv")
    with ExitStack() as stack:
        prefix = stack.enter_context(deployments.reached(arguments))
        tables = TableNames(prefix)
        importer = Importer(
            environment=arguments.environment,
            licenses=LicenseStore(tables.registry, keyring()),
            activations=ActivationStore(tables.registry, keyring()),
            keyring=keyring(),
            now=datetime.now(UTC),
            products=frozenset(ProductStore(tables.registry).all()),
        )
        file = stack.enter_context(_opened(arguments.file))
        errors = csv.writer(stack.enter_context(report.open("w", newline="", encoding="utf-8")))
        errors.writerow(["line", "error"])
        failed = _import(importer, file, arguments.file.suffix, errors)
    if failed:
        print(f"{failed} rows failed: see {report}", file=sys.stderr)
    else:
        report.unlink()
    return 1 if failed else 0


def _import(importer: Importer, file: IO[str], suffix: str, errors: Any) -> int:  # noqa: ANN401 (csv's own type)
    unreadable: list[tuple[int, str]] = []
    rows = _csv_rows(file) if suffix == ".csv" else _json_rows(file, unreadable)
    failed, said_at, progress = 0, 0.0, None
    for progress in importer.run(rows):
        failures = [*progress.errors, *unreadable]
        unreadable.clear()
        errors.writerows(sorted(failures))
        failed += len(failures)
        if time.monotonic() - said_at > _SAY_EVERY_SECONDS:
            said_at = time.monotonic()
            print(f"{progress.rows} rows: {progress.added} added, {progress.present} there before, {failed} failed")
    errors.writerows(unreadable)
    failed += len(unreadable)
    added, present = (progress.added, progress.present) if progress else (0, 0)
    print(f"done: {added} added, {present} there before, {failed} failed")
    return failed


def _opened(path: Path) -> IO[str]:
    if path.suffix not in {".csv", ".ndjson", ".jsonl"}:
        raise UnreadableFile(f"{path}: expected *.csv, *.ndjson or *.jsonl")
    try:
        return path.open(encoding="utf-8-sig", errors="backslashreplace", newline="" if path.suffix == ".csv" else None)
    except OSError as exc:
        raise UnreadableFile(f"{path}: {exc.strerror}") from exc


def _csv_rows(file: IO[str]) -> Iterator[Row]:
    """Lines are those of the file: a quoted field may hold line breaks."""
    reader = csv.DictReader(file, restkey="surplus columns")
    for fields in reader:
        yield reader.line_num, {name: value for name, value in fields.items() if value not in {None, ""}}


def _json_rows(file: IO[str], unreadable: list[tuple[int, str]]) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            unreadable.append((number, "not JSON"))
            continue
        if isinstance(fields, dict):
            yield number, fields
        else:
            unreadable.append((number, "not an object"))
