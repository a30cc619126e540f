"""Licences in the registry."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from pynamodb.attributes import Attribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from telemetry.domain.environment import Environment
from telemetry.domain.errors import AlreadyExists, ChangedMeanwhile, NotFound
from telemetry.domain.instant import from_milliseconds, to_milliseconds, to_seconds
from telemetry.domain.keyring import Keyring
from telemetry.domain.license import ENDED_BY_DATE, ActivationState, License, LicenseState
from telemetry.domain.license_list import LicenseFilter, Seats
from telemetry.domain.page import Page
from telemetry.retry import Deadline
from telemetry.storage.batches import read_items
from telemetry.storage.changes import Write, commit
from telemetry.storage.encryption import decrypt, encrypt
from telemetry.storage.errors import store
from telemetry.storage.inserts import Insertion, insert
from telemetry.storage.license_items import (
    LICENSE,
    LicenseItem,
    activation_sort_key,
    license_ending,
    license_kind,
    license_of,
    license_partition,
)
from telemetry.storage.pages import FILTERED_PAGE_SIZE, read_page
from telemetry.storage.tables import bind, dynamodb_client, found_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from telemetry.domain.staff import AuditEntry


@store("licences")
@dataclass(frozen=True, slots=True)
class LicenseStore:
    """Licences of all environments. Raises StoreUnavailable when storage keeps failing."""

    table: str
    keyring: Keyring
    client: Callable[[], "DynamoDBClient"] = dynamodb_client

    # ── reading

    def get(self, id_: str) -> License:
        """A licence by id, strongly consistent. Raises NotFound."""
        if item := found_item(bind(LicenseItem, self.table), license_partition(id_), LICENSE):
            return license_of(item)
        raise NotFound(f"license {id_}")

    def key_of(self, license_: License) -> str:
        """The licence key in clear."""
        item = bind(LicenseItem, self.table).get(license_partition(license_.id), LICENSE)
        return decrypt(item.encrypted_key, license_.id, self.keyring)

    def page(
        self, wanted: LicenseFilter, now: datetime, limit: int, after: str | None = None, *, newest: bool = False
    ) -> Page[License]:
        """A page of the licences that match at this time, oldest first, or `newest` first."""
        model, kind, customer_id = bind(LicenseItem, self.table), license_kind(wanted.environment), wanted.customer_id
        index, partition = ("by_customer", customer_id) if customer_id else ("by_kind", kind)
        conditions = list(_conditions(wanted, now))
        beyond = None
        if after:
            beyond = model.listed < after if newest else model.listed > after
        found = model.query(
            partition,
            beyond,
            reduce(and_, conditions) if conditions else None,
            index_name=index,
            scan_index_forward=not newest,
            page_size=FILTERED_PAGE_SIZE if conditions else limit + 1,
        )
        return read_page(found, "listed", limit, lambda raw: license_of(model.from_raw_data(raw)))

    def of_customer(self, environment: Environment, customer_id: str) -> list[License]:
        """All licences of a customer in an environment, oldest first."""
        model = bind(LicenseItem, self.table)
        found = model.query(customer_id, None, model.kind == license_kind(environment), index_name="by_customer")
        return [license_of(item) for item in found]

    def ending(self, environment: Environment, last_four: str, limit: int) -> list[License]:
        """The latest licences of an environment whose keys end like this, in any case. Two requests."""
        model = bind(LicenseItem, self.table)
        ending = license_ending(environment, last_four)
        listed = model.query(ending, index_name="by_ending", scan_index_forward=False, limit=limit)
        ids = [item.listed.partition("#")[2] for item in listed]
        found, _ = self.known(ids, (), consistent=False) if ids else ({}, {})
        return [found[id_] for id_ in ids if id_ in found]

    def known(
        self, ids: Collection[str], activations: Collection[tuple[str, str]], *, consistent: bool = True
    ) -> tuple[dict[str, License], dict[tuple[str, str], datetime]]:
        """Which licences there are, and which (licence id, identifier) are active, since when.

        One request per 100 keys. What the judge needs of items of two kinds, and of nothing else: PynamoDB reads one
        kind at a time and whole items.
        """
        named = {pair: (license_partition(pair[0]), activation_sort_key(pair[1], self.keyring)) for pair in activations}
        keys = dict.fromkeys([*((license_partition(id_), LICENSE) for id_ in ids), *named.values()])
        raw_keys = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in keys]
        licenses: dict[str, License] = {}
        since: dict[tuple[str, str], datetime] = {}
        for raw in read_items(self.client, self.table, raw_keys, ConsistentRead=consistent):
            if raw["sk"]["S"] == LICENSE:
                license_ = license_of(LicenseItem.from_raw_data(raw))
                licenses[license_.id] = license_
            elif raw["status"]["S"] == ActivationState.ACTIVE:
                since[raw["pk"]["S"], raw["sk"]["S"]] = from_milliseconds(int(raw["last_seen"]["N"]))
        return licenses, {pair: since[key] for pair, key in named.items() if key in since}

    # ── changing

    def add(self, license_: License, key: str, entry: "AuditEntry | None" = None) -> None:
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
        return bind(LicenseItem, self.table)(
            license_partition(license_.id),
            kind=license_kind(license_.environment),
            listed=f"{to_milliseconds(license_.created_at):013d}#{license_.id}",
            encrypted_key=encrypt(key, license_.id, self.keyring),
            fingerprint=license_.fingerprint,
            last_four=license_.last_four,
            ending=license_ending(license_.environment, license_.last_four),
            product_id=license_.product_id,
            customer_id=license_.customer_id,
            state=license_.state.value,
            ends_at=_ends_at(license_),
            activation_limit=license_.activation_limit,
            active_activations=license_.active_activations,
            version=license_.version,
        )

    def change(self, license_: License, was: License | None = None, entry: "AuditEntry | None" = None) -> License:
        """Stores what staff changed of a licence that was read at this version; gives it with the next version.

        State, product, customer, expiry and limit. `was` is the licence as read: its state, which a first activation
        changes too, then has to be the same still. Raises ChangedMeanwhile.
        """
        model = bind(LicenseItem, self.table)
        actions: list[Action] = [
            model.state.set(license_.state.value),
            model.activation_limit.set(license_.activation_limit),
            model.version.set(license_.version + 1),
        ]
        may_be_absent: tuple[tuple[Attribute[Any], Any], ...] = (
            (model.product_id, license_.product_id),
            (model.customer_id, license_.customer_id),
            (model.ends_at, _ends_at(license_)),
        )
        actions += [attribute.remove() if value is None else attribute.set(value) for attribute, value in may_be_absent]
        unchanged = model.version == license_.version
        if was:
            unchanged = unchanged & (model.state == was.state.value)
        if not commit(self.table, [Write(model(license_partition(license_.id), LICENSE), unchanged, actions)], entry):
            raise ChangedMeanwhile(f"license {license_.id}")
        return replace(license_, version=license_.version + 1)


def _conditions(wanted: LicenseFilter, now: datetime) -> Iterator[Condition]:
    """What a Query need not give, because it does not match."""
    model = LicenseItem
    if wanted.customer_id:
        yield model.kind == license_kind(wanted.environment)
    if wanted.product_id is not None:
        yield model.product_id == wanted.product_id
    if wanted.state is not None:
        yield _in_state(wanted.state, now)
    if wanted.seats is not None:
        used, allowed = model.active_activations, model.activation_limit
        yield (allowed > 0) & (used > allowed if wanted.seats is Seats.OVER else used >= allowed)
    if wanted.ends_by is not None:
        yield model.ends_at.between(to_seconds(now) + 1, to_seconds(wanted.ends_by))


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


def _ends_at(license_: License) -> int | None:
    return to_seconds(license_.expires_at) if license_.expires_at else None
