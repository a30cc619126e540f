"""Companies and developers as lines of a file."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aws_lambda_powertools.event_handler import Response

from telemetry.domain.profiles.cards import CompanyCard, DeveloperCard
from telemetry.domain.profiles.views import Closed
from telemetry.services.profiles.export import CardPage
from telemetry.web.csv_cells import csv_line, on_one_line
from telemetry.web.exports import CONTENT_TYPES
from telemetry.web.profiles import answers
from telemetry.web.profiles.bodies import ProfileShape
from telemetry.web.records import Format

ACTIVITY = (
    "first_day", "last_day", "active_days", "active_days_before", "uses", "uses_primary", "uses_secondary",
    "uses_unclassified", "weeks",
)  # fmt: skip
COMPANY_COLUMNS = ("id", "name", "source", "confidence", "developers", "developers_before", "countries", *ACTIVITY)
DEVELOPER_COLUMNS = (
    "id", "name", "id_type", "company_id", "company_name", "company_source", "company_confidence", "carried", *ACTIVITY,
)  # fmt: skip


def company_line(format_: Format, shape: ProfileShape) -> Callable[[CompanyCard], bytes]:
    """The function that turns a company into a line."""

    def as_csv(card: CompanyCard) -> bytes:
        item = shape.company_card(card)
        cells = {**item, "countries": " ".join(item["countries"]), **_activity(item["activity"])}
        return _line(cells[name] for name in COMPANY_COLUMNS)

    return as_csv if format_ is Format.CSV else lambda card: _json(shape.company_card(card))


def developer_line(format_: Format, shape: ProfileShape) -> Callable[[DeveloperCard], bytes]:
    """The function that turns a developer into a line."""

    def as_csv(card: DeveloperCard) -> bytes:
        item = shape.developer_card(card)
        company: Mapping[str, Any] = item["company"] or {}
        cells = {
            **item,
            **{f"company_{name}": company.get(name) for name in ("id", "name", "source", "confidence")},
            "carried": "true" if item["carried"] else "false",
            **_activity(item["activity"]),
        }
        return _line(cells[name] for name in DEVELOPER_COLUMNS)

    return as_csv if format_ is Format.CSV else lambda card: _json(shape.developer_card(card))


def file_answer(
    what: str, page: CardPage, format_: Format, shape: ProfileShape, closed: Closed | None, link: Mapping[str, str]
) -> Response[str]:
    """A page of a file, and as of which day it is; the last one says how many rows the file has, and its digest."""
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{what}-{shape.environment}.{format_}"',
        "X-Content-Type-Options": "nosniff",
        **({"Closed-Day": closed.day.isoformat(), "Profiles-View": str(closed.attributed.view)} if closed else {}),
        **link,
    }
    if not page.has_more:
        headers |= {"Export-Rows": str(page.progress.rows), "Export-SHA-256": page.progress.digest.hex()}
    return Response(200, CONTENT_TYPES[format_], page.lines.decode(), headers)


def header_of(columns: tuple[str, ...], format_: Format) -> bytes:
    """The first line of a file."""
    return csv_line(columns) if format_ is Format.CSV else b""


def _activity(activity: answers.ProfileActivity | None) -> dict[str, Any]:
    if activity is None:
        return dict.fromkeys(ACTIVITY)
    uses = activity["uses"]
    return {
        **activity,
        "uses": uses["total"],
        **{f"uses_{level}": uses[level] for level in ("primary", "secondary", "unclassified")},
        "weeks": " ".join(map(str, activity["weeks"])),
    }


def _line(cells: Iterable[object]) -> bytes:
    return csv_line(on_one_line(None if cell is None else str(cell)) for cell in cells)


def _json(item: Mapping[str, Any]) -> bytes:
    return json.dumps(item, separators=(",", ":")).encode() + b"\n"
