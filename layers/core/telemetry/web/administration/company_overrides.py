"""The vendor's overrides of attribution."""

from typing import Annotated, Self

from aws_lambda_powertools.event_handler import Response
from pydantic import Field

from telemetry.domain import overrides as domain
from telemetry.domain.company_domains import LONGEST_NAME
from telemetry.services.administration import company_overrides
from telemetry.web.administration.models import Input, Output
from telemetry.web.administration.routing import AdminRouter, IfMatch, ThisCall, one
from telemetry.web.etags import required_version

MOST_OVERRIDES = 1_000
"""Of each kind. All together are bounded in bytes besides."""

router = AdminRouter()

Text = Annotated[str, Field(max_length=LONGEST_NAME + 1)]
Texts = Annotated[list[Text], Field(max_length=MOST_OVERRIDES)]


class NewCompanyOverrides(Input):
    """All that the vendor says of networks and domains. What is left out is empty from then on."""

    own_networks: Texts = Field([], description="The vendor's own, as `192.0.2.0/24` or `2001:db8::/32`")
    own_domains: Texts = Field([], description="The vendor's own")
    ignored_networks: Texts = Field([], description="Nobody's either")
    ignored_companies: Texts = Field([], description="Domains, or ids as lists show them (`~o:honey pot`)")
    merged: Annotated[dict[str, Text], Field(max_length=MOST_OVERRIDES)] = Field(
        {}, description="Companies by domain or id, each with the domain of the one that it belongs to"
    )
    public_mail: Texts = Field([], description="Domains of mail providers that the lists do not know")
    not_public_mail: Texts = Field([], description="A company's after all, whatever the lists say")

    def known(self) -> domain.Overrides:
        """Raises InvalidField."""
        return domain.Overrides.from_json(self.model_dump())


class CompanyOverrides(Output):
    """All that the vendor says of networks and domains, each in one spelling and in order."""

    own_networks: list[str]
    own_domains: list[str]
    ignored_networks: list[str]
    ignored_companies: list[str]
    merged: dict[str, str]
    public_mail: list[str]
    not_public_mail: list[str]

    @classmethod
    def of(cls, overrides: domain.Overrides) -> Self:
        return cls(**overrides.to_json())


@router.admin("GET", "/company-overrides")
def get_company_overrides(call: ThisCall) -> Response[CompanyOverrides]:
    """Overrides of companies: what the vendor says of networks and domains, against what files and lists say."""
    found = call.stores.overrides.get()
    return one(CompanyOverrides.of(found.overrides), found.version)


@router.admin("PUT", "/company-overrides")
def change_company_overrides(
    call: ThisCall, body: NewCompanyOverrides, if_match: IfMatch = None
) -> Response[CompanyOverrides]:
    """Replaces all overrides of companies, in all environments."""
    overrides, version = body.known(), required_version(if_match)
    changed = company_overrides.change_overrides(call.staff, overrides, version, call.stores)
    return one(CompanyOverrides.of(changed.overrides), changed.version)
