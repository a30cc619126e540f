"""The demo's companies are what they are said to be: their sizes and trends, and whose each of their uses is."""

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, timedelta
from pathlib import Path

import pytest

from local.demo_companies import DAYS, Company, Developer, IdType, Trend, companies, developers
from local.demo_networks import CARRIERS, write_network_file
from local.demo_usage import CLI, UNLISTED_ACTIVITY, Use, usage
from telemetry.dialects import reo
from telemetry.domain.addresses import address_of
from telemetry.domain.attribution import Attribution, attribute
from telemetry.domain.environment import Environment
from telemetry.domain.event import Event, attributed_address, normalise_group, normalise_user
from telemetry.domain.networks import NetworkFacts, NetworkKind, is_global
from telemetry.domain.overrides import Overrides
from telemetry.storage.domain_lists import domain_lists
from telemetry.storage.network_files import NetworkFile
from tests.lambdas import ROOT
from tests.recount_profiles import Attributor, Exported, Profiles, Scope, recount

PRODUCTION = Environment.PRODUCTION
TODAY = date(2026, 11, 21)
USES = usage(PRODUCTION)
WEEKS_BEFORE = [range(DAYS - 42 + 7 * week, DAYS - 35 + 7 * week) for week in range(4)]
"""The four before the last 14 days."""


@pytest.fixture(scope="module")
def network_file(tmp_path_factory: pytest.TempPathFactory) -> NetworkFile:
    path = tmp_path_factory.mktemp("demo") / "networks.mmdb"
    write_network_file(path)
    return NetworkFile(path, "0" * 64)


def days_of(company: Company) -> set[int]:
    return {use.day for use in USES if use.company is company}


def developers_of(company: Company, days: range) -> set[str]:
    return {use.developer.user_id for use in USES if use.company is company and use.developer and use.day in days}


def body(use: Use) -> bytes:
    return json.dumps({"payload": use.payload(TODAY)}).encode()


def parsed(use: Use) -> Event:
    event = reo.parse(body(use))
    assert not event.errors
    return event


def behind(use: Use, file: NetworkFile) -> Attribution:
    event = parsed(use)
    address = attributed_address(event.dialect, event.source, event.address, use.caller)
    return attribute(event.company, address, Overrides(), domain_lists(), file.facts)


# ── who they are


def test_there_are_sixty_of_many_sizes() -> None:
    assert len({company.id for company in companies()}) == len({company.name for company in companies()}) == 60
    sizes = Counter(each.employers[0][1].id for each in developers(PRODUCTION) if each.employers)
    assert (max(sizes.values()), min(sizes.values())) == (25, 1)
    assert len({*sizes.values()}) > 10
    assert {each.company for each in USES if each.company} == {*companies()}


def test_each_developer_has_an_id_of_their_own() -> None:
    for environment in Environment:
        ids = [each.user_id for each in developers(environment)]
        assert len({normalise_user(id_) for id_ in ids}) == len(ids)
    everybody = developers(PRODUCTION)
    assert {each.id_type for each in everybody} == {*IdType}
    assert any(each.id_type is IdType.EMAIL and each.employers and not each.has_company_mail for each in everybody)
    assert any(not each.employers for each in everybody)


def test_growing_quiet_and_new_ones_are_seen_to_be() -> None:
    seen = Counter(company.trend for company in companies())
    assert min(seen[trend] for trend in Trend) >= 5
    last_month, month_before = range(DAYS - 30, DAYS), range(DAYS - 60, DAYS - 30)
    for company in companies():
        days = days_of(company)
        match company.trend:
            case Trend.GROWING:
                assert len(developers_of(company, last_month)) > len(developers_of(company, month_before))
            case Trend.QUIET:
                assert max(days) <= DAYS - 16
                assert sum(bool(days & {*week}) for week in WEEKS_BEFORE) >= 2
            case Trend.NEW:
                assert min(days) >= DAYS - 22
            case Trend.STEADY:
                assert min(days) < DAYS - 30


def test_some_developers_go_to_another_company() -> None:
    moved = [each for each in developers(PRODUCTION) if len(each.employers) > 1]
    assert len(moved) == 6
    for developer in moved:
        assert not developer.has_company_mail
        (_, before), (day, after) = developer.employers
        assert (developer.company_on(day - 1), developer.company_on(day)) == (before, after)
        assert {use.company for use in USES if use.developer is developer} == {before, after}


# ── what they send


def test_usage_is_of_all_kinds() -> None:
    assert {use.said["source"] for use in USES} == {"TELEMETRY", "PRODUCT_CLOUD", "SAAS_PRODUCT"}
    activities = {"primary", "secondary1", "LOGIN_ACTIVITY", "CALL_HOME", UNLISTED_ACTIVITY}
    assert {normalise_group(use.activity) for use in USES} == activities
    summed_up = [use for use in USES if use.count > 1]
    assert all(use.developer is None and use.said["mode"] == "DOMAIN" for use in summed_up)
    assert {"domain" in use.said for use in summed_up} == {True, False}
    assert any(use.said.get("user_id") == "" for use in USES)
    addresses = [str(use.said.get("ip_addr", use.caller)) for use in USES]
    assert any(text.startswith("::ffff:") for text in addresses)
    assert any(text.startswith("2d00:") for text in addresses)
    assert {use.told for use in USES} >= {carrier.id for carrier in CARRIERS}


def test_uses_come_in_order_on_their_days() -> None:
    moments = [use.moment(TODAY) for use in USES]
    assert moments == sorted(moments)
    assert {use.day for use in USES} <= {*range(DAYS + 1)}
    for use, moment in zip(USES, moments, strict=True):
        assert moment.astimezone(UTC).date() == TODAY - timedelta(days=DAYS - use.day)
        assert 0 <= use.second - use.happened < 4 * 60 * 60
        assert parsed(use).event_at == (moment.timestamp() - use.second + use.happened) * 1000


def test_they_are_the_same_in_each_process() -> None:
    program = "from local.demo_usage import *; print([usage(each) for each in Environment])"
    environment = os.environ | {"PYTHONPATH": f"layers/core{os.pathsep}.", "PYTHONHASHSEED": "7"}
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == str([usage(each) for each in Environment])


# ── whose it is


@pytest.mark.parametrize("environment", Environment)
def test_each_use_is_attributed_as_it_is_meant(network_file: NetworkFile, environment: Environment) -> None:
    for use in usage(environment):
        told = behind(use, network_file)
        assert told.id == use.told, use
        assert told.is_company == (use.company is not None and use.told == use.company.id), use
    assert network_file.damaged == 0


def test_the_file_knows_all_networks_by_their_kinds(network_file: NetworkFile) -> None:
    kinds = defaultdict(set)
    for company in companies():
        for network in filter(None, (company.network, company.network_v6)):
            facts = facts_of(network, network_file)
            assert (facts.organisation, facts.domain, facts.country) == (company.name, company.domain, company.country)
            kinds[company.kind].add(facts.kind)
    assert kinds == {
        "business": {NetworkKind.BUSINESS},
        "education": {NetworkKind.EDUCATION},
        "government": {NetworkKind.UNKNOWN},
    }
    of_carriers = {facts_of(network, network_file).kind for carrier in CARRIERS for network in carrier.networks}
    assert of_carriers == {NetworkKind.ISP, NetworkKind.HOSTING, NetworkKind.ANONYMOUS}


def facts_of(network: str, file: NetworkFile) -> NetworkFacts:
    address = address_of(network.partition("/")[0])
    assert address is not None
    assert is_global(address)
    facts = file.facts(address)
    assert facts is not None
    return facts


def test_a_recount_finds_the_companies_as_they_are(network_file: NetworkFile) -> None:
    attributor = Attributor(Overrides(), domain_lists(), network_file.facts)
    first, last = TODAY - timedelta(days=DAYS), TODAY - timedelta(days=1)
    found = recount(records(), first, last, attributor)[Scope(PRODUCTION, CLI)]
    expected = truth()
    assert any(told.is_carried for each in found.developers.values() for told in each.companies.values())
    assert found.companies == expected.companies
    assert {id_: (each.uses, each.days) for id_, each in found.developers.items()} == {
        id_: (each.uses, each.days) for id_, each in expected.developers.items()
    }


def records() -> Iterator[Exported]:
    for use in USES:
        yield {
            "environment": PRODUCTION,
            "product": CLI,
            "received_at": use.moment(TODAY).isoformat(),
            "dialect": "r",
            "body": body(use).decode(),
            "source_ip": use.caller,
        }


def truth() -> Profiles:
    """The closed days, as the demo means them."""
    profiles = Profiles()
    for use in (use for use in USES if use.day < DAYS):
        id_ = use.company.id if use.company else None
        name = _name(use.developer)
        for figures in (profiles.companies[id_], *([profiles.developers[name]] if name else [])):
            figures.uses[normalise_group(use.activity) or ""] += use.count
            figures.days.add(TODAY - timedelta(days=DAYS - use.day))
        if name:
            profiles.companies[id_].developers.add(name)
    return profiles


def _name(developer: Developer | None) -> str | None:
    return normalise_user(developer.user_id) if developer else None


def test_the_file_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "networks.mmdb"
    path.write_bytes(b"half of one")
    write_network_file(path)
    assert NetworkFile(path, "0" * 64).type == "ipinfo standard_company.mmdb"
    assert [each.name for each in tmp_path.iterdir()] == ["networks.mmdb"]
