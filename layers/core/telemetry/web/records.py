"""Requests and answers of the routes about records (docs/analytics.md)."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from telemetry.domain.api_key import ApiKey
from telemetry.domain.environment import Environment
from telemetry.domain.errors import NotFound
from telemetry.domain.event import normalise_user
from telemetry.domain.flag_explanations import explain
from telemetry.domain.flags import Flag
from telemetry.domain.ids import trimmed
from telemetry.domain.keyring import Keyring
from telemetry.domain.placeholder import is_placeholder
from telemetry.domain.record import NO_ADDRESS, Record, telemetry_id
from telemetry.domain.record_search import RecordFilter, RecordView
from telemetry.domain.search import fingerprint_of_key_name
from telemetry.domain.window import Range, Window, window_of
from telemetry.services.attributions import Shown
from telemetry.services.record_export import ExportProgress
from telemetry.web import record_answers as answers
from telemetry.web.analytics_answers import CustomerName
from telemetry.web.checks import check_parameters
from telemetry.web.http import Request
from telemetry.web.moments import Moment
from telemetry.web.paging import LARGEST_PAGE, USUAL_PAGE, link_with, position_of

LARGEST_ANSWER = 4_500_000
"""Bytes of JSON in JSON: Lambda takes 6 MB."""

LARGEST_PART = 3_000_000
"""Bytes of a body that are given at a time."""

LONGEST_TEXT = 256
"""Characters of a client's text that a row shows; the whole text is in the body."""

RECORDS = "/api/v1/analytics/records"

_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_KEY_NAME = "1[A-Za-z0-9_-]{21}[AQgw]"
"""Of 16 bytes in base64url, the last character tells two bits only."""

LONGEST_ID = 256

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_024)]
Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_ID)]
"""The longest that import takes; DynamoDB allows no key of more than 2,048 bytes."""


def _counted(id_: str | None) -> str:
    if not id_ or is_placeholder(id_):
        raise ValueError("Names nobody; records with an id like this are found by flag=PLACEHOLDER_ID")
    return id_


def _license(text: str) -> str:
    """A licence key in an address ends up in histories and logs: it is refused, and not repeated."""
    if _UUID.fullmatch(text):
        return text.lower()
    if fingerprint_of_key_name(text) is None:
        raise ValueError(
            "Wants the id of a licence, never its key: POST /api/v1/analytics/search finds the id by the key"
        )
    return text


def license_in_path(text: str) -> str:
    """The id of a licence in a path. Raises NotFound, which does not repeat it: it may be a key."""
    if not _UUID.fullmatch(text):
        raise NotFound("licence of this id")
    return text.lower()


def customer_in_path(text: str) -> str:
    """The id of a customer in a path. Raises NotFound for one that no customer can have."""
    if len(text) > LONGEST_ID:
        raise NotFound("customer of this id")
    return text


LicenseId = Annotated[
    Text, AfterValidator(_license), Field(json_schema_extra={"pattern": f"^(?:{_UUID.pattern}|{_KEY_NAME})$"})
]
User = Annotated[Text, AfterValidator(normalise_user), AfterValidator(_counted)]
Device = Annotated[Text, AfterValidator(trimmed), AfterValidator(_counted)]


class Format(StrEnum):
    """Of an export."""

    CSV = "csv"
    NDJSON = "ndjson"


class EnvironmentQuery(BaseModel):
    """The parameter of every route. An unknown one is an error: an ignored filter would show too much."""

    model_config = ConfigDict(extra="forbid")

    environment: Environment

    @classmethod
    def of(cls, request: Request) -> Self:
        """Reads a request's parameters. Raises RequestValidationError."""
        check_parameters(request, {field.alias or name for name, field in cls.model_fields.items()})
        try:
            return cls.model_validate(request.query)
        except ValidationError as exc:
            raise RequestValidationError(exc.errors()) from exc


class Query(EnvironmentQuery):
    """The parameters of every route that tells of a window."""

    range: Range | None = None
    first: Moment = Field(None, alias="from")
    last: Moment = Field(None, alias="to")
    product: Text | None = None

    def window(self, now: datetime) -> Window:
        """By default the last 24 hours. Raises InvalidField."""
        return window_of(self.range, self.first, self.last, now)


class BodyQuery(Query):
    """A part of a record's body."""

    offset: int = Field(0, ge=0)


class FilterQuery(Query):
    """Which records are wanted."""

    license_id: LicenseId | None = None
    customer_id: Id | None = None
    user: User | None = None
    hwid: Device | None = None
    ip: Text | None = None
    flagged: bool | None = None
    flag: Flag | None = None
    version: Text | None = None
    api_key_id: Text | None = None
    cursor: str | None = Field(None, exclude=True)

    def filter(self, window: Window) -> RecordFilter:
        """As the domain's type."""
        return RecordFilter(
            window=window,
            product=self.product,
            license_id=self.license_id,
            customer_id=self.customer_id,
            user=self.user,
            device=self.hwid,
            source_ip=self.ip,
            is_flagged=self.flagged,
            flag=self.flag,
            version=self.version,
            api_key_id=self.api_key_id,
        )


class ListQuery(FilterQuery):
    """A page of records."""

    limit: int = Field(USUAL_PAGE, ge=1, le=LARGEST_PAGE)


class ExportQuery(FilterQuery):
    """All records, as a file."""

    format: Format

    def named(self, window: Window) -> dict[str, Any]:
        """The filters, for the audit log."""
        asked = self.model_dump(mode="json", exclude={"environment", "range", "first", "last"}, exclude_none=True)
        return asked | {"from": instant(window.since), "to": instant(window.until)}


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a list, with the window it began with: an hour later `24h` means another window."""

    window: Window
    progress: ExportProgress

    @classmethod
    def of(cls, query: FilterQuery, request: Request, keyring: Keyring, now: datetime) -> Self:
        """The position in the request's cursor, else the beginning. Raises InvalidCursor, InvalidField."""
        position = position_of(query.cursor, request, keyring)
        if position is None:
            return cls(query.window(now), ExportProgress())
        since, until, after, rows, digest = json.loads(position)
        window = Window(datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC))
        return cls(window, ExportProgress(tuple(after), rows, bytes.fromhex(digest)))

    def position(self) -> str | None:
        """For a cursor; None at the end."""
        after, rows, digest = self.progress.after, self.progress.rows, self.progress.digest.hex()
        if after is None:
            return None
        window = self.window.since.timestamp(), self.window.until.timestamp()
        return json.dumps([*window, after, rows, digest], separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Shape:
    """How records of an environment are shown."""

    environment: Environment
    keyring: Keyring
    now: datetime

    def row(self, view: RecordView) -> answers.RecordRow:
        """A record in a list."""
        record, said = view.record, view.contents
        event_at = said.event.event_at
        return {
            "id": telemetry_id(record.key, self.environment, self.keyring),
            "received_at": instant(record.received_at),
            "event_at": None if event_at is None else instant(datetime.fromtimestamp(event_at / 1000, UTC)),
            "product": record.product,
            "version": record.product_version,
            "user": cut(said.event.user_id),
            "hwid": cut(said.event.device_id),
            "ip": record.source_ip,
            "event_ip": None if record.address == NO_ADDRESS else record.address,
            "country": record.country,
            "dialect": record.dialect.name.lower(),
            "group": cut(said.event.group),
            "license": self._license(view),
            "customer": _customer(view),
            "flags": [flag for flag in Flag if flag in view.flags],
            "data_type": cut(said.data_type),
            "api_key_id": record.api_key_id,
            "damage": record.damage,
            "forgotten": view.is_forgotten,
        }

    def row_with_body(self, view: RecordView) -> answers.RecordWithBody:
        """A record in a list, with its body as it was received; where that is too large, with where to get it.

        Of a body that cannot be read `raw` is None, and `damage` says why.
        """
        row = self.row(view)
        whole: answers.RecordWithBody = {**row, "raw": _raw(view.record)}
        return whole if _fits(whole) else {**row, "raw": self._elsewhere(view)}

    def detail(self, view: RecordView, key: ApiKey | None, behind: Shown) -> answers.RecordDetail:
        """A record with all details. If its body is too large, `raw` says where to get it; there is no `payload`."""
        record, later = view.record, view.judged_later
        detail: answers.RecordDetail = {
            **self.row(view),
            "flags_judged_later": [flag for flag in Flag if flag in later.flags] if later else None,
            "message": explain(view.flags, view.seen),
            "context": {
                "evidence": dict(view.seen),
                "rules_version": view.rules_version,
                "metadata": view.contents.metadata,
            },
            "payload": view.contents.payload,
            "raw": _raw(record),
            "api_key": {
                "id": record.api_key_id,
                "name": key.name if key else None,
                "last4": key.last_four if key else None,
            },
            "company": {
                "kind": behind.attribution.kind,
                "id": behind.attribution.id,
                "name": behind.attribution.name,
                "source": behind.attribution.source,
                "confidence": behind.attribution.confidence,
                "country": behind.attribution.country,
                "network_file": behind.network_file,
            },
            "expires_at": instant(record.expires_at),
        }
        if _fits(detail):
            return detail
        context: answers.RecordContext = {**detail["context"], "metadata": None}
        return {**detail, "context": context, "payload": None, "raw": self._elsewhere(view)}

    def _elsewhere(self, view: RecordView) -> answers.LargeBody:
        id_ = telemetry_id(view.record.key, self.environment, self.keyring)
        href = f"{RECORDS}/{id_}/raw?{urlencode({'environment': self.environment})}"
        return {"bytes": len(view.record.raw), "href": href}

    def _license(self, view: RecordView) -> answers.RecordLicense | None:
        license_ = view.license
        if license_ is None:
            return None
        return {"id": license_.id, "last4": license_.last_four, "state": license_.state_at(self.now)}


def part_of(body: bytes, offset: int, request: Request) -> Response[bytes]:
    """The part of a body that fits into an answer; the Link header leads to the rest."""
    end = offset + LARGEST_PART
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": "attachment",
        **(link_with(request, offset=str(end)) if end < len(body) else {}),
    }
    return Response(200, "application/octet-stream", body[offset:end], headers)


def instant(moment: datetime) -> str:
    """`2026-11-21T08:30:00.123Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _customer(view: RecordView) -> CustomerName | None:
    """A customer; one that is not registered (an import may name one) has an id, but no name."""
    if view.license is None or view.license.customer_id is None:
        return None
    return {"id": view.license.customer_id, "name": view.customer.name if view.customer else None}


def _raw(record: Record) -> answers.TextBody | answers.BinaryBody | None:
    if not record.has_body:
        return None
    try:
        return {"text": record.raw.decode()}
    except UnicodeDecodeError:
        return {"base64": b64encode(record.raw).decode()}


def _fits(answer: Mapping[str, Any]) -> bool:
    return len(json.dumps(json.dumps(answer))) <= LARGEST_ANSWER


def cut(text: str | None) -> str | None:
    """A client's text as a row shows it."""
    return text if text is None or len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
