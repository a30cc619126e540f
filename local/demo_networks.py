"""The demo's network file: who is behind which address, in the layout of IPinfo's *Company*."""

from pathlib import Path
from typing import Any, NamedTuple

from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]

from local.demo_companies import companies

_FILE_TYPE = "ipinfo standard_company.mmdb"


class Carrier(NamedTuple):
    """A network that is no company's. The numbers are kept for examples (RFC 5398)."""

    name: str
    asn: int
    type: str
    country: str
    networks: tuple[str, ...]

    @property
    def id(self) -> str:
        """What uses from there are attributed to."""
        return f"AS{self.asn}"


TELECOM = Carrier("Northline Telecom", 64496, "isp", "DE", ("192.175.48.0/26", "2d00:f000::/32"))
CABLE = Carrier("Bayside Cable", 64497, "isp", "US", ("192.175.48.64/26",))
CLOUD = Carrier("Stratus Cloud", 64498, "hosting", "IE", ("192.175.48.128/27", "2d00:f001::/32"))
VPN = Carrier("Veil VPN", 64499, "hosting", "CH", ("192.175.48.160/27",))
CARRIERS = (TELECOM, CABLE, CLOUD, VPN)


def records() -> dict[str, dict[str, Any]]:
    """What the file says of each network (`192.31.196.0/29`)."""
    found: dict[str, dict[str, Any]] = {}
    known: dict[str, Any]
    for company in companies():
        carrier = (TELECOM, CABLE)[company.number % 2]
        known = {"name": company.name, "type": company.kind, "country": company.country, **_carried_by(carrier)}
        if company.domain:
            known["domain"] = company.domain
        found |= dict.fromkeys(filter(None, (company.network, company.network_v6)), known)
    for carrier in CARRIERS:
        known = {"name": carrier.name, "domain": _domain(carrier), "type": carrier.type, "country": carrier.country}
        privacy = {"privacy": {"vpn": True}} if carrier is VPN else {}
        found |= dict.fromkeys(carrier.networks, known | _carried_by(carrier) | privacy)
    return found


def write_network_file(path: Path) -> None:
    """Writes the file, in one move: nobody reads half of it."""
    writer: Any = MMDBWriter(6, _FILE_TYPE, languages=["en"], ipv4_compatible=True)
    for network, record in records().items():
        writer.insert_network(IPSet([network]), record)
    unfinished = path.with_name(f"{path.name}.new")
    writer.to_db_file(str(unfinished))
    unfinished.replace(path)


def _carried_by(carrier: Carrier) -> dict[str, str]:
    return {"asn": carrier.id, "as_name": carrier.name, "as_domain": _domain(carrier), "as_type": carrier.type}


def _domain(carrier: Carrier) -> str:
    return f"{carrier.name.replace(' ', '-')}.example".lower()
