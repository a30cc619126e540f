"""How long an environment keeps its records."""

from datetime import date, datetime
from typing import Annotated, Self

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from telemetry.domain import retention as domain
from telemetry.domain.environment import Environment
from telemetry.domain.retention import LONGEST_DAYS, SHORTEST_DAYS
from telemetry.services.administration import retention
from telemetry.web.administration.models import Input, Output
from telemetry.web.administration.routing import AdminRouter, IfMatch, InEnvironment, ThisCall, one
from telemetry.web.etags import required_version

router = AdminRouter()


class NewRetention(Input):
    """How many whole UTC days after its day of receipt a record is kept."""

    days: int = Field(strict=True, ge=SHORTEST_DAYS, le=LONGEST_DAYS)


class Retention(Output):
    """The retention of an environment; `changed_at` is null while it is the deployment's default."""

    environment: Environment
    days: int
    version: int
    changed_at: datetime | None

    @classmethod
    def of(cls, environment: Environment, retention: domain.Retention) -> Self:
        return cls(
            environment=environment,
            days=retention.days,
            version=retention.version,
            changed_at=retention.changed_at,
        )


class HiddenDay(Output):
    """How many records of a UTC day would be hidden."""

    day: date
    records: int


class RetentionPreview(Output):
    """What another retention would hide at once: days with records, oldest first, and the sum of their records."""

    environment: Environment
    days_now: int
    days_then: int
    hidden: list[HiddenDay]
    records: int

    @classmethod
    def of(cls, environment: Environment, preview: retention.RetentionPreview) -> Self:
        return cls(
            environment=environment,
            days_now=preview.days_now,
            days_then=preview.days_then,
            hidden=[HiddenDay(day=day, records=records) for day, records in sorted(preview.hidden.items())],
            records=sum(preview.hidden.values()),
        )


@router.admin("GET", "/retention")
def get_retention(call: ThisCall, environment: InEnvironment) -> Response[Retention]:
    """How long an environment keeps its records."""
    found = call.stores.retention.get(environment)
    return one(Retention.of(environment, found), found.version)


@router.admin("PUT", "/retention")
def change_retention(
    call: ThisCall, environment: InEnvironment, body: NewRetention, if_match: IfMatch = None
) -> Response[Retention]:
    """Changes how long records are kept. A shorter one hides records at once; a longer one is for new records."""
    changed = retention.change_retention(call.staff, environment, body.days, required_version(if_match), call.stores)
    return one(Retention.of(environment, changed), changed.version)


@router.admin("GET", "/retention/preview")
def preview_retention(
    call: ThisCall, environment: InEnvironment, days: Annotated[int, Query(ge=SHORTEST_DAYS, le=LONGEST_DAYS)]
) -> Response[RetentionPreview]:
    """What another retention would hide. Nothing is changed."""
    counts = call.backend.day_counts(environment)
    preview = retention.preview_retention(call.staff, environment, days, counts, call.stores)
    return one(RetentionPreview.of(environment, preview))
