"""How routes of the admin API are declared, and what they work on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Protocol, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Depends, Response, content_types
from aws_lambda_powertools.event_handler import Request as Resolved
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import (
    OpenAPIRequestValidationMiddleware,
    OpenAPIResponseValidationMiddleware,
)
from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query

from telemetry.domain import page as domain
from telemetry.domain.environment import Environment
from telemetry.domain.keyring import Keyring
from telemetry.domain.staff import Staff
from telemetry.services.administration.api_keys import KeyActivity
from telemetry.services.administration.days import Corrections
from telemetry.services.administration.license_list import LicenseList
from telemetry.services.administration.profiles import Profiles
from telemetry.services.administration.retention import DayCounts
from telemetry.services.administration.spikes import Spikes
from telemetry.services.administration.stores import Stores
from telemetry.services.verify_day import Verifier
from telemetry.web.administration.models import Page
from telemetry.web.checks import check_is_json, check_parameters
from telemetry.web.etags import etag
from telemetry.web.http import Request
from telemetry.web.paging import LARGEST_PAGE, next_link, position_of
from telemetry.web.resolver import current_request

# The resolver would validate before any middleware, and so before authentication: routes bring validation themselves.
_VALIDATION = [
    OpenAPIRequestValidationMiddleware(),  # type: ignore[no-untyped-call]
    OpenAPIResponseValidationMiddleware(has_response_validation_error=True),
]

T = TypeVar("T")
V = TypeVar("V")
F = TypeVar("F", bound=Callable[..., Response[Any]])
P = TypeVar("P", bound=Page[Any])


class Backend(Protocol):
    """What the routes work on."""

    @property
    def stores(self) -> Stores:
        """The registry."""

    @property
    def keyring(self) -> Keyring: ...

    def license_list(self, environment: Environment, now: datetime) -> LicenseList: ...

    def key_activity(self, environment: Environment) -> KeyActivity: ...

    def day_counts(self, environment: Environment) -> DayCounts: ...

    def verifier(self, environment: Environment) -> Verifier: ...

    def corrections(self, environment: Environment) -> Corrections: ...

    def profiles(self, environment: Environment) -> Profiles: ...

    def spikes(self, environment: Environment) -> Spikes: ...


@dataclass(frozen=True, slots=True)
class Call:
    """One request, of staff who may administer."""

    staff: Staff
    request: Request
    backend: Backend

    @property
    def stores(self) -> Stores:
        return self.backend.stores

    def position(self, cursor: str | None) -> str | None:
        """The position in a cursor of this list. Raises InvalidCursor."""
        return position_of(cursor, self.request, self.backend.keyring)

    def page(self, page: domain.Page[T], shown: Callable[[T], V], body: type[P]) -> Response[P]:
        """Answers with a page of this list; `shown` turns an item into its model."""
        headers = {"Cache-Control": "no-store"} | next_link(self.request, page.next, self.backend.keyring)
        return Response(200, content_types.APPLICATION_JSON, body(items=[shown(item) for item in page.items]), headers)


def _this_call(resolved: Resolved) -> Call:
    call: Call = resolved.context["call"]
    return call


ThisCall = Annotated[Call, Depends(_this_call)]
InEnvironment = Annotated[Environment, Query(description="One of the key's environments")]
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE)]
Cursor = Annotated[str | None, Query(description="From the Link header of the page before")]
IdInPath = Annotated[str, Path(max_length=64)]
IdToFind = Annotated[str | None, Query(min_length=1, max_length=64)]
ProductOf = Annotated[str, Query(min_length=1, max_length=64, description="A registered product")]
IfMatch = Annotated[str | None, Header(alias="if-match", description="The ETag of what was read")]


class AdminRouter(Router):
    """Routes of a resource. The app has put the Call into the context, as `call`."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def admin(self, method: str, path: str, status: int = 200) -> Callable[[F], F]:
        """A route below /api/v1/admin, described by its function's name and docstring."""

        def register(function: F) -> F:
            self.route(
                f"/api/v1/admin{path}",
                method,
                summary=function.__doc__,
                tags=[path.split("/")[1]],
                operation_id=function.__name__,
                status_code=status,
                middlewares=[_check, *_VALIDATION],
            )(function)
            return function

        return register


def one(body: V, version: int | None = None, status: int = 200) -> Response[V]:
    """Answers with one thing; `version` becomes its ETag."""
    headers = {"Cache-Control": "no-store"} | ({"ETag": etag(version)} if version else {})
    return Response(status, content_types.APPLICATION_JSON, body, headers)


def created(body: V, version: int | None = None) -> Response[V]:
    """Answers 201 with a thing that was created."""
    return one(body, version, 201)


def _check(app: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Refuses what validation does not see: undeclared parameters, and bodies that are not JSON."""
    request, declared = current_request(app), app.context["_route"].dependant
    if request.body or declared.body_params:
        check_is_json(request)
    check_parameters(request, {parameter.alias for parameter in declared.query_params})
    return next_middleware(app)
