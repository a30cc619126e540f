"""Records as lines of a file."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.event_handler import Response

from telemetry.domain.record_search import RecordView
from telemetry.services.record_export import ExportPage, ExportProgress
from telemetry.web.csv_cells import csv_line, on_one_line
from telemetry.web.records import ExportQuery, Format, Shape

COLUMNS = (
    "id", "received_at", "event_at", "product", "version", "user", "hwid", "ip", "event_ip", "country", "dialect",
    "group", "data_type", "flags", "license_id", "license_last4", "license_state", "customer_id", "customer_name",
    "api_key_id", "damage", "forgotten",
)  # fmt: skip

CONTENT_TYPES = {Format.CSV: "text/csv; charset=utf-8", Format.NDJSON: "application/x-ndjson"}


def header_of(format_: Format) -> bytes:
    """The first line of a file."""
    return csv_line(COLUMNS) if format_ is Format.CSV else b""


def line_of(format_: Format, shape: Shape) -> Callable[[RecordView], bytes]:
    """The function that turns a record into a line."""

    def as_csv(view: RecordView) -> bytes:
        row = _flat(shape.row(view))
        return csv_line(row[name] for name in COLUMNS)

    def as_ndjson(view: RecordView) -> bytes:
        return json.dumps(shape.row_with_body(view), separators=(",", ":")).encode() + b"\n"

    return as_csv if format_ is Format.CSV else as_ndjson


def answer_of(page: ExportPage, query: ExportQuery, link: Mapping[str, str]) -> Response[str]:
    """A page of a file; the last one says how many rows the file has, and its digest."""
    headers = file_headers(f"records-{query.environment}.{query.format}", link, page.progress)
    return Response(200, CONTENT_TYPES[query.format], page.lines.decode(), headers)


def file_headers(name: str, link: Mapping[str, str], progress: ExportProgress) -> dict[str, str]:
    """Of a page of a file with this name; without a `link` to the next page it is the last one."""
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        **link,
    }
    if not link:
        headers |= {"Export-Rows": str(progress.rows), "Export-SHA-256": progress.digest.hex()}
    return headers


def _flat(row: Mapping[str, Any]) -> dict[str, str]:
    license_, customer = row["license"] or {}, row["customer"] or {}
    cells = {
        **row,
        "forgotten": "true" if row["forgotten"] else None,
        "flags": " ".join(row["flags"]),
        "license_id": license_.get("id"),
        "license_last4": license_.get("last4"),
        "license_state": license_.get("state"),
        "customer_id": customer.get("id"),
        "customer_name": customer.get("name"),
    }
    return {name: on_one_line(cells[name]) for name in COLUMNS}
