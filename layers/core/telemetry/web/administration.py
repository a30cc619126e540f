"""What the admin API takes and gives. Stored and domain types are others; OpenAPI describes these."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from telemetry.domain import (
    api_key,
    customer,
    key_usage,
    license,  # noqa: A004 (a module's name)
    retention,
    staff,
)
from telemetry.domain import (
    product as products,
)
from telemetry.domain.addresses import network_of
from telemetry.domain.api_key import Capability, KeyKind, Role
from telemetry.domain.environment import Environment
from telemetry.domain.license import ActivationState, LicenseState
from telemetry.domain.retention import LONGEST_DAYS, SHORTEST_DAYS
from telemetry.services.administration.retention import RetentionPreview as Preview
from telemetry.services.api_keys import IssuedKey
from telemetry.services.verify_day import DayVerdict, Outcome
from telemetry.web.moments import Instant

T = TypeVar("T")

LONGEST_WORD = 64
"""Bytes of UTF-8, as long as a version or group can be that is counted under its name."""


def _word(text: str) -> str:
    if len(text.encode()) > LONGEST_WORD or any(character < " " for character in text):
        raise ValueError(f"Must have at most {LONGEST_WORD} bytes of UTF-8, and no control characters")
    return text


def _product_id(text: str) -> str:
    if not products.is_product_id(text):
        raise ValueError(
            f"Must have 1 to {products.LONGEST_PRODUCT_ID} bytes of UTF-8, neither control characters nor blanks at "
            "its ends, not begin with ~, and not be *"
        )
    return text


ProductId = Annotated[
    str,
    AfterValidator(_product_id),
    Field(min_length=1, max_length=products.LONGEST_PRODUCT_ID, description="As clients send it; case matters"),
]
CustomerId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_WORD), AfterValidator(_word)
]
Words = Annotated[frozenset[Word], Field(max_length=500)]
LicenseKey = Annotated[str, StringConstraints(strip_whitespace=True, min_length=8, max_length=256)]
ActivationLimit = Annotated[int, Field(ge=-1, le=1_000_000, description="0 or -1: unlimited")]


def _network(text: str) -> str:
    return str(network_of(text))


Network = Annotated[
    str,
    StringConstraints(max_length=64),  # a zone (fe80::1%…) may have any length
    AfterValidator(_network),
    Field(description="An address or network, as 192.0.2.0/24"),
]


class Input(BaseModel):
    """What is taken; a field nobody knows is an error."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Patch(Input):
    """Fields to change; those not sent stay as they are. null takes away what may be missing, and else is an error."""

    removable: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("Nothing to change")
        for name in self.model_fields_set - self.removable:
            if getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self

    def changes(self) -> dict[str, Any]:
        """The fields sent, by the domain's names."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Output(BaseModel):
    """What is given."""

    model_config = ConfigDict(populate_by_name=True)


class Page(Output, Generic[T]):
    """Some of a list; the Link header says where the rest is, and is absent when there is none."""

    items: list[T]


# ── products and customers


class NewProduct(Input):
    """A product to register."""

    id: ProductId
    name: Name
    is_active: bool = Field(default=True, alias="active")
    requires_license: bool = False
    versions: Words = Field(frozenset(), description="Known versions of the product")
    activity_types: Words = Field(frozenset(), description="Those allowed; empty: any")


class ProductPatch(Patch):
    """What to change of a product."""

    name: Name | None = None
    is_active: bool | None = Field(None, alias="active")
    requires_license: bool | None = None
    versions: Words | None = None
    activity_types: Words | None = None


class Product(Output):
    """A product."""

    id: str
    name: str
    is_active: bool = Field(alias="active")
    requires_license: bool
    versions: list[str]
    activity_types: list[str]

    @classmethod
    def of(cls, product: products.Product) -> Self:
        return cls(
            id=product.id,
            name=product.name,
            is_active=product.is_active,
            requires_license=product.requires_license,
            versions=sorted(product.versions),
            activity_types=sorted(product.activity_types),
        )


class ProductPage(Page[Product]):
    """Some products."""


class NewCustomer(Input):
    """A customer to register; the id is made here when none is given."""

    id: CustomerId | None = None
    name: Name
    email: Email | None = None


class CustomerPatch(Patch):
    """What to change of a customer."""

    removable: ClassVar[frozenset[str]] = frozenset({"email"})

    name: Name | None = None
    email: Email | None = None


class Customer(Output):
    """A customer."""

    id: str
    name: str
    email: str | None
    created_at: datetime

    @classmethod
    def of(cls, customer: customer.Customer) -> Self:
        return cls(id=customer.id, name=customer.name, email=customer.email, created_at=customer.created_at)


class CustomerPage(Page[Customer]):
    """Some customers."""


# ── licences


class NewLicense(Input):
    """A licence to issue; the key is made here when none is given, and the licence is assigned if it has a customer."""

    license_key: LicenseKey | None = None
    product_id: ProductId | None = None
    customer_id: CustomerId | None = None
    expires_at: Instant | None = None
    activation_limit: ActivationLimit = 0


class LicensePatch(Patch):
    """What to change of a licence; its state changes by actions."""

    removable: ClassVar[frozenset[str]] = frozenset({"expires_at", "product_id"})

    product_id: ProductId | None = None
    customer_id: CustomerId | None = None
    expires_at: Instant | None = None
    activation_limit: ActivationLimit | None = None


class Assignment(Input):
    """Who gets a licence."""

    customer_id: CustomerId


class License(Output):
    """A licence; `state` is the one at this moment, so that a lapsed licence is expired."""

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
    def of(cls, license_: license.License, now: datetime, **more: str) -> Self:
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
    """A device, or whatever else a client calls itself, that runs under a licence, or did."""

    identifier: str
    state: ActivationState
    first_seen: datetime
    last_seen: datetime

    @classmethod
    def of(cls, activation: license.Activation) -> Self:
        return cls(
            identifier=activation.identifier,
            state=activation.state,
            first_seen=activation.first_seen,
            last_seen=activation.last_seen,
        )


class ActivationPage(Page[Activation]):
    """Some activations."""


# ── retention


class NewRetention(Input):
    """For how many whole UTC days after its day of receipt a record is kept."""

    days: int = Field(strict=True, ge=SHORTEST_DAYS, le=LONGEST_DAYS)


class Retention(Output):
    """The retention of an environment; `changed_at` is null while it is the deployment's own."""

    environment: Environment
    days: int
    version: int
    changed_at: datetime | None

    @classmethod
    def of(cls, environment: Environment, retention: retention.Retention) -> Self:
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
    """What another retention would hide at once: days that have records, oldest first, and how many in all."""

    environment: Environment
    days_now: int
    days_then: int
    hidden: list[HiddenDay]
    records: int

    @classmethod
    def of(cls, environment: Environment, preview: Preview) -> Self:
        return cls(
            environment=environment,
            days_now=preview.days_now,
            days_then=preview.days_then,
            hidden=[HiddenDay(day=day, records=records) for day, records in sorted(preview.hidden.items())],
            records=sum(preview.hidden.values()),
        )


# ── closed days


class ReportVerdict(Output):
    """Whether a report holds; `difference` is the first thing found that contradicts it, null where nothing does."""

    product: str
    outcome: Outcome
    difference: str | None


class Verification(Output):
    """A closed day recomputed: of each product asked for, and of the catalogue (`*`) after its products."""

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


# ── API keys and the audit log


class NewApiKey(Input):
    """A key to issue: for SDKs in the request's environment, with capabilities; for staff with role, environments."""

    kind: KeyKind = KeyKind.SDK
    name: Name
    capabilities: frozenset[Capability] | None = None
    product_id: ProductId | None = Field(None, description="The product of events that name none that is registered")
    role: Role | None = None
    environments: frozenset[Environment] | None = None
    expires_at: Instant | None = None
    allowed_networks: Annotated[frozenset[Network], Field(max_length=50)] = Field(
        frozenset(), description="Whence the key may be used; empty: from anywhere"
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
    """An API key, and when it was used: the last hour in which records came with it, null where none did."""

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
    """How many events came in an hour or on a UTC day, by its beginning."""

    start: datetime
    events: int


class KeyUsage(Output):
    """Events that came with an API key, as rollup has counted them (seconds behind), by the hour or by UTC day.

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


class AuditEntry(Output):
    """Who changed what, when, from where; `before` and `after` hold the fields that differ."""

    id: str
    at: datetime
    key_id: str
    key_name: str
    environment: Environment | None
    action: str
    entity: str
    before: dict[str, Any]
    after: dict[str, Any]
    source_ip: str
    user_agent: str
    request_id: str

    @classmethod
    def of(cls, entry: staff.AuditEntry) -> Self:
        return cls(
            id=entry.id,
            at=entry.author.at,
            key_id=entry.author.key_id,
            key_name=entry.author.key_name,
            environment=entry.environment,
            action=entry.action,
            entity=entry.entity,
            before=dict(entry.before),
            after=dict(entry.after),
            source_ip=entry.author.source_ip,
            user_agent=entry.author.user_agent,
            request_id=entry.author.request_id,
        )


class AuditEntryPage(Page[AuditEntry]):
    """Some entries."""
