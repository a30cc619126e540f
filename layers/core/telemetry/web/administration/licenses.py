"""Licences and their activations."""

from datetime import datetime
from typing import Annotated, ClassVar, Self

from aws_lambda_powertools.event_handler import Response
from pydantic import Field, StringConstraints

from telemetry.domain import license as domain
from telemetry.domain.environment import Environment
from telemetry.domain.license import LONGEST_KEY, SHORTEST_KEY, ActivationState, LicenseAction, LicenseState
from telemetry.services.administration import licenses
from telemetry.web.administration.models import CustomerId, Input, Output, Page, Patch, ProductId
from telemetry.web.administration.routing import (
    AdminRouter,
    Call,
    Cursor,
    IdInPath,
    IdToFind,
    IfMatch,
    InEnvironment,
    Limit,
    ThisCall,
    created,
    one,
)
from telemetry.web.etags import required_version, version_of
from telemetry.web.moments import Instant
from telemetry.web.paging import USUAL_PAGE

router = AdminRouter()

LicenseKey = Annotated[str, StringConstraints(strip_whitespace=True, min_length=SHORTEST_KEY, max_length=LONGEST_KEY)]
ActivationLimit = Annotated[int, Field(ge=-1, le=1_000_000, description="0 or -1: unlimited")]


class NewLicense(Input):
    """A licence to issue. Without a key it gets one; with a customer it is assigned."""

    license_key: LicenseKey | None = None
    product_id: ProductId | None = None
    customer_id: CustomerId | None = None
    expires_at: Instant | None = None
    activation_limit: ActivationLimit = 0


class LicensePatch(Patch):
    """What to change of a licence. Actions change its state."""

    removable: ClassVar[frozenset[str]] = frozenset({"expires_at", "product_id"})

    product_id: ProductId | None = None
    customer_id: CustomerId | None = None
    expires_at: Instant | None = None
    activation_limit: ActivationLimit | None = None


class Assignment(Input):
    """Who gets a licence."""

    customer_id: CustomerId


class License(Output):
    """A licence; `state` is its state now, so a licence after its end is expired."""

    id: str
    environment: Environment
    last_four: str
    product_id: str | None
    customer_id: str | None
    state: LicenseState
    expires_at: datetime | None
    activation_limit: int
    active_activations: int
    created_at: datetime

    @classmethod
    def of(cls, license_: domain.License, now: datetime, **more: str) -> Self:
        return cls(
            id=license_.id,
            environment=license_.environment,
            last_four=license_.last_four,
            product_id=license_.product_id,
            customer_id=license_.customer_id,
            state=license_.state_at(now),
            expires_at=license_.expires_at,
            activation_limit=license_.activation_limit,
            active_activations=license_.active_activations,
            created_at=license_.created_at,
            **more,
        )


class LicensePage(Page[License]):
    """Some licences."""


class LicenseWithKey(License):
    """A licence and its key."""

    license_key: str


class Activation(Output):
    """A device (or what else a client identifies itself as) that runs under a licence, or did."""

    identifier: str
    state: ActivationState
    first_seen: datetime
    last_seen: datetime

    @classmethod
    def of(cls, activation: domain.Activation) -> Self:
        return cls(
            identifier=activation.identifier,
            state=activation.state,
            first_seen=activation.first_seen,
            last_seen=activation.last_seen,
        )


class ActivationPage(Page[Activation]):
    """Some activations."""


@router.admin("GET", "/licenses")
def list_licenses(
    call: ThisCall,
    environment: InEnvironment,
    product_id: IdToFind = None,
    customer_id: IdToFind = None,
    state: LicenseState | None = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Response[LicensePage]:
    """Licences of an environment, oldest first, without their keys."""
    now, after = call.staff.now, call.position(cursor)
    page = call.stores.licenses.page(environment, now, limit, after, customer_id, product_id, state)
    return call.page(page, lambda license_: License.of(license_, now), LicensePage)


@router.admin("POST", "/licenses", status=201)
def create_license(call: ThisCall, environment: InEnvironment, body: NewLicense) -> Response[LicenseWithKey]:
    """Issues a licence."""
    terms = licenses.Terms(body.product_id, body.customer_id, body.expires_at, body.activation_limit)
    license_, key = licenses.create_license(call.staff, environment, body.license_key, terms, call.stores)
    return created(LicenseWithKey.of(license_, call.staff.now, license_key=key), license_.version)


@router.admin("GET", "/licenses/<license_id>")
def get_license(call: ThisCall, license_id: IdInPath) -> Response[LicenseWithKey]:
    """A licence and its key."""
    license_ = licenses.find_license(call.staff, license_id, call.stores)
    key = call.stores.licenses.key_of(license_)
    return one(LicenseWithKey.of(license_, call.staff.now, license_key=key), license_.version)


@router.admin("PATCH", "/licenses/<license_id>")
def change_license(
    call: ThisCall, license_id: IdInPath, body: LicensePatch, if_match: IfMatch = None
) -> Response[License]:
    """Changes product, customer, expiry or activation limit."""
    license_ = licenses.change_license(call.staff, license_id, required_version(if_match), body.changes(), call.stores)
    return _shown(call, license_)


@router.admin("POST", "/licenses/<license_id>/assign")
def assign_license(
    call: ThisCall, license_id: IdInPath, body: Assignment, if_match: IfMatch = None
) -> Response[License]:
    """Gives an available licence to a customer."""
    return _act(call, license_id, LicenseAction.ASSIGN, if_match, body.customer_id)


@router.admin("POST", "/licenses/<license_id>/suspend")
def suspend_license(call: ThisCall, license_id: IdInPath, if_match: IfMatch = None) -> Response[License]:
    """Suspends an assigned or active licence."""
    return _act(call, license_id, LicenseAction.SUSPEND, if_match)


@router.admin("POST", "/licenses/<license_id>/resume")
def resume_license(call: ThisCall, license_id: IdInPath, if_match: IfMatch = None) -> Response[License]:
    """Makes a suspended licence active again."""
    return _act(call, license_id, LicenseAction.RESUME, if_match)


@router.admin("POST", "/licenses/<license_id>/revoke")
def revoke_license(call: ThisCall, license_id: IdInPath, if_match: IfMatch = None) -> Response[License]:
    """Revokes a licence for ever; its activations stay as they are."""
    return _act(call, license_id, LicenseAction.REVOKE, if_match)


@router.admin("GET", "/licenses/<license_id>/activations")
def list_activations(
    call: ThisCall, license_id: IdInPath, limit: Limit = USUAL_PAGE, cursor: Cursor = None
) -> Response[ActivationPage]:
    """Activations of a licence, also those that have ended."""
    license_ = licenses.find_license(call.staff, license_id, call.stores)
    page = call.stores.activations.page(license_.id, limit, call.position(cursor))
    return call.page(page, Activation.of, ActivationPage)


def _act(
    call: Call, license_id: str, action: LicenseAction, if_match: str | None, customer_id: str | None = None
) -> Response[License]:
    version = version_of(if_match)
    return _shown(call, licenses.act_on_license(call.staff, license_id, action, version, customer_id, call.stores))


def _shown(call: Call, license_: domain.License) -> Response[License]:
    return one(License.of(license_, call.staff.now), license_.version)
