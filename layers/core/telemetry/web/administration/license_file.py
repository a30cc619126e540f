"""Licences as lines of a CSV file."""

import json
from datetime import datetime
from typing import Any

from aws_lambda_powertools.event_handler import Response

from telemetry.domain.license_list import LicenseFilter, LicenseOrder
from telemetry.services.administration.license_list import LicenseList, ListedLicense
from telemetry.services.record_export import ExportProgress, note_export
from telemetry.web.administration.routing import Call
from telemetry.web.csv_cells import csv_line, on_one_line
from telemetry.web.exports import file_headers
from telemetry.web.paging import next_link
from telemetry.web.records import instant

COLUMNS = (
    "id", "last_four", "product_id", "customer_id", "customer_name", "state", "active_activations", "activation_limit",
    "expires_at", "last_seen", "created_at",
)  # fmt: skip

ROWS = 500
"""Of one page: when each was last seen takes two small requests."""


def page_of(
    call: Call, licenses: LicenseList, wanted: LicenseFilter, order: LicenseOrder, cursor: str | None
) -> Response[str]:
    """A page of the file; the last one says how many rows the file has, and its digest."""
    after, progress, lines = _place(call.position(cursor))
    if cursor is None:
        note_export(call.staff, wanted.environment, _asked(wanted, order), call.stores.audit, "licenses")
        lines.append(csv_line(COLUMNS))
        progress = progress.having(lines[0], rows=0)
    page = licenses.page(wanted, order, ROWS, after)
    for each in page.items:
        lines.append(_line(each, call.staff.now))
        progress = progress.having(lines[-1])
    position = page.next and json.dumps([page.next, progress.rows, progress.digest.hex()])
    link = next_link(call.request, position, call.stores.keyring)
    headers = file_headers(f"licenses-{wanted.environment}.csv", link, progress)
    return Response(200, "text/csv; charset=utf-8", b"".join(lines).decode(), headers)


def _place(position: str | None) -> tuple[str | None, ExportProgress, list[bytes]]:
    if position is None:
        return None, ExportProgress(), []
    after, rows, digest = json.loads(position)
    return after, ExportProgress(rows=rows, digest=bytes.fromhex(digest)), []


def _asked(wanted: LicenseFilter, order: LicenseOrder) -> dict[str, Any]:
    """The filters and the order, for the audit log."""
    asked = {
        "product_id": wanted.product_id,
        "customer_id": wanted.customer_id,
        "state": wanted.state,
        "seats": wanted.seats,
        "expires_by": wanted.ends_by and instant(wanted.ends_by),
        "sort": order,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _line(told: ListedLicense, now: datetime) -> bytes:
    license_ = told.license
    cells: dict[str, object] = {
        "id": license_.id,
        "last_four": license_.last_four,
        "product_id": license_.product_id,
        "customer_id": license_.customer_id,
        "customer_name": told.customer_name,
        "state": license_.state_at(now),
        "active_activations": license_.active_activations,
        "activation_limit": license_.activation_limit,
        "expires_at": license_.expires_at and instant(license_.expires_at),
        "last_seen": told.last_seen and instant(told.last_seen),
        "created_at": instant(license_.created_at),
    }
    return csv_line(_cell(cells[name]) for name in COLUMNS)


def _cell(value: object) -> str:
    """Numbers as they are: a limit of -1 is no formula."""
    return str(value) if isinstance(value, int) else on_one_line(None if value is None else str(value))
