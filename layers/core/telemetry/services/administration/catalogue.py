"""Products and customers, which are the same in all environments."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from secrets import token_hex
from typing import Any
from urllib.parse import unquote

from telemetry.domain.customer import Customer
from telemetry.domain.errors import InvalidField, NotFound
from telemetry.domain.product import LONGEST_PRODUCT_ID, Product
from telemetry.domain.staff import Staff
from telemetry.services.administration.stores import Stores, at_version, audited

_PRODUCT = ("name", "requires_license", "activity_types", "versions", "is_active", "profiles")
_CUSTOMER = ("name", "email")


def create_product(staff: Staff, product: Product, stores: Stores) -> Product:
    """Registers a product. Raises AlreadyExists."""
    stores.products.add(product, audited(staff, "product.create", product.id, _PRODUCT, after=product))
    return product


def find_product(named: str, stores: Stores) -> Product:
    """The product that a path names. Raises NotFound, InvalidField.

    API Gateway decodes paths, and takes `?`, `.` and slashes at an end for more than text then. A path may be encoded
    twice because of that.
    """
    again = unquote(named)
    if len(again.encode()) > LONGEST_PRODUCT_ID:
        raise InvalidField("product_id", f"Must have at most {LONGEST_PRODUCT_ID} bytes of UTF-8")
    try:
        return stores.products.get(named)
    except NotFound:
        if again == named:
            raise
        return stores.products.get(again)


def change_product(staff: Staff, id_: str, version: int, changes: Mapping[str, Any], stores: Stores) -> Product:
    """Changes fields of a product as it was at a version. Raises NotFound, StaleVersion."""
    before = stores.products.get(id_)
    after = replace(before, **changes)
    with at_version(version, before.version, f"product {id_}"):
        return stores.products.change(after, audited(staff, "product.change", id_, _PRODUCT, before, after))


def create_customer(staff: Staff, id_: str | None, name: str, email: str | None, stores: Stores) -> Customer:
    """Registers a customer; without an id it gets one. Raises AlreadyExists."""
    customer = Customer(id_ or f"c-{token_hex(6)}", name, email, staff.now)
    stores.customers.add(customer, audited(staff, "customer.create", customer.id, _CUSTOMER, after=customer))
    return customer


def change_customer(staff: Staff, id_: str, version: int, changes: Mapping[str, Any], stores: Stores) -> Customer:
    """Changes fields of a customer as it was at a version. Raises NotFound, StaleVersion."""
    before = stores.customers.get(id_)
    after = replace(before, **changes)
    with at_version(version, before.version, f"customer {id_}"):
        return stores.customers.change(after, before, audited(staff, "customer.change", id_, _CUSTOMER, before, after))


def check_product(id_: str | None, stores: Stores) -> None:
    """Raises InvalidField when the product does not exist."""
    _check("product", id_, stores.products.get)


def check_customer(id_: str | None, stores: Stores) -> None:
    """Raises InvalidField when the customer does not exist."""
    _check("customer", id_, stores.customers.get)


def _check(what: str, id_: str | None, get: Callable[[str], object]) -> None:
    try:
        if id_ is not None:
            get(id_)
    except NotFound as exc:
        raise InvalidField(f"{what}_id", f"There is no such {what}") from exc
