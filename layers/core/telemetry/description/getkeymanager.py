"""The GetKeyManager dialect: SDK telemetry, licences and activations (docs/protocols.md)."""

from typing import Annotated, Any, Literal, TypedDict

from annotated_types import Len

from telemetry.description import examples
from telemetry.description.operations import Answer, Content, Json, Operation, header, query
from telemetry.description.security import SDK
from telemetry.domain.json_strings import Form, Instant
from telemetry.domain.telemetry_query import LARGEST_PAGE, LAST_RECORD

TAG = "SDK telemetry and licences (GetKeyManager)"

EventTime = Annotated[str | float, Form(description="Epoch seconds or milliseconds, or ISO 8601")]
IntegerOrText = str | int
Number = Annotated[float | str, Form(description="A number, or its text")]
Bit = Literal[0, 1]


# ── events


class _EventFields(TypedDict, total=False):
    api_key: str
    """The API key, for SDKs that send it in the body. It is masked before the body is stored."""
    license_key: str
    """May be empty or `unknown`."""
    activation_identifier: str
    hwid: str
    """The device that counts."""
    user_identifier: IntegerOrText
    product_id: IntegerOrText
    product_version: str
    country: str
    """ISO 3166 alpha-2."""
    metadata: dict[str, Any]
    flags: list[str] | dict[str, bool]
    """Findings of the SDK: their names, or an object whose true members count."""
    event_id: IntegerOrText
    """Events with the same id and the same content are stored once."""
    event_at: EventTime


class _Grouped(_EventFields):
    data_group: str


class NumberEvent(_Grouped):
    """An event with one number."""

    data_type: Literal["numeric-single-value"]
    numeric_data_single_value: Number


class PointEvent(_Grouped):
    """An event with two numbers."""

    data_type: Literal["numeric-xy-axis"]
    numeric_data_x: Number
    numeric_data_y: Number


class TextEvent(_Grouped):
    """An event with a text."""

    data_type: Literal["text"]
    text_data: str


SdkEvent = NumberEvent | PointEvent | TextEvent


class _Envelope(TypedDict, total=False):
    api_key: str


class EventEnvelope(_Envelope):
    """Several events in one request."""

    events: Annotated[list[SdkEvent], Len(0, 500)]


EventsOfRequest = SdkEvent | Annotated[list[SdkEvent], Len(0, 500)] | EventEnvelope


# ── answers

FieldErrors = Annotated[list[str], Len(0, 0)] | dict[str, list[str]]
"""What is wrong, by field; an empty list when nothing is: PHP clients know an empty list and a filled object."""


class ResponseStatus(TypedDict):
    """The code of an answer, what it means, and what was wrong."""

    code: int
    message: str
    errors: FieldErrors
    timestamp: int
    """Epoch seconds."""


class GetKeyManagerError(TypedDict):
    """Any answer to a request that failed."""

    response: ResponseStatus


class _Signed(TypedDict):
    response_base64: str
    """The compact JSON of `response`."""
    private_key_used: Literal["global"]


class EventAnswer(_Signed):
    """The answer to one event. Code 830: its format is correct; 831: it is not, and `errors` says why."""

    response: ResponseStatus
    telemetry_id: str | None
    is_flagged: bool
    """Whether the record carries any flag."""


class EventResult(TypedDict):
    """What became of an event of a batch."""

    telemetry_id: str | None
    status: Literal["stored", "duplicate", "conflict", "failed"]
    is_flagged: bool
    errors: FieldErrors


class BatchAnswer(TypedDict):
    """The answer to several events: one result for each, in order."""

    response: ResponseStatus
    results: list[EventResult]


# ── licences


class _LicenseFields(TypedDict, total=False):
    api_key: str
    identifier: IntegerOrText
    """The device: a hardware id or a domain, of at most 1,024 characters."""
    hardwareId: IntegerOrText
    """Other names of `identifier`; the first that has a value counts."""
    hardware_id: IntegerOrText
    domain: IntegerOrText
    server_domain: IntegerOrText
    product_uuid: IntegerOrText
    """The id of the product that the caller expects."""


class LicenseRequest(_LicenseFields):
    """Which licence, and for which device."""

    license_key: str


class PublicLicense(TypedDict):
    """What callers may know of a licence."""

    product_uuid: str | None
    status: Literal["available", "assigned", "active", "suspended", "expired", "revoked"]
    expires_at: Instant | None
    activation_limit: int
    """0: none."""


class LicenseData(PublicLicense):
    """A licence, in `response`."""

    uuid: str


class AnsweredLicense(PublicLicense):
    """A licence, beside `response`."""

    license_key: str | None
    """As it was sent."""
    product_name: str | None
    features: dict[str, Any]


class AnsweredActivation(TypedDict):
    """The activation of the device."""

    id: str
    identifier: str | None
    """As it was sent."""
    activated_at: Instant


class LicenseStatus(ResponseStatus, total=False):
    """The code, and the licence if one was found."""

    data: LicenseData


class _LicenseAnswerOptional(TypedDict, total=False):
    license: AnsweredLicense
    activation: AnsweredActivation


class LicenseAnswer(_Signed, _LicenseAnswerOptional):
    """What was found. It is told twice: in `response`, and beside it, where SDKs read it."""

    response: LicenseStatus
    code: int
    message: str
    success: bool
    """Whether nothing was refused."""
    valid: bool
    """Whether the device may run."""


# ── telemetry read back


class _Missing(TypedDict, total=False):
    damage: str
    """Why the record cannot be read."""
    forgotten: bool
    """Always true: the user or device is forgotten, and so neither ids nor `data` are told."""


class TelemetryRow(_Missing):
    """A record: what was sent, and how it was judged."""

    id: str
    user_identifier: str | None
    license_key: str | None
    activation_identifier: str | None
    product_id: str | None
    product_version: str | None
    data_type: str | None
    data_group: str | None
    data: Any
    """The number, the text, `{"x", "y"}`, or `meta` of product usage."""
    is_correct_format: Bit
    license_key_exists: Bit
    product_exists: Bit
    product_version_exists: Bit
    has_red_flags: Bit
    created_at: Instant
    """The time of receipt."""
    updated_at: Instant


class TelemetryPage(ResponseStatus):
    """The code, and a page of records."""

    data: list[TelemetryRow]
    page: int
    per_page: int
    has_more: bool
    next: str | None
    """The parameter `next` of the page after this one."""


class TelemetryAnswer(_Signed):
    """A page of records, newest first; code 970, also when nothing was found."""

    response: TelemetryPage


# ── operations

_ERROR = [Content(GetKeyManagerError)]
_RETRY = {"Retry-After": "Seconds to wait before sending again"}
_REFUSED: dict[int, Answer] = {
    401: Answer(
        "No good key. Code 100: unknown; 101: inactive or expired; 102: lacks the capability; 103: address not allowed",
        _ERROR,
    ),
    403: Answer("Code 150: `environment` names another environment than the key's", _ERROR),
    500: Answer("An internal error; send again", _ERROR),
}
_BUSY = {503: Answer("Storage does not answer; send again", _ERROR, _RETRY)}
_ENVIRONMENT = query("environment", {"$ref": "#/components/schemas/Environment"}, "Must be the environment of the key")
_FORM: Json = {
    "type": "object",
    "description": "The same fields as text. `name[]` and `name[0]` are lists, `name[key]` are objects.",
    "additionalProperties": {"type": "string"},
}


def _forms(example: Json) -> list[Content]:
    return [
        Content(_FORM, {"Form": example}, "application/x-www-form-urlencoded"),
        Content(_FORM, {}, "multipart/form-data"),
    ]


def _below(*names: str) -> list[str]:
    return [f"{base}/{name}" for base in ("/api/v1", "/v1") for name in names]


def _licensing(action: str, summary: str, description: str, found: Json) -> Operation:
    path, *aliases = _below(action)
    key = header("Idempotency-Key", {"type": "string"}, "The same key has the same answer for 24 hours")
    return Operation(
        id=f"{action}_license",
        method="post",
        path=path,
        aliases=aliases,
        tag=TAG,
        summary=summary,
        description=description,
        security=SDK,
        parameters=[_ENVIRONMENT, key],
        bodies=[Content(LicenseRequest, examples.LICENSE_REQUESTS), *_forms(examples.LICENSE_FORM)],
        answers={
            200: Answer("What was found; `code` says what it is", [Content(LicenseAnswer, found)]),
            400: Answer("Code 422: the body is neither a JSON object nor a form", _ERROR),
            422: Answer("Code 422: the Idempotency-Key was used for another request", _ERROR),
            **_REFUSED,
            **_BUSY,
        },
    )


_SEND, *_SEND_ALIASES = _below("telemetry", "send-telemetry", "send-telemetry-data")
_READ, *_READ_ALIASES = _below("telemetry", "get-telemetry", "get-telemetry-data")
_PAGES = "`next` goes on exactly where the page before ended, with the same filters."

OPERATIONS = [
    Operation(
        id="send_telemetry",
        method="post",
        path=_SEND,
        aliases=_SEND_ALIASES,
        tag=TAG,
        summary="Stores one event, or up to 500.",
        description=(
            "Takes a key with the capability `ingest`. Whatever is sent is stored as it was received; what looks wrong "
            "is flagged, never refused. Any answer other than 200 means: not (all) stored, send it again. A gzip body "
            "is sent as `application/octet-stream`; several events may also be sent as NDJSON, one on each line."
        ),
        security=SDK,
        parameters=[_ENVIRONMENT],
        bodies=[
            Content(EventsOfRequest, examples.EVENTS),
            *_forms(examples.EVENT_FORM),
            Content({"type": "string"}, {"Two lines": examples.EVENT_LINES}, "application/x-ndjson"),
        ],
        answers={
            200: Answer("All is stored", [Content(EventAnswer | BatchAnswer, examples.EVENT_ANSWERS)]),
            **_REFUSED,
            503: Answer("Not all is stored; send all of it again", [Content(GetKeyManagerError | BatchAnswer)], _RETRY),
        },
    ),
    Operation(
        id="read_telemetry",
        method="get",
        path=_READ,
        aliases=_READ_ALIASES,
        tag=TAG,
        summary="Reads records back, newest first.",
        description=(f"Takes a key with the capability `read`. {_PAGES} Blank and unknown parameters are ignored."),
        security=SDK,
        parameters=[
            _ENVIRONMENT,
            query("data_type", {"type": "string"}, "As it was sent"),
            query("data_group", {"type": "string"}, "As it was sent; of product usage, the activity type"),
            query(
                "product_id", {"type": "string"}, "The product that the record counts for, or the id it was sent under"
            ),
            query("user_identifier", {"type": "string"}, "The user, as it is counted; a placeholder names nobody"),
            query("license_key", {"type": "string"}, "`unknown` finds what was sent without a licence key"),
            query("has_red_flags", {"enum": ["true", "1", "false", "0"]}, "Flagged or clean records only"),
            query(
                "page",
                {"type": "integer", "minimum": 1, "maximum": LAST_RECORD, "default": 1},
                f"Pages by number reach the first {LAST_RECORD:,} records",
            ),
            query(
                "per_page",
                {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": 25},
                "Records of a page",
            ),
            query("next", {"type": "string"}, "From the page before; `page` is then ignored"),
        ],
        answers={
            200: Answer("A page of records", [Content(TelemetryAnswer, examples.TELEMETRY_PAGE)]),
            400: Answer("Code 422: `errors` names the parameters that are wrong", _ERROR),
            **_REFUSED,
            **_BUSY,
        },
    ),
    _licensing("verify", "May this device run?", "Takes a key with the capability `ingest`.", examples.VERIFIED),
    _licensing(
        "activate",
        "Takes a seat of a licence for a device.",
        "Takes a key with the capability `ingest`. Activating again is answered with 301.",
        examples.ACTIVATED,
    ),
    _licensing(
        "deactivate",
        "Gives the seat of a device back.",
        "Takes a key with the capability `ingest`. It works whatever the state of the licence.",
        examples.DEACTIVATED,
    ),
]
