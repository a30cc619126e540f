"""Who is behind an address: one record of a network file, whoever made the file, in our own words.

Known are the files of IPinfo (Company, ASN, Lite, Core, Plus, Privacy), MaxMind (GeoIP2 ISP, Enterprise, Anonymous IP,
ASN, Country; GeoLite2) and DB-IP (ISP, Location + ISP, ASN). Of another layout is taken what goes by the same names.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from telemetry.domain.addresses import Address, Network, network_of

LONGEST_ORGANISATION = 120
"""Characters of a name that are kept."""

_LARGEST_ASN = 2**32 - 1
_ASN = re.compile(r"(?:AS)?([0-9]{1,10})")
_SHORTEST_ALIKE = 3
_NOT_GLOBAL = tuple(
    network_of(text)
    for text in (
        # IANA's special-purpose registries, written down because each Python has others: private and shared (CGNAT)
        # addresses, loopback, link-local, documentation, benchmarks, multicast, reserved
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
)  # fmt: skip
_GLOBAL_V6: Network = network_of("2000::/3")
"""All that is given out of IPv6; what lies elsewhere is local, multicast, or a translation of IPv4."""


class NetworkKind(StrEnum):
    """What a network is for."""

    BUSINESS = "business"
    EDUCATION = "education"
    ISP = "isp"
    """Of an internet provider: homes, mobiles, and all others that it gives addresses to."""
    HOSTING = "hosting"
    ANONYMOUS = "anonymous"
    """VPN, proxy, relay, Tor."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """What a file knows of an address; None where it does not say.

    `organisation` uses the address, `domain` is the organisation's; `network` is the name of who runs the network
    (`Example Telecom`), `asn` its number. `country` is ISO 3166-1 alpha-2 in capitals.
    """

    organisation: str | None = None
    domain: str | None = None
    kind: NetworkKind = NetworkKind.UNKNOWN
    network: str | None = None
    asn: int | None = None
    country: str | None = None


NOTHING_KNOWN = NetworkFacts()

_KINDS = {
    NetworkKind.BUSINESS: {"business", "corporate"},
    # a school's or a college's network is the organisation's own; a library's, like a café's, is its visitors'
    NetworkKind.EDUCATION: {"education", "college", "school", "university"},
    NetworkKind.ISP: {"isp", "residential", "consumer", "cellular", "mobile", "dialup", "router", "cafe", "library",
                      "traveler"},
    NetworkKind.HOSTING: {"hosting", "content_delivery_network", "search_engine_spider"},
    NetworkKind.ANONYMOUS: {"consumer_privacy_network"},
}  # fmt: skip
_KIND_BY_WORD = {word: kind for kind, words in _KINDS.items() for word in words}
_ANONYMOUS = (
    "vpn", "proxy", "tor", "relay", "is_vpn", "is_proxy", "is_tor", "is_relay", "is_res_proxy",
    "is_anonymous_vpn", "is_anonymous_proxy", "is_public_proxy", "is_residential_proxy", "is_tor_exit_node",
)  # fmt: skip
_HOSTING = ("hosting", "is_hosting", "is_hosting_provider")
_CARRIER = ("is_mobile", "is_satellite", "is_satellite_provider")


def is_global(address: Address) -> bool:
    """Whether an address is one of the internet's, which a file can know: not private, shared, local or of examples."""
    if address.version == 6 and (address not in _GLOBAL_V6 or getattr(address, "scope_id", None)):
        return False
    return not any(address in network for network in _NOT_GLOBAL)


def network_facts(record: object) -> NetworkFacts:
    """The facts of a file's record, as its reader gives it; NOTHING_KNOWN for what is no record. Never raises.

    What the files leave open is decided for *network*, which names no company:

    - A file of autonomous systems tells who runs a network and not who uses it: no organisation.
    - An organisation that is its own provider, in a file without types, is the provider: kind `isp`.
    - MaxMind's `domain` is that of the reverse DNS, often the provider's: taken where it is like the organisation's
      name.
    """
    if not isinstance(record, Mapping):
        return NOTHING_KNOWN
    fields = _Fields(record)
    organisation, domain = _organisation(fields)
    network = fields.name("isp", "as_name", "autonomous_system_organization")
    if network is None and (fields.has_map("as", "asn") or organisation is None):
        network = fields.name_in("as", "asn") or fields.name("name")
    kind = _kind(fields, is_of_systems=organisation is None)
    if kind is NetworkKind.UNKNOWN and organisation and organisation in fields.providers():
        kind = NetworkKind.ISP
    return NetworkFacts(organisation, domain, kind, network, _asn(fields), _country(fields))


class _Fields:
    """The fields of a record by their names, wherever its maker nested them."""

    def __init__(self, record: Mapping[object, object]) -> None:
        self._record = record
        self._maps = (record, *(each for each in map(record.get, ("traits", "geo")) if isinstance(each, Mapping)))

    def get(self, *names: str) -> object:
        """The first of these that there is, in the record, its `traits` or its `geo`."""
        found = (each[name] for name in names for each in self._maps if name in each)
        return next((value for value in found if value not in (None, "")), None)

    def text(self, *names: str) -> str | None:
        value = self.get(*names)
        return (value.strip() or None) if isinstance(value, str) else None

    def name(self, *names: str) -> str | None:
        return _shown(self.text(*names))

    def has_map(self, *names: str) -> bool:
        return any(isinstance(self._record.get(name), Mapping) for name in names)

    def inner(self, *names: str) -> "_Fields":
        """The first of these maps that there is, else an empty one."""
        maps = (self._record.get(name) for name in names)
        return _Fields(next((each for each in maps if isinstance(each, Mapping)), {}))

    def name_in(self, *names: str) -> str | None:
        return self.inner(*names).name("name")

    def providers(self) -> set[str | None]:
        """Who may run the network, by the names that files give to it."""
        return {self.name("isp"), self.name("as_name", "autonomous_system_organization"), self.name_in("as", "asn")}

    def any_set(self, names: tuple[str, ...]) -> bool:
        """Whether one of these flags is set, in the record or a map of flags; IPinfo's older files write `"true"`."""
        return any(_is_set(fields.get(name)) for fields in self._with_flags() for name in names)

    def _with_flags(self) -> Iterator["_Fields"]:
        yield self
        yield from (self.inner(name) for name in ("privacy", "anonymous") if self.has_map(name))


def _organisation(fields: _Fields) -> tuple[str | None, str | None]:
    """The organisation and its domain."""
    if fields.has_map("company"):
        company = fields.inner("company")
        return company.name("name"), company.text("domain")
    if name := fields.name("organization", "organisation"):
        domain = fields.text("domain")
        return name, domain if domain and _are_alike(name, domain) else None
    is_of_systems = fields.get("asn") is not None and fields.get("as_name", "as_domain", "as_type") is None
    return (None, None) if is_of_systems else (fields.name("name"), fields.text("domain"))


def _are_alike(name: str, domain: str) -> bool:
    """Whether one seems made from the other: `Acme Labs Inc` and `acme.com`, not `Acme Labs Inc` and `isp.net`."""
    squeezed = "".join(letter for letter in name.casefold() if letter.isalnum())
    label = domain.casefold().partition(".")[0].replace("-", "")
    return min(len(squeezed), len(label)) >= _SHORTEST_ALIKE and (label in squeezed or squeezed in label)


def _kind(fields: _Fields, *, is_of_systems: bool) -> NetworkKind:
    if fields.any_set(_ANONYMOUS):
        return NetworkKind.ANONYMOUS
    if fields.any_set(_HOSTING):
        return NetworkKind.HOSTING
    if fields.any_set(("is_anonymous",)):
        return NetworkKind.ANONYMOUS
    if fields.any_set(_CARRIER):
        return NetworkKind.ISP
    words = [fields.inner("company").text("type"), fields.text("type"), fields.text("user_type", "usage_type")]
    if is_of_systems:
        words += [fields.text("as_type"), fields.inner("as", "asn").text("type")]
    words.append(fields.text("connection_type"))
    kinds = (_KIND_BY_WORD.get(word.lower()) for word in words if word)
    return next((kind for kind in kinds if kind), NetworkKind.UNKNOWN)


def _asn(fields: _Fields) -> int | None:
    number = fields.get("autonomous_system_number", "asn", "as_number")
    if isinstance(number, Mapping) or number is None:
        number = fields.inner("as", "asn").get("asn")
    if isinstance(number, str):
        digits = number.strip().upper().removeprefix("AS")
        number = (
            int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= len(str(_LARGEST_ASN)) else None
        )
    if isinstance(number, bool) or not isinstance(number, int):
        return None
    return number if 0 < number <= _LARGEST_ASN else None


def _country(fields: _Fields) -> str | None:
    code = fields.text("country_code") or fields.inner("country").text("iso_code") or fields.text("country")
    return code.upper() if code and len(code) == 2 and code.isascii() and code.isalpha() else None


def _shown(text: str | None) -> str | None:
    """On one line, and of a length that items can bear."""
    return " ".join(text.split())[:LONGEST_ORGANISATION].strip() or None if text else None


def _is_set(value: object) -> bool:
    return value is True or value == 1 or (isinstance(value, str) and value.strip().lower() in {"true", "yes", "1"})
