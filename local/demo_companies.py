"""Who uses Orbit CLI, an open-source tool that calls home: sixty companies and their developers, all made up.

The ground truth of the demo, with `local.demo_usage`: what it keeps can be recounted from here. Days are numbers from 0
on, and the last one, DAYS, is today: the same companies, people and uses, whatever the date is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from ipaddress import IPv4Network
from random import Random

from telemetry.domain.environment import Environment

DAYS = 60
"""Closed days of usage, enough for 30 days to be compared with the 30 before; today comes on top."""

SHORT_DAYS = 30
"""Closed days of usage in the other environments."""

_SIZES = (25, 22, 18, 15, 12, 10, 9, 8, 8, 7, *[6] * 5, *[5] * 5, *[4] * 6, *[3] * 8, *[2] * 12, *[1] * 14)
_ELSEWHERE = {Environment.STAGING: (5, 3), Environment.DEVELOPMENT: (2, 2)}
"""How many of the companies test there, and with how many developers at most."""

_BEGINNINGS = (
    # the first ten are also in the names of the vendor's customers (local.demo_licenses)
    "Aurora", "Bluepeak", "Cobalt", "Dune", "Everfield", "Fjord", "Granite", "Harbour", "Indigo", "Juniper",
    "Kestrel", "Lumen", "Meridian", "Nimbus", "Opaline", "Pinewood", "Quartz", "Ridgeway", "Saffron", "Tidewater",
)  # fmt: skip
_ENDINGS = ("Labs", "Robotics", "Analytics")
_COUNTRIES = ("DE", "US", "FR", "GB", "IN", "JP", "BR", "NL", "SE")
_GIVEN = (
    "kim", "alex", "sam", "robin", "jo", "max", "noor", "ada", "ines", "tariq", "yuki", "luca", "mila", "otto",
    "pia", "ravi", "sofia", "theo", "uma", "zoe",
)  # fmt: skip
_FAMILY = (
    "abel", "brandt", "costa", "dorn", "eklund", "farah", "grimm", "hale", "ito", "jansen", "kaya", "lind", "moreau",
    "nair", "okafor", "petrov", "quist", "rossi", "silva", "tanaka",
)  # fmt: skip
_PUBLIC_MAIL = ("gmail.com", "outlook.com", "gmx.de", "hey.com", "users.noreply.github.com")
_COMPANY_MAIL = 0.45
"""Of ten developers whose company has a domain, four to five sign in with its mail address."""

_HOBBYISTS = 16
_MOVERS = 6
_LEAST_DILIGENCE = 0.3
"""Of those of whom something is to be seen: who move, and all of companies that went quiet or are new."""

_POOLS = ("192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24")
"""Global addresses of no company: IANA gave them to DNS and multicast relays (RFC 7534, RFC 7450).

So are those of IPv6 here: 2d00::/8, which IANA keeps for later.
"""


class Trend(StrEnum):
    """What becomes of a company's usage."""

    STEADY = "steady"
    GROWING = "growing"
    """Most developers came in the last 35 days."""
    QUIET = "quiet"
    """Nobody for 16 days or longer, and usual activity before."""
    NEW = "new"
    """First seen in the last 22 days."""


class IdType(StrEnum):
    """By what a developer is known: `user_id_type` of the Reo.Dev dialect."""

    EMAIL = "EMAIL"
    GITHUB = "GITHUB"
    LINKEDIN = "LINKEDIN"
    SOCIAL = "SOCIAL"
    USERNAME = "USERNAME"
    ANONYMOUS = "ANONYMOUS"


@dataclass(frozen=True, slots=True)
class Company:
    """A company. `domain` is that of its mail; the network file knows it too, if the file knows the company.

    `kind` is its `type` in the file, None where it has no network of its own. `network_v6` is `""` where it has none.
    """

    number: int
    name: str
    domain: str | None
    kind: str | None
    country: str
    trend: Trend
    network: str = ""
    network_v6: str = ""

    @property
    def id(self) -> str:
        """What its uses are attributed to."""
        return self.domain or f"~o:{self.name.lower()}"


@dataclass(frozen=True, slots=True)
class Developer:
    """Somebody who uses Orbit CLI from `first` to `last` (days), and on a share of the days between (`diligence`).

    `employers` are companies with the days from which on they are the developer's; empty of who has none.
    """

    user_id: str
    id_type: IdType
    employers: tuple[tuple[int, Company], ...]
    first: int
    last: int
    diligence: float

    @property
    def has_company_mail(self) -> bool:
        """Whether the id alone tells the company."""
        domain = self.user_id.rpartition("@")[2]
        return any(employer.domain and domain.endswith(employer.domain) for _, employer in self.employers)

    def company_on(self, day: int) -> Company | None:
        """Whose developer this is on a day from `first` on."""
        return next((company for since, company in reversed(self.employers) if since <= day), None)


@cache
def companies() -> tuple[Company, ...]:
    """All of them, the largest first."""
    names = [f"{first} {second}" for second in _ENDINGS for first in _BEGINNINGS]
    return tuple(_company(number, name) for number, name in enumerate(names))


def _company(number: int, name: str) -> Company:
    size = _SIZES[number]
    kind, domain = "business", f"{name.replace(' ', '-')}.example".lower()
    if number in {6, 21}:
        kind = "education"
    elif number in {9, 28}:
        kind = "government"  # no kind that we know: less certain
    has_network = size > 1 or number % 4 != 0
    network = _network(number) if has_network else ""
    is_known_by_name = number in {12, 26, 41}
    return Company(
        number=number,
        name=name,
        domain=None if is_known_by_name else domain,
        kind=kind if has_network else None,
        country=_COUNTRIES[number % len(_COUNTRIES)],
        trend=_trend(number),
        network=network,
        network_v6=f"2d00:{number:x}::/32" if has_network and number % 3 == 0 else "",
    )


def _network(number: int) -> str:
    """The eight addresses with this number: 96 of such networks there are, of which companies have the first sixty."""
    return str([net for pool in _POOLS for net in IPv4Network(pool).subnets(new_prefix=29)][number])


def _trend(number: int) -> Trend:
    """Of ten companies of like size, six are steady or more. A very small one does not grow."""
    match number % 10:
        case 3 | 8 if _SIZES[number] > 2 and number != 18:  # of the middle-sized ones some go quiet too
            return Trend.GROWING
        case 5 | 8:
            return Trend.QUIET
        case 7:
            return Trend.NEW
        case _:
            return Trend.STEADY


def days_of(environment: Environment) -> range:
    """The days on which there is usage in an environment, today included."""
    return range(0 if environment is Environment.PRODUCTION else DAYS - SHORT_DAYS, DAYS + 1)


@cache
def developers(environment: Environment) -> tuple[Developer, ...]:
    """All developers of an environment: those of each company, and in production those of none."""
    random = Random(f"orbit-cli developers of {environment}")
    names = [f"{given}.{family}" for family in _FAMILY for given in _GIVEN]
    random.shuffle(names)
    days = days_of(environment)
    if environment is not Environment.PRODUCTION:
        number, most = _ELSEWHERE[environment]
        testing = [(company, min(most, _SIZES[company.number])) for company in companies()[:number]]
        return tuple(
            _developer(names.pop(), company, days.start + random.randrange(10), DAYS, random)
            for company, size in testing
            for _ in range(size)
        )
    found = [
        _developer(names.pop(), company, first, last, random)
        for company in companies()
        for first, last in _spans(company, random)
    ]
    hobbyists = [
        Developer(*_free_id(names.pop(), random), (), random.randrange(DAYS), DAYS, random.choice((0.05, 0.2)))
        for _ in range(_HOBBYISTS)
    ]
    return (*_moved(found, random), *hobbyists)


def _spans(company: Company, random: Random) -> Iterator[tuple[int, int]]:
    """The first and last day of each of a company's developers."""
    size = _SIZES[company.number]
    gone = DAYS - random.randrange(16, 25)
    newest = random.randrange(DAYS - 22, DAYS - 4)
    for place in range(size):
        match company.trend:
            case Trend.STEADY:
                leaves = size > 3 and random.random() < 0.1
                yield random.randrange(12), DAYS - random.randrange(8, 30) if leaves else DAYS
            case Trend.GROWING:
                yield random.randrange(10) if place <= size // 4 else random.randrange(DAYS - 28, DAYS - 2), DAYS
            case Trend.QUIET:
                yield random.randrange(10), gone - random.randrange(3)
            case Trend.NEW:
                yield newest if place == 0 else random.randrange(newest, DAYS), DAYS


def _developer(name: str, company: Company, first: int, last: int, random: Random) -> Developer:
    diligence = random.choice((0.03, 0.08, 0.15, 0.4))
    if company.trend in {Trend.QUIET, Trend.NEW}:
        diligence = max(diligence, _LEAST_DILIGENCE)
    user_id, id_type = _free_id(name, random)
    by_mail = company.domain and (random.random() < _COMPANY_MAIL or not company.network)
    if by_mail:
        below = "dev." if random.random() < 0.1 else ""
        user_id, id_type = f"{name}@{below}{company.domain}", IdType.EMAIL
    return Developer(user_id, id_type, ((first, company),), first, last, diligence)


def _free_id(name: str, random: Random) -> tuple[str, IdType]:
    """An id that tells no company."""
    id_type = random.choice((IdType.EMAIL, IdType.EMAIL, IdType.GITHUB, IdType.GITHUB, *IdType))
    match id_type:
        case IdType.EMAIL:
            return f"{name}@{random.choice(_PUBLIC_MAIL)}", id_type
        case IdType.ANONYMOUS:
            return f"anon-{random.randbytes(8).hex()}", id_type
        case IdType.LINKEDIN | IdType.SOCIAL:
            return name.replace(".", "-"), id_type
        case _:
            return name.replace(".", ""), id_type


def _moved(found: list[Developer], random: Random) -> list[Developer]:
    """The same, with some who go to another company, and keep the ids that are theirs."""

    def may_move(developer: Developer) -> bool:
        ((_, company),) = developer.employers
        return company.trend is Trend.STEADY and developer.last == DAYS and not developer.has_company_mail

    moving = random.sample([developer for developer in found if may_move(developer)], _MOVERS)
    targets = [company for company in companies() if company.trend is Trend.STEADY and company.network]
    return [_with_move(each, targets, random) if each in moving else each for each in found]


def _with_move(developer: Developer, targets: list[Company], random: Random) -> Developer:
    to = random.choice([company for company in targets if company is not developer.employers[0][1]])
    employers = (*developer.employers, (random.randrange(22, DAYS - 5), to))
    return Developer(developer.user_id, developer.id_type, employers, developer.first, developer.last, _LEAST_DILIGENCE)
