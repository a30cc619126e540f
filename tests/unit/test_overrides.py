"""What the vendor may say against files and lists, and how it is told that it cannot."""

import json
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.errors import InvalidField
from telemetry.domain.overrides import LARGEST_OVERRIDES, Overrides, check_domains
from telemetry.storage.domain_lists import domain_lists
from tests.documents import fenced

WHOLE: dict[str, Any] = {
    "own_networks": ["81.2.69.0/24", "2a02:1::/32"],
    "ignored_networks": ["89.160.20.112/32"],
    "own_domains": ["acme.com", "xn--bcher-kva.example"],
    "public_mail": ["isp.example"],
    "not_public_mail": ["sfr.fr"],
    "ignored_companies": ["crawler.example", "~o:honey pot"],
    "merged": {"beta.co.uk": "beta.com", "~o:beta inc": "beta.com"},
}

WRONG: dict[str, tuple[object, str, str]] = {
    "no object": ([], "overrides", "Overrides are a JSON object."),
    "unknown": ({"own": []}, "own", "There is no 'own' among overrides."),
    "no list": ({"own_domains": "acme.com"}, "own_domains", "own_domains is a list of texts."),
    "no text": ({"own_networks": [1]}, "own_networks", "own_networks is a list of texts."),
    "no network": (
        {"own_networks": ["81.2.69.0/33"]},
        "own_networks",
        "'81.2.69.0/33' is no network; write one as 192.0.2.0/24 or 2001:db8::/32.",
    ),
    "everything": (
        {"ignored_networks": ["0.0.0.0/0"]},
        "ignored_networks",
        "'0.0.0.0/0' is too wide; /8 is the widest.",
    ),
    "all of IPv6": ({"own_networks": ["2000::/3"]}, "own_networks", "'2000::/3' is too wide; /16 is the widest."),
    "no domain": ({"own_domains": ["acme"]}, "own_domains", "'acme' is no domain; write one as acme.com."),
    "an address": ({"public_mail": ["10.0.0.1"]}, "public_mail", "'10.0.0.1' is no domain; write one as acme.com."),
    "a mail address": (
        {"ignored_companies": ["a@b.com"]},
        "ignored_companies",
        "'a@b.com' is no domain; write one as acme.com.",
    ),
    "an empty id": (
        {"ignored_companies": ["~o:"]},
        "ignored_companies",
        "'~o:' is no company's id; write it as lists show it.",
    ),
    "an id not to be written": (
        {"ignored_companies": ["~o:\ud800"]},
        "ignored_companies",
        "'~o:\\ud800' is no company's id; write it as lists show it.",
    ),
    "no pairs": (
        {"merged": {"a.com": None}},
        "merged",
        "merged is an object of companies, each with the domain of the one it belongs to.",
    ),
    "merged into an id": ({"merged": {"a.com": "~o:a"}}, "merged", "'~o:a' is no domain; write one as acme.com."),
    "merged twice": (
        {"merged": {"a.com": "b.com", "A.com": "c.com"}},
        "merged",
        "'a.com' is merged into both 'b.com' and 'c.com'.",
    ),
    "itself": ({"merged": {"a.com": "a.com"}}, "merged", "'a.com' leads back to 'a.com'."),
    "a circle": (
        {"merged": {"a.com": "b.com", "b.com": "c.com", "c.com": "b.com"}},
        "merged",
        "'a.com' leads back to 'b.com'.",
    ),
    "both": (
        {"public_mail": ["a.com"], "not_public_mail": ["a.com"]},
        "not_public_mail",
        "'a.com' is among public_mail too.",
    ),
    "merged and own": (
        {"own_domains": ["a.com"], "merged": {"a.com": "b.com"}},
        "merged",
        "'a.com' is among own_domains too.",
    ),
    "merged and ignored": (
        {"ignored_companies": ["a.com"], "merged": {"a.com": "b.com"}},
        "merged",
        "'a.com' is among ignored_companies too.",
    ),
    "merged into mail": (
        {"public_mail": ["b.com"], "merged": {"a.com": "b.com"}},
        "merged",
        "'b.com' is among public_mail and is no company.",
    ),
    "too much": (
        {"own_domains": ["a.com"] * LARGEST_OVERRIDES},
        "overrides",
        "Overrides are at most 100,000 bytes of JSON.",
    ),
}
UNUSABLE: dict[str, tuple[dict[str, Any], str, str]] = {
    "a suffix": ({"own_domains": ["co.uk"]}, "own_domains", "'co.uk' is nobody's domain; name those below it."),
    "a private name": ({"public_mail": ["a.lan"]}, "public_mail", "'a.lan' is nobody's domain; name those below it."),
    "below a company": (
        {"merged": {"a.com": "eu.b.com"}},
        "merged",
        "'eu.b.com' is no company's domain; 'b.com' is.",
    ),
    "into a suffix": ({"merged": {"a.com": "co.uk"}}, "merged", "'co.uk' is no company's domain."),
    "into mail": (
        {"merged": {"a.com": "gmail.com"}},
        "merged",
        "'gmail.com' is a public mail provider and no company.",
    ),
}


def test_json_in_and_out() -> None:
    overrides = Overrides.from_json(WHOLE)
    assert overrides.to_json() == {
        **WHOLE,
        "own_networks": ["81.2.69.0/24", "2a02:1::/32"],
        "merged": {"beta.co.uk": "beta.com", "~o:beta inc": "beta.com"},
    }
    assert Overrides.from_json(json.loads(json.dumps(overrides.to_json()))) == overrides
    check_domains(overrides, domain_lists())


def test_the_documented_example_is_taken() -> None:
    (example,) = (block for block in fenced(Path("docs/companies.md")) if block.language == "json")
    document = json.loads(example.text)
    overrides = Overrides.from_json(document)
    check_domains(overrides, domain_lists())
    assert overrides.to_json().keys() == document.keys()


def test_nothing_is_said_at_first() -> None:
    assert Overrides.from_json({}) == Overrides()
    assert Overrides.from_json(Overrides().to_json()) == Overrides()


def test_what_is_taken_can_be_read_again_in_the_spelling_it_is_put_into() -> None:
    """`2000::` becomes `2000::/128`: whatever fits is small enough to be stored, and what does not is refused."""
    networks = [f"{number:x}::" for number in range(0x2000, 0x4000)]
    fits, does_not = networks[:7_000], networks
    overrides = Overrides.from_json({"own_networks": fits})
    assert Overrides.from_json(overrides.to_json()) == overrides
    assert len(json.dumps({"own_networks": does_not}, separators=(",", ":"))) < LARGEST_OVERRIDES
    with pytest.raises(InvalidField, match="Overrides are at most 100,000 bytes of JSON"):
        Overrides.from_json({"own_networks": does_not})


def test_spellings_are_put_into_one() -> None:
    said = Overrides.from_json(
        {"own_networks": ["81.2.69.7/24", "::ffff:89.160.20.1"], "own_domains": ["Bücher.example."]}
    )
    assert said.to_json()["own_networks"] == ["81.2.69.0/24", "89.160.20.1/32"]
    assert said.own_domains == {"xn--bcher-kva.example"}


@pytest.mark.parametrize(("document", "field", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_refused(document: object, field: str, message: str) -> None:
    with pytest.raises(InvalidField) as told:
        Overrides.from_json(document)
    assert (told.value.field, str(told.value)) == (field, message)


@pytest.mark.parametrize(("document", "field", "message"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_could_say_nothing_is_refused(document: dict[str, Any], field: str, message: str) -> None:
    overrides = Overrides.from_json(document)
    with pytest.raises(InvalidField) as told:
        check_domains(overrides, domain_lists())
    assert (told.value.field, str(told.value)) == (field, message)


def test_a_mail_provider_may_be_vouched_for_and_merged_into() -> None:
    check_domains(
        Overrides.from_json({"merged": {"a.com": "gmail.com"}, "not_public_mail": ["gmail.com"]}), domain_lists()
    )


def test_chains_are_followed_to_their_end() -> None:
    overrides = Overrides(merged={"a.com": "b.com", "b.com": "c.com"})
    assert [overrides.merged_into(name) for name in ("a.com", "b.com", "c.com", "d.com")] == [
        "c.com",
        "c.com",
        None,
        None,
    ]


def test_own_and_ignored_networks_are_nobodys() -> None:
    overrides = Overrides.from_json(WHOLE)
    inside = ["81.2.69.255", "2a02:1:2::3", "89.160.20.112"]
    outside = ["81.2.70.0", "2a02:2::1", "89.160.20.113"]
    assert all(overrides.excludes_address(ip_address(text)) for text in inside)
    assert not any(overrides.excludes_address(ip_address(text)) for text in outside)


def test_the_digest_is_of_what_is_said() -> None:
    one = Overrides.from_json({"own_domains": ["a.com", "b.com"]})
    assert one.digest == Overrides.from_json({"own_domains": ["B.com", "a.com", "a.com"]}).digest
    assert one.digest != Overrides().digest
    assert len(one.digest) == 64


leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(), st.sampled_from(["a.com", "b.com", "1.2.3.0/24"])
)
documents = st.one_of(
    leaves,
    st.dictionaries(
        st.sampled_from([*WHOLE, "x"]),
        st.one_of(leaves, st.lists(leaves), st.dictionaries(st.text(), leaves)),
    ),
)


@given(documents)
def test_any_document_is_read_or_refused(document: object) -> None:
    try:
        overrides = Overrides.from_json(document)
    except InvalidField:
        return
    assert Overrides.from_json(overrides.to_json()) == overrides
