"""Administration: products, customers, licences, API keys, retention and the audit log, for staff."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from typing import Annotated, Any, TypeVar
from urllib.parse import unquote

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Depends, Response, content_types
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import (
    OpenAPIRequestValidationMiddleware,
    OpenAPIResponseValidationMiddleware,
)
from aws_lambda_powertools.event_handler.openapi.exceptions import ResponseValidationError
from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.domain.api_key import KeyKind, Role
from telemetry.domain.environment import Environment
from telemetry.domain.license import License, LicenseAction, LicenseState
from telemetry.domain.overview import timeline
from telemetry.domain.product import Product
from telemetry.domain.retention import LONGEST_DAYS, SHORTEST_DAYS
from telemetry.domain.sighting import CATALOGUE
from telemetry.domain.staff import Staff
from telemetry.domain.window import Range, is_hourly, window_of
from telemetry.faults import log_failure
from telemetry.services.administration import api_keys, audit, catalogue, licenses, retention
from telemetry.services.administration.stores import Stores
from telemetry.services.verify_day import Verifier
from telemetry.settings import AdminSettings
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.activity import ActivityStore
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.corrections import CorrectionStore
from telemetry.storage.day_records import DayRecordStore
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.pages import Page
from telemetry.storage.records import RecordStore
from telemetry.storage.secret import keyring
from telemetry.storage.sessions import SessionStore
from telemetry.web import administration as api
from telemetry.web.authentication import Authenticator
from telemetry.web.checks import check_is_json, check_parameters, json_object
from telemetry.web.deadline import in_time
from telemetry.web.etags import etag, required_version, version_of
from telemetry.web.http import Request, answer, with_one_part
from telemetry.web.moments import Instant, Moment
from telemetry.web.openapi import describe
from telemetry.web.paging import LARGEST_PAGE, USUAL_PAGE, next_link, position_of
from telemetry.web.problems import problem_answer, problem_of
from telemetry.web.routes import routed
from telemetry.web.staff import staff_of

DESCRIPTION = "/openapi.json"

# The resolver would validate before any middleware, and so before authentication: routes bring validation themselves.
app = APIGatewayHttpResolver(json_body_deserializer=json_object)
logger = Logger()

PRODUCTS = "/api/v1/admin/products/"

MOST_VERIFIED = 10_000
"""Records of a day that is verified while the caller waits; for more there are the command and close_day's event."""

_VALIDATION = [
    OpenAPIRequestValidationMiddleware(),  # type: ignore[no-untyped-call]
    OpenAPIResponseValidationMiddleware(has_response_validation_error=True),
]

T = TypeVar("T")
V = TypeVar("V")
F = TypeVar("F", bound=Callable[..., Response[Any]])
P = TypeVar("P", bound="api.Page[Any]")


@cache
def authenticator() -> Authenticator:
    """Knows the registry's API keys and sessions."""
    registry = AdminSettings.from_env().tables.registry
    return Authenticator(ApiKeyStore(registry), keyring(), SessionStore(registry))


@cache
def stores() -> Stores:
    """What lies in the registry."""
    settings = AdminSettings.from_env()
    return Stores.of(settings.tables.registry, settings.retention_days, keyring())


def admit(app_: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Nothing of a request is looked at, not even whether there is such a route, before who asks is known."""
    request = _request()
    if request.path != DESCRIPTION:
        app_.context["staff"] = staff_of(request, Role.ADMIN, authenticator(), datetime.now(UTC))
    return next_middleware(app_)


def check(app_: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Refuses what validation would overlook: parameters the route does not declare, and forms."""
    request, declared = _request(), app_.context["_route"].dependant
    if request.body or declared.body_params:
        check_is_json(request)
    check_parameters(request, {parameter.alias for parameter in declared.query_params})
    return next_middleware(app_)


app.use([admit])


def administrator() -> Staff:
    """Who asks: a staff key that may administer, at work in the environments that the request opens."""
    staff: Staff = app.context["staff"]
    return staff


Admin = Annotated[Staff, Depends(administrator)]
InEnvironment = Annotated[Environment, Query(description="One of the key's environments")]
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE)]
Cursor = Annotated[str | None, Query(description="From the Link header of the page before")]
IdInPath = Annotated[str, Path(max_length=64)]
ProductInPath = Annotated[str, Path(max_length=1_000, description="Percent-encoded")]
IdToFind = Annotated[str | None, Query(min_length=1, max_length=64)]
IfMatch = Annotated[str | None, Header(alias="if-match", description="The ETag of what was read")]


def route(method: str, path: str, status: int = 200) -> Callable[[F], F]:
    """A route of the admin API, described by its function's name and docstring."""

    def register(function: F) -> F:
        app.route(
            f"/api/v1/admin{path}",
            method,
            summary=function.__doc__,
            tags=[path.split("/")[1]],
            operation_id=function.__name__,
            status_code=status,
            middlewares=[check, *_VALIDATION],
        )(function)
        return function

    return register


# ── products


@route("GET", "/products")
def list_products(_staff: Admin, limit: Limit = USUAL_PAGE, cursor: Cursor = None) -> Response[api.ProductPage]:
    """Products by id."""
    return _page(stores().products.page(limit, _position(cursor)), api.Product.of, api.ProductPage)


@route("POST", "/products", status=201)
def create_product(staff: Admin, body: api.NewProduct) -> Response[api.Product]:
    """Registers a product."""
    product = catalogue.create_product(staff, Product(**dict(body)), stores())
    return _created(api.Product.of(product), product.version)


@route("GET", "/products/<product_id>")
def get_product(_staff: Admin, product_id: ProductInPath) -> Response[api.Product]:
    """A product."""
    product = catalogue.find_product(unquote(product_id), stores())
    return _one(api.Product.of(product), product.version)


@route("PATCH", "/products/<product_id>")
def change_product(
    staff: Admin, product_id: ProductInPath, body: api.ProductPatch, if_match: IfMatch = None
) -> Response[api.Product]:
    """Changes a product."""
    id_ = catalogue.find_product(unquote(product_id), stores()).id
    product = catalogue.change_product(staff, id_, required_version(if_match), body.changes(), stores())
    return _one(api.Product.of(product), product.version)


# ── customers


@route("GET", "/customers")
def list_customers(_staff: Admin, limit: Limit = USUAL_PAGE, cursor: Cursor = None) -> Response[api.CustomerPage]:
    """Customers by id."""
    return _page(stores().customers.page(limit, _position(cursor)), api.Customer.of, api.CustomerPage)


@route("POST", "/customers", status=201)
def create_customer(staff: Admin, body: api.NewCustomer) -> Response[api.Customer]:
    """Registers a customer."""
    customer = catalogue.create_customer(staff, body.id, body.name, body.email, stores())
    return _created(api.Customer.of(customer), customer.version)


@route("GET", "/customers/<customer_id>")
def get_customer(_staff: Admin, customer_id: IdInPath) -> Response[api.Customer]:
    """A customer."""
    customer = stores().customers.get(customer_id)
    return _one(api.Customer.of(customer), customer.version)


@route("PATCH", "/customers/<customer_id>")
def change_customer(
    staff: Admin, customer_id: IdInPath, body: api.CustomerPatch, if_match: IfMatch = None
) -> Response[api.Customer]:
    """Changes a customer."""
    customer = catalogue.change_customer(staff, customer_id, required_version(if_match), body.changes(), stores())
    return _one(api.Customer.of(customer), customer.version)


# ── licences


@route("GET", "/licenses")
def list_licenses(
    staff: Admin,
    environment: InEnvironment,
    product_id: IdToFind = None,
    customer_id: IdToFind = None,
    state: LicenseState | None = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Response[api.LicensePage]:
    """Licences of an environment, oldest first, without their keys."""
    page = stores().licenses.page(environment, staff.now, limit, _position(cursor), customer_id, product_id, state)
    return _page(page, lambda license_: api.License.of(license_, staff.now), api.LicensePage)


@route("POST", "/licenses", status=201)
def create_license(staff: Admin, environment: InEnvironment, body: api.NewLicense) -> Response[api.LicenseWithKey]:
    """Issues a licence."""
    terms = licenses.Terms(body.product_id, body.customer_id, body.expires_at, body.activation_limit)
    license_, key = licenses.create_license(staff, environment, body.license_key, terms, stores())
    return _created(api.LicenseWithKey.of(license_, staff.now, license_key=key), license_.version)


@route("GET", "/licenses/<license_id>")
def get_license(staff: Admin, license_id: IdInPath) -> Response[api.LicenseWithKey]:
    """A licence and its key."""
    license_ = licenses.find_license(staff, license_id, stores())
    key = stores().licenses.key_of(license_)
    return _one(api.LicenseWithKey.of(license_, staff.now, license_key=key), license_.version)


@route("PATCH", "/licenses/<license_id>")
def change_license(
    staff: Admin, license_id: IdInPath, body: api.LicensePatch, if_match: IfMatch = None
) -> Response[api.License]:
    """Changes product, customer, expiry or activation limit."""
    license_ = licenses.change_license(staff, license_id, required_version(if_match), body.changes(), stores())
    return _license(license_, staff)


@route("POST", "/licenses/<license_id>/assign")
def assign_license(
    staff: Admin, license_id: IdInPath, body: api.Assignment, if_match: IfMatch = None
) -> Response[api.License]:
    """Gives an available licence to a customer."""
    return _act(staff, license_id, LicenseAction.ASSIGN, if_match, body.customer_id)


@route("POST", "/licenses/<license_id>/suspend")
def suspend_license(staff: Admin, license_id: IdInPath, if_match: IfMatch = None) -> Response[api.License]:
    """Suspends an assigned or active licence."""
    return _act(staff, license_id, LicenseAction.SUSPEND, if_match)


@route("POST", "/licenses/<license_id>/resume")
def resume_license(staff: Admin, license_id: IdInPath, if_match: IfMatch = None) -> Response[api.License]:
    """Makes a suspended licence active again."""
    return _act(staff, license_id, LicenseAction.RESUME, if_match)


@route("POST", "/licenses/<license_id>/revoke")
def revoke_license(staff: Admin, license_id: IdInPath, if_match: IfMatch = None) -> Response[api.License]:
    """Revokes a licence for good; its activations stay as they are."""
    return _act(staff, license_id, LicenseAction.REVOKE, if_match)


@route("GET", "/licenses/<license_id>/activations")
def list_activations(
    staff: Admin, license_id: IdInPath, limit: Limit = USUAL_PAGE, cursor: Cursor = None
) -> Response[api.ActivationPage]:
    """Activations of a licence, also those that have ended."""
    license_ = licenses.find_license(staff, license_id, stores())
    return _page(
        stores().activations.page(license_.id, limit, _position(cursor)), api.Activation.of, api.ActivationPage
    )


# ── API keys


@route("GET", "/api-keys")
def list_api_keys(
    staff: Admin,
    environment: InEnvironment,
    kind: KeyKind = KeyKind.SDK,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Response[api.ApiKeyPage]:
    """Keys that open an environment, oldest first; staff keys for a super_admin only."""
    page = api_keys.list_keys(staff, kind, environment, limit, _position(cursor), stores())
    uses = _activity(environment).uses([key.id for key in page.items])
    return _page(page, lambda key: api.ListedApiKey.of_used(key, uses.get(key.id)), api.ApiKeyPage)


@route("POST", "/api-keys", status=201)
def create_api_key(staff: Admin, environment: InEnvironment, body: api.NewApiKey) -> Response[api.ApiKeyWithSecret]:
    """Issues a key; staff keys by a super_admin only. The secret of a staff key is shown this once."""
    terms = api_keys.KeyTerms(body.name, body.expires_at, tuple(body.allowed_networks))
    if body.role and body.environments:
        issued = api_keys.create_staff_key(staff, body.environments, body.role, terms, stores())
    else:
        issued = api_keys.create_sdk_key(staff, environment, body.capabilities or (), body.product_id, terms, stores())
    return _created(api.ApiKeyWithSecret.of_issued(issued))


@route("GET", "/api-keys/<key_id>")
def get_api_key(staff: Admin, key_id: IdInPath) -> Response[api.ListedApiKey]:
    """A key, without its secret."""
    key = api_keys.find_key(staff, key_id, stores()).key
    uses = {} if key.kind is KeyKind.STAFF else _activity(next(iter(key.environments))).uses([key.id])
    return _one(api.ListedApiKey.of_used(key, uses.get(key.id)))


@route("GET", "/api-keys/<key_id>/usage")
def get_api_key_usage(
    staff: Admin,
    key_id: IdInPath,
    environment: InEnvironment,
    range_: Annotated[Range | None, Query(alias="range")] = None,
    first: Annotated[Moment, Query(alias="from")] = None,
    last: Annotated[Moment, Query(alias="to")] = None,
) -> Response[api.KeyUsage]:
    """Events that came with an SDK key: the last 24 hours unless told, and these by the hour, else by UTC day."""
    key = api_keys.find_sdk_key(staff, key_id, environment, stores())
    window = window_of(range_, first, last, staff.now)
    cut = timeline(window, staff.now, is_hourly=is_hourly(range_, first, window))
    return _one(api.KeyUsage.of(key.id, environment, api_keys.usage_of(key, cut, _activity(environment))))


@route("GET", "/api-keys/<key_id>/secret")
def get_api_key_secret(staff: Admin, key_id: IdInPath) -> Response[api.ApiKeyWithSecret]:
    """An SDK key with its secret; the audit log notes it."""
    return _one(api.ApiKeyWithSecret.of_issued(api_keys.reveal_key(staff, key_id, stores())))


@route("POST", "/api-keys/<key_id>/regenerate")
def regenerate_api_key(staff: Admin, key_id: IdInPath) -> Response[api.ApiKeyWithSecret]:
    """Gives a key a new secret; the old one ends (where it is cached, within a minute)."""
    return _one(api.ApiKeyWithSecret.of_issued(api_keys.regenerate_key(staff, key_id, stores())))


@route("POST", "/api-keys/<key_id>/revoke")
def revoke_api_key(staff: Admin, key_id: IdInPath) -> Response[api.ApiKey]:
    """Ends a key for good (where it is cached, within a minute)."""
    return _one(api.ApiKey.of(api_keys.revoke_key(staff, key_id, stores())))


# ── retention


@route("GET", "/retention")
def get_retention(_staff: Admin, environment: InEnvironment) -> Response[api.Retention]:
    """For how long an environment keeps its records."""
    found = stores().retention.get(environment)
    return _one(api.Retention.of(environment, found), found.version)


@route("PUT", "/retention")
def change_retention(
    staff: Admin, environment: InEnvironment, body: api.NewRetention, if_match: IfMatch = None
) -> Response[api.Retention]:
    """Changes it, by a super_admin: a shorter one hides at once, a longer one is for new records."""
    changed = retention.change_retention(staff, environment, body.days, required_version(if_match), stores())
    return _one(api.Retention.of(environment, changed), changed.version)


@route("GET", "/retention/preview")
def preview_retention(
    staff: Admin, environment: InEnvironment, days: Annotated[int, Query(ge=SHORTEST_DAYS, le=LONGEST_DAYS)]
) -> Response[api.RetentionPreview]:
    """What a change would hide, for a super_admin; nothing is changed."""
    counts = retention.DayCounts(_day_reports(environment), _activity(environment))
    preview = retention.preview_retention(staff, environment, days, counts, stores())
    return _one(api.RetentionPreview.of(environment, preview))


# ── closed days


@route("POST", "/days/<day>/verify")
def verify_day(
    staff: Admin, environment: InEnvironment, day: Annotated[date, Path()], product: IdToFind = CATALOGUE
) -> Response[api.Verification]:
    """Recomputes a closed day from its records: whether report, digest and chain hold, and where they do not."""
    verdicts = _verifier(environment).verify(product or CATALOGUE, day, staff.now)
    return _one(api.Verification.of(environment, day, verdicts))


# ── the audit log, and the description of all this


@route("GET", "/audit")
def list_audit(
    staff: Admin,
    environment: InEnvironment,
    since: Annotated[Instant | None, Query(alias="from")] = None,
    until: Annotated[Instant | None, Query(alias="to")] = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Response[api.AuditEntryPage]:
    """Changes in an environment and of what all share, newest first; the last 31 days unless told."""
    page = audit.read_audit(environment, since, until or staff.now, limit, _position(cursor), stores())
    return _page(page, api.AuditEntry.of, api.AuditEntryPage)


@app.get(DESCRIPTION, include_in_schema=False)
def openapi() -> Response[str]:
    """What there is, for everyone: it holds nothing that is not in the source."""
    return answer(200, _description())


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def failed(error: Exception) -> Response[str]:
    """What went wrong. Of what is our fault the log alone has the detail, under the request."""
    problem = problem_of(error)
    if isinstance(error, ResponseValidationError):
        # its text holds the answer, in which there may be a secret
        logger.error("An answer is not what it should be", fields=[found["loc"] for found in error.errors()])
    elif problem.status >= 500:
        log_failure(error, logger)
    else:
        logger.warning("Refused", cause=type(error).__name__, status=problem.status, path=app.current_event.path)
    return problem_answer(problem, _request())


@logger.inject_lambda_context
@in_time
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers one API Gateway request (payload format 2.0)."""
    return app.resolve(with_one_part(routed(event), PRODUCTS), context)


@cache
def _description() -> dict[str, Any]:
    return describe(app, "Telemetry administration", "1")


def _request() -> Request:
    return Request.from_event(app.current_event.raw_event)


def _position(cursor: str | None) -> str | None:
    return position_of(cursor, _request(), keyring())


def _day_reports(environment: Environment) -> DayReportStore:
    return DayReportStore(AdminSettings.from_env().tables.aggregates(environment))


def _activity(environment: Environment) -> ActivityStore:
    return ActivityStore(AdminSettings.from_env().tables.aggregates(environment))


def _verifier(environment: Environment) -> Verifier:
    settings = AdminSettings.from_env()
    table = settings.tables.aggregates(environment)
    records = DayRecordStore(RecordStore(settings.tables.records(environment), settings.shards))
    return Verifier(LedgerStore(table), DayReportStore(table), CorrectionStore(table), records, MOST_VERIFIED)


def _act(
    staff: Staff, license_id: str, action: LicenseAction, if_match: str | None, customer_id: str | None = None
) -> Response[api.License]:
    version = version_of(if_match)
    return _license(licenses.act_on_license(staff, license_id, action, version, customer_id, stores()), staff)


def _license(license_: License, staff: Staff) -> Response[api.License]:
    return _one(api.License.of(license_, staff.now), license_.version)


def _one(body: V, version: int | None = None, status: int = 200) -> Response[V]:
    headers = {"Cache-Control": "no-store"} | ({"ETag": etag(version)} if version else {})
    return Response(status, content_types.APPLICATION_JSON, body, headers)


def _created(body: V, version: int | None = None) -> Response[V]:
    return _one(body, version, 201)


def _page(page: Page[T], shown: Callable[[T], V], body: type[P]) -> Response[P]:
    headers = {"Cache-Control": "no-store"} | next_link(_request(), page.next, keyring())
    return Response(200, content_types.APPLICATION_JSON, body(items=[shown(item) for item in page.items]), headers)
