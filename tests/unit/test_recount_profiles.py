"""The recount that profiles are compared with, on days small enough to count by hand."""

import json
from collections import Counter
from datetime import date, timedelta
from ipaddress import ip_network

from telemetry.domain.addresses import Address
from telemetry.domain.attribution import CARRIED_DAYS
from telemetry.domain.networks import NetworkFacts, NetworkKind
from telemetry.domain.overrides import Overrides
from telemetry.storage.domain_lists import domain_lists
from tests.recount_profiles import NO_ACTIVITY, Attributor, Exported, Profiles, Scope, recount

FIRST = date(2026, 9, 1)
LAST = date(2026, 11, 30)
ACME, BETA, HOME = "81.2.69.1", "81.2.70.1", "81.2.71.1"
FACTS = {
    "81.2.69.0/24": NetworkFacts("Acme", "acme.com", NetworkKind.BUSINESS),
    "81.2.70.0/24": NetworkFacts("Beta", "beta.com", NetworkKind.BUSINESS),
    "81.2.71.0/24": NetworkFacts("Telecom", "telecom.com", NetworkKind.ISP, asn=64500),
}
CLI = Scope("production", "acme-cli")


def networks(address: Address) -> NetworkFacts | None:
    return next((facts for network, facts in FACTS.items() if address in ip_network(network)), None)


def usage(day: date, source_ip: str = HOME, **payload: object) -> Exported:
    body = {"activity_type": "primary", "source": "TELEMETRY", "event_at": 1795249800, "product_id": "acme-cli"}
    return {
        "environment": "production",
        "product": "acme-cli",
        "received_at": f"{day}T08:30:00.000+00:00",
        "dialect": "r",
        "body": json.dumps({"payload": body | {"user_agent": "acme"} | payload}),
        "source_ip": source_ip,
    }


def counted(*records: Exported) -> Profiles:
    found = recount(records, FIRST, LAST, Attributor(Overrides(), domain_lists(), networks))
    return found[CLI]


def test_all_uses_of_a_developers_day_go_to_one_company() -> None:
    profiles = counted(
        usage(FIRST, ACME, user_id="ann"),
        usage(FIRST, BETA, user_id="ann"),
        usage(FIRST, BETA, user_id=" ann ", activity_type="CALL HOME"),
        usage(FIRST, HOME, user_id="ann", activity_type="CALL_HOME"),
    )
    assert {*profiles.companies} == {"beta.com"}
    beta, ann = profiles.companies["beta.com"], profiles.developers["ann"]
    assert beta.uses == ann.uses == Counter({"primary": 2, "CALL_HOME": 2})
    assert (beta.days, beta.developers) == ({FIRST}, {"ann"})
    assert [each.company.id for each in ann.companies.values()] == ["beta.com"]


def test_the_strongest_source_outweighs_many_uses() -> None:
    profiles = counted(
        usage(FIRST, ACME, user_id="Ann@Beta.com"),
        usage(FIRST, ACME, user_id="ann@beta.com", domain="beta.com", count=3),
        usage(FIRST, ACME, user_id="bob", count=7, ip_addr=ACME),
        usage(FIRST, BETA, user_id="bob", count=8, ip_addr=BETA),
    )
    assert {*profiles.companies} == {"beta.com"}
    assert profiles.companies["beta.com"].developers == {"ann@beta.com", "bob"}
    assert profiles.companies["beta.com"].uses == Counter(primary=1 + 3 + 7 + 8)


def test_uses_of_nobody_go_where_each_is_attributed() -> None:
    profiles = counted(
        usage(FIRST, ACME),
        usage(FIRST, BETA, user_id="anonymous", user_id_type="ANONYMOUS"),
        usage(FIRST, HOME, mode="DOMAIN", domain="ci.acme.com", count=120),
        usage(FIRST, HOME, user_id="", activity_type=None),
    )
    assert {id_: figures.uses for id_, figures in profiles.companies.items()} == {
        "acme.com": Counter(primary=121),
        "beta.com": Counter(primary=1),
        None: Counter({NO_ACTIVITY: 1}),
    }
    assert all(not figures.developers for figures in profiles.companies.values())
    assert profiles.developers == {}


def test_a_day_that_tells_none_carries_the_last_told_for_a_while() -> None:
    last, later = FIRST + timedelta(days=CARRIED_DAYS), FIRST + timedelta(days=CARRIED_DAYS + 1)
    profiles = counted(*(usage(day, HOME, user_id="ann") for day in (later, last)), usage(FIRST, ACME, user_id="ann"))
    assert profiles.companies["acme.com"].days == {FIRST, last}
    assert profiles.companies[None].days == {later}
    ann = profiles.developers["ann"]
    assert ann.days == {FIRST, last, later}
    assert {day: each.told_on for day, each in ann.companies.items()} == {FIRST: FIRST, last: FIRST}


def test_who_changes_company_is_counted_for_both() -> None:
    second = FIRST + timedelta(days=9)
    profiles = counted(usage(second, BETA, user_id="ann"), usage(FIRST, ACME, user_id="ann"))
    for id_, day in (("acme.com", FIRST), ("beta.com", second)):
        assert (profiles.companies[id_].days, profiles.companies[id_].developers) == ({day}, {"ann"})


def test_what_is_no_product_usage_tells_the_company_and_counts_no_use() -> None:
    event: Exported = usage(FIRST, ACME)
    event |= {"dialect": "g", "body": json.dumps({"hwid": "d-1", "product_id": "acme-cli", "data_group": "primary"})}
    profiles = counted(event)
    acme = profiles.companies["acme.com"]
    assert (acme.uses, acme.days, acme.developers) == (Counter(), {FIRST}, {"d-1"})


def test_environments_products_and_days_are_kept_apart() -> None:
    inside = usage(FIRST, ACME, user_id="ann")
    others: list[Exported] = [
        {**inside, "environment": "staging"},
        {**inside, "product": "acme-web"},
        usage(FIRST - timedelta(days=1), BETA, user_id="ann"),
        usage(LAST + timedelta(days=1), BETA, user_id="ann"),
    ]
    found = recount([inside, *others], FIRST, LAST, Attributor(Overrides(), domain_lists(), networks))
    assert {*found} == {CLI, Scope("staging", "acme-cli"), Scope("production", "acme-web")}
    assert all({*profiles.companies} == {"acme.com"} for profiles in found.values())
