"""Network files of every known maker: a record as it lies in one, and what it says. Names and numbers are made up."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]

from telemetry.domain.networks import NetworkFacts, NetworkKind


class Layout(NamedTuple):
    """A record of a maker's file; `type` is the file's `database_type`."""

    type: str
    record: dict[str, Any]
    facts: NetworkFacts


_ENTERPRISE = {
    "continent": {"code": "EU", "names": {"en": "Europe"}},
    "country": {"iso_code": "DE", "names": {"en": "Germany"}, "geoname_id": 2921044},
    "registered_country": {"iso_code": "FR"},
}
_AS: dict[str, Any] = {"autonomous_system_number": 64500, "autonomous_system_organization": "Example Telecom AG"}
_IPINFO_AS = {"asn": "AS64500", "as_name": "Example Telecom AG", "as_domain": "telecom.example", "as_type": "isp"}
_TELECOM: dict[str, Any] = {"network": "Example Telecom AG", "asn": 64500}


def _enterprise(**traits: Any) -> dict[str, Any]:  # noqa: ANN401 (of a record)
    return {**_ENTERPRISE, "traits": {**_AS, "isp": "Example Telecom", **traits}}


LAYOUTS: dict[str, Layout] = {
    "IPinfo Company, business": Layout(
        "ipinfo standard_company.mmdb",
        {"name": "Acme Labs Inc", "domain": "acme.com", "type": "business", "country": "US", **_IPINFO_AS},
        NetworkFacts("Acme Labs Inc", "acme.com", NetworkKind.BUSINESS, country="US", **_TELECOM),
    ),
    "IPinfo Company, education": Layout(
        "ipinfo standard_company.mmdb",
        {"name": "Example University", "domain": "uni.example", "type": "education", **_IPINFO_AS},
        NetworkFacts("Example University", "uni.example", NetworkKind.EDUCATION, **_TELECOM),
    ),
    "IPinfo Company, provider": Layout(
        "ipinfo standard_company.mmdb",
        {"name": "Example Telecom AG", "domain": "telecom.example", "type": "isp", **_IPINFO_AS},
        NetworkFacts("Example Telecom AG", "telecom.example", NetworkKind.ISP, **_TELECOM),
    ),
    "IPinfo Company, hosting": Layout(
        "ipinfo standard_company.mmdb",
        {"name": "Example Cloud", "domain": "cloud.example", "type": "hosting", "asn": "", "as_name": ""},
        NetworkFacts("Example Cloud", "cloud.example", NetworkKind.HOSTING),
    ),
    "IPinfo Company, nested": Layout(
        "ipinfo enterprise.mmdb",
        {
            "asn": {"asn": "AS64500", "name": "Example Telecom AG", "domain": "telecom.example", "type": "isp"},
            "company": {"name": "Acme Labs Inc", "domain": "acme.com", "type": "business"},
            "privacy": {"vpn": False, "proxy": False, "tor": False, "relay": False, "hosting": False, "service": ""},
            "country": "US",
        },
        NetworkFacts("Acme Labs Inc", "acme.com", NetworkKind.BUSINESS, country="US", **_TELECOM),
    ),
    "IPinfo Company, through a VPN": Layout(
        "ipinfo enterprise.mmdb",
        {"company": {"name": "Acme", "domain": "acme.com", "type": "business"}, "privacy": {"vpn": True}},
        NetworkFacts("Acme", "acme.com", NetworkKind.ANONYMOUS),
    ),
    "IPinfo ASN": Layout(
        "ipinfo standard_asn.mmdb",
        {"asn": "AS64501", "domain": "acme.com", "name": "Acme Labs Inc", "type": "business", "country": "US"},
        NetworkFacts(kind=NetworkKind.BUSINESS, network="Acme Labs Inc", asn=64501, country="US"),
    ),
    "IPinfo Lite": Layout(
        "ipinfo bundle_location_lite.mmdb",
        {
            "country": "Germany", "country_code": "DE", "continent": "Europe", "continent_code": "EU",
            "asn": "AS64500", "as_name": "Example Telecom AG", "as_domain": "telecom.example",
        },
        NetworkFacts(country="DE", **_TELECOM),
    ),
    "IPinfo Core": Layout(
        "ipinfo core.mmdb",
        {**_IPINFO_AS, "as_type": "hosting", "country_code": "DE", "is_hosting": True, "is_anonymous": False},
        NetworkFacts(kind=NetworkKind.HOSTING, country="DE", **_TELECOM),
    ),
    "IPinfo Plus, nested": Layout(
        "ipinfo plus.mmdb",
        {
            "geo": {"country": "Germany", "country_code": "DE"},
            "as": {"asn": "AS64500", "name": "Example Telecom AG", "domain": "telecom.example", "type": "isp"},
            "anonymous": {"is_proxy": False, "is_relay": True, "is_tor": False, "is_vpn": False},
        },
        NetworkFacts(kind=NetworkKind.ANONYMOUS, country="DE", **_TELECOM),
    ),
    "IPinfo Privacy": Layout(
        "ipinfo standard_privacy.mmdb",
        {"vpn": "", "proxy": "", "tor": "true", "relay": "", "hosting": "true", "service": ""},
        NetworkFacts(kind=NetworkKind.ANONYMOUS),
    ),
    "IPinfo Privacy, nothing": Layout(
        "ipinfo standard_privacy.mmdb", {"vpn": "", "proxy": "false", "tor": "", "hosting": ""}, NetworkFacts()
    ),
    "GeoIP2 ISP": Layout(
        "GeoIP2-ISP",
        {**_AS, "isp": "Example Telecom", "organization": "Acme Labs Inc"},
        NetworkFacts("Acme Labs Inc", network="Example Telecom", asn=64500),
    ),
    "GeoIP2 ISP, the provider's own": Layout(
        "GeoIP2-ISP",
        {**_AS, "isp": "Example Telecom", "organization": "Example Telecom"},
        NetworkFacts("Example Telecom", kind=NetworkKind.ISP, network="Example Telecom", asn=64500),
    ),
    "GeoIP2 Enterprise, business": Layout(
        "GeoIP2-Enterprise",
        _enterprise(organization="Acme Labs Inc", domain="acme.com", user_type="business", connection_type="Corporate"),
        NetworkFacts("Acme Labs Inc", "acme.com", NetworkKind.BUSINESS, "Example Telecom", 64500, "DE"),
    ),
    "GeoIP2 Enterprise, the provider's domain": Layout(
        "GeoIP2-Enterprise",
        _enterprise(organization="Acme Labs Inc", domain="telecom-dsl.net", user_type="business"),
        NetworkFacts("Acme Labs Inc", None, NetworkKind.BUSINESS, "Example Telecom", 64500, "DE"),
    ),
    "GeoIP2 Enterprise, college": Layout(
        "GeoIP2-Enterprise",
        _enterprise(organization="Example College", user_type="college"),
        NetworkFacts("Example College", None, NetworkKind.EDUCATION, "Example Telecom", 64500, "DE"),
    ),
    "GeoIP2 Enterprise, home": Layout(
        "GeoIP2-Enterprise",
        _enterprise(organization="Example DSL", user_type="residential"),
        NetworkFacts("Example DSL", None, NetworkKind.ISP, "Example Telecom", 64500, "DE"),
    ),
    "GeoIP2 Enterprise, government": Layout(
        "GeoIP2-Enterprise",
        _enterprise(organization="Example Ministry", user_type="government"),
        NetworkFacts("Example Ministry", None, NetworkKind.UNKNOWN, "Example Telecom", 64500, "DE"),
    ),
    "GeoIP2 Anonymous IP": Layout(
        "GeoIP2-Anonymous-IP",
        {"is_anonymous": True, "is_anonymous_vpn": True},
        NetworkFacts(kind=NetworkKind.ANONYMOUS),
    ),
    "GeoIP2 Anonymous IP, hosting": Layout(
        "GeoIP2-Anonymous-IP",
        {"is_anonymous": True, "is_hosting_provider": True},
        NetworkFacts(kind=NetworkKind.HOSTING),
    ),
    "GeoLite2 ASN": Layout("GeoLite2-ASN", dict(_AS), NetworkFacts(**_TELECOM)),
    "GeoLite2 Country": Layout("GeoLite2-Country", dict(_ENTERPRISE), NetworkFacts(country="DE")),
    "DB-IP ISP, business": Layout(
        "DBIP-ISP (compat=Enterprise)",
        {
            "country": {"iso_code": "DE"},
            "traits": {**_AS, "isp": "Example Telecom", "organization": "Acme Labs Inc", "user_type": "business"},
        },
        NetworkFacts("Acme Labs Inc", None, NetworkKind.BUSINESS, "Example Telecom", 64500, "DE"),
    ),
    "DB-IP ISP, without types": Layout(
        "DBIP-ISP",
        {"traits": {"isp": "Example Telecom", "organization": "Acme Labs Inc", "connection_type": "Corporate"}},
        NetworkFacts("Acme Labs Inc", None, NetworkKind.BUSINESS, "Example Telecom"),
    ),
    "DB-IP ISP, mobile": Layout(
        "DBIP-ISP",
        {"traits": {"isp": "Example Mobile", "organization": "Example M2M", "user_type": "cellular"}},
        NetworkFacts("Example M2M", None, NetworkKind.ISP, "Example Mobile"),
    ),
    "DB-IP ASN Lite": Layout("DBIP-ASN-Lite", dict(_AS), NetworkFacts(**_TELECOM)),
    "another, with known names": Layout(
        "Somebody-Else", {"organisation": "Acme  Labs\nInc", "usage_type": "Business", "as_number": 64500},
        NetworkFacts("Acme Labs Inc", None, NetworkKind.BUSINESS, None, 64500),
    ),
    "another, without": Layout("Somebody-Else", {"latitude": 1.5, "tags": ["a"]}, NetworkFacts()),
}  # fmt: skip


def write_network_file(
    path: Path, records: Mapping[str, object], database_type: str = "Test-Company", *, ip_version: int = 6
) -> bytes:
    """A network file with a record for each network (`81.2.69.0/24`), and its bytes."""
    writer: Any = MMDBWriter(ip_version, database_type, languages=["en"], ipv4_compatible=ip_version == 6)
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path.read_bytes()
