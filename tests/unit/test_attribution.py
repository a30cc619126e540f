"""From a domain and an address to a company: each rule of docs/companies.md, and what holds for any input."""

from collections.abc import Iterable
from datetime import date, timedelta
from ipaddress import ip_address, ip_network
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.addresses import Address
from telemetry.domain.attribution import (
    CARRIED_DAYS,
    Attribution,
    AttributionKind,
    AttributionSource,
    DayCompany,
    Networks,
    attribute,
    company_of_day,
    no_networks,
)
from telemetry.domain.event import Dialect, attributed_address, company_of
from telemetry.domain.networks import NetworkFacts, NetworkKind
from telemetry.domain.overrides import Overrides
from telemetry.storage.domain_lists import domain_lists
from tests.worlds.network_files import LAYOUTS, Layout

LISTS = domain_lists()
NOBODY = Attribution(AttributionKind.NONE)
BUSINESS, EDUCATION, ISP = NetworkKind.BUSINESS, NetworkKind.EDUCATION, NetworkKind.ISP
FACTS = {
    "81.2.69.0/24": NetworkFacts("Acme Labs Inc", "acme.com", BUSINESS, "Example Telecom", 64500, "GB"),
    "81.2.70.0/24": NetworkFacts("Example University", "cs.uni-example.edu", EDUCATION, country="US"),
    "81.2.71.0/24": NetworkFacts("Beta GmbH", None, BUSINESS, "Example Telecom", 64500, "DE"),
    "81.2.72.0/24": NetworkFacts("Gamma, Inc.", "gamma.com", NetworkKind.UNKNOWN),
    "81.2.73.0/24": NetworkFacts("Example Telecom", "telecom.example", ISP, None, 64500, "DE"),
    "81.2.74.0/24": NetworkFacts("Example Cloud", "cloud.example", NetworkKind.HOSTING, "Example Cloud", 64501, "IE"),
    "81.2.75.0/24": NetworkFacts(kind=NetworkKind.ANONYMOUS),
    "81.2.76.0/24": NetworkFacts(network="Delta Systems", asn=64502, kind=BUSINESS),
    "81.2.77.0/24": NetworkFacts(country="FR"),
    "81.2.78.0/24": NetworkFacts("Mail Example", "gmx.de", BUSINESS, None, 64503),
    "81.2.79.0/24": NetworkFacts("Nameless", "intranet.local", BUSINESS),
    "81.2.80.0/24": NetworkFacts("--", None, BUSINESS, None, 64504),
    "2a02:1::/32": NetworkFacts("Acme Labs Inc", "acme.com", BUSINESS, country="GB"),
}


def networks(address: Address) -> NetworkFacts | None:
    return next((facts for network, facts in FACTS.items() if address in ip_network(network)), None)


def attributed(
    hint: str | None = None, address: str | None = None, overrides: Overrides | None = None, of: Networks = networks
) -> Attribution:
    return attribute(hint, address, overrides or Overrides(), LISTS, of)


def of_domain(domain: str, country: str | None = None) -> Attribution:
    return Attribution(AttributionKind.COMPANY, domain, domain, AttributionSource.DOMAIN, 3, country)


def of_address(id_: str, name: str, confidence: int, country: str | None = None) -> Attribution:
    return Attribution(AttributionKind.COMPANY, id_, name, AttributionSource.ADDRESS, confidence, country)


def network(id_: str, name: str | None, country: str | None = None) -> Attribution:
    return Attribution(AttributionKind.NETWORK, id_, name, AttributionSource.ADDRESS, 1, country)


def nobody(country: str | None = None) -> Attribution:
    return Attribution(AttributionKind.NONE, country=country)


# ── the hint


@pytest.mark.parametrize(
    ("hint", "company"),
    [
        ("acme.com", of_domain("acme.com")),
        ("mail.acme.co.uk", of_domain("acme.co.uk")),
        ("tenant.onmicrosoft.com", of_domain("tenant.onmicrosoft.com")),
        ("github.com", of_domain("github.com")),
        *((each, NOBODY) for each in ("gmail.com", "hey.com", "tutanota.com", "privaterelay.appleid.com")),
        *((each, NOBODY) for each in ("users.noreply.github.com", "onmicrosoft.com", "mail.gmail.com", "co.uk")),
        *((each, NOBODY) for each in ("10.0.0.1", "acme", "pc.local", "x.internal", "y.lan", "z.home", "dc.corp")),
        *((each, NOBODY) for each in ("localhost.localdomain", "", " ", None)),
    ],
)
def test_a_domain_is_a_company(hint: str | None, company: Attribution) -> None:
    assert attributed(hint) == company


def test_the_domain_goes_before_the_address() -> None:
    assert attributed("beta.com", "81.2.69.160") == of_domain("beta.com", "GB")
    assert attributed("beta.com", "81.2.75.1") == of_domain("beta.com")


def test_the_domain_of_the_event_goes_before_that_of_the_mail_address() -> None:
    assert attributed(company_of("acme.com", "ann@beta.com")) == of_domain("acme.com")
    assert attributed(company_of(None, "ann@beta.com")) == of_domain("beta.com")


@pytest.mark.parametrize(
    "domain",
    [
        "localhost",
        "unknown",
        "N/A",
        "10.0.0.1",
        "[::1]",
        "build.internal",
        "pc.fritz.box",
        "a b.com",
        "a." * 60 + "com",
    ],
)
def test_a_domain_that_no_company_can_have_leaves_it_to_the_mail_address(domain: str) -> None:
    assert company_of(domain, None) is None
    assert attributed(company_of(domain, "ann@beta.com")) == of_domain("beta.com")


@pytest.mark.parametrize(
    "domain",
    [
        *("https://www.acme.com/", "HTTPS://Acme.com:8443/x?y#z", "acme.com/", "acme.com:443", "//acme.com"),
        *("ann@acme.com", "http://ann:secret@acme.com/@beta.com", " acme.com. ", "acme.com?at=beta.com"),
    ],
)
def test_a_domain_may_come_as_a_url(domain: str) -> None:
    assert attributed(company_of(domain, "ann@beta.com")) == of_domain("acme.com")


def test_a_public_mail_provider_leaves_it_to_the_address() -> None:
    assert attributed("gmail.com", "81.2.69.160") == of_address("acme.com", "Acme Labs Inc", 2, "GB")


@pytest.mark.parametrize(
    ("user", "company"),
    [
        ("ann@acme.com", of_domain("acme.com")),
        ("583231+ann@users.noreply.github.com", NOBODY),
        ("ann@tenant.onmicrosoft.com", of_domain("tenant.onmicrosoft.com")),
        ("ann", NOBODY),
        ("https://www.linkedin.com/in/ann", NOBODY),
        ("https://medium.com/@ann.lee", NOBODY),
        ("git@github.com:ann/cli.git", NOBODY),
        ("Ann+CI@Mail.ACME.com.", of_domain("acme.com")),
        ("anonymous", NOBODY),
        ("", NOBODY),
    ],
)
def test_users_of_every_type(user: str, company: Attribution) -> None:
    assert attributed(company_of(None, user)) == company


# ── the address


@pytest.mark.parametrize(
    ("address", "attribution"),
    [
        ("81.2.69.160", of_address("acme.com", "Acme Labs Inc", 2, "GB")),
        ("81.2.70.1", of_address("uni-example.edu", "Example University", 2, "US")),
        ("81.2.71.1", of_address("~o:beta gmbh", "Beta GmbH", 2, "DE")),
        ("81.2.72.1", of_address("gamma.com", "Gamma, Inc.", 1)),
        ("81.2.73.1", network("AS64500", "Example Telecom", "DE")),
        ("81.2.74.1", network("AS64501", "Example Cloud", "IE")),
        ("81.2.75.1", network("~n:anonymous", None)),
        ("81.2.76.1", network("AS64502", "Delta Systems")),
        ("81.2.77.1", nobody("FR")),
        ("81.2.78.1", network("AS64503", "Mail Example")),
        ("81.2.79.1", of_address("~o:nameless", "Nameless", 2)),
        ("81.2.80.1", network("AS64504", "--")),
        ("81.2.99.1", NOBODY),
        ("2a02:1::5", of_address("acme.com", "Acme Labs Inc", 2, "GB")),
    ],
)
def test_an_address_is_what_the_file_says(address: str, attribution: Attribution) -> None:
    assert attributed(None, address) == attribution


@pytest.mark.parametrize("address", ["::ffff:81.2.69.160", " 81.2.69.160", "81.2.69.160\n", "::FFFF:5102:45A0"])
def test_an_address_is_found_however_it_is_written(address: str) -> None:
    assert attributed(None, address) == of_address("acme.com", "Acme Labs Inc", 2, "GB")


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "169.254.0.1", "203.0.113.77", "2001:db8::1", "::1"),
        *("fe80::1", "fc00::1", "::ffff:10.0.0.1", "::ffff:203.0.113.77", "224.0.0.1", "0.0.0.0"),
        *("", " ", "not-an-ip", "81.2.69", "81.2.69.160:443", "81.2.69.0/24", "081.2.69.160", "2a02:1::5%eth0"),
    ],
)
def test_only_global_addresses_are_looked_for(address: str) -> None:
    def never(_address: Address) -> NetworkFacts:
        raise AssertionError(_address)

    assert attributed(None, address, of=never) == NOBODY
    assert attributed("acme.com", address, of=never) == of_domain("acme.com")


def test_without_a_file_domains_still_tell() -> None:
    assert attributed("acme.com", "81.2.69.160", of=no_networks) == of_domain("acme.com")
    assert attributed(None, "81.2.69.160", of=no_networks) == NOBODY


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_only_organisations_become_companies(layout: Layout) -> None:
    attribution = attributed(None, "81.2.69.160", of=lambda _: layout.facts)
    expected = layout.facts.organisation and layout.facts.kind not in {ISP, NetworkKind.HOSTING, NetworkKind.ANONYMOUS}
    assert attribution.is_company == bool(expected)
    if attribution.is_company:
        assert attribution.confidence == (2 if layout.facts.kind in {BUSINESS, EDUCATION} else 1)
    assert attribution.country == layout.facts.country


# ── overrides


OVERRIDES = Overrides.from_json(
    {
        "own_networks": ["81.2.71.0/24"],
        "own_domains": ["vendor.com", "lab.acme.com"],
        "ignored_networks": ["81.2.70.0/25"],
        "ignored_companies": ["crawler.com", "~o:nameless"],
        "merged": {"acme.co.uk": "acme.com", "acme-labs.com": "acme.co.uk", "old.beta.com": "gamma.com",
                   "~o:beta gmbh": "beta.com", "tenant.onmicrosoft.com": "beta.com", "spy.com": "crawler.com"},
        "public_mail": ["isp.com", "students.uni-example.edu"],
        "not_public_mail": ["gmx.de", "team.gmail.com"],
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("hint", "attribution"),
    [
        # the vendor, wherever it sits
        ("vendor.com", nobody("GB")),
        ("mail.vendor.com", nobody("GB")),
        ("crawler.com", nobody("GB")),
        ("spy.com", nobody("GB")),
        # the most exact saying decides
        ("lab.acme.com", nobody("GB")),
        ("pc.lab.acme.com", nobody("GB")),
        ("acme.com", of_domain("acme.com", "GB")),
        ("old.beta.com", of_domain("gamma.com", "GB")),
        ("beta.com", of_domain("beta.com", "GB")),
        # chains are followed, and names below come with it
        ("acme-labs.com", of_domain("acme.com", "GB")),
        ("mail.acme.co.uk", of_domain("acme.com", "GB")),
        ("tenant.mail.onmicrosoft.com", of_domain("beta.com", "GB")),
        # mail both ways; everybody's leaves it to the address
        ("gmx.de", of_domain("gmx.de", "GB")),
        ("team.gmail.com", of_domain("team.gmail.com", "GB")),
        ("eu.team.gmail.com", of_domain("team.gmail.com", "GB")),
        ("gmail.com", of_address("acme.com", "Acme Labs Inc", 2, "GB")),
        ("isp.com", of_address("acme.com", "Acme Labs Inc", 2, "GB")),
        ("students.uni-example.edu", of_address("acme.com", "Acme Labs Inc", 2, "GB")),
        ("staff.uni-example.edu", of_domain("uni-example.edu", "GB")),
    ],
)
def test_the_vendors_word_on_domains(hint: str, attribution: Attribution) -> None:
    assert attributed(hint, "81.2.69.160", OVERRIDES) == attribution


@pytest.mark.parametrize(
    ("address", "attribution"),
    [
        ("81.2.71.1", nobody("DE")),
        ("::ffff:81.2.71.1", nobody("DE")),
        ("81.2.70.1", nobody("US")),
        ("81.2.70.200", of_address("uni-example.edu", "Example University", 2, "US")),
        ("81.2.79.1", NOBODY),
        ("81.2.78.1", of_address("gmx.de", "Mail Example", 2)),
    ],
)
def test_the_vendors_word_on_addresses(address: str, attribution: Attribution) -> None:
    assert attributed(None, address, OVERRIDES) == attribution


def test_a_company_without_a_domain_can_be_merged() -> None:
    merged = Overrides(merged={"~o:beta gmbh": "beta.com"})
    assert attributed(None, "81.2.71.1", merged) == of_address("beta.com", "Beta GmbH", 2, "DE")


def test_a_domain_goes_before_a_network_of_the_vendors_own() -> None:
    assert attributed("acme.com", "81.2.71.1", OVERRIDES) == of_domain("acme.com", "DE")


def test_nothing_is_merged_into_a_mail_provider() -> None:
    assert attributed("acme.com", None, Overrides(merged={"acme.com": "gmail.com"})) == NOBODY


# ── whose address


@pytest.mark.parametrize(
    ("dialect", "source", "own", "address"),
    [
        (Dialect.GETKEYMANAGER, None, None, "81.2.69.1"),
        (Dialect.REO, "TELEMETRY", None, "81.2.69.1"),
        (Dialect.REO, "PRODUCT_CLOUD", None, None),
        (Dialect.REO, "SAAS_PRODUCT", None, None),
        (Dialect.REO, None, None, None),
        (Dialect.REO, "TELEMETRY", "81.2.70.1", "81.2.70.1"),
        (Dialect.REO, "PRODUCT_CLOUD", "81.2.70.1", "81.2.70.1"),
    ],
)
def test_the_caller_stands_in_where_it_is_the_software(
    dialect: Dialect, source: str | None, own: str | None, address: str | None
) -> None:
    assert attributed_address(dialect, source, own, "81.2.69.1") == address


# ── a developer's day

DAY = date(2026, 11, 25)
ACME, BETA, GAMMA = of_domain("acme.com"), of_domain("beta.com"), of_address("gamma.com", "Gamma", 2)
WEAK = of_address("weak.com", "Weak", 1)


def company(uses: Iterable[tuple[Attribution, int]], earlier: Iterable[DayCompany] = ()) -> Attribution | None:
    found = company_of_day(DAY, uses, earlier)
    return found.company if found else None


def test_the_strongest_source_decides_then_uses_then_the_name() -> None:
    assert company([(WEAK, 99), (GAMMA, 9), (ACME, 1)]) == ACME
    assert company([(WEAK, 99), (GAMMA, 1)]) == GAMMA
    assert company([(ACME, 1), (BETA, 2)]) == BETA
    assert company([(BETA, 2), (ACME, 1), (ACME, 1)]) == ACME
    assert company([(BETA, 1), (ACME, 1)]) == ACME


def test_all_uses_of_a_company_count_for_it() -> None:
    by_address = of_address("beta.com", "Beta", 2)
    assert company([(ACME, 2), (BETA, 1), (by_address, 5)]) == BETA


def test_networks_and_nobody_are_no_company() -> None:
    assert company([(network("AS1", "Example"), 5), (NOBODY, 5), (ACME, 0)]) is None
    assert company([]) is None


def told(attribution: Attribution, days_ago: int) -> DayCompany:
    day = DAY - timedelta(days=days_ago)
    return DayCompany(attribution, day, day)


def test_a_day_without_carries_the_last_of_30() -> None:
    earlier = [told(ACME, 3), told(BETA, 2), told(GAMMA, 9)]
    found = company_of_day(DAY, [(NOBODY, 1)], earlier)
    assert found == DayCompany(BETA, DAY, DAY - timedelta(days=2))
    assert found.is_carried
    assert company([], [told(ACME, CARRIED_DAYS)]) == ACME
    assert company([], [told(ACME, CARRIED_DAYS + 1)]) is None
    assert company([], [told(ACME, 0), told(ACME, -1)]) is None


def test_a_day_that_tells_carries_nothing() -> None:
    found = company_of_day(DAY, [(WEAK, 1)], [told(ACME, 1)])
    assert found == DayCompany(WEAK, DAY, DAY)
    assert not found.is_carried


def test_what_is_carried_is_not_carried_for_longer() -> None:
    """The days run from where the company was told, not from where it was carried to."""
    carried = company_of_day(DAY - timedelta(days=1), [], [told(ACME, CARRIED_DAYS + 1)])
    assert carried == DayCompany(ACME, DAY - timedelta(days=1), DAY - timedelta(days=CARRIED_DAYS + 1))
    assert company([], [carried]) is None


def test_the_first_day_of_all() -> None:
    assert company_of_day(date.min, []) is None


# ── for any input

some_hints = st.sampled_from(
    [
        "acme.com",
        "mail.acme.com",
        "acme.co.uk",
        "gmail.com",
        "users.noreply.github.com",
        "vendor.com",
        "10.0.0.1",
        "a.lan",
    ]
)
some_addresses = st.sampled_from([*(each.partition("/")[0] for each in FACTS), "81.2.69.7", "10.0.0.1"])
hints = st.one_of(st.none(), st.text(), some_hints)
addresses = st.one_of(st.none(), st.text(), some_addresses, st.ip_addresses().map(str))
domains = st.sampled_from(["acme.com", "mail.acme.com", "acme.co.uk", "gmail.com", "vendor.com", "co.uk", "gamma.com"])
several = st.frozensets(domains, max_size=3)
texts = st.one_of(st.none(), st.text(max_size=20), domains)
facts = st.builds(NetworkFacts, texts, texts, st.sampled_from(NetworkKind), texts, st.none() | st.integers(1, 9))


@st.composite
def overrides(draw: st.DrawFn) -> Overrides:
    own, ignored, public = draw(several), draw(several), draw(several)
    chain = draw(st.permutations(["acme.co.uk", "acme.com", "gamma.com", "beta.com"]))
    merged = {one: other for one, other in pairwise(chain) if draw(st.booleans())}
    said = own | ignored | public
    return Overrides(
        own_networks=frozenset({ip_network("81.2.69.0/28")}) if draw(st.booleans()) else frozenset(),
        own_domains=own,
        ignored_companies=ignored,
        merged={one: other for one, other in merged.items() if one not in said and other not in public},
        public_mail=public,
        not_public_mail=draw(several) - public,
    )


@given(hints, addresses, overrides(), facts)
def test_any_texts_are_attributed_and_always_the_same(
    hint: str | None, address: str | None, said: Overrides, known: NetworkFacts
) -> None:
    attribution = attribute(hint, address, said, LISTS, lambda _: known)
    assert attribution == attribute(hint, address, said, LISTS, lambda _: known)
    assert (attribution.confidence, attribution.id is None) in {
        AttributionKind.COMPANY: {(1, False), (2, False), (3, False)},
        AttributionKind.NETWORK: {(1, False)},
        AttributionKind.NONE: {(0, True)},
    }[attribution.kind]
    if attribution.id:
        assert "#" not in attribution.id
        attribution.id.encode()


@given(hints, addresses, overrides(), facts)
def test_overrides_are_respected(hint: str | None, address: str | None, said: Overrides, known: NetworkFacts) -> None:
    attribution = attribute(hint, address, said, LISTS, lambda _: known)
    if attribution.is_company and attribution.id:
        assert not said.excludes(attribution.id)
        assert said.merged_into(attribution.id) is None
        assert attribution.id not in said.public_mail
        if not attribution.id.startswith("~o:"):
            again = attribute(attribution.id, None, said, LISTS, no_networks)
            assert (again.kind, again.id) == (AttributionKind.COMPANY, attribution.id)
    if attribution.source is AttributionSource.ADDRESS and address:
        parsed = ip_address(address.strip())
        assert not said.excludes_address(getattr(parsed, "ipv4_mapped", None) or parsed)


uses = st.lists(st.tuples(st.sampled_from([ACME, BETA, GAMMA, WEAK, NOBODY]), st.integers(0, 3)), max_size=6)
earlier_days = st.lists(
    st.builds(told, st.sampled_from([ACME, BETA, GAMMA]), st.integers(-3, CARRIED_DAYS + 3)), max_size=4
)


@given(uses, earlier_days, st.randoms(use_true_random=False))
def test_the_order_of_uses_and_days_does_not_matter(
    day_uses: list[tuple[Attribution, int]], earlier: list[DayCompany], random: Random
) -> None:
    found = company_of_day(DAY, day_uses, earlier)
    shuffled: list[list[Any]] = [list(day_uses), list(earlier)]
    for each in shuffled:
        random.shuffle(each)
    assert company_of_day(DAY, *shuffled) == found
    if any(one.is_company and count for one, count in day_uses):
        assert found is not None
        assert not found.is_carried
