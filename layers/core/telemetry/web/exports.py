"""Records as lines of a file."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.event_handler import Response

from telemetry.domain.api_key import ApiKey
from telemetry.domain.flag_explanations import explain
from telemetry.domain.flags import Flag
from telemetry.domain.record_search import RecordView
from telemetry.domain.values.value import Pair, Value
from telemetry.services.record_export import ExportPage, ExportProgress
from telemetry.web.csv_cells import csv_line, on_one_line
from telemetry.web.records import ExportQuery, Format, Shape, cut

COLUMNS = (
    "id", "received_at", "event_at", "product", "version", "user", "hwid", "ip", "event_ip", "country", "dialect",
    "group", "data_type", "value", "flags", "message", "evidence", "license_id", "license_last4", "license_state",
    "customer_id", "customer_name", "api_key_id", "api_key", "damage", "forgotten",
)  # fmt: skip

_EXACT = 2.0**53
"""From here on a double may be another whole number than the one that was sent."""

CONTENT_TYPES = {Format.CSV: "text/csv; charset=utf-8", Format.NDJSON: "application/x-ndjson"}


def header_of(format_: Format) -> bytes:
    """The first line of a file."""
    return csv_line(COLUMNS) if format_ is Format.CSV else b""


def line_of(format_: Format, shape: Shape, key_of: Callable[[str], ApiKey | None]) -> Callable[[RecordView], bytes]:
    """The function that turns a record into a line; `key_of` finds an API key by its id, and remembers it."""

    def as_csv(view: RecordView) -> bytes:
        key = key_of(view.record.api_key_id)
        row = _flat(shape.row(view)) | _told(view) | {"api_key": on_one_line(key.name if key else None)}
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
    return {name: on_one_line(cells[name]) for name in COLUMNS if name in cells}


def _told(view: RecordView) -> dict[str, str]:
    """What a row of a list has no room for: the value, the sentence about the flags, and what was seen for each."""
    seen = [f"{flag}: {view.seen[flag]}" for flag in Flag if view.seen.get(flag)]
    return {
        "value": _value(view.contents.event.value),
        "message": on_one_line(explain(view.flags, view.seen)),
        "evidence": on_one_line("; ".join(seen)),
    }


def _value(value: Value | None) -> str:
    """A number as it is, also a negative one, which no spreadsheet takes for a formula; a pair as JSON; or a text."""
    match value:
        case float():
            return _number(value)
        case Pair(x, y):
            return f'{{"x":{_number(x)},"y":{_number(y)}}}'
        case _:
            return on_one_line(cut(value))


def _number(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < _EXACT else repr(number)
