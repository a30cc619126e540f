"""Closed days: verifying their reports, and the corrections that were found."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Self

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from telemetry.domain.correction import Correction as Kept
from telemetry.domain.environment import Environment
from telemetry.domain.sighting import CATALOGUE
from telemetry.services.verify_day import DayVerdict, Outcome
from telemetry.web.administration.models import Output
from telemetry.web.administration.routing import AdminRouter, IdToFind, InEnvironment, ThisCall, one

router = AdminRouter()


class ReportVerdict(Output):
    """Whether a report holds. `difference` is the first thing that contradicts it (null: nothing does)."""

    product: str
    outcome: Outcome
    difference: str | None


class Verification(Output):
    """A closed day, recomputed: for each product asked for, then for all products together (`*`)."""

    environment: Environment
    day: date
    holds: bool
    reports: list[ReportVerdict]

    @classmethod
    def of(cls, environment: Environment, day: date, verdicts: Sequence[DayVerdict]) -> Self:
        reports = [
            ReportVerdict(product=each.scope, outcome=each.outcome, difference=each.difference) for each in verdicts
        ]
        return cls(environment=environment, day=day, holds=all(each.is_sound for each in verdicts), reports=reports)


class Correction(Output):
    """A later count of a closed day: its numbers, and the first thing in which the report differs from them.

    The report stays as it is. `users` are those of the day.
    """

    product: str
    difference: str
    records: int
    flagged: int
    users: int
    found_at: datetime

    @classmethod
    def of(cls, kept: Kept) -> Self:
        return cls(
            product=kept.scope,
            difference=kept.difference,
            records=kept.records,
            flagged=kept.flagged,
            users=kept.users,
            found_at=kept.found_at,
        )


class DayCorrections(Output):
    """Corrections of each product asked for, then those of all products together (`*`); the oldest first."""

    environment: Environment
    day: date
    corrections: list[Correction]


@router.admin("POST", "/days/<day>/verify")
def verify_day(
    call: ThisCall, environment: InEnvironment, day: Annotated[date, Path()], product: IdToFind = CATALOGUE
) -> Response[Verification]:
    """Recomputes a closed day from its records, and says whether report, digest and chain hold."""
    verdicts = call.backend.verifier(environment).verify(product or CATALOGUE, day, call.staff.now)
    return one(Verification.of(environment, day, verdicts))


@router.admin("GET", "/days/<day>/corrections")
def list_corrections(
    call: ThisCall, environment: InEnvironment, day: Annotated[date, Path()], product: IdToFind = CATALOGUE
) -> Response[DayCorrections]:
    """Later counts of a closed day that contradict its reports."""
    found = call.backend.corrections(environment).of_day(product or CATALOGUE, day)
    return one(DayCorrections(environment=environment, day=day, corrections=[Correction.of(each) for each in found]))
