"""Records of all makers' files, in our own words."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.networks import (
    LONGEST_ORGANISATION,
    NOTHING_KNOWN,
    NetworkFacts,
    NetworkKind,
    is_global,
    network_facts,
)
from tests.worlds.network_files import LAYOUTS, Layout


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_record_in_our_words(layout: Layout) -> None:
    assert network_facts(layout.record) == layout.facts


@pytest.mark.parametrize("record", [None, "acme", 7, [], [{"name": "Acme"}], {}, {"name": 7, "asn": True, "traits": 1}])
def test_what_says_nothing(record: object) -> None:
    assert network_facts(record) == NOTHING_KNOWN


@pytest.mark.parametrize(
    ("written", "asn"),
    [
        *(("AS64500", 64500), ("as64500", 64500), ("64500", 64500), (64500, 64500), (2**32 - 1, 2**32 - 1)),
        *((2**32, None), (0, None), (-1, None), ("AS", None), ("AS" + "9" * 400, None), (True, None), ("٣", None)),
    ],
    ids=lambda each: str(each)[:12],
)
def test_numbers_of_autonomous_systems(written: object, asn: int | None) -> None:
    assert network_facts({"asn": written, "as_name": "Example"}).asn == asn


@pytest.mark.parametrize(
    ("name", "domain", "kept"),
    [
        ("Acme Labs Inc", "acme.com", True),
        ("Acme", "acme-labs.com", True),
        ("International Business Machines", "ibm.com", False),
        ("HP", "hp.com", False),
        ("Acme", "telecom.net", False),
    ],
)
def test_a_domain_of_the_reverse_dns_is_kept_if_it_is_like_the_name(name: str, domain: str, *, kept: bool) -> None:
    facts = network_facts({"traits": {"organization": name, "domain": domain, "user_type": "business"}})
    assert facts == NetworkFacts(name, domain if kept else None, NetworkKind.BUSINESS)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        *((word, NetworkKind.BUSINESS) for word in ("business", "Business", "corporate")),
        *((word, NetworkKind.EDUCATION) for word in ("education", "college", "school")),
        *(
            (word, NetworkKind.ISP)
            for word in ("isp", "residential", "cellular", "dialup", "router", "cafe", "traveler")
        ),
        *((word, NetworkKind.HOSTING) for word in ("hosting", "content_delivery_network", "search_engine_spider")),
        ("consumer_privacy_network", NetworkKind.ANONYMOUS),
        *((word, NetworkKind.UNKNOWN) for word in ("government", "military", "", "whatever")),
    ],
)
def test_words_for_kinds(word: str, kind: NetworkKind) -> None:
    assert network_facts({"traits": {"organization": "Acme", "user_type": word}}).kind is kind
    assert network_facts({"name": "Acme", "type": word}).kind is kind


@pytest.mark.parametrize("flag", ["is_mobile", "is_satellite"])
def test_mobile_and_satellite_networks_are_providers(flag: str) -> None:
    assert network_facts({flag: True}).kind is NetworkKind.ISP


def test_names_are_of_one_line_and_bounded() -> None:
    facts = network_facts({"name": " Acme\n\tLabs  " + "x" * 1_000, "domain": " acme.com "})
    assert facts.organisation is not None
    assert facts.organisation.startswith("Acme Labs xxx")
    assert len(facts.organisation) == LONGEST_ORGANISATION
    assert facts.domain == "acme.com"


GLOBAL = ["1.1.1.1", "8.8.8.8", "81.2.69.160", "100.63.255.255", "100.128.0.0", "172.32.0.1", "223.255.255.255",
          "2a02:1::1", "2606:4700::1111", "2001:200::1"]  # fmt: skip
NOT_GLOBAL = [
    *("0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "127.0.0.1", "169.254.1.1"),
    *("100.64.0.1", "100.127.255.255"),  # CGNAT
    *("192.0.2.1", "198.51.100.1", "203.0.113.77", "2001:db8::1", "3fff::1"),  # documentation
    *("198.18.0.1", "192.0.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "64:ff9b::102:304", "2001::1", "2002::1"),
    *("::ffff:81.2.69.160", "2a02:1::1%eth0"),
]


@pytest.mark.parametrize("text", GLOBAL)
def test_addresses_of_the_internet(text: str) -> None:
    assert is_global(ip_address(text))


@pytest.mark.parametrize("text", NOT_GLOBAL)
def test_addresses_that_no_file_can_know(text: str) -> None:
    assert not is_global(ip_address(text))


@given(st.ip_addresses())
def test_what_python_calls_private_is_not_global(address: object) -> None:
    parsed = ip_address(str(address))
    if parsed.is_private or parsed.is_multicast or parsed.is_link_local or parsed.is_loopback:
        assert not is_global(parsed)


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "domain",
                    "type",
                    "asn",
                    "as",
                    "company",
                    "traits",
                    "organization",
                    "isp",
                    "country",
                    "privacy",
                ]
            ),
            inner,
        ),
    ),
    max_leaves=12,
)


@given(values)
def test_any_record_gives_what_it_can(record: object) -> None:
    facts = network_facts(record)
    assert facts == network_facts(record)
    assert facts.country is None or len(facts.country) == 2
