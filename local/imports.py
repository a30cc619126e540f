"""`python -m local import`: licences and activations from a CSV or NDJSON file of any length."""

import argparse
import csv
import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import IO, Any, ClassVar

from local import deployments
from local.arguments import one_of
from local.caller import operator
from local.errors import CommandError
from telemetry.domain.environment import Environment
from telemetry.services.administration.stores import audited
from telemetry.services.license_import import FIELDS, Importer, Row
from telemetry.settings import TableNames
from telemetry.storage.activations import ActivationStore
from telemetry.storage.audit import AuditLog
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.products import ProductStore
from telemetry.storage.secret import keyring

_SAY_EVERY_SECONDS = 2.0
_CSV_ERRORS = {"unexpected end of data": "a quote is not closed: a row is one line"}
"""What Python says too shortly, by its words."""


class UnreadableFile(CommandError):
    """The file cannot be imported at all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `import`."""
    deployments.add_arguments(parser)
    parser.add_argument("--environment", type=one_of(Environment), choices=list(Environment), required=True)
    parser.add_argument("file", type=Path, help="*.csv with a header, or *.ndjson (*.jsonl): one object per line")
    parser.add_argument("--errors", type=Path, help="where rows that fail are reported (FILE.errors.csv)")


def run(arguments: argparse.Namespace) -> int:
    """Imports, says how far it is, and gives 0 when every row is in. Looks at the file before anything else."""
    path: Path = arguments.file
    report = arguments.errors or path.with_name(f"{path.name}.errors.csv")
    unreadable: list[tuple[int, str]] = []
    with ExitStack() as stack:
        rows = _rows(path, stack.enter_context(_opened(path)), unreadable)
        tables = TableNames(stack.enter_context(deployments.reached(arguments)))
        importer = Importer(
            environment=arguments.environment,
            licenses=LicenseStore(tables.registry, keyring()),
            activations=ActivationStore(tables.registry, keyring()),
            keyring=keyring(),
            now=datetime.now(UTC),
            products=frozenset(ProductStore(tables.registry).all()),
        )
        errors = csv.writer(
            stack.enter_context(report.open("w", newline="", encoding="utf-8", errors="backslashreplace"))
        )
        errors.writerow(["line", "error"])
        _note(tables.registry, "begin", path, arguments.environment)
        outcome = _import(importer, rows, unreadable, errors)
        _note(tables.registry, "end", path, arguments.environment, outcome)
    if outcome.failed:
        print(f"{outcome.failed} row{'s'[: outcome.failed > 1]} failed: see {report}", file=sys.stderr)
    else:
        report.unlink()
    return 1 if outcome.failed else 0


def _note(registry: str, what: str, path: Path, environment: Environment, outcome: "Outcome | None" = None) -> None:
    """Writes down in the audit log that a file is being imported, or was: one entry for each of its rows would double
    what the import writes.
    """
    name = path.name.encode("utf-8", "backslashreplace").decode()
    staff = operator("import")
    entry = audited(staff, f"license_import.{what}", name, Outcome.FIELDS, after=outcome, environment=environment)
    AuditLog(registry).add(entry)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the rows of a file."""

    FIELDS: ClassVar = ("added", "present", "failed")

    added: int
    present: int
    failed: int


def _import(
    importer: Importer,
    rows: Iterator[Row],
    unreadable: list[tuple[int, str]],
    errors: Any,  # noqa: ANN401 (csv's own type)
) -> Outcome:
    """Imports the rows. Lines that are none come in `unreadable` meanwhile, and all that fail go to `errors`."""
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
    return Outcome(added, present, failed)


def _opened(path: Path) -> IO[str]:
    """What is no UTF-8 is kept apart: a field with it is refused, the others of the file are not."""
    if path.suffix not in {".csv", ".ndjson", ".jsonl"}:
        raise UnreadableFile(f"{path}: expected *.csv, *.ndjson or *.jsonl")
    try:
        return path.open(encoding="utf-8-sig", errors="surrogateescape")
    except OSError as exc:
        raise UnreadableFile(f"{path}: {exc.strerror}") from exc


def _rows(path: Path, file: IO[str], unreadable: list[tuple[int, str]]) -> Iterator[Row]:
    """The rows of a file; its beginning is read at once. Raises UnreadableFile."""
    lines = ((number, line.strip("\ufeff\r\n")) for number, line in enumerate(file, 1))
    written = ((number, line) for number, line in lines if line.strip())
    first = next(written, None)
    if first is None:
        raise UnreadableFile(f"{path} is empty")
    if "\0" in first[1]:
        raise UnreadableFile(f"{path} is not UTF-8: save it as that")
    if path.suffix != ".csv":
        return _json_rows(chain([first], written), unreadable)
    names, separator = _header(path, first[1])
    return _csv_rows(names, separator, written, unreadable)


def _header(path: Path, line: str) -> tuple[list[str], str]:
    """The names of the columns, and what is between them: some spreadsheets write semicolons or tabs."""
    separator = next((each for each in ",;\t" if each in line), ",")
    if separator != ",":
        print(f"{path}: columns are separated by {'tabs' if separator != ';' else 'semicolons'}, not by commas")
    try:
        names = [name.strip() for name in next(csv.reader([line], delimiter=separator, strict=True))]
    except csv.Error as exc:
        raise UnreadableFile(f"{path}: the header is not CSV: {exc}") from exc
    wrong = [f"{name!a} is no column" for name in names if name and name not in FIELDS]
    wrong += [f"{name!a} is there twice" for name in FIELDS if names.count(name) > 1]
    wrong += [] if "license_key" in names else ["'license_key' is missing"]
    if wrong:
        raise UnreadableFile(f"{path}: the header is wrong: {'; '.join(wrong)} (columns are {', '.join(FIELDS)})")
    return names, separator


def _csv_rows(
    names: list[str], separator: str, lines: Iterator[tuple[int, str]], unreadable: list[tuple[int, str]]
) -> Iterator[Row]:
    """A line is a row, whatever is in it: a quote that is not closed must not take the lines after it along."""
    for number, line in lines:
        try:
            cells = next(csv.reader([line], delimiter=separator, strict=True))
        except csv.Error as exc:
            unreadable.append((number, _CSV_ERRORS.get(str(exc), f"not CSV: {exc}")))
            continue
        if any(cells[len(names) :]) or any(cell for name, cell in zip(names, cells, strict=False) if not name):
            unreadable.append((number, "more cells than the header has names"))
        else:
            yield number, {name: cell for name, cell in zip(names, cells, strict=False) if cell}


def _json_rows(lines: Iterator[tuple[int, str]], unreadable: list[tuple[int, str]]) -> Iterator[Row]:
    for number, line in lines:
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            unreadable.append((number, "not JSON"))
            continue
        if isinstance(fields, dict):
            yield number, fields
        else:
            unreadable.append((number, "not an object"))
