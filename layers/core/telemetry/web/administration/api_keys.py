"""API keys, and how much they are used."""

from datetime import datetime
from typing import Annotated, Literal, Self

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from telemetry.domain import api_key, key_usage
from telemetry.domain.addresses import network_of
from telemetry.domain.api_key import Capability, KeyKind, Role
from telemetry.domain.environment import Environment
from telemetry.domain.overview import timeline
from telemetry.domain.window import Range, is_hourly, window_of
from telemetry.services.administration import api_keys
from telemetry.services.api_keys import IssuedKey
from telemetry.web.administration.models import Input, Name, Output, Page, ProductId
from telemetry.web.administration.routing import (
    AdminRouter,
    Cursor,
    IdInPath,
    InEnvironment,
    Limit,
    ThisCall,
    created,
    one,
)
from telemetry.web.moments import Instant, Moment
from telemetry.web.paging import USUAL_PAGE

router = AdminRouter()


def _network(text: str) -> str:
    return str(network_of(text))


Network = Annotated[
    str,
    StringConstraints(max_length=64),  # a zone (fe80::1%…) may have any length
    AfterValidator(_network),
    Field(description="An address or network, as 192.0.2.0/24"),
]


class NewApiKey(Input):
    """A key to issue. SDK keys get capabilities in the request's environment, staff keys a role in environments."""

    kind: KeyKind = KeyKind.SDK
    name: Name
    capabilities: frozenset[Capability] | None = None
    product_id: ProductId | None = Field(None, description="The product of events that do not name a registered one")
    role: Role | None = None
    environments: frozenset[Environment] | None = None
    expires_at: Instant | None = None
    allowed_networks: Annotated[frozenset[Network], Field(max_length=50)] = Field(
        frozenset(), description="Where the key may be used from; empty: anywhere"
    )

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        of_sdk = bool(self.capabilities) and self.role is None and self.environments is None
        of_staff = bool(self.role and self.environments) and self.capabilities is None and self.product_id is None
        if not (of_sdk if self.kind is KeyKind.SDK else of_staff):
            raise ValueError("SDK keys have capabilities (and a product_id); staff keys have a role and environments")
        return self


class ApiKey(Output):
    """An API key, without its secret."""

    id: str
    kind: KeyKind
    name: str
    prefix: str
    last_four: str
    environments: list[Environment]
    capabilities: list[Capability]
    role: Role | None
    product_id: str | None
    is_active: bool = Field(alias="active")
    expires_at: datetime | None
    allowed_networks: list[str]
    created_at: datetime | None

    @classmethod
    def of(cls, key: api_key.ApiKey, **more: str) -> Self:
        return cls(
            id=key.id,
            kind=key.kind,
            name=key.name,
            prefix=key.prefix,
            last_four=key.last_four,
            environments=sorted(key.environments),
            capabilities=sorted(key.capabilities),
            role=key.role,
            product_id=key.product_id,
            is_active=key.is_active,
            expires_at=key.expires_at,
            allowed_networks=list(key.allowed_networks),
            created_at=key.created_at,
            **more,
        )


class ListedApiKey(ApiKey):
    """An API key, and the last hour in which records came with it (null: never)."""

    last_used_at: datetime | None

    @classmethod
    def of_used(cls, key: api_key.ApiKey, hour: datetime | None) -> Self:
        return cls(**dict(ApiKey.of(key)), last_used_at=hour)


class ApiKeyPage(Page[ListedApiKey]):
    """Some API keys."""


class ApiKeyWithSecret(ApiKey):
    """An API key and its secret: shown when it is made, and for SDK keys on request."""

    secret: str

    @classmethod
    def of_issued(cls, issued: IssuedKey) -> Self:
        return cls.of(issued.key, secret=issued.secret)


class EventCount(Output):
    """How many events came in an hour or on a UTC day; `start` is its beginning."""

    start: datetime
    events: int


class KeyUsage(Output):
    """Events that came with an API key, by the hour or by UTC day. They are counted a few seconds after they came.

    `exact` is false where an hour had more keys than are told apart: some of the rest may be this key's.
    """

    api_key_id: str
    environment: Environment
    since: datetime = Field(alias="from")
    until: datetime = Field(alias="to", description="Not included")
    bucket: Literal["hour", "day"]
    events: int
    exact: bool
    buckets: list[EventCount]

    @classmethod
    def of(cls, api_key_id: str, environment: Environment, usage: key_usage.KeyUsage) -> Self:
        return cls(
            api_key_id=api_key_id,
            environment=environment,
            since=usage.cut.window.since,
            until=usage.cut.window.until,
            bucket="hour" if usage.cut.is_hourly else "day",
            events=sum(usage.events.values()),
            exact=usage.is_exact,
            buckets=[EventCount(start=start, events=events) for start, events in usage.events.items()],
        )


@router.admin("GET", "/api-keys")
def list_api_keys(
    call: ThisCall,
    environment: InEnvironment,
    kind: KeyKind = KeyKind.SDK,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Response[ApiKeyPage]:
    """Keys of an environment, oldest first. Only a super_admin sees staff keys."""
    page = api_keys.list_keys(call.staff, kind, environment, limit, call.position(cursor), call.stores)
    uses = call.backend.key_activity(environment).last_used([key.id for key in page.items])
    return call.page(page, lambda key: ListedApiKey.of_used(key, uses.get(key.id)), ApiKeyPage)


@router.admin("POST", "/api-keys", status=201)
def create_api_key(call: ThisCall, environment: InEnvironment, body: NewApiKey) -> Response[ApiKeyWithSecret]:
    """Issues a key. Only a super_admin issues staff keys, and their secret is shown only once."""
    terms = api_keys.KeyTerms(body.name, body.expires_at, tuple(body.allowed_networks))
    if body.role and body.environments:
        issued = api_keys.create_staff_key(call.staff, body.environments, body.role, terms, call.stores)
    else:
        capabilities, product_id = body.capabilities or (), body.product_id
        issued = api_keys.create_sdk_key(call.staff, environment, capabilities, product_id, terms, call.stores)
    return created(ApiKeyWithSecret.of_issued(issued))


@router.admin("GET", "/api-keys/<key_id>")
def get_api_key(call: ThisCall, key_id: IdInPath) -> Response[ListedApiKey]:
    """A key, without its secret."""
    key = api_keys.find_key(call.staff, key_id, call.stores).key
    if key.kind is KeyKind.STAFF:
        return one(ListedApiKey.of_used(key, None))
    (environment,) = key.environments
    uses = call.backend.key_activity(environment).last_used([key.id])
    return one(ListedApiKey.of_used(key, uses.get(key.id)))


@router.admin("GET", "/api-keys/<key_id>/usage")
def get_api_key_usage(
    call: ThisCall,
    key_id: IdInPath,
    environment: InEnvironment,
    range_: Annotated[Range | None, Query(alias="range")] = None,
    first: Annotated[Moment, Query(alias="from", description="The beginning: a UTC day, or a time with a zone")] = None,
    last: Annotated[Moment, Query(alias="to", description="The end: a UTC day (included), or a time (not)")] = None,
) -> Response[KeyUsage]:
    """Events that came with an SDK key: by default the last 24 hours by the hour, else by UTC day."""
    key = api_keys.find_sdk_key(call.staff, key_id, environment, call.stores)
    window = window_of(range_, first, last, call.staff.now)
    cut = timeline(window, call.staff.now, is_hourly=is_hourly(range_, first, window))
    return one(KeyUsage.of(key.id, environment, call.backend.key_activity(environment).usage(key, cut)))


@router.admin("GET", "/api-keys/<key_id>/secret")
def get_api_key_secret(call: ThisCall, key_id: IdInPath) -> Response[ApiKeyWithSecret]:
    """An SDK key with its secret; the audit log notes it."""
    return one(ApiKeyWithSecret.of_issued(api_keys.reveal_key(call.staff, key_id, call.stores)))


@router.admin("POST", "/api-keys/<key_id>/regenerate")
def regenerate_api_key(call: ThisCall, key_id: IdInPath) -> Response[ApiKeyWithSecret]:
    """Gives a key a new secret. The old one may work for another minute where it is cached."""
    return one(ApiKeyWithSecret.of_issued(api_keys.regenerate_key(call.staff, key_id, call.stores)))


@router.admin("POST", "/api-keys/<key_id>/revoke")
def revoke_api_key(call: ThisCall, key_id: IdInPath) -> Response[ApiKey]:
    """Revokes a key for ever. It may work for another minute where it is cached."""
    return one(ApiKey.of(api_keys.revoke_key(call.staff, key_id, call.stores)))
