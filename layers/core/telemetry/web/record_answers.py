"""What the routes about records answer, as JSON. `records` makes it; the API's description shows it."""

from typing import Annotated, Any, TypedDict

from telemetry.domain.attribution import AttributionKind, AttributionSource
from telemetry.domain.event import Dialect
from telemetry.domain.flags import Flag
from telemetry.domain.json_strings import Form, Instant
from telemetry.domain.license import LicenseState
from telemetry.services.attributions import NetworkFileUse
from telemetry.web.analytics_answers import ApiKeyName, CustomerName

DialectName = Annotated[str, Form(enum=[dialect.name.lower() for dialect in Dialect])]


class RecordLicense(TypedDict):
    """The licence of a record, as the registry has it today."""

    id: str
    last4: str
    state: LicenseState


class RecordRow(TypedDict):
    """A record in a list. Texts of clients are cut at 256 characters."""

    id: str
    received_at: Instant
    event_at: Instant | None
    product: str
    version: str | None
    user: str | None
    hwid: str | None
    ip: str
    """The caller's address."""
    event_ip: str | None
    """The address that the event is about, if it is another one."""
    country: str | None
    dialect: DialectName
    group: str | None
    license: RecordLicense | None
    customer: CustomerName | None
    flags: list[Flag]
    data_type: str | None
    api_key_id: str
    damage: str | None
    """The part of the record that cannot be read."""
    forgotten: bool
    """Its user or device is forgotten: it shows neither, nor its body."""


class RecordPage(TypedDict):
    """Some records, newest first."""

    items: list[RecordRow]
    next: str | None
    """The `cursor` of the next page; null at the end."""


class TextBody(TypedDict):
    """A body that is UTF-8."""

    text: str


class BinaryBody(TypedDict):
    """A body that is not."""

    base64: str


class LargeBody(TypedDict):
    """A body that does not fit into the answer: its size, and the path to get it from."""

    bytes: int
    href: str


Body = TextBody | BinaryBody | LargeBody


class RecordWithBody(RecordRow):
    """A line of an export in the format `ndjson`: a record with its body as it was received."""

    raw: Body | None
    """Null for a body that cannot be read, and of a record that names somebody who is forgotten."""


class RecordCompany(TypedDict):
    """Who is behind a record, as it looks today: a company, or only a network, or nobody is known (`none`)."""

    kind: AttributionKind
    id: str | None
    """Of a company its domain, or `~o:` and a name where no domain is known; of a network its number, as `AS64500`."""
    name: str | None
    source: AttributionSource | None
    confidence: int
    """Of a company from 3, told by a domain, to 1, told by an address of which little is known; 0 where it is none."""
    country: str | None
    """Of the address, whoever is behind it."""
    network_file: NetworkFileUse


class RecordContext(TypedDict):
    """What the record was judged by."""

    evidence: dict[Flag, str]
    rules_version: int | None
    metadata: Any


class RecordDetail(RecordWithBody):
    """A record with all details."""

    flags_judged_later: list[Flag] | None
    """The flags of a first judgement that came after the record was stored."""
    message: str | None
    context: RecordContext
    payload: Any
    """The event as it was read; null where the body is too large for an answer, or is not shown."""
    api_key: ApiKeyName
    company: RecordCompany
    expires_at: Instant
