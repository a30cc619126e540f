"""The Reo.Dev dialect: product usage (docs/protocols.md)."""

from typing import Annotated, Any, Literal, TypedDict

from annotated_types import Ge, Le

from telemetry.description import examples
from telemetry.description.getkeymanager import EventTime, IntegerOrText
from telemetry.description.operations import Answer, Content, Operation, query
from telemetry.description.security import SDK
from telemetry.dialects.reo import MOST_USES

TAG = "Product usage (Reo.Dev)"


class _UsageOptional(TypedDict, total=False):
    environment: str
    """Any text; the name of another environment than the key's is flagged."""
    user_id: IntegerOrText
    """Empty means missing."""
    user_id_type: Literal["EMAIL", "SOCIAL", "LINKEDIN", "GITHUB", "USERNAME", "ANONYMOUS"]
    user_agent: str
    """Required where `user_id` is missing, except for aggregated usage."""
    ip_addr: str
    """The address of the system that the event is about."""
    domain: str
    event_id: IntegerOrText
    meta: dict[str, Any]


class Usage(_UsageOptional):
    """One use of a product."""

    activity_type: str
    source: str
    """`TELEMETRY`, `SAAS_PRODUCT`, `PRODUCT_CLOUD` or any other text."""
    product_id: IntegerOrText
    event_at: EventTime


class AggregateUsage(Usage):
    """Usage that the client has added up: one record that stands for `count` uses. It needs `domain` or `ip_addr`."""

    count: Annotated[int, Ge(1), Le(MOST_USES)]
    mode: Literal["DOMAIN", "USER"]


class UsageRequest(TypedDict):
    """One event."""

    payload: Usage


class AggregateUsageRequest(TypedDict):
    """One event of aggregated usage."""

    payload: AggregateUsage


class UsageStored(TypedDict):
    """The event is stored. The code is a text."""

    response_code: Literal["200"]
    response: Literal["Data Uploaded"]
    status: Literal["success"]


class UsageFailure(TypedDict):
    """Nothing is stored. The code is an integer."""

    response_code: int
    response: str
    status: Literal["failure"]


def _usage(id_: str, path: str, summary: str, body: Content) -> Operation:
    failure = [Content(UsageFailure)]
    return Operation(
        id=id_,
        method="post",
        path=path,
        tag=TAG,
        summary=summary,
        description=(
            "Takes a key with the capability `ingest`. Whatever is sent is stored; what looks wrong is flagged. A "
            "payload with `mode` or `count` is read as aggregated usage on both routes."
        ),
        security=SDK,
        parameters=[
            query("environment", {"$ref": "#/components/schemas/Environment"}, "Must be the environment of the key")
        ],
        bodies=[body],
        answers={
            200: Answer("Stored", [Content(UsageStored, examples.USAGE_STORED)]),
            400: Answer("No key that is good for this", [Content(UsageFailure, examples.USAGE_REFUSED)]),
            500: Answer("An internal error; send again", failure),
            503: Answer("Storage does not answer; send again", failure, {"Retry-After": "Seconds to wait"}),
        },
    )


OPERATIONS = [
    _usage(
        "send_product_usage",
        "/api/product/usage",
        "Stores one use of a product.",
        Content(UsageRequest, examples.USAGE),
    ),
    _usage(
        "send_aggregate_usage",
        "/api/product/aggregateusage",
        "Stores usage that the client has added up.",
        Content(AggregateUsageRequest, examples.AGGREGATE_USAGE),
    ),
]
