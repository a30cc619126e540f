"""Licences and activations as items of the registry, and back."""

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection

from telemetry.domain.environment import Environment
from telemetry.domain.instant import from_milliseconds, from_seconds
from telemetry.domain.keyring import Identity, Keyring
from telemetry.domain.license import Activation, ActivationState, License, LicenseState
from telemetry.storage.tables import KeyedItem

LICENSE = "license"
"""The sort key of a licence, and how the names of its partitions begin."""


class ByKind(GlobalSecondaryIndex["LicenseItem"]):  # type: ignore[no-untyped-call]
    """Lists licences of an environment, oldest first."""

    class Meta:
        """Written once, in template.yaml; here for reading."""

        index_name = "by_kind"
        projection = AllProjection()

    kind = UnicodeAttribute(hash_key=True)
    listed = UnicodeAttribute(range_key=True)


class ByCustomer(GlobalSecondaryIndex["LicenseItem"]):  # type: ignore[no-untyped-call]
    """Lists licences of a customer, oldest first."""

    class Meta:
        """Written once, in template.yaml; here for reading."""

        index_name = "by_customer"
        projection = AllProjection()

    customer_id = UnicodeAttribute(hash_key=True)
    listed = UnicodeAttribute(range_key=True)


class ByEnding(GlobalSecondaryIndex["LicenseItem"]):  # type: ignore[no-untyped-call]
    """Finds licences of an environment by the last characters of their keys. Written when one is issued, and never."""

    class Meta:
        """Written once, in template.yaml; here for reading."""

        index_name = "by_ending"
        projection = KeysOnlyProjection()

    ending = UnicodeAttribute(hash_key=True)
    listed = UnicodeAttribute(range_key=True)


class LicenseItem(KeyedItem):
    """A licence. pk `license#<id>`, sk `license`; kind `license#production`; listed `<created, epoch ms>#<id>`.

    The key itself is there encrypted only. `ending` is `production#0c33`: what may be shown of the key, in any case.
    """

    sk = UnicodeAttribute(range_key=True, default=LICENSE)
    kind = UnicodeAttribute()
    listed = UnicodeAttribute()
    encrypted_key = BinaryAttribute(legacy_encoding=False)
    fingerprint = BinaryAttribute(legacy_encoding=False)
    last_four = UnicodeAttribute()
    ending = UnicodeAttribute()
    product_id = UnicodeAttribute(null=True)
    customer_id = UnicodeAttribute(null=True)
    state = UnicodeAttribute()
    ends_at = NumberAttribute(null=True)
    activation_limit = NumberAttribute()
    active_activations = NumberAttribute(default=0)
    version = NumberAttribute(default=1)

    by_kind = ByKind()
    by_customer = ByCustomer()
    by_ending = ByEnding()


class ActivationItem(KeyedItem):
    """An activation, beside its licence. pk `license#<id>`, sk `activation#<fingerprint of the identifier, hex>`.

    `identifier` is as sent by whoever activated it last, `last_seen` when it was last activated or deactivated.
    """

    identifier = UnicodeAttribute()
    status = UnicodeAttribute()
    first_seen = NumberAttribute()
    last_seen = NumberAttribute()


def license_partition(id_: str) -> str:
    """`license#3f2b…`, of a licence's id."""
    return f"{LICENSE}#{id_}"


def license_kind(environment: Environment) -> str:
    """`license#production`: what the index by kind lists together."""
    return f"{LICENSE}#{environment}"


def license_ending(environment: Environment, last_four: str) -> str:
    """`production#0c33`: what licences are found under by the last characters of their keys."""
    return f"{environment}#{last_four.casefold()}"


def activation_sort_key(identifier: str, keyring: Keyring) -> str:
    """`activation#5d41402a…`, of what a device calls itself."""
    return f"activation#{keyring.fingerprint(Identity.DEVICE, identifier).hex()}"


def license_of(item: LicenseItem) -> License:
    """The licence of an item."""
    created, _, id_ = item.listed.partition("#")
    return License(
        id=id_,
        environment=Environment(item.kind.partition("#")[2]),
        fingerprint=item.fingerprint,
        last_four=item.last_four,
        product_id=item.product_id,
        customer_id=item.customer_id,
        state=LicenseState(item.state),
        expires_at=from_seconds(item.ends_at) if item.ends_at is not None else None,
        activation_limit=int(item.activation_limit),
        active_activations=int(item.active_activations),
        created_at=from_milliseconds(int(created)),
        version=int(item.version),
    )


def activation_of(item: ActivationItem) -> Activation:
    """The activation of an item."""
    return Activation(
        license_id=item.pk.partition("#")[2],
        identifier=item.identifier,
        state=ActivationState(item.status),
        first_seen=from_milliseconds(item.first_seen),
        last_seen=from_milliseconds(item.last_seen),
    )
