"""Customers."""

from datetime import datetime
from typing import Annotated, ClassVar, Self

from aws_lambda_powertools.event_handler import Response
from pydantic import StringConstraints

from telemetry.domain import customer as customers
from telemetry.services.administration import catalogue
from telemetry.web.administration.models import CustomerId, Input, Name, Output, Page, Patch
from telemetry.web.administration.routing import AdminRouter, Cursor, IdInPath, IfMatch, Limit, ThisCall, created, one
from telemetry.web.etags import required_version
from telemetry.web.paging import USUAL_PAGE

router = AdminRouter()

Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]


class NewCustomer(Input):
    """A customer to register. Without an id it gets one."""

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
    def of(cls, customer: customers.Customer) -> Self:
        return cls(id=customer.id, name=customer.name, email=customer.email, created_at=customer.created_at)


class CustomerPage(Page[Customer]):
    """Some customers."""


@router.admin("GET", "/customers")
def list_customers(call: ThisCall, limit: Limit = USUAL_PAGE, cursor: Cursor = None) -> Response[CustomerPage]:
    """Customers by id."""
    return call.page(call.stores.customers.page(limit, call.position(cursor)), Customer.of, CustomerPage)


@router.admin("POST", "/customers", status=201)
def create_customer(call: ThisCall, body: NewCustomer) -> Response[Customer]:
    """Registers a customer."""
    customer = catalogue.create_customer(call.staff, body.id, body.name, body.email, call.stores)
    return created(Customer.of(customer), customer.version)


@router.admin("GET", "/customers/<customer_id>")
def get_customer(call: ThisCall, customer_id: IdInPath) -> Response[Customer]:
    """A customer."""
    customer = call.stores.customers.get(customer_id)
    return one(Customer.of(customer), customer.version)


@router.admin("PATCH", "/customers/<customer_id>")
def change_customer(
    call: ThisCall, customer_id: IdInPath, body: CustomerPatch, if_match: IfMatch = None
) -> Response[Customer]:
    """Changes a customer."""
    version, changes = required_version(if_match), body.changes()
    customer = catalogue.change_customer(call.staff, customer_id, version, changes, call.stores)
    return one(Customer.of(customer), customer.version)
