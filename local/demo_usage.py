"""What the developers of `local.demo_companies` do: each use of Orbit CLI, what is sent of it, and whose it is.

A use tells its company by a domain or an address, or it tells none. On a day that tells none, a developer is still at
the company of the days before: nobody here is away from it for longer than those are remembered.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from ipaddress import IPv6Network, ip_address, ip_network
from random import Random
from typing import Any

from local.demo_companies import DAYS, Company, Developer, IdType, days_of, developers
from local.demo_networks import CABLE, CLOUD, TELECOM, VPN, Carrier
from telemetry.domain.environment import Environment

CLI = "orbit-cli"

ACTIVITIES = ("primary", "primary", "primary", "secondary1", "secondary1", "LOGIN_ACTIVITY", "CALL_HOME", "CALL HOME")
UNLISTED_ACTIVITY = "plugin_installed"
"""Nobody has told the service of it."""

_SOURCES = ("TELEMETRY", "PRODUCT_CLOUD", "PRODUCT_CLOUD", "SAAS_PRODUCT")
_DIRECT = "TELEMETRY"
_RELAY = "192.175.48.130"  # the vendor's own server, at a hoster
_RELAY_SECONDS = 4 * 60 * 60
"""How often that sends on what was sent to it."""

_RELEASES = ((-99, "2.7.3"), (35, "2.8.0"), (49, "2.8.1"))
_AWAY = (TELECOM, TELECOM, CABLE, CLOUD, VPN)
_LONGEST_AWAY = 20
"""Days; the service remembers a developer's company for 30."""

_AWAY_SHARE = 0.25
_SUMMED_SHARE, _NAMELESS_SHARE = 0.04, 0.03
"""On how many of its days a company sends usage that is summed up, and usage of nobody."""


@dataclass(frozen=True, slots=True)
class Use:
    """What one event of Orbit CLI says.

    `company` is the one whose use it is, None where nothing tells. `told` is the id of what the event alone tells: a
    company, a network (`AS64496`), or None. `count` is how many uses it stands for. It happens at the second `happened`
    of its day, and comes at `second`, later if it is relayed.
    """

    day: int
    happened: int
    second: int
    caller: str
    activity: str
    developer: Developer | None
    company: Company | None
    told: str | None
    said: dict[str, Any] = field(hash=False)
    """The payload, but for `event_at`."""

    @property
    def count(self) -> int:
        return int(self.said.get("count", 1))

    def moment(self, today: date) -> datetime:
        """When it is received; `today` is the last of the days."""
        midnight = datetime.combine(today - timedelta(days=DAYS - self.day), time(), UTC)
        return midnight + timedelta(seconds=self.second)

    def payload(self, today: date) -> dict[str, Any]:
        waited = self.second - self.happened
        return self.said | {"event_at": int(self.moment(today).timestamp()) - waited}


@cache
def usage(environment: Environment) -> tuple[Use, ...]:
    """All uses of an environment, in the order of their coming."""
    random = Random(f"orbit-cli usage in {environment}")
    found = [use for developer in developers(environment) for use in _of_developer(developer, environment, random)]
    busy = {(use.day, use.company) for use in found if use.company}
    for day, company in sorted(busy, key=lambda each: (each[0], each[1].number)):
        if random.random() < _SUMMED_SHARE:
            found.append(_summed_up(day, company, environment, random))
        if random.random() < _NAMELESS_SHARE:
            found.append(_nameless(day, company, environment, random))
    found += [_of_nobody(day, environment, random) for day in days_of(environment)]
    return tuple(sorted(found, key=lambda use: (use.day, use.second, use.caller)))


@dataclass(frozen=True, slots=True)
class _Sitting:
    """Where uses come from: at a second of a day, from an address. `told` is the id of what the address tells."""

    day: int
    second: int
    source: str
    address: str
    told: str | None


def _of_developer(developer: Developer, environment: Environment, random: Random) -> Iterator[Use]:
    lag, told_on = random.randrange(8), developer.first
    arrivals = {developer.first, *(since for since, _ in developer.employers)}
    for day in range(developer.first, developer.last + 1):
        if day not in arrivals and random.random() > developer.diligence:
            continue
        is_away = day not in arrivals and day - told_on <= _LONGEST_AWAY and random.random() < _AWAY_SHARE
        told_on = told_on if is_away else day
        company = developer.company_on(day)
        sitting = _sitting(day, company, random, is_away=is_away)
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            said = _said(sitting.source, day - lag, environment, random)
            said |= {"user_id": developer.user_id, "user_id_type": developer.id_type.value}
            if developer.id_type is IdType.EMAIL and random.random() < 0.1:
                said["user_id"] = developer.user_id.upper()
            yield _use(sitting, said, developer, company, random)


def _use(
    sitting: _Sitting, said: dict[str, Any], developer: Developer | None, company: Company | None, random: Random
) -> Use:
    """With the address where the source has it: it is the caller's, or in the event that the vendor's server relays."""
    is_told_by_id = company is not None and developer is not None and developer.has_company_mail
    caller, second = sitting.address, sitting.second
    if sitting.source != _DIRECT:
        caller, second = _RELAY, _relayed(sitting.second)
        if not (is_told_by_id and random.random() < 0.2):
            is_mapped = "." in sitting.address and random.random() < 0.1
            said["ip_addr"] = f"::ffff:{sitting.address}" if is_mapped else sitting.address
    told = company.id if company and (is_told_by_id or "domain" in said) else sitting.told
    activity = said["activity_type"]
    return Use(sitting.day, sitting.second, second, caller, activity, developer, company, told, said)


def _relayed(second: int) -> int:
    return (second // _RELAY_SECONDS + 1) * _RELAY_SECONDS - 1


def _sitting(day: int, company: Company | None, random: Random, *, is_away: bool = False) -> _Sitting:
    """At the company's office, unless there is none or the developer is away."""
    second, source = _second(random), random.choice(_SOURCES)
    if company and company.network and not is_away:
        return _Sitting(day, second, source, _office(company, random), company.id)
    if random.random() < 0.05:
        return _Sitting(day, second, source, "10.0.3.7", None)
    carrier = random.choice(_AWAY)
    return _Sitting(day, second, source, _address_of(carrier, random), carrier.id)


def _office(company: Company, random: Random) -> str:
    is_v6 = company.network_v6 and random.random() < 0.3
    return _within(company.network_v6 if is_v6 else company.network, random)


def _address_of(carrier: Carrier, random: Random) -> str:
    return _within(random.choice(carrier.networks), random)


def _within(network: str, random: Random) -> str:
    whole = ip_network(network)
    places = 2**64 if isinstance(whole, IPv6Network) else whole.num_addresses
    return str(ip_address(int(whole.network_address) + random.randrange(places)))


def _summed_up(day: int, company: Company, environment: Environment, random: Random) -> Use:
    """What a company's own server has counted, by its domain or its address."""
    said = _said("PRODUCT_CLOUD", day, environment, random) | {"mode": "DOMAIN", "count": random.randrange(2, 300)}
    if company.domain and (not company.network or random.random() < 0.6):
        said["domain"] = f"ci.{company.domain}" if random.random() < 0.3 else company.domain
    else:
        said["ip_addr"] = _office(company, random)
    happened = _second(random)
    activity = said["activity_type"]
    return Use(day, happened, _relayed(happened), _RELAY, activity, None, company, company.id, said)


def _nameless(day: int, company: Company, environment: Environment, random: Random) -> Use:
    """Somebody at a company, who is not named or not to be named."""
    sitting = _sitting(day, company, random)
    said = _said(sitting.source, day, environment, random)
    said |= random.choice(({"user_id": ""}, {}, {"user_id": "anonymous", "user_id_type": "ANONYMOUS"}))
    if not company.network:
        said["domain"] = company.domain
    return _use(sitting, said, None, company, random)


def _of_nobody(day: int, environment: Environment, random: Random) -> Use:
    """A build at a hoster, whoever has it built."""
    sitting = _Sitting(day, _second(random), _DIRECT, _address_of(CLOUD, random), CLOUD.id)
    return _use(sitting, _said(_DIRECT, day, environment, random) | {"user_id": ""}, None, None, random)


def _said(source: str, day: int, environment: Environment, random: Random) -> dict[str, Any]:
    version = next(name for since, name in reversed(_RELEASES) if since <= day)
    said = {
        "activity_type": UNLISTED_ACTIVITY if random.random() < 0.02 else random.choice(ACTIVITIES),
        "source": source,
        "environment": environment.upper(),
        "product_id": CLI,
        "user_agent": f"{CLI}/{version}",
        "meta": {"version": version, "os": random.choice(("windows", "macos", "linux"))},
    }
    number = random.getrandbits(62)
    return said if random.random() < 0.1 else said | {"event_id": random.choice((number, str(number)))}


def _second(random: Random) -> int:
    return int(random.triangular(0, 86_399, 50_000))
