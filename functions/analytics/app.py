"""Reads what was recorded: for SDK keys in the GetKeyManager dialect, for staff as analytics."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.dialects import getkeymanager
from telemetry.dialects.getkeymanager import query as telemetry_query
from telemetry.dialects.getkeymanager.licensing import GRANTED_CODES
from telemetry.domain.api_key import Capability, Role
from telemetry.domain.record import telemetry_id
from telemetry.domain.record_search import RecordFilter
from telemetry.domain.search import FOR_VIEWERS, HitKind
from telemetry.domain.staff import Staff
from telemetry.services.api_keys import known_key
from telemetry.services.license_use import license_use
from telemetry.services.license_watch import LicenseWatch, Seen
from telemetry.services.product_list import product_list
from telemetry.services.record_export import ExportProgress, export_page, note_export
from telemetry.services.record_search import RecordSearch
from telemetry.web import alerts, analytics, exports, values
from telemetry.web import records as api
from telemetry.web.analytics_answers import ProductNames
from telemetry.web.authentication import credentials_of
from telemetry.web.deadline import in_time
from telemetry.web.etags import is_current, weak_etag
from telemetry.web.failures import failure_answer
from telemetry.web.license_use import license_use_body
from telemetry.web.paging import cursor_of, next_link
from telemetry.web.problems import failure_problem
from telemetry.web.profiles import queries
from telemetry.web.profiles.asked import AskedOfProduct
from telemetry.web.profiles.bodies import ProfileShape
from telemetry.web.record_answers import RecordPage
from telemetry.web.resolver import answer, current_request, response_of
from telemetry.web.routes import Api, routed
from telemetry.web.search import SearchRequest, search_result
from telemetry.web.staff import staff_of
from telemetry.web.telemetry_pages import next_of, place_of
from telemetry.web.unknown_routes import unknown_route
from telemetry.wiring.analytics import AnalyticsWiring
from telemetry.wiring.wired import Wired

SECONDS_TO_ANSWER = 8
"""How much of the function's time a search leaves: for a last call that gets no answer, and for our own answer."""

ANALYTICS = "/api/v1/analytics"

app = APIGatewayHttpResolver()
logger = Logger()
wired = Wired(AnalyticsWiring.from_env)

Q = TypeVar("Q", bound=api.EnvironmentQuery)


def admit(app_: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Authenticates staff before anything else: others are not even told whether a route exists."""
    if _is_analytics():
        app_.context["staff"] = staff_of(current_request(app), Role.VIEWER, wired().authenticator, wired.clock.now())
    return next_middleware(app_)


app.use([admit])


# ── the GetKeyManager dialect


@app.get("/api/v1/telemetry")
@app.get("/api/v1/get-telemetry")
@app.get("/api/v1/get-telemetry-data")
@app.get("/v1/telemetry")
@app.get("/v1/get-telemetry")
@app.get("/v1/get-telemetry-data")
def telemetry() -> Response[str]:
    """A page of records of the environment the key opens."""
    request, now = current_request(app), wired.clock.now()
    access = wired().authenticator.access(credentials_of(request), Capability.READ, request.source_ip, now)
    query, products = telemetry_query.parse(request.query), wired().stores.products.all()
    place = place_of(query, access.environment, wired().keyring)
    search = wired().telemetry_search(access.environment, products, now, _seconds_to_search)
    page = search.page(query, place)
    records = [(telemetry_id(record.key, access.environment, wired().keyring), record) for record in page.records]
    next_ = next_of(page.rest, query, access.environment, wired().keyring)
    return answer(200, telemetry_query.answer(records, next_, query, products, now))


# ── analytics, for staff


@app.get(f"{ANALYTICS}/products")
def list_products() -> Response[str]:
    """All products."""
    staff, query = _asked(Role.VIEWER, api.Query)
    overviews = wired().overviews[query.environment]
    products = product_list(wired().stores.products, lambda scope: overviews.had_records(scope, staff.now))
    body: ProductNames = {"items": [{"id": product.id, "name": product.name} for product in products]}
    return _given(body)


@app.post(f"{ANALYTICS}/search")
def search() -> Response[str]:
    """Finds whatever a text means. A POST: the text may be a licence key, which must stand in no address."""
    staff, query = _asked(Role.VIEWER, api.EnvironmentQuery)
    wanted = SearchRequest.of(current_request(app))
    visible = frozenset(HitKind) if staff.has(Role.ADMIN) else FOR_VIEWERS
    kinds = visible if wanted.kinds is None else visible.intersection(wanted.kinds)
    search = wired().search(wanted.text, query.environment, staff.key.environments, staff.now, _seconds_to_search())
    return answer(200, search_result(search.find(kinds)), Cache_Control="no-store")


@app.get(f"{ANALYTICS}/records")
def list_records() -> Response[str]:
    """A page of records, newest first."""
    staff, query = _asked(Role.ADMIN, api.ListQuery)
    place = api.Place.of(query, current_request(app), wired().keyring, staff.now)
    search, shape = _search(query, staff), _shape(query, staff)
    items, rest = search.page(query.filter(place.window), query.limit, place.progress.after, shape.row)
    position = api.Place(place.window, ExportProgress(rest)).position()
    cursor = position and cursor_of(current_request(app), position, wired().keyring)
    body: RecordPage = {"items": items, "next": cursor}
    return _given(body, next_link(current_request(app), position, wired().keyring))


@app.get(f"{ANALYTICS}/records/<record_id>")
def get_record(record_id: str) -> Response[str]:
    """One record with all details."""
    staff, query = _asked(Role.ADMIN, api.Query)
    search = _search(query, staff)
    view = search.one(record_id)
    behind = wired().attributions.of(view.record)
    return _given(_shape(query, staff).detail(view, search.api_key_of(view.record), behind))


@app.get(f"{ANALYTICS}/records/<record_id>/raw")
def get_body(record_id: str) -> Response[bytes]:
    """A record's body as it was received, or as much of it as fits into an answer."""
    staff, query = _asked(Role.ADMIN, api.BodyQuery)
    return api.part_of(_search(query, staff).body(record_id), query.offset, current_request(app))


@app.get(f"{ANALYTICS}/export")
def export_records() -> Response[str]:
    """A page of a file of records, newest first. The audit log notes the first page before it is sent."""
    staff, query = _asked(Role.ADMIN, api.ExportQuery)
    place = api.Place.of(query, current_request(app), wired().keyring, staff.now)
    header = b""
    if query.cursor is None:
        note_export(staff, query.environment, query.named(place.window), wired().stores.audit)
        header = exports.header_of(query.format)
    key_of = cache(partial(known_key, api_keys=wired().stores.api_keys))
    line = exports.line_of(query.format, _shape(query, staff), key_of)
    page = export_page(_search(query, staff), query.filter(place.window), place.progress, line, header)
    position = api.Place(place.window, page.progress).position()
    return exports.answer_of(page, query, next_link(current_request(app), position, wired().keyring))


@app.get(f"{ANALYTICS}/overview")
def get_overview() -> Response[str]:
    """Totals, trend, versions, active users, licence checks."""
    staff, query = _asked(Role.VIEWER, analytics.ScopeQuery)
    told = wired().overviews[query.environment].read(query.scope, query.timeline(staff.now), staff.now)
    known = wired().activity_types(query.product) if told.activities else {}
    return _given(analytics.overview_body(told, query, GRANTED_CODES, known, staff.now))


@app.get(f"{ANALYTICS}/activity-types")
def list_activity_types() -> Response[str]:
    """Activity types of a product's usage in the last 90 days, and those that it lists."""
    staff, query = _asked(Role.VIEWER, analytics.ActivityTypesQuery)
    window, known = query.window(staff.now), wired().activity_types(query.product)
    found = wired().overviews[query.environment].activity_types(query.product, window, known, staff.now)
    return _given(analytics.activity_types_body(found, query, window))


@app.get(f"{ANALYTICS}/values")
def get_values() -> Response[str]:
    """The values of a product's telemetry. What was sent as text may name somebody, and is told to an admin alone."""
    staff, query = _asked(Role.VIEWER, values.ValuesQuery)
    told = wired().values(query.environment).read(query.product, query.timeline(staff.now))
    is_told = wired().is_told(query.environment) if staff.has(Role.ADMIN) else None
    return _given(values.values_body(told, query, staff.now, is_told))


@app.get(f"{ANALYTICS}/licenses")
def list_notable_licenses() -> Response[str]:
    """The three lists below in one answer: the days are read once."""
    staff, query = _asked(Role.ADMIN, analytics.LicensesQuery)
    watch, seen = _licenses_seen(query, staff)
    top = analytics.top_body(watch.top(seen, query.limit), seen, staff.now)
    devices = analytics.excess_body(watch.excess(seen, query.threshold), seen)
    mismatches = analytics.mismatches_body(watch.mismatches(seen, staff.key.environments), seen)
    return _given(analytics.licenses_body(top, devices, mismatches))


@app.get(f"{ANALYTICS}/licenses/top")
def list_top_licenses() -> Response[str]:
    """Licences with the most flagged records."""
    staff, query = _asked(Role.ADMIN, analytics.TopQuery)
    watch, seen = _licenses_seen(query, staff)
    return _given(analytics.top_body(watch.top(seen, query.limit), seen, staff.now))


@app.get(f"{ANALYTICS}/licenses/<license_id>/use")
def get_license_use(license_id: str) -> Response[str]:
    """What was sent under a licence, day by day."""
    staff, query = _asked(Role.ADMIN, api.Query)
    wanted = RecordFilter(query.window(staff.now), query.product, license_id=api.license_in_path(license_id))
    return _given(license_use_body(license_use(_search(query, staff), wanted), query, wanted))


@app.get(f"{ANALYTICS}/customers/<customer_id>/use")
def get_customer_use(customer_id: str) -> Response[str]:
    """What was sent under all licences of a customer, day by day."""
    staff, query = _asked(Role.ADMIN, api.Query)
    wanted = RecordFilter(query.window(staff.now), query.product, customer_id=api.customer_in_path(customer_id))
    return _given(license_use_body(license_use(_search(query, staff), wanted), query, wanted))


@app.get(f"{ANALYTICS}/devices/excess")
def list_device_excess() -> Response[str]:
    """Licences and customers with many devices."""
    staff, query = _asked(Role.ADMIN, analytics.ExcessQuery)
    watch, seen = _licenses_seen(query, staff)
    return _given(analytics.excess_body(watch.excess(seen, query.threshold), seen))


@app.get(f"{ANALYTICS}/mismatches")
def list_mismatches() -> Response[str]:
    """Licence keys of other environments. Their owners are shown if the staff key opens those environments too."""
    staff, query = _asked(Role.ADMIN, analytics.ScopeQuery)
    watch, seen = _licenses_seen(query, staff)
    return _given(analytics.mismatches_body(watch.mismatches(seen, staff.key.environments), seen))


@app.get(f"{ANALYTICS}/alerts")
def list_alerts() -> Response[str]:
    """Spikes of flagged records, and of events with an API key."""
    staff, query = _asked(Role.ADMIN, alerts.AlertQuery)
    found = wired().spike_alerts(query.environment).read(query.wanted(staff.now), staff.now)
    return _given(alerts.alerts_body(found, staff.now))


@app.get(f"{ANALYTICS}/system-logs")
def get_system_logs() -> Response[str]:
    """Failed calls, what staff did, exports, closed days."""
    staff, query = _asked(Role.ADMIN, analytics.LogQuery)
    window, days = query.window(staff.now), query.timeline(staff.now).days
    logs = wired().system_logs(query.environment).read(window, days, query.callers())
    return _given(analytics.logs_body(logs))


# ── developers and companies, for staff


@app.get(f"{ANALYTICS}/companies")
def list_companies() -> Response[str]:
    """A page of the companies that use a product. A viewer gets totals."""
    staff, query = _asked(Role.VIEWER, queries.CompanyListQuery)
    return _given(*_of_product(query, staff).companies(query))


@app.get(f"{ANALYTICS}/companies/export")
def export_companies() -> Response[str]:
    """A page of a file of companies. The audit log notes the first page before it is sent."""
    staff, query = _asked(Role.ADMIN, queries.CompanyExportQuery)
    if query.cursor is None:
        note_export(staff, query.environment, query.named(), wired().stores.audit, "companies")
    return _of_product(query, staff).company_file(query)


@app.get(f"{ANALYTICS}/companies/<company_id>")
def get_company(company_id: str) -> Response[str]:
    """One company, and a page of its developers."""
    staff, query = _asked(Role.ADMIN, queries.CompanyQuery)
    return _given(*_of_product(query, staff).company(query, company_id))


@app.get(f"{ANALYTICS}/developers")
def list_developers() -> Response[str]:
    """A page of the developers who use a product. A viewer gets totals."""
    staff, query = _asked(Role.VIEWER, queries.DeveloperListQuery)
    return _given(*_of_product(query, staff).developers(query))


@app.get(f"{ANALYTICS}/developers/export")
def export_developers() -> Response[str]:
    """A page of a file of developers. The audit log notes the first page before it is sent."""
    staff, query = _asked(Role.ADMIN, queries.DeveloperExportQuery)
    if query.cursor is None:
        note_export(staff, query.environment, query.named(), wired().stores.audit, "developers")
    return _of_product(query, staff).developer_file(query)


@app.get(f"{ANALYTICS}/developers/<developer_id>")
def get_developer(developer_id: str) -> Response[str]:
    """One developer with all details."""
    staff, query = _asked(Role.ADMIN, queries.ProfileQuery)
    return _given(*_of_product(query, staff).developer(query, developer_id))


@app.not_found
def not_found(error: NotFoundError) -> Response[str]:
    """No route of staff's, or none at all: a greedy route leads here too."""
    if _is_analytics():
        return failure_problem(error, current_request(app), logger)
    return response_of(unknown_route(app.current_event.raw_event, wired().unrouted, logger, wired.clock.now()))


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def failed(error: Exception) -> Response[str]:
    """Answers an error in the form of the API that was asked."""
    if _is_analytics():
        return failure_problem(error, current_request(app), logger)
    return response_of(failure_answer(error, getkeymanager.failure, logger, wired.clock.now()))


@logger.inject_lambda_context
@in_time
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers one API Gateway request (payload format 2.0)."""
    return app.resolve(routed(event), context)


def _is_analytics() -> bool:
    return Api.of(app.current_event.path) is Api.ANALYTICS


def _asked(role: Role, query: type[Q]) -> tuple[Staff, Q]:
    """Checks the role before the parameters: others are told nothing about these."""
    staff: Staff = app.context["staff"]
    staff.require(role)
    return staff, query.of(current_request(app))


def _search(query: api.Query, staff: Staff) -> RecordSearch:
    return wired().record_search(query.environment, staff.now, _seconds_to_search)


def _shape(query: api.Query, staff: Staff) -> api.Shape:
    return api.Shape(query.environment, wired().keyring, staff.now)


def _of_product(query: queries.ProfileQuery, staff: Staff) -> AskedOfProduct:
    product = wired().product(query.product)
    is_on = product is not None and product.profiles
    shape = ProfileShape(query.environment, query.product, is_on, product.activity_types if product else {})
    profiles = wired().profiles(query.environment) if is_on else None
    return AskedOfProduct(profiles, shape, staff, current_request(app), wired().keyring)


def _given(body: Mapping[str, Any], link: dict[str, str] | None = None) -> Response[str]:
    """An answer, or 304 for a client that has it: the page asks every 30 seconds."""
    tag = weak_etag(body)
    response = answer(200, body, Cache_Control="no-store", ETag=tag, **(link or {}))
    if is_current(current_request(app).headers.get("if-none-match"), tag):
        return Response(304, body="", headers=response.headers)
    return response


def _licenses_seen(query: analytics.ScopeQuery, staff: Staff) -> tuple[LicenseWatch, Seen]:
    watch = wired().license_watch(query.environment)
    return watch, watch.seen(query.scope, query.timeline(staff.now).days)


def _seconds_to_search() -> float:
    return float(app.lambda_context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_ANSWER)
