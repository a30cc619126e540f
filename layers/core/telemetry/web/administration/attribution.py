"""Which company each use is attributed to: days attributed anew, and the view that is shown."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Self

from aws_lambda_powertools.event_handler import Response
from pydantic import Field, model_validator

from telemetry.domain.environment import Environment
from telemetry.domain.profiles import closing
from telemetry.services.administration import catalogue
from telemetry.web.administration.models import Input, Output
from telemetry.web.administration.routing import AdminRouter, InEnvironment, ProductOf, ThisCall, one

router = AdminRouter()


class NewAttribution(Input):
    """Closed days, both included, that are attributed once more."""

    first_day: date
    last_day: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first_day > self.last_day:
            raise ValueError("first_day must not be after last_day")
        return self


class ShownView(Input):
    """The view to show."""

    shown: int = Field(strict=True, ge=0, le=9_999, description="Its number")


class AttributionView(Output):
    """One attribution of a product's days: view 0 is what closing made, others attribute a range of days anew.

    `network_file` is the SHA-256 (hex) of the file that its last day was attributed with. `under_way`: it is still
    being made, and shown when it is done.
    """

    view: int
    made_at: datetime
    first_day: date | None
    last_day: date | None
    closed_day: date | None
    shown: bool
    under_way: bool
    network_file: str | None

    @classmethod
    def of(cls, view: closing.View, current: closing.Current) -> Self:
        return cls(
            view=view.number,
            made_at=view.made_at,
            first_day=view.anew.first if view.anew else None,
            last_day=view.anew.last if view.anew else None,
            closed_day=view.closed,
            shown=view.number == current.view,
            under_way=view.number > current.latest,
            network_file=view.network_file,
        )


class BegunView(Output):
    """The view that was begun."""

    environment: Environment
    product: str
    view: int


class AttributionViews(Output):
    """All views of a product, by number; none before its first day is closed."""

    environment: Environment
    product: str
    views: list[AttributionView]

    @classmethod
    def of(
        cls, environment: Environment, product: str, current: closing.Current, views: Sequence[closing.View]
    ) -> Self:
        return cls(
            environment=environment, product=product, views=[AttributionView.of(each, current) for each in views]
        )


@router.admin("GET", "/attribution")
def list_attributions(call: ThisCall, environment: InEnvironment, product: ProductOf) -> Response[AttributionViews]:
    """How a product's days were attributed, and what of it is shown."""
    known = catalogue.find_product(product, call.stores).id
    return one(AttributionViews.of(environment, known, *call.backend.profiles(environment).views(known)))


@router.admin("POST", "/attribution", status=202)
def attribute_anew(
    call: ThisCall, environment: InEnvironment, product: ProductOf, body: NewAttribution
) -> Response[BegunView]:
    """Attributes closed days with today's overrides, lists and network file, beside what was made of them before."""
    known = catalogue.find_product(product, call.stores).id
    days = closing.Range(body.first_day, body.last_day)
    view = call.backend.profiles(environment).attribute_anew(call.staff, known, days, call.stores)
    return one(BegunView(environment=environment, product=known, view=view.number), status=202)


@router.admin("PUT", "/attribution")
def show_attribution(
    call: ThisCall, environment: InEnvironment, product: ProductOf, body: ShownView
) -> Response[AttributionViews]:
    """Shows another view that was shown before. Closing goes on with it."""
    known = catalogue.find_product(product, call.stores).id
    profiles = call.backend.profiles(environment)
    profiles.show(call.staff, known, body.shown, call.stores)
    return one(AttributionViews.of(environment, known, *profiles.views(known)))
