"""What was recorded, read back: to SDK keys in the GetKeyManager dialect, to staff as analytics."""

from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.dialects import getkeymanager, getkeymanager_query
from telemetry.dialects.getkeymanager_licensing import GRANTED_CODES
from telemetry.dialects.stored import contents_of, event_of
from telemetry.domain.api_key import Capability, Role
from telemetry.domain.environment import Environment
from telemetry.domain.errors import InvalidCursor
from telemetry.domain.record import telemetry_id
from telemetry.domain.retention import oldest_day
from telemetry.domain.staff import Staff
from telemetry.faults import log_failure
from telemetry.services.administration.stores import Stores
from telemetry.services.failed_calls import SummedCalls
from telemetry.services.license_watch import LicenseWatch, Seen
from telemetry.services.overview import Overviews
from telemetry.services.product_list import product_list
from telemetry.services.record_export import Progress, export_page, note_export
from telemetry.services.record_search import RecordSearch
from telemetry.services.spike_alerts import spike_alerts
from telemetry.services.system_logs import SystemLogReader
from telemetry.services.telemetry_query import TelemetrySearch
from telemetry.settings import AnalyticsSettings
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.day_records import DayRecordStore
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.effort import Effort
from telemetry.storage.failed_calls import FailedCallStore
from telemetry.storage.index_sizes import IndexSizes
from telemetry.storage.record_browser import RecordBrowser
from telemetry.storage.records import RecordStore
from telemetry.storage.secret import keyring
from telemetry.storage.sessions import SessionStore
from telemetry.storage.spikes import EpisodeStore
from telemetry.web import analytics, exports
from telemetry.web import records as api
from telemetry.web.authentication import Authenticator, credentials_of
from telemetry.web.deadline import in_time
from telemetry.web.failures import failure_answer
from telemetry.web.http import Request, answer
from telemetry.web.paging import cursor_of, next_link
from telemetry.web.problems import problem_answer, problem_of
from telemetry.web.routes import routed
from telemetry.web.staff import staff_of
from telemetry.web.telemetry_pages import next_of, place_of
from telemetry.web.unknown_routes import unknown_route

SECONDS_TO_ANSWER = 8
"""Of the function's time, kept back from a search: for a last call that gets no answer, and for ours."""

MOST_RECORDS = 20_000
"""How many records one search may look at."""

MOST_REQUESTS = 200
"""How many requests for them, beside those for the last two days and for the bodies that are shown."""

ANALYTICS = "/api/v1/analytics"

app = APIGatewayHttpResolver()
logger = Logger()

Q = TypeVar("Q", bound=api.Query)


@cache
def stores() -> Stores:
    """What lies in the registry."""
    settings = AnalyticsSettings.from_env()
    return Stores.of(settings.tables.registry, settings.retention_days, keyring())


@cache
def authenticator() -> Authenticator:
    """Knows the registry's API keys and sessions."""
    return Authenticator(stores().api_keys, keyring(), SessionStore(AnalyticsSettings.from_env().tables.registry))


@cache
def index_sizes() -> IndexSizes:
    """What searches found out about them."""
    return IndexSizes()


@cache
def unrouted() -> SummedCalls:
    """Counts what reaches no route."""
    return SummedCalls.into(AnalyticsSettings.from_env().tables.registry)


def admit(app_: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Nothing of what staff ask is looked at, not even whether there is such a route, before who asks is known."""
    request = _request()
    if request.path.startswith(ANALYTICS):
        app_.context["staff"] = staff_of(request, Role.VIEWER, authenticator(), datetime.now(UTC))
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
    request, now = _request(), datetime.now(UTC)
    access = authenticator().access(credentials_of(request), Capability.READ, request.source_ip, now)
    query, products = getkeymanager_query.parse(request.query), stores().products.all()
    place = place_of(query, access.environment, keyring())
    browser = _browser(access.environment, now)
    page = TelemetrySearch(browser, sorted(products), getkeymanager_query.said_in, keyring()).page(query, place)
    records = [(telemetry_id(record.key, access.environment, keyring()), record) for record in page.records]
    next_ = next_of(page.rest, query, access.environment, keyring())
    return answer(200, getkeymanager_query.answer(records, next_, query, products, now))


# ── analytics, for staff


@app.get(f"{ANALYTICS}/products")
def list_products() -> Response[str]:
    """The products there are."""
    _, query = _asked(Role.VIEWER, api.Query)
    products = product_list(stores().products, LedgerStore(_aggregates(query)))
    return _given({"items": [product._asdict() for product in products]})


@app.get(f"{ANALYTICS}/records")
def list_records() -> Response[str]:
    """A page of records, newest first."""
    staff, query = _asked(Role.ADMIN, api.ListQuery)
    place = api.Place.of(query, _request(), keyring(), staff.now)
    search, shape = _search(query, staff), _shape(query, staff)
    items, rest = search.page(query.filter(place.window), query.limit, place.progress.after, shape.row)
    position = api.Place(place.window, Progress(rest)).position()
    cursor = position and cursor_of(_request(), position, keyring())
    return _given({"items": items, "next": cursor}, next_link(_request(), position, keyring()))


@app.get(f"{ANALYTICS}/records/<record_id>")
def get_record(record_id: str) -> Response[str]:
    """All of a record."""
    staff, query = _asked(Role.ADMIN, api.Query)
    search = _search(query, staff)
    view = search.one(record_id)
    return _given(_shape(query, staff).detail(view, search.api_key_of(view.record)))


@app.get(f"{ANALYTICS}/records/<record_id>/raw")
def get_body(record_id: str) -> Response[bytes]:
    """A record's body as it was received, or as much of it as fits into an answer."""
    staff, query = _asked(Role.ADMIN, api.BodyQuery)
    return api.part_of(_search(query, staff).body(record_id), query.offset, _request())


@app.get(f"{ANALYTICS}/export")
def export_records() -> Response[str]:
    """A page of a file of records, newest first. That somebody begins one is written down before."""
    staff, query = _asked(Role.ADMIN, api.ExportQuery)
    place = api.Place.of(query, _request(), keyring(), staff.now)
    header = b""
    if query.cursor is None:
        note_export(staff, query.environment, query.named(place.window), stores().audit)
        header = exports.header_of(query.format)
    line = exports.line_of(query.format, _shape(query, staff))
    page = export_page(_search(query, staff), query.filter(place.window), place.progress, line, header)
    position = api.Place(place.window, page.progress).position()
    return exports.answer_of(page, query, next_link(_request(), position, keyring()))


@app.get(f"{ANALYTICS}/overview")
def get_overview() -> Response[str]:
    """Totals, trend, versions, active users, licence checks."""
    staff, query = _asked(Role.VIEWER, analytics.ScopeQuery)
    told = Overviews.of(_aggregates(query)).read(query.scope, query.timeline(staff.now), staff.now)
    return _given(analytics.overview_body(told, query, GRANTED_CODES, staff.now))


@app.get(f"{ANALYTICS}/licenses/top")
def list_top_licenses() -> Response[str]:
    """Licences with the most flagged records."""
    staff, query = _asked(Role.ADMIN, analytics.TopQuery)
    watch, seen = _licenses_seen(query, staff)
    return _given(analytics.top_body(watch.top(seen, query.limit), seen, staff.now))


@app.get(f"{ANALYTICS}/devices/excess")
def list_device_excess() -> Response[str]:
    """Licences and customers with many devices."""
    staff, query = _asked(Role.ADMIN, analytics.ExcessQuery)
    watch, seen = _licenses_seen(query, staff)
    return _given(analytics.excess_body(watch.excess(seen, query.threshold), seen))


@app.get(f"{ANALYTICS}/mismatches")
def list_mismatches() -> Response[str]:
    """Licence keys of other environments; whose they are, where the staff key opens those too."""
    staff, query = _asked(Role.ADMIN, analytics.ScopeQuery)
    watch, seen = _licenses_seen(query, staff)
    return _given(analytics.mismatches_body(watch.mismatches(seen, staff.key.environments), seen))


@app.get(f"{ANALYTICS}/alerts")
def list_alerts() -> Response[str]:
    """Spikes of flagged records, and of events with an API key."""
    staff, query = _asked(Role.ADMIN, analytics.AlertQuery)
    episodes = EpisodeStore(_aggregates(query)).all()
    found = spike_alerts(episodes, query.wanted(staff.now), _watch(query), stores().api_keys, staff.now)
    return _given(analytics.alerts_body(found, staff.now))


@app.get(f"{ANALYTICS}/system-logs")
def get_system_logs() -> Response[str]:
    """Failed calls, what staff did, exports, closed days."""
    staff, query = _asked(Role.ADMIN, analytics.LogQuery)
    calls, reports = FailedCallStore(AnalyticsSettings.from_env().tables.registry), DayReportStore(_aggregates(query))
    logs = SystemLogReader(query.environment, calls, stores().audit, reports)
    window, days = query.window(staff.now), query.timeline(staff.now).days
    return _given(analytics.logs_body(logs.read(window, days, query.callers())))


@app.not_found
def not_found(error: NotFoundError) -> Response[str]:
    """No route of staff's, or none at all: a greedy route leads here too."""
    if _request().path.startswith(ANALYTICS):
        return _problem(error)
    return unknown_route(app.current_event.raw_event, unrouted(), logger, datetime.now(UTC))


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def failed(error: Exception) -> Response[str]:
    """What went wrong, in the words of whoever asked."""
    if _request().path.startswith(ANALYTICS):
        return _problem(error)
    now = datetime.now(UTC)
    match error:
        case getkeymanager_query.BadParameters():
            return answer(400, getkeymanager_query.bad_parameters(error, now))
        case InvalidCursor():
            return answer(400, getkeymanager_query.bad_next(now))
    return failure_answer(error, getkeymanager, logger, now)


@logger.inject_lambda_context
@in_time
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers one API Gateway request (payload format 2.0)."""
    return app.resolve(routed(event), context)


def _request() -> Request:
    return Request.from_event(app.current_event.raw_event)


def _asked(role: Role, query: type[Q]) -> tuple[Staff, Q]:
    """Who asks, then what: who may not ask is told nothing of the parameters."""
    staff: Staff = app.context["staff"]
    staff.require(role)
    return staff, query.of(_request())


def _search(query: api.Query, staff: Staff) -> RecordSearch:
    browser = _browser(query.environment, staff.now)
    return RecordSearch(query.environment, browser, sorted(stores().products.all()), stores(), contents_of)


def _shape(query: api.Query, staff: Staff) -> api.Shape:
    return api.Shape(query.environment, keyring(), staff.now)


def _given(body: object, link: dict[str, str] | None = None) -> Response[str]:
    return answer(200, body, Cache_Control="no-store", **(link or {}))


def _problem(error: Exception) -> Response[str]:
    problem = problem_of(error)
    if problem.status >= 500:
        log_failure(error, logger)
    else:
        logger.warning("Refused", cause=type(error).__name__, status=problem.status, path=app.current_event.path)
    return problem_answer(problem, _request())


def _aggregates(query: api.Query) -> str:
    return AnalyticsSettings.from_env().tables.aggregates(query.environment)


def _watch(query: api.Query) -> LicenseWatch:
    settings = AnalyticsSettings.from_env()
    records = RecordStore(settings.tables.records(query.environment), settings.shards)
    reports = DayReportStore(_aggregates(query))
    return LicenseWatch(query.environment, reports, DayRecordStore(records), records, stores(), event_of)


def _licenses_seen(query: analytics.ScopeQuery, staff: Staff) -> tuple[LicenseWatch, Seen]:
    watch = _watch(query)
    return watch, watch.seen(query.scope, query.timeline(staff.now).days)


def _browser(environment: Environment, now: datetime) -> RecordBrowser:
    settings = AnalyticsSettings.from_env()
    store = RecordStore(settings.tables.records(environment), settings.shards)
    seconds = app.lambda_context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_ANSWER
    oldest = oldest_day(now, stores().retention.get(environment).days)
    return RecordBrowser(store, now, oldest, Effort(MOST_RECORDS, seconds, MOST_REQUESTS), index_sizes())
