"""Products."""

from collections.abc import Sequence
from typing import Annotated, Self
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import AfterValidator, Field, StringConstraints

from telemetry.domain import product as products
from telemetry.domain.event import normalise_group
from telemetry.services.administration import catalogue
from telemetry.web.administration.models import Input, Name, Output, Page, Patch, ProductId
from telemetry.web.administration.routing import AdminRouter, Cursor, IfMatch, Limit, ThisCall, created, one
from telemetry.web.etags import required_version
from telemetry.web.paging import USUAL_PAGE

LONGEST_WORD = 64
"""Bytes of UTF-8: longer versions and groups are not counted under their names."""

MOST_ACTIVITY_TYPES = 200

PROFILES = "Developers and companies are kept of the product's use; off: nothing is written for them"

router = AdminRouter()


def _word(text: str) -> str:
    if len(text.encode()) > LONGEST_WORD or any(character < " " for character in text):
        raise ValueError(f"Must have at most {LONGEST_WORD} bytes of UTF-8, and no control characters")
    return text


Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_WORD), AfterValidator(_word)
]
Words = Annotated[frozenset[Word], Field(max_length=500)]


class ActivityType(Input):
    """A use of a product that its vendor tells from others."""

    key: Word = Field(description="What events send as `activity_type`; `CALL HOME` is `CALL_HOME`")
    label: Word | None = Field(None, description="What people read; without one the key")
    level: products.ActivityLevel

    def known(self) -> products.ActivityType:
        key = normalise_group(self.key) or self.key
        return products.ActivityType(key, self.label or key, self.level)


def _by_key(activity_types: Sequence[ActivityType]) -> dict[str, products.ActivityType]:
    known = products.by_key(*(each.known() for each in activity_types))
    if len(known) < len(activity_types):
        raise ValueError("Must not have a key twice")
    return known


ActivityTypes = Annotated[
    list[ActivityType],
    Field(max_length=MOST_ACTIVITY_TYPES, description="Those that the vendor knows; empty: any type will do"),
    AfterValidator(_by_key),
]
ProductInPath = Annotated[str, Path(max_length=1_000, description="Percent-encoded")]


class NewProduct(Input):
    """A product to register."""

    id: ProductId
    name: Name
    is_active: bool = Field(default=True, alias="active")
    requires_license: bool = False
    versions: Words = Field(frozenset(), description="Known versions of the product")
    activity_types: ActivityTypes = Field(default_factory=list, validate_default=True)
    profiles: bool = Field(default=False, description=PROFILES)


class ProductPatch(Patch):
    """What to change of a product."""

    name: Name | None = None
    is_active: bool | None = Field(None, alias="active")
    requires_license: bool | None = None
    versions: Words | None = None
    activity_types: ActivityTypes | None = None
    profiles: bool | None = Field(None, description=PROFILES)


class KnownActivityType(Output):
    """A use of a product that its vendor tells from others."""

    key: str
    label: str
    level: products.ActivityLevel


class Product(Output):
    """A product."""

    id: str
    name: str
    is_active: bool = Field(alias="active")
    requires_license: bool
    versions: list[str]
    activity_types: list[KnownActivityType]
    profiles: bool = Field(description=PROFILES)

    @classmethod
    def of(cls, product: products.Product) -> Self:
        return cls(
            id=product.id,
            name=product.name,
            is_active=product.is_active,
            requires_license=product.requires_license,
            versions=sorted(product.versions),
            activity_types=[KnownActivityType(**each._asdict()) for _, each in sorted(product.activity_types.items())],
            profiles=product.profiles,
        )


class ProductPage(Page[Product]):
    """Some products."""


@router.admin("GET", "/products")
def list_products(call: ThisCall, limit: Limit = USUAL_PAGE, cursor: Cursor = None) -> Response[ProductPage]:
    """Products by id."""
    return call.page(call.stores.products.page(limit, call.position(cursor)), Product.of, ProductPage)


@router.admin("POST", "/products", status=201)
def create_product(call: ThisCall, body: NewProduct) -> Response[Product]:
    """Registers a product."""
    product = catalogue.create_product(call.staff, products.Product(**dict(body)), call.stores)
    return created(Product.of(product), product.version)


@router.admin("GET", "/products/<product_id>")
def get_product(call: ThisCall, product_id: ProductInPath) -> Response[Product]:
    """A product."""
    product = catalogue.find_product(unquote(product_id), call.stores)
    return one(Product.of(product), product.version)


@router.admin("PATCH", "/products/<product_id>")
def change_product(
    call: ThisCall, product_id: ProductInPath, body: ProductPatch, if_match: IfMatch = None
) -> Response[Product]:
    """Changes a product."""
    id_ = catalogue.find_product(unquote(product_id), call.stores).id
    product = catalogue.change_product(call.staff, id_, required_version(if_match), body.changes(), call.stores)
    return one(Product.of(product), product.version)
