"""Whose use it was: from a domain and an address to a company.

The rules, in their order. The first that says something decides.

1. The hint, which is the domain that the event names, else that of the user's mail address (`event.company_of`), is a
   company, confidence 3. The vendor's own domain, or an ignored one, is nobody, and the address is not asked: it was
   the vendor, wherever it sat. A public mail provider says nothing.
2. The address is the company that a network file knows behind it: confidence 2 where the file says that it is a
   business or in education, else 1. Networks of internet providers, hosters, VPNs, proxies and Tor, and those of which
   the file knows the autonomous system only, are *networks*, never companies.
3. Otherwise nobody is known.

One function of its arguments: the same for what is shown live, for closing, and for attributing days anew.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from telemetry.domain.addresses import Address, address_of
from telemetry.domain.company_domains import DomainLists, company_names
from telemetry.domain.networks import NOTHING_KNOWN, NetworkFacts, NetworkKind, is_global
from telemetry.domain.organisation_id import ORGANISATION, organisation_id
from telemetry.domain.overrides import Overrides

CARRIED_DAYS = 30
"""For how long a developer keeps the company of a day that told one."""

NETWORK = "~n:"
"""Begins the id of a network that has no number."""

Networks = Callable[[Address], NetworkFacts | None]
"""What a file knows of an address; None where it knows nothing. Asked for global addresses only."""

_NO_COMPANIES = frozenset({NetworkKind.ISP, NetworkKind.HOSTING, NetworkKind.ANONYMOUS})
_CERTAIN = frozenset({NetworkKind.BUSINESS, NetworkKind.EDUCATION})


class AttributionKind(StrEnum):
    """What is known of who is behind a use."""

    COMPANY = "company"
    NETWORK = "network"
    """How it came to us, not who it was: an internet provider, a hoster, a VPN."""
    NONE = "none"


class AttributionSource(StrEnum):
    """What told it."""

    DOMAIN = "domain"
    """The domain that the event named, or that of the user's mail address."""
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who is behind a use.

    A company's id is its registrable domain (`acme.co.uk`), or `~o:acme inc` where a file knows no domain
    (`organisation_id`). A network's is `AS3320`, or `~n:` and its name, or its kind. `confidence` is 3, 2 or 1 of a
    company, 1 of a network, 0 of nobody. `country` is the address's, whoever is behind it.
    """

    kind: AttributionKind
    id: str | None = None
    name: str | None = None
    source: AttributionSource | None = None
    confidence: int = 0
    country: str | None = None

    @property
    def is_company(self) -> bool:
        return self.kind is AttributionKind.COMPANY


@dataclass(frozen=True, slots=True)
class DayCompany:
    """A developer's company on a day; *carried* where an earlier day told it."""

    company: Attribution
    day: date
    told_on: date

    @property
    def is_carried(self) -> bool:
        return self.told_on < self.day


class _Word(StrEnum):
    """What can be said of a domain other than a company's id."""

    NOBODY = "nobody"
    PUBLIC = "public"
    NO_DOMAIN = "no domain"


def no_networks(_address: Address) -> None:
    """The networks of a deployment without a file."""


def attribute(
    hint: str | None, address: str | None, overrides: Overrides, lists: DomainLists, networks: Networks
) -> Attribution:
    """Who is behind a use, by the rules above. Takes any texts, and raises what `networks` raises."""
    global_address = _global(address)
    facts = (networks(global_address) if global_address else None) or NOTHING_KNOWN
    by_domain = _of_domain(hint, overrides, lists) if hint else _Word.NO_DOMAIN
    if by_domain is _Word.NOBODY:
        return _nobody(facts)
    if not isinstance(by_domain, _Word):
        company = AttributionKind.COMPANY
        return Attribution(company, by_domain, by_domain, AttributionSource.DOMAIN, 3, facts.country)
    if global_address is None or overrides.excludes_address(global_address):
        return _nobody(facts)
    return _of_facts(facts, overrides, lists)


def company_of_day(
    day: date, uses: Iterable[tuple[Attribution, int]], earlier: Iterable[DayCompany] = ()
) -> DayCompany | None:
    """A developer's company of a day, from what its uses were attributed to, and how many of them there were.

    The strongest source decides (confidence, then the domain before the address), then most uses, then the name. A day
    that tells none carries the latest of the `earlier` that was told in the 30 days before; None where there is none.
    The order of what is given does not matter.
    """
    of_company: defaultdict[str, list[tuple[Attribution, int]]] = defaultdict(list)
    for attribution, count in uses:
        if attribution.is_company and attribution.id and count > 0:
            of_company[attribution.id].append((attribution, count))
    if of_company:
        foremost = min(of_company.values(), key=_rank)
        return DayCompany(_strongest(foremost), day, day)
    oldest = day - timedelta(days=min(CARRIED_DAYS, (day - date.min).days))
    told = [each for each in earlier if oldest <= each.told_on < day]
    if not told:
        return None
    latest = min(told, key=lambda each: (-each.told_on.toordinal(), _strength(each.company), _naming(each.company)))
    return DayCompany(latest.company, day, latest.told_on)


def _global(text: str | None) -> Address | None:
    address = address_of((text or "").strip())
    return address if address is not None and is_global(address) else None


def _of_domain(text: str, overrides: Overrides, lists: DomainLists) -> str | _Word:
    """The company that a domain stands for. The vendor's most exact saying decides, before all lists.

    A name that the vendor vouches for, below a public mail provider, is a company by itself, and not the provider.
    """
    names = company_names(text, lists)
    if not names:
        return _Word.NO_DOMAIN
    vouched = None
    for name in names:
        if overrides.excludes(name):
            return _Word.NOBODY
        if target := overrides.merged_into(name):
            return _merged(target, overrides, lists)
        if vouched is None and name in overrides.not_public_mail:
            vouched = name
        if name not in overrides.not_public_mail and (name in overrides.public_mail or lists.is_public_mail(name)):
            return vouched or _Word.PUBLIC
    return names[-1]


def _merged(target: str, overrides: Overrides, lists: DomainLists) -> str | _Word:
    if overrides.excludes(target):
        return _Word.NOBODY
    is_public = lists.is_public_mail(target) and target not in overrides.not_public_mail
    return _Word.PUBLIC if is_public or target in overrides.public_mail else target


def _of_facts(facts: NetworkFacts, overrides: Overrides, lists: DomainLists) -> Attribution:
    """The company behind an address, else the network."""
    if facts.organisation is None or facts.kind in _NO_COMPANIES:
        return _network(facts)
    said = _of_organisation(facts.organisation, facts.domain, overrides, lists)
    if said is _Word.NOBODY:
        return _nobody(facts)
    if isinstance(said, _Word):
        return _network(facts)
    confidence = 2 if facts.kind in _CERTAIN else 1
    kind, source = AttributionKind.COMPANY, AttributionSource.ADDRESS
    return Attribution(kind, said, facts.organisation, source, confidence, facts.country)


def _of_organisation(name: str, domain: str | None, overrides: Overrides, lists: DomainLists) -> str | _Word:
    by_domain = _of_domain(domain, overrides, lists) if domain else _Word.NO_DOMAIN
    if by_domain is not _Word.NO_DOMAIN:
        return by_domain
    id_ = organisation_id(name)
    if id_ is None:
        return _Word.NO_DOMAIN
    if overrides.excludes(id_):
        return _Word.NOBODY
    target = overrides.merged_into(id_)
    return _merged(target, overrides, lists) if target else id_


def _network(facts: NetworkFacts) -> Attribution:
    name = facts.network or facts.organisation
    if name is None and facts.asn is None and facts.kind not in _NO_COMPANIES:
        return _nobody(facts)
    named = organisation_id(name) if name else None
    own = f"{NETWORK}{named.removeprefix(ORGANISATION) if named else facts.kind}"
    id_ = f"AS{facts.asn}" if facts.asn else own
    return Attribution(AttributionKind.NETWORK, id_, name, AttributionSource.ADDRESS, 1, facts.country)


def _nobody(facts: NetworkFacts) -> Attribution:
    return Attribution(AttributionKind.NONE, country=facts.country)


def _strength(attribution: Attribution) -> tuple[int, bool]:
    """The smaller, the stronger."""
    return -attribution.confidence, attribution.source is not AttributionSource.DOMAIN


def _naming(attribution: Attribution) -> tuple[str, str, str]:
    return attribution.name or "", attribution.id or "", attribution.country or ""


def _rank(uses: list[tuple[Attribution, int]]) -> tuple[tuple[int, bool], int, tuple[str, str, str]]:
    strongest = _strongest(uses)
    return _strength(strongest), -sum(count for _, count in uses), _naming(strongest)


def _strongest(uses: list[tuple[Attribution, int]]) -> Attribution:
    """Of one company: what told it best, most often, and first by name."""
    total: defaultdict[Attribution, int] = defaultdict(int)
    for attribution, count in uses:
        total[attribution] += count
    return min(total, key=lambda each: (_strength(each), -total[each], _naming(each)))
