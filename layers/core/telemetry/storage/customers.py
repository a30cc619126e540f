"""Customers in the registry."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from telemetry.domain.customer import Customer
from telemetry.domain.errors import AlreadyExists, ChangedMeanwhile, NotFound
from telemetry.domain.instant import from_milliseconds, to_milliseconds
from telemetry.domain.page import Page
from telemetry.domain.staff import AuditEntry
from telemetry.storage.batches import batch_get
from telemetry.storage.changes import Write, commit
from telemetry.storage.customer_words import Named, named_with, word_writes
from telemetry.storage.errors import store
from telemetry.storage.pages import read_page
from telemetry.storage.tables import KeyedItem, bind, found_item

_CUSTOMERS = "customer"


class CustomerItem(KeyedItem):
    """A customer. pk `customer`, sk its id."""

    pk = UnicodeAttribute(hash_key=True, default=_CUSTOMERS)
    name = UnicodeAttribute()
    email = UnicodeAttribute(null=True)
    created_at = NumberAttribute()
    version = NumberAttribute(default=1)


@store("customers")
@dataclass(frozen=True, slots=True)
class CustomerStore:
    """Customers. Raises StoreUnavailable when they cannot be read or changed."""

    table: str

    def get(self, id_: str) -> Customer:
        """A customer by id, strongly consistent. Raises NotFound."""
        if item := found_item(bind(CustomerItem, self.table), _CUSTOMERS, id_):
            return _customer(item)
        raise NotFound(f"customer {id_}")

    def many(self, ids: Collection[str]) -> dict[str, Customer]:
        """Those of the customers that there are, by id."""
        model = bind(CustomerItem, self.table)
        return {item.sk: _customer(item) for item in batch_get(model, [(_CUSTOMERS, id_) for id_ in ids])}

    def page(self, limit: int, after: str | None) -> Page[Customer]:
        model = bind(CustomerItem, self.table)
        found = model.query(_CUSTOMERS, model.sk > after if after else None, consistent_read=True, page_size=limit + 1)
        return read_page(found, "sk", limit, lambda raw: _customer(model.from_raw_data(raw)))

    def named(self, words: Collection[str]) -> Named:
        """Customers of whose names each of these words (folded) begins a word. A request for each of three words."""
        return named_with(self.table, words)

    def add(self, customer: Customer, entry: AuditEntry | None = None) -> None:
        """Stores a new customer, with its entry in the audit log if staff made it. Raises AlreadyExists."""
        writes = [Write(self._item(customer), CustomerItem.pk.does_not_exist()), *word_writes(self.table, customer)]
        if not commit(self.table, writes, entry):
            raise AlreadyExists(f"customer {customer.id}")

    def change(self, customer: Customer, was: Customer, entry: AuditEntry) -> Customer:
        """Stores a customer that was read like this; gives it with the next version. Raises ChangedMeanwhile."""
        changed = replace(customer, version=was.version + 1)
        writes = [
            Write(self._item(changed), CustomerItem.version == was.version),
            *word_writes(self.table, changed, was),
        ]
        if not commit(self.table, writes, entry):
            raise ChangedMeanwhile(f"customer {customer.id}")
        return changed

    def _item(self, customer: Customer) -> CustomerItem:
        return bind(CustomerItem, self.table)(
            sk=customer.id,
            name=customer.name,
            email=customer.email,
            created_at=to_milliseconds(customer.created_at),
            version=customer.version,
        )


def _customer(item: CustomerItem) -> Customer:
    return Customer(
        id=item.sk,
        name=item.name,
        email=item.email,
        created_at=from_milliseconds(item.created_at),
        version=int(item.version),
    )
