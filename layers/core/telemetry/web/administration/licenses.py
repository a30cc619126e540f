"""Licences and their activations."""

from datetime import datetime, timedelta
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from telemetry.domain import license as domain
from telemetry.domain.environment import Environment
from telemetry.domain.license import LicenseAction, LicenseState
from telemetry.domain.license_list import LicenseFilter, LicenseOrder, Seats
from telemetry.services.administration import licenses
from telemetry.web.administration import license_file
from telemetry.web.administration.license_models import (
    Activation,
    ActivationPage,
    Assignment,
    Deactivation,
    License,
    LicensePage,
    LicensePatch,
    LicenseWithKey,
    ListedLicense,
    NewLicense,
)
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
from telemetry.web.paging import USUAL_PAGE

router = AdminRouter()

Days = Annotated[int | None, Query(ge=1, le=366, description="Those that end in so many days from now")]


@router.admin("GET", "/licenses")
def list_licenses(
    call: ThisCall,
    environment: InEnvironment,
    *,
    product_id: IdToFind = None,
    customer_id: IdToFind = None,
    state: LicenseState | None = None,
    seats: Seats | None = None,
    expires_within: Days = None,
    sort: LicenseOrder = LicenseOrder.ISSUED,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Response[LicensePage]:
    """Licences of an environment without their keys, oldest first unless told."""
    now = call.staff.now
    wanted = _wanted(environment, product_id, customer_id, state, seats, expires_within, now)
    page = call.backend.license_list(environment, now).page(wanted, sort, limit, call.position(cursor))
    return call.page(page, lambda told: ListedLicense.of_told(told, now), LicensePage)


@router.admin("GET", "/exports/licenses")
def export_licenses(
    call: ThisCall,
    environment: InEnvironment,
    *,
    product_id: IdToFind = None,
    customer_id: IdToFind = None,
    state: LicenseState | None = None,
    seats: Seats | None = None,
    expires_within: Days = None,
    sort: LicenseOrder = LicenseOrder.ISSUED,
    cursor: Cursor = None,
) -> Response[str]:
    """The list of licences as a CSV file, a page at a time. The audit log notes the first page before it is sent."""
    now = call.staff.now
    wanted = _wanted(environment, product_id, customer_id, state, seats, expires_within, now)
    return license_file.page_of(call, call.backend.license_list(environment, now), wanted, sort, cursor)


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


@router.admin("GET", "/licenses/<license_id>/card")
def get_license_card(call: ThisCall, license_id: IdInPath) -> Response[ListedLicense]:
    """A licence as lists show it, without its key, and with its ETag."""
    license_ = licenses.find_license(call.staff, license_id, call.stores)
    (told,) = call.backend.license_list(license_.environment, call.staff.now).told([license_])
    return one(ListedLicense.of_told(told, call.staff.now), license_.version)


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
    return call.page(page, lambda each: Activation.of(each, call.stores.keyring), ActivationPage)


@router.admin("POST", "/licenses/<license_id>/deactivate")
def deactivate_device(call: ThisCall, license_id: IdInPath, body: Deactivation) -> Response[License]:
    """Ends the activation of a device, in whatever state its licence is; nothing happens if it has ended."""
    return _shown(call, licenses.end_activation(call.staff, license_id, body.identifier, call.stores))


def _wanted(
    environment: Environment,
    product_id: str | None,
    customer_id: str | None,
    state: LicenseState | None,
    seats: Seats | None,
    expires_within: int | None,
    now: datetime,
) -> LicenseFilter:
    ends_by = None if expires_within is None else now + timedelta(days=expires_within)
    return LicenseFilter(environment, product_id, customer_id, state, seats, ends_by)


def _act(
    call: Call, license_id: str, action: LicenseAction, if_match: str | None, customer_id: str | None = None
) -> Response[License]:
    version = version_of(if_match)
    return _shown(call, licenses.act_on_license(call.staff, license_id, action, version, customer_id, call.stores))


def _shown(call: Call, license_: domain.License) -> Response[License]:
    return one(License.of(license_, call.staff.now), license_.version)
