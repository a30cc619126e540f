"""What staff is told of companies and developers, on random usage of all spellings, is what was sent.

Whose each use is stands in the tables below, and comes from no code of the service.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.integration.test_usage_closing import PRODUCT, after, close_usage, network_file, world
from tests.worlds.analytics import AnalyticsWorld
from tests.worlds.deployment import Mailbox

__all__ = ("network_file", "world")

DAYS = [date(2026, 11, day) for day in (10, 11, 12, 15, 18)]
USES_OF_A_DAY = 45
CARRIED = timedelta(days=30)


class Who(NamedTuple):
    """What an event says of its sender; the id that counts, and the company that a domain tells."""

    says: Mapping[str, Any]
    counts_as: str | None
    company: str | None = None


PEOPLE = [
    Who({"user_id": "Jane+ci@ACME.com", "user_id_type": "EMAIL"}, "jane+ci@acme.com", "acme.com"),
    Who({"user_id": " jane+ci@acme.com ", "user_id_type": "email"}, "jane+ci@acme.com", "acme.com"),
    Who({"user_id": "ann@mail.Dev.acme.co.uk", "user_id_type": "EMAIL"}, "ann@mail.dev.acme.co.uk", "acme.co.uk"),
    Who({"user_id": "MAX@BÜCHER.example"}, "max@bücher.example", "xn--bcher-kva.example"),
    Who({"user_id": "x@xn--bcher-kva.example"}, "x@xn--bcher-kva.example", "xn--bcher-kva.example"),
    Who({"user_id": "7+o@users.noreply.github.com", "user_id_type": "GITHUB"}, "7+o@users.noreply.github.com"),
    Who({"user_id": "a@t1.onmicrosoft.com"}, "a@t1.onmicrosoft.com", "t1.onmicrosoft.com"),
    Who({"user_id": "b@t2.mail.onmicrosoft.com"}, "b@t2.mail.onmicrosoft.com", "t2.onmicrosoft.com"),
    Who({"user_id": "a@onmicrosoft.com"}, "a@onmicrosoft.com"),
    Who({"user_id": "bob@HEY.com"}, "bob@hey.com"),
    Who({"user_id": "x@co.uk"}, "x@co.uk"),
    Who({"user_id": "x@github.io"}, "x@github.io"),
    Who({"user_id": "x@ann.github.io"}, "x@ann.github.io", "ann.github.io"),
    Who({"user_id": "https://www.linkedin.com/in/ann", "user_id_type": "LINKEDIN"}, "https://www.linkedin.com/in/ann"),
    Who({"user_id": "https://medium.com/@ann.lee", "user_id_type": "SOCIAL"}, "https://medium.com/@ann.lee"),
    Who({"user_id": "@ann.lee", "user_id_type": "SOCIAL"}, "@ann.lee"),
    Who({"user_id": "git@github.com:octocat/x.git", "user_id_type": "GITHUB"}, "git@github.com:octocat/x.git"),
    Who({"user_id": "Octocat", "user_id_type": "GITHUB"}, "Octocat"),
    Who({"user_id": 123456, "user_id_type": "USERNAME"}, "123456"),
    Who({"user_id": "anon-1", "user_id_type": "ANONYMOUS"}, "anon-1"),
    Who({"user_id": "anonymous", "user_id_type": "ANONYMOUS"}, None),
    Who({"user_id": "", "user_agent": "orbit/1"}, None),
    Who({"user_id": "zed", "user_id_type": "PIGEON"}, "zed"),
    Who({"user_id": "eve@gmail.com", "domain": "acme.com"}, "eve@gmail.com", "acme.com"),
    Who({"user_id": "eve1@globex.co.uk", "domain": "gmail.com"}, "eve1@globex.co.uk"),
    Who({"user_id": "eve2@globex.co.uk", "domain": "localhost"}, "eve2@globex.co.uk", "globex.co.uk"),
    Who({"user_id": "eve3@globex.co.uk", "domain": "https://www.acme.com/"}, "eve3@globex.co.uk", "acme.com"),
    Who({"user_id": "root@build.internal"}, "root@build.internal"),
    *(
        Who({"count": count, "mode": "DOMAIN", "domain": "Shop.ACME.com."}, None, "acme.com")
        for count in (1, 1_000_000, 1_000_001, 0, -3, "5", 5.0, True, None)
    ),
    Who({"count": 7}, None),
]
"""As clients call them."""

ADDRESSES: dict[str | None, str | None] = {
    "81.2.69.160": "globex.co.uk",
    "::ffff:81.2.69.161": "globex.co.uk",
    "::FFFF:5102:45A0": "globex.co.uk",
    " 81.2.69.162": "globex.co.uk",
    **dict.fromkeys(["89.160.20.112", "100.64.1.2", "10.1.2.3", "8.8.8.8", "fe80::1%eth0", "x", "81.2.69.160:443"]),
    **dict.fromkeys(["", None]),
}
"""What the file tells of them."""

NO_ADDRESSES = {"", None, "x", "81.2.69.160:443", "fe80::1%eth0"}


class Use(NamedTuple):
    """What counts. `told` is a company, and how surely."""

    day: date
    who: str | None
    told: tuple[str, int] | None
    activity: str
    uses: int


@dataclass
class Did:
    """What a company, or a developer, did."""

    days: set[date] = field(default_factory=set)
    uses: Counter[str] = field(default_factory=Counter)
    developers: set[str] = field(default_factory=set)
    company: str | None = None

    def add(self, use: Use) -> None:
        self.days.add(use.day)
        self.uses[use.activity] += use.uses


def random_use(random: Random, day: date, who: Who) -> tuple[dict[str, Any], Use]:
    """A payload, and what it counts for."""
    address, activity = random.choice(list(ADDRESSES)), random.choice(["primary", "secondary1", "rare", "CALL HOME"])
    payload = {**who.says, "activity_type": activity} | ({} if address is None else {"ip_addr": address})
    count = who.says.get("count")
    is_sum = type(count) is int and 1 <= count <= 1_000_000 and ("domain" in who.says or address not in NO_ADDRESSES)
    by_address = ADDRESSES[address]
    told = (who.company, 3) if who.company else (by_address, 2) if by_address else None
    uses = count if is_sum and isinstance(count, int) else 1
    return payload, Use(day, who.counts_as, told, activity.replace(" ", "_"), uses)


def counted(uses: Iterable[Use]) -> tuple[dict[str | None, Did], dict[str, Did]]:
    """Companies and developers. All uses that a developer has on a day are one company's."""
    companies, developers, of_day = defaultdict[str | None, Did](Did), defaultdict[str, Did](Did), defaultdict(list)
    for use in uses:
        if use.who is None:
            companies[use.told[0] if use.told else None].add(use)
        else:
            of_day[use.day, use.who].append(use)
    told_on = defaultdict[str, dict[date, str]](dict)
    for (day, who), theirs in sorted(of_day.items()):
        weights = defaultdict[str, tuple[int, int]](lambda: (0, 0))
        for use in theirs:
            if use.told:
                strength, weight = weights[use.told[0]]
                weights[use.told[0]] = max(strength, use.told[1]), weight + use.uses
        if weights:
            told_on[who][day] = min(weights, key=lambda each: (-weights[each][0], -weights[each][1], each))
        last = max((each for each in told_on[who] if day - each <= CARRIED), default=None)
        developers[who].company = company = told_on[who][last] if last else None
        companies[company].developers.add(who)
        for use in theirs:
            developers[who].add(use)
            companies[company].add(use)
    return dict(companies), dict(developers)


def uses_in(told: Mapping[str, Any]) -> dict[str, int]:
    return {each["activity_type"]: each["uses"] for each in told["activities"]}


def pages(staff: AnalyticsWorld, path: str) -> Iterator[dict[str, Any]]:
    page = staff.given(path, product=PRODUCT, limit="7")
    yield page
    while page["next"]:
        page = staff.given(path, product=PRODUCT, limit="7", cursor=page["next"])
        yield page


def test_all_that_staff_is_told_is_what_was_sent(network_file: Path, world: AnalyticsWorld) -> None:
    del network_file
    random, sent = Random(14), list[Use]()
    for day in DAYS:
        people = PEOPLE if day == DAYS[0] else random.choices(PEOPLE, k=USES_OF_A_DAY)
        for number, who in enumerate(people):
            payload, use = random_use(random, day, who)
            world.use(payload, datetime.combine(day, time(8, number), UTC))
            sent.append(use)
        world.deliver()
        for before in (2, 1, 0):
            world.close(after(day - timedelta(days=before)))
        assert close_usage(day)["closed"][PRODUCT][-1] == day.isoformat()
    companies, developers = counted(sent)
    staff = AnalyticsWorld(world.deployment, Mailbox(), after(DAYS[-1]))

    told = list(pages(staff, "companies"))
    assert {
        each["id"]: (each["developers"], each["activity"]["active_days"], uses_in(each["activity"]["uses"]))
        for page in told
        for each in page["items"]
    } == {id_: (len(did.developers), len(did.days), did.uses) for id_, did in companies.items() if id_}
    totals = told[0]["totals"]
    assert uses_in(totals["uses"]) == sum((did.uses for did in companies.values()), Counter[str]())
    assert uses_in(totals["unattributed"]) == companies[None].uses
    assert (totals["companies"], totals["developers"]) == (len(companies) - 1, len(developers))

    assert {
        each["name"]: (
            each["company"] and each["company"]["id"],
            each["activity"]["active_days"],
            uses_in(each["activity"]["uses"]),
        )
        for page in pages(staff, "developers")
        for each in page["items"]
    } == {name: (did.company, len(did.days), did.uses) for name, did in developers.items()}

    for id_, did in companies.items():
        if id_:
            first, *others = pages(staff, f"companies/{id_}")
            people_there = [each for page in (first, *others) for each in page["items"]]
            assert {each["developer"]["name"] for each in people_there} == did.developers
            assert (first["first_day"], first["last_day"]) == (str(min(did.days)), str(max(did.days)))
            parts = [*people_there, *([first["anonymous"]] if first["anonymous"] else [])]
            assert sum((Counter(uses_in(each["uses"])) for each in parts), Counter[str]()) == did.uses
