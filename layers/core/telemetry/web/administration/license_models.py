"""Licences and their activations, as the admin API takes and shows them."""

from datetime import datetime
from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints

from telemetry.domain import license as domain
from telemetry.domain.environment import Environment
from telemetry.domain.keyring import Keyring
from telemetry.domain.license import LONGEST_KEY, SHORTEST_KEY, ActivationState, LicenseState
from telemetry.services.administration import license_list
from telemetry.web.administration.models import CustomerId, Input, Output, Page, Patch, ProductId
from telemetry.web.moments import Instant

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


class Deactivation(Input):
    """Whose activation to end."""

    identifier: Annotated[str, StringConstraints(min_length=1)] = Field(description="As the list of activations has it")


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


class ListedLicense(License):
    """A licence as lists show it.

    `customer_name` is null without a customer, and of one that nobody registered. `last_seen` is when the record with
    the latest event time came in that was sent under the licence's product, or under none.
    """

    customer_name: str | None
    last_seen: datetime | None

    @classmethod
    def of_told(cls, told: license_list.ListedLicense, now: datetime) -> Self:
        licensed = License.of(told.license, now)
        return cls(**dict(licensed), customer_name=told.customer_name, last_seen=told.last_seen)


class LicensePage(Page[ListedLicense]):
    """Some licences."""


class LicenseWithKey(License):
    """A licence and its key."""

    license_key: str


class Activation(Output):
    """A device (or what else a client identifies itself as) that runs under a licence, or did.

    The audit log names it by its `id`.
    """

    id: str
    identifier: str
    state: ActivationState
    first_seen: datetime
    last_seen: datetime

    @classmethod
    def of(cls, activation: domain.Activation, keyring: Keyring) -> Self:
        return cls(
            id=domain.activation_id(activation.license_id, activation.identifier, keyring),
            identifier=activation.identifier,
            state=activation.state,
            first_seen=activation.first_seen,
            last_seen=activation.last_seen,
        )


class ActivationPage(Page[Activation]):
    """Some activations."""
