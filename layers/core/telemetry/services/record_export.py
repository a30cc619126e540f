"""Exports records in pages, with a digest by which the receiver can check that none is missing."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import uuid4

from telemetry.domain.environment import Environment
from telemetry.domain.record_search import RecordFilter, RecordView
from telemetry.domain.staff import AuditEntry, Staff
from telemetry.services.record_search import RecordSearch
from telemetry.storage.audit import AuditLog
from telemetry.storage.record_runs import Position

MOST_ROWS = 5_000
"""Rows of one page."""

MOST_BYTES = 4_500_000
"""Bytes of one page, as Lambda counts its answer: JSON in JSON, with a limit of 6 MB."""

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """How far an export has come: rows and digest so far, and the record it goes on after (None: it has ended).

    The digest chains all lines: SHA-256 of the digest before and the line with its end, 32 zero bytes before the first.
    """

    after: Position | None = None
    rows: int = 0
    digest: bytes = bytes(32)

    def having(self, line: bytes, rows: int = 1) -> "ExportProgress":
        """With one more line."""
        return replace(self, rows=self.rows + rows, digest=sha256(self.digest + line).digest())


class ExportPage(NamedTuple):
    """Whole lines, and how far the export has come with them."""

    lines: bytes
    progress: ExportProgress


def note_export(
    staff: Staff, environment: Environment, asked: Mapping[str, Any], audit: AuditLog, what: str = "records"
) -> None:
    """Writes down who exports what; to be called before anything is given. Raises StoreUnavailable."""
    audit.add(AuditEntry(str(uuid4()), staff.author, environment, f"{what}.export", what, {}, asked))


def export_page(
    search: RecordSearch,
    wanted: RecordFilter,
    before: ExportProgress,
    line: Callable[[RecordView], bytes],
    header: bytes,
) -> ExportPage:
    """The next page. Raises StoreUnavailable rather than leave a record out; asked again, it goes on from `before`."""
    lines = [header] if header else []
    progress = before.having(header, rows=0) if header else before
    reader, effort, size = search.reader(wanted, before.after, MOST_ROWS), search.browser.effort, 0
    while found := reader.read(_AT_ONCE):
        for one, view in search.views(found):
            text = line(view)
            size += answer_bytes(text)
            if progress.rows > before.rows and (size > MOST_BYTES or effort.is_late):
                return ExportPage(b"".join(lines), progress)
            lines.append(text)
            progress = replace(progress.having(text), after=one.at)
        if effort.is_spent or progress.rows >= before.rows + MOST_ROWS:
            break
    return ExportPage(b"".join(lines), replace(progress, after=reader.rest))


def answer_bytes(text: bytes) -> int:
    """What a text adds to Lambda's answer, at the most."""
    return len(json.dumps(text.decode())) - 2
