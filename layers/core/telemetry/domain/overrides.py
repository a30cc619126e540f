"""What the vendor says of networks and domains, against what files and lists say."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import chain
from types import MappingProxyType
from typing import Any, Self

from telemetry.domain.addresses import Address, Network, network_of
from telemetry.domain.company_domains import DomainLists, domain_name, registrable_domain
from telemetry.domain.errors import InvalidField
from telemetry.domain.organisation_id import LONGEST_ID, ORGANISATION

LARGEST_OVERRIDES = 100_000
"""Bytes of their JSON; an item takes four times as much."""

UNSAID_VERSION = 1

_WIDEST_V4, _WIDEST_V6 = 8, 16
"""Prefix lengths. A wider network is a slip of the hand: it would silence a good part of the internet."""
_NETWORKS = ("own_networks", "ignored_networks")
_DOMAINS = ("own_domains", "public_mail", "not_public_mail")
_IGNORED = "ignored_companies"
_FIELDS = frozenset({*_NETWORKS, *_DOMAINS, _IGNORED, "merged"})


@dataclass(frozen=True, slots=True)
class Overrides:
    """The vendor's word, which goes before that of files and lists. Names are as `domain_name` has them.

    - `own_networks`, `own_domains`: the vendor itself, which is no company among its users.
    - `ignored_networks`, `ignored_companies`: nobody either. A company is a domain or an id `~o:…`.
    - `merged`: a company, and the domain of the one that it belongs to. Chains are followed to their end.
    - `public_mail`, `not_public_mail`: domains of mail that are everybody's, or that are a company's after all.

    What is said of a domain holds for those below it, unless something else is said of these. Raises InvalidField where
    two sayings contradict each other, and where merged companies lead in a circle.
    """

    own_networks: frozenset[Network] = frozenset()
    own_domains: frozenset[str] = frozenset()
    ignored_networks: frozenset[Network] = frozenset()
    ignored_companies: frozenset[str] = frozenset()
    merged: Mapping[str, str] = field(default_factory=dict)
    public_mail: frozenset[str] = frozenset()
    not_public_mail: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "merged", MappingProxyType(dict(self.merged)))
        self._check_circles()
        self._check_contradictions()

    def excludes_address(self, address: Address) -> bool:
        """Whether it is in a network that is the vendor's own, or ignored."""
        return any(address in network for network in chain(self.own_networks, self.ignored_networks))

    def excludes(self, company: str) -> bool:
        """Whether a domain, or a company's id, is the vendor's own or ignored."""
        return company in self.own_domains or company in self.ignored_companies

    def merged_into(self, company: str) -> str | None:
        """The company that this one belongs to, None where it stands for itself."""
        target = self.merged.get(company)
        while target is not None and target in self.merged:
            target = self.merged[target]
        return target

    @property
    def digest(self) -> str:
        """SHA-256 in hex, the same for the same overrides: for what a day's closing writes down."""
        return sha256(_json_of(self.to_json()).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """As `from_json` takes it, in a fixed order."""
        networks = {name: [str(each) for each in sorted(getattr(self, name), key=_order)] for name in _NETWORKS}
        names = {name: sorted(getattr(self, name)) for name in (*_DOMAINS, _IGNORED)}
        return {**networks, **names, "merged": dict(sorted(self.merged.items()))}

    @classmethod
    def from_json(cls, document: object) -> Self:
        """The overrides of a JSON document; what is left out is empty.

            {"own_networks": ["81.2.69.0/24"], "own_domains": ["acme.com"], "ignored_networks": [],
             "ignored_companies": ["crawler.example", "~o:honey pot"], "merged": {"acme.co.uk": "acme.com"},
             "public_mail": ["isp.example"], "not_public_mail": ["sfr.fr"]}

        Raises InvalidField, whose field is one of these names and whose message quotes what is wrong.
        """
        if not isinstance(document, Mapping):
            raise InvalidField("overrides", "Overrides are a JSON object.")
        for name in document:
            if name not in _FIELDS:
                raise InvalidField(str(name), f"There is no {name!r} among overrides.")
        _check_size(document)
        overrides = cls(
            own_networks=_networks("own_networks", document),
            own_domains=_domains("own_domains", document),
            ignored_networks=_networks("ignored_networks", document),
            ignored_companies=frozenset(_company(_IGNORED, each) for each in _texts(_IGNORED, document)),
            merged=_merged(document),
            public_mail=_domains("public_mail", document),
            not_public_mail=_domains("not_public_mail", document),
        )
        _check_size(overrides.to_json())  # `a::` becomes `a::/128`
        return overrides

    def _check_circles(self) -> None:
        for company in self.merged:
            seen, target = {company}, self.merged[company]
            while target in self.merged and target not in seen:
                seen.add(target)
                target = self.merged[target]
            if target in seen:
                raise InvalidField("merged", f"{company!r} leads back to {target!r}.")

    def _check_contradictions(self) -> None:
        for name in sorted(self.public_mail & self.not_public_mail):
            raise InvalidField("not_public_mail", f"{name!r} is among public_mail too.")
        for company, target in sorted(self.merged.items()):
            for what in ("own_domains", "ignored_companies", "public_mail"):
                if company in getattr(self, what):
                    raise InvalidField("merged", f"{company!r} is among {what} too.")
            if target in self.public_mail:
                raise InvalidField("merged", f"{target!r} is among public_mail and is no company.")


@dataclass(frozen=True, slots=True)
class VersionedOverrides:
    """The overrides of a deployment. The first version is that of nothing said; `changed_by` is an API key's id."""

    overrides: Overrides = field(default_factory=Overrides)
    version: int = UNSAID_VERSION
    changed_at: datetime | None = None
    changed_by: str | None = None


def check_domains(overrides: Overrides, lists: DomainLists) -> None:
    """Raises InvalidField for a domain of which nothing can be said (`co.uk`), or into which no company can be merged.

    Apart from `from_json`, because lists change: what was stored stays readable.
    """
    sayings = {name: getattr(overrides, name) for name in _DOMAINS}
    sayings |= {_IGNORED: overrides.ignored_companies, "merged": overrides.merged.keys()}
    for name, companies in sayings.items():
        for company in sorted(each for each in companies if not each.startswith(ORGANISATION)):
            if registrable_domain(company, lists) is None:
                raise InvalidField(name, f"{company!r} is nobody's domain; name those below it.")
    for target in sorted(overrides.merged.values()):
        if (company := registrable_domain(target, lists)) != target:
            hint = f"; {company!r} is" if company else ""
            raise InvalidField("merged", f"{target!r} is no company's domain{hint}.")
        if lists.is_public_mail(target) and target not in overrides.not_public_mail:
            raise InvalidField("merged", f"{target!r} is a public mail provider and no company.")


def _check_size(document: object) -> None:
    if len(_json_of(document).encode()) > LARGEST_OVERRIDES:
        raise InvalidField("overrides", f"Overrides are at most {LARGEST_OVERRIDES:,} bytes of JSON.")


def _networks(name: str, document: Mapping[str, Any]) -> frozenset[Network]:
    return frozenset(_network(name, each) for each in _texts(name, document))


def _domains(name: str, document: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(_domain(name, each) for each in _texts(name, document))


def _network(name: str, text: str) -> Network:
    try:
        network = network_of(text.strip())
    except ValueError as exc:
        raise InvalidField(name, f"{text!r} is no network; write one as 192.0.2.0/24 or 2001:db8::/32.") from exc
    widest = _WIDEST_V4 if network.version == 4 else _WIDEST_V6
    if network.prefixlen < widest:
        raise InvalidField(name, f"{text!r} is too wide; /{widest} is the widest.")
    return network


def _domain(name: str, text: str) -> str:
    domain = domain_name(text)
    if domain is None:
        raise InvalidField(name, f"{text!r} is no domain; write one as acme.com.")
    return domain


def _company(name: str, text: str) -> str:
    """A company's id: a domain, or one as `organisation_id` made it and lists show it."""
    if not text.startswith(ORGANISATION):
        return _domain(name, text)
    if len(text.encode("utf-8", "backslashreplace")) > LONGEST_ID or not text.isprintable() or text == ORGANISATION:
        raise InvalidField(name, f"{text!r} is no company's id; write it as lists show it.")
    return text


def _merged(document: Mapping[str, Any]) -> dict[str, str]:
    pairs = document.get("merged", {})
    if not isinstance(pairs, Mapping) or not all(isinstance(each, str) for pair in pairs.items() for each in pair):
        raise InvalidField("merged", "merged is an object of companies, each with the domain of the one it belongs to.")
    merged: dict[str, str] = {}
    for company, target in pairs.items():
        key, domain = _company("merged", company), _domain("merged", target)
        if merged.setdefault(key, domain) != domain:
            raise InvalidField("merged", f"{key!r} is merged into both {merged[key]!r} and {domain!r}.")
    return merged


def _texts(name: str, document: Mapping[str, Any]) -> Iterable[str]:
    value = document.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidField(name, f"{name} is a list of texts.")
    return value


def _order(network: Network) -> tuple[int, int, int]:
    return network.version, int(network.network_address), network.prefixlen


def _json_of(document: object) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
