"""What the search is asked and answers. The text may be a licence key: nothing here repeats or keeps it."""

from typing import Annotated, Self, TypedDict

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

from telemetry.domain.environment import Environment
from telemetry.domain.errors import InvalidField
from telemetry.domain.search import LONGEST_TEXT, SHORTEST_TEXT, HitKind, Hits
from telemetry.web.checks import check_is_json, json_object
from telemetry.web.http import Request

LARGEST_BODY = 8_192
"""Bytes. The longest text, however it is spelled, and all kinds take less."""


def _sound(text: str) -> str:
    if any("\ud800" <= each <= "\udfff" for each in text):
        raise ValueError("Must be valid text")
    return text


class SearchRequest(BaseModel):
    """What to look for. Without `kinds`, all that the caller may see."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    text: Annotated[str, StringConstraints(min_length=SHORTEST_TEXT, max_length=LONGEST_TEXT), AfterValidator(_sound)]
    kinds: list[HitKind] | None = None

    @classmethod
    def of(cls, request: Request) -> Self:
        """Reads a request's body.

        Raises RequestUnsupportedContentType, UnreadableBody, InvalidField and RequestValidationError, none of which
        tells what was sent: not even names of fields, where a key may have slipped into.
        """
        check_is_json(request)
        if len(request.body) > LARGEST_BODY:
            raise InvalidField("text", f"The body has more than {LARGEST_BODY:,} bytes")
        body = json_object(request.body)
        if body.keys() - cls.model_fields.keys():
            raise InvalidField("body", f"May have these fields only: {', '.join(cls.model_fields)}")
        try:
            return cls.model_validate(body)
        except ValidationError as exc:
            raise RequestValidationError(exc.errors(include_input=False, include_url=False)) from None


class SearchHit(TypedDict):
    """Something that was found. A licence key is in none of its fields."""

    kind: HitKind
    id: str
    """Of a `key`, which no licence here has, what `license_id` of records takes; else the id of what was found."""
    title: str
    note: str | None
    environment: Environment
    """Where it is. Licences, records and API keys are also told of other environments that the caller may see."""
    product: str | None
    """Of a developer or company."""


class SearchResult(TypedDict):
    """What was found: kind by kind, each at most eight times, the surest first."""

    items: list[SearchHit]
    more: list[HitKind]
    """Of these there may be more: those told are not all, or not all were looked through."""


def search_result(hits: Hits) -> SearchResult:
    """As JSON."""
    items: list[SearchHit] = [
        {
            "kind": hit.kind,
            "id": hit.id,
            "title": hit.title,
            "note": hit.note,
            "environment": hit.environment,
            "product": hit.product,
        }
        for found in hits.found.values()
        for hit in found
    ]
    return {"items": items, "more": sorted(hits.more)}
