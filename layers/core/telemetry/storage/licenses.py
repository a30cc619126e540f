"""Licences and activations in the registry."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from typing import TYPE_CHECKING
from uuid import uuid4

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from telemetry.domain.environment import Environment
from telemetry.domain.errors import AlreadyExists, ChangedMeanwhile, NotFound, StoreUnavailable
from telemetry.domain.instant import from_milliseconds, from_seconds, to_milliseconds, to_seconds
from telemetry.domain.keyring import Identity, Keyring
from telemetry.domain.license import (
    ENDED_BY_DATE,
    Activation,
    ActivationState,
    License,
    LicenseState,
    license_id,
)
from telemetry.domain.staff import AuditEntry
from telemetry.retry import Deadline
from telemetry.storage.batches import read_items
from telemetry.storage.changes import Write, commit
from telemetry.storage.encryption import decrypt, encrypt
from telemetry.storage.errors import ConditionFailed, conditions, storage_errors, store
from telemetry.storage.inserts import Insertion, insert
from telemetry.storage.pages import FILTERED_PAGE_SIZE, Page, read_page
from telemetry.storage.tables import TableItem, bind, connection, dynamodb_client

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LICENSE = "license"
_OF_ACTIVATION = 1  # in a transaction, after that of its licence


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


class LicenseItem(TableItem):
    """A licence. pk `license#<id>`, sk `license`; kind `license#production`; listed `<created, epoch ms>#<id>`.

    The key itself is there encrypted only.
    """

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=_LICENSE)
    kind = UnicodeAttribute()
    listed = UnicodeAttribute()
    encrypted_key = BinaryAttribute(legacy_encoding=False)
    fingerprint = BinaryAttribute(legacy_encoding=False)
    last_four = UnicodeAttribute()
    product_id = UnicodeAttribute(null=True)
    customer_id = UnicodeAttribute(null=True)
    state = UnicodeAttribute()
    ends_at = NumberAttribute(null=True)
    activation_limit = NumberAttribute()
    active_activations = NumberAttribute(default=0)
    version = NumberAttribute(default=1)

    by_kind = ByKind()
    by_customer = ByCustomer()


class ActivationItem(TableItem):
    """An activation, beside its licence. pk `license#<id>`, sk `activation#<fingerprint of the identifier, hex>`.

    `identifier` is as sent by whoever activated it last, `last_seen` when it was last activated or deactivated.
    """

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    identifier = UnicodeAttribute()
    status = UnicodeAttribute()
    first_seen = NumberAttribute()
    last_seen = NumberAttribute()


_Update = tuple[Model, list[Action], Condition]
"""An item, what to do to it, and on what condition."""


class Change(Enum):
    """What became of an activation or deactivation."""

    DONE = auto()
    ALREADY = auto()
    NO_ROOM = auto()


@store("licences")
@dataclass(frozen=True, slots=True)
class LicenseStore:
    """Licences and activations of all environments. Raises StoreUnavailable when storage keeps failing."""

    table: str
    keyring: Keyring
    client: Callable[[], "DynamoDBClient"] = dynamodb_client

    # ── reading

    def get(self, id_: str) -> License:
        """A licence by id, strongly consistent. Raises NotFound."""
        try:
            return _license(bind(LicenseItem, self.table).get(_partition(id_), _LICENSE, consistent_read=True))
        except DoesNotExist as exc:
            raise NotFound(f"license {id_}") from exc

    def find(self, environment: Environment, key: str) -> License | None:
        """The licence with this key, strongly consistent."""
        try:
            return self.get(license_id(environment, key, self.keyring))
        except NotFound:
            return None

    def key_of(self, license_: License) -> str:
        """The licence key in clear."""
        item = bind(LicenseItem, self.table).get(_partition(license_.id), _LICENSE)
        return decrypt(item.encrypted_key, license_.id, self.keyring)

    def page(
        self,
        environment: Environment,
        now: datetime,
        limit: int,
        after: str | None = None,
        customer_id: str | None = None,
        product_id: str | None = None,
        state: LicenseState | None = None,
    ) -> Page[License]:
        """A page of licences, oldest first; `state` is the one at this time, so that a lapsed one counts as expired."""
        model = bind(LicenseItem, self.table)
        index, partition = ("by_customer", customer_id) if customer_id else ("by_kind", _kind(environment))
        wanted = model.kind == _kind(environment) if customer_id else None
        if product_id is not None:
            wanted = _both(wanted, model.product_id == product_id)
        if state is not None:
            wanted = _both(wanted, _in_state(state, now))
        found = model.query(
            partition,
            model.listed > after if after else None,
            wanted,
            index_name=index,
            page_size=limit + 1 if wanted is None else FILTERED_PAGE_SIZE,
        )
        return read_page(found, "listed", limit, lambda raw: _license(model.from_raw_data(raw)))

    def of_customer(self, environment: Environment, customer_id: str) -> list[License]:
        """All licences of a customer in an environment, oldest first."""
        model = bind(LicenseItem, self.table)
        found = model.query(customer_id, None, model.kind == _kind(environment), index_name="by_customer")
        return [_license(item) for item in found]

    def activations(self, id_: str) -> list[Activation]:
        """All activations of a licence, also those that are no longer."""
        model = bind(ActivationItem, self.table)
        return [_activation(item) for item in model.query(_partition(id_), model.sk.startswith("activation#"))]

    def activation_page(self, id_: str, limit: int, after: str | None = None) -> Page[Activation]:
        """A page of a licence's activations, in no order that means anything."""
        model = bind(ActivationItem, self.table)
        wanted = model.sk.between(f"{after}!" if after else "activation#", "activation$")
        found = model.query(_partition(id_), wanted, page_size=limit + 1)
        return read_page(found, "sk", limit, lambda raw: _activation(model.from_raw_data(raw)))

    def known(
        self, ids: Collection[str], activations: Collection[tuple[str, str]]
    ) -> tuple[dict[str, License], dict[tuple[str, str], datetime]]:
        """Which licences there are, and which (licence id, identifier) are active, since when: strongly consistent.

        One request per 100 keys. What the judge needs of items of two kinds, and of nothing else: PynamoDB reads one
        kind at a time and whole items.
        """
        named = {pair: (_partition(pair[0]), self._activation_sort(pair[1])) for pair in activations}
        keys = dict.fromkeys([*((_partition(id_), _LICENSE) for id_ in ids), *named.values()])
        raw_keys = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in keys]
        licenses: dict[str, License] = {}
        since: dict[tuple[str, str], datetime] = {}
        for raw in read_items(self.client, self.table, raw_keys, ConsistentRead=True):
            if raw["sk"]["S"] == _LICENSE:
                license_ = _license(LicenseItem.from_raw_data(raw))
                licenses[license_.id] = license_
            elif raw["status"]["S"] == ActivationState.ACTIVE:
                since[raw["pk"]["S"], raw["sk"]["S"]] = from_milliseconds(int(raw["last_seen"]["N"]))
        return licenses, {pair: since[key] for pair, key in named.items() if key in since}

    # ── changing

    def add(self, license_: License, key: str, entry: AuditEntry | None = None) -> None:
        """Stores a new licence, with its entry in the audit log if staff made it.

        Raises AlreadyExists when its key is taken in its environment.
        """
        absent = bind(LicenseItem, self.table).pk.does_not_exist()
        if not commit(self.table, [Write(self._item(license_, key), absent)], entry):
            raise AlreadyExists(f"license {license_.id}")

    def add_many(self, licenses: Sequence[tuple[License, str]], deadline: Deadline) -> list[Insertion]:
        """Stores new licences (of distinct ids) with their keys, one result each; none replaces another."""
        items = [self._item(license_, key).serialize() for license_, key in licenses]
        return insert(self.client(), self.table, items, deadline)

    def _item(self, license_: License, key: str) -> LicenseItem:
        item: LicenseItem = bind(LicenseItem, self.table)(
            _partition(license_.id),
            kind=_kind(license_.environment),
            listed=f"{to_milliseconds(license_.created_at):013d}#{license_.id}",
            encrypted_key=encrypt(key, license_.id, self.keyring),
            fingerprint=license_.fingerprint,
            last_four=license_.last_four,
            product_id=license_.product_id,
            customer_id=license_.customer_id,
            state=license_.state.value,
            ends_at=_ends_at(license_),
            activation_limit=license_.activation_limit,
            active_activations=license_.active_activations,
            version=license_.version,
        )
        return item

    def change(self, license_: License, was: License | None = None, entry: AuditEntry | None = None) -> License:
        """Stores what staff changed of a licence that was read at this version; gives it with the next version.

        State, product, customer, expiry and limit. `was` is the licence as read: its state, which a first activation
        changes too, then has to be the same still. Raises ChangedMeanwhile.
        """
        model = bind(LicenseItem, self.table)
        actions = [model.state.set(license_.state.value), model.activation_limit.set(license_.activation_limit)]
        actions.append(model.version.set(license_.version + 1))
        for attribute, value in (
            (model.product_id, license_.product_id),
            (model.customer_id, license_.customer_id),
            (model.ends_at, _ends_at(license_)),
        ):
            actions.append(attribute.remove() if value is None else attribute.set(value))
        unchanged = model.version == license_.version
        if was:
            unchanged = unchanged & (model.state == was.state.value)
        if not commit(self.table, [Write(model(_partition(license_.id), _LICENSE), unchanged, actions)], entry):
            raise ChangedMeanwhile(f"license {license_.id}")
        return replace(license_, version=license_.version + 1)

    def activate(self, license_: License, identifier: str, now: datetime, deadline: Deadline) -> Change:
        """Activates a device in one transaction with its licence's count, so that limits hold under concurrency.

        The first activation makes an assigned licence active. Any other state stays, a revoked one above all: whether
        a device may be activated under it is for the caller to say. Raises ChangedMeanwhile when the licence is no
        longer in the state it was read in, StoreUnavailable when others keep getting in between.
        """
        licenses, activations = bind(LicenseItem, self.table), bind(ActivationItem, self.table)
        room = (licenses.activation_limit <= 0) | (licenses.active_activations < licenses.activation_limit)
        unchanged = (licenses.state == license_.state.value) & room
        actions: list[Action] = [licenses.active_activations.add(1)]
        if license_.state is LicenseState.ASSIGNED:
            actions.append(licenses.state.set(LicenseState.ACTIVE.value))
            actions.append(licenses.version.add(1))  # or staff, having read it before, would set the state back
        entry = activations(_partition(license_.id), self._activation_sort(identifier))
        return self._in_transaction(
            (licenses(_partition(license_.id), _LICENSE), actions, unchanged),
            (
                entry,
                [
                    activations.identifier.set(identifier),
                    activations.status.set(ActivationState.ACTIVE.value),
                    activations.first_seen.set(activations.first_seen | to_milliseconds(now)),
                    activations.last_seen.set(to_milliseconds(now)),
                ],
                activations.status.does_not_exist() | (activations.status == ActivationState.INACTIVE.value),
            ),
            license_.id,
            deadline,
        )

    def deactivate(self, license_: License, identifier: str, now: datetime, deadline: Deadline) -> Change:
        """Ends an activation; ALREADY when there is none that is active."""
        licenses, activations = bind(LicenseItem, self.table), bind(ActivationItem, self.table)
        return self._in_transaction(
            (
                licenses(_partition(license_.id), _LICENSE),
                [licenses.active_activations.add(-1)],
                licenses.pk.exists(),
            ),
            (
                activations(_partition(license_.id), self._activation_sort(identifier)),
                [
                    activations.status.set(ActivationState.INACTIVE.value),
                    activations.last_seen.set(to_milliseconds(now)),
                ],
                activations.status == ActivationState.ACTIVE.value,
            ),
            license_.id,
            deadline,
        )

    def _in_transaction(self, of_license: _Update, of_activation: _Update, id_: str, deadline: Deadline) -> Change:
        token = str(uuid4())
        for _ in deadline.attempts():
            try:
                with storage_errors("licences"), conditions():
                    self._update(token, of_license, of_activation)
            except ConditionFailed as exc:
                return Change.ALREADY if _OF_ACTIVATION in exc.items else self._refused(id_)
            except StoreUnavailable:
                continue  # conditions make it safe to try again
            return Change.DONE
        raise StoreUnavailable(f"license {id_}")

    def _update(self, token: str, *updates: _Update) -> None:
        """By the token DynamoDB knows an attempt whose answer was lost, and says again that it succeeded."""
        with TransactWrite(token, connection=connection()) as transaction:
            for item, actions, condition in updates:
                transaction.update(item, actions=actions, condition=condition)

    def _refused(self, id_: str) -> Change:
        """Why the licence's own condition failed: no room, or another state than was read."""
        if self.get(id_).has_room:
            raise ChangedMeanwhile(f"license {id_}")
        return Change.NO_ROOM

    def _activation_sort(self, identifier: str) -> str:
        return f"activation#{self.keyring.fingerprint(Identity.DEVICE, identifier).hex()}"


def _partition(id_: str) -> str:
    """`license#3f2b…`, of a licence's id."""
    return f"{_LICENSE}#{id_}"


def _kind(environment: Environment) -> str:
    return f"{_LICENSE}#{environment}"


def _in_state(state: LicenseState, now: datetime) -> Condition:
    """The condition for License.state_at. (Comparing a date that is not there is false.)"""
    lapsed: Condition = LicenseItem.ends_at <= to_seconds(now)
    stored: Condition = LicenseItem.state == state.value
    ending: Condition = LicenseItem.state.is_in(*(state.value for state in ENDED_BY_DATE))
    if state is LicenseState.EXPIRED:
        stored |= ending & lapsed
    elif state in ENDED_BY_DATE:
        stored &= ~lapsed
    return stored


def _both(one: Condition | None, other: Condition) -> Condition:
    return other if one is None else one & other


def _license(item: LicenseItem) -> License:
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


def _activation(item: ActivationItem) -> Activation:
    return Activation(
        license_id=item.pk.partition("#")[2],
        identifier=item.identifier,
        state=ActivationState(item.status),
        first_seen=from_milliseconds(item.first_seen),
        last_seen=from_milliseconds(item.last_seen),
    )


def _ends_at(license_: License) -> int | None:
    return to_seconds(license_.expires_at) if license_.expires_at else None
