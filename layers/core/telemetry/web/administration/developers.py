"""Developers: forgotten, and told apart from others."""

from typing import Annotated, Self

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from telemetry.domain.environment import Environment
from telemetry.services.administration import catalogue
from telemetry.web.administration.models import Output
from telemetry.web.administration.routing import AdminRouter, InEnvironment, ProductOf, ThisCall, one

router = AdminRouter()

FingerprintInPath = Annotated[
    str,
    Path(pattern=r"^[A-Za-z0-9_-]{21}[AQgw]$", description="A fingerprint as lists show it: base64url, 22 characters"),
]


class ForgottenDeveloper(Output):
    """A developer who is forgotten."""

    environment: Environment
    id: str
    forgotten: bool = True


class Link(Output):
    """Two ids of a product, and whether staff has said that they are not the same person."""

    environment: Environment
    product: str
    id: str
    other: str
    unlinked: bool

    @classmethod
    def of(cls, environment: Environment, product: str, id_: str, other: str, *, unlinked: bool) -> Self:
        return cls(environment=environment, product=product, id=id_, other=other, unlinked=unlinked)


@router.admin("POST", "/developers/<developer_id>/forget")
def forget_developer(
    call: ThisCall, environment: InEnvironment, developer_id: FingerprintInPath
) -> Response[ForgottenDeveloper]:
    """Forgets how a user or device is called, in all products, for good. What was counted stays counted."""
    call.backend.profiles(environment).forget(call.staff, developer_id, call.stores)
    return one(ForgottenDeveloper(environment=environment, id=developer_id))


@router.admin("PUT", "/developers/<developer_id>/unlinked/<other_id>")
def unlink_developers(
    call: ThisCall,
    environment: InEnvironment,
    product: ProductOf,
    developer_id: FingerprintInPath,
    other_id: FingerprintInPath,
) -> Response[Link]:
    """Says that two ids of a product are not the same person. No count changes."""
    known = catalogue.find_product(product, call.stores).id
    profiles = call.backend.profiles(environment)
    profiles.unlink(call.staff, known, developer_id, other_id)
    return one(Link.of(environment, known, developer_id, other_id, unlinked=True))


@router.admin("DELETE", "/developers/<developer_id>/unlinked/<other_id>")
def link_developers_again(
    call: ThisCall,
    environment: InEnvironment,
    product: ProductOf,
    developer_id: FingerprintInPath,
    other_id: FingerprintInPath,
) -> Response[Link]:
    """Takes back that two ids are not the same person: they are shown as what they were seen with."""
    known = catalogue.find_product(product, call.stores).id
    profiles = call.backend.profiles(environment)
    profiles.link_again(call.staff, known, developer_id, other_id)
    return one(Link.of(environment, known, developer_id, other_id, unlinked=False))
