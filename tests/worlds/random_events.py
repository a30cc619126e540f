"""What the software of a random vendor sends: bodies as SDKs write them, and as nobody should."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, NamedTuple

from local.demo_companies import companies
from local.demo_licenses import Seat
from local.demo_networks import CARRIERS
from telemetry.domain.product import Product

ODD_TEXTS = (
    "<b>bold</b>", '"><script>alert(1)</script>', "&amp;", "=1+1", "+2", "-7", "@sum", "'", "%20#?&/", "a\nb\tc",
    "\u202eright to left", "a\u200bb", "日本語のテキスト", "Ünïcödé ÄÖÜ", "ß" * 40, "😀" * 15, "x" * 63, "y" * 200,
    "z" * 300, "~other", "~unknown", "*", "0", "null", "__proto__", "constructor", "🏳️‍🌈",
)  # fmt: skip
"""What a name may be: markup, formulas, signs of addresses, nothing to see, too long, and words of ours."""

GROUPS = ("startup-ms", "balance", "window-size", "mood", "mixed", "build & test <i>", "größe", "a group of " * 7)
VERSIONS = (
    "1.0.0",
    "1.1.0",
    "1.2.0-beta+17",
    "2.0.0",
    "2.0.1",
    "v3 «final»",
    "<b>4</b>",
    "~other",
    "=5",
    "6" * 63,
    "7" * 90,
)
COUNTRIES = ("DE", "US", "FR", "GB", "IN", "JP", "BR", "Côte d’Ivoire", "~other", "<i>")
LONG_ACTIVITY = "longer than the index can spell out"
ACTIVITIES = (
    "primary", "secondary1", "LOGIN_ACTIVITY", "CALL_HOME", "CALL HOME", "<b>export</b>", "plugin ü",
    LONG_ACTIVITY, "looked at all there was «and more»", "z" * 80, "~other",
)  # fmt: skip
_MOST_EVENTS = 4


class Sent(NamedTuple):
    """A request: of product usage or, with all its events in a list, of an SDK."""

    moment: datetime
    address: str
    body: bytes
    is_usage: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, or a machine, that uses a product on a share of the days (`diligence`)."""

    product: str | None
    user: str | None
    device: str | None
    license_key: str | None
    address: str
    country: str | None
    diligence: float


def people(
    products: Sequence[Product], seats: Sequence[Seat], keys: Sequence[str], number: int, random: Random
) -> list[Person]:
    """So many. Some have a seat, some none, some a key that is not theirs; some share devices, some an id."""
    sold = [product.id for product in products]
    devices = [random.randbytes(16).hex() for _ in range(number)] + ["00000000", "N/A", *random.sample(ODD_TEXTS, 5)]
    found = []
    for each in range(number):
        names = (f"user {each}", f"User{each}@Mail.example", f"user{each // 3}@mail.example", random.choice(ODD_TEXTS))
        device = random.choice((devices[each], devices[each].upper(), random.choice(devices), None))
        license_key: str | None = random.choice((*random.choices(keys, k=3), f"KEYGEN-{each // 5:08}"))
        match each % 4:
            case 0 if seats:
                seat = random.choice(seats)
                license_key, device = seat.license_key, seat.device
            case 0 | 1 | 2:
                license_key = random.choice((None, "unknown"))
        found.append(
            Person(
                product=random.choice((*sold, *(None, "nobody's <product>")[: each % 3])),
                user=random.choice((*names, *names[:2], None, "anonymous")),
                device=device,
                license_key=license_key,
                address=address(random),
                country=random.choice((*COUNTRIES, None)),
                diligence=random.choice((0.05, 0.2, 0.5, 0.9)),
            )
        )
    return found


def address(random: Random) -> str:
    """One for documentation, or one of a company or carrier of the demo's network file."""
    network = random.choice([*(each.network for each in companies() if each.network), *CARRIERS[0].networks[:1]])
    first, last = network.split("/")[0].rsplit(".", 1)
    return random.choice((f"{first}.{int(last) + random.randrange(8)}", f"198.51.100.{random.randrange(256)}"))


def telemetry_of_day(everybody: Sequence[Person], day: date, random: Random) -> Iterator[Sent]:
    """What those send who are active: now and then a request comes twice, sometimes as late as the day after."""
    for person in everybody:
        if random.random() >= person.diligence:
            continue
        moment = moment_of(day, random)
        version = random.choice((*VERSIONS, *VERSIONS[:4] * 3, None))
        events = [event(person, version, moment, random) for _ in range(random.randint(1, _MOST_EVENTS))]
        body = json.dumps(events, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
        if random.random() < 0.03:
            body = body[: random.randrange(len(body))]
        yield Sent(moment, person.address, body)
        if random.random() < 0.08:
            yield Sent(moment + random.choice((timedelta(seconds=1), timedelta(days=1))), person.address, body)


def crowd(product: str, license_key: str, day: date, random: Random) -> Iterator[Sent]:
    """An hour in which one key comes from very many devices, each with names of its own: more than are told apart."""
    noon = datetime.combine(day, time(random.randrange(23)), UTC)
    for number in range(random.randint(55, 75)):
        person = Person(product, f"crowd {number}", f"crowd device {number}", license_key, address(random), "FR", 1)
        moment = noon + timedelta(seconds=50 * number)
        said = event(person, f"build-{number}-{'ü' * random.randrange(12)}", moment, random)
        named = {"data_type": "text", "text_data": f"text {number} of a crowd", "data_group": f"group-{number // 2}"}
        yield Sent(moment, person.address, json.dumps([said | named]).encode())


def event(person: Person, version: str | None, moment: datetime, random: Random) -> dict[str, Any]:
    """Mostly in order; some are malformed, some have another time or a name that others have."""
    said: dict[str, Any] = _value(random) | {"metadata": {"os": random.choice(ODD_TEXTS)}}
    named = {
        "product_id": person.product,
        "product_version": version,
        "user_identifier": person.user,
        "hwid": person.device,
        "license_key": person.license_key,
        "country": person.country,
    }
    said |= {name: value for name, value in named.items() if value is not None}
    chance = random.random()
    if chance < 0.04:
        del said[random.choice(("data_type", "data_group"))]
    elif chance < 0.08:
        said[random.choice(("data_type", "metadata", "flags", "event_at"))] = random.choice(("nonsense", 7, [1], None))
    if random.random() < 0.3:
        said["event_at"] = _event_time(moment, random)
    if random.random() < 0.1:
        said["event_id"] = f"e{random.randrange(150)}"
    if random.random() < 0.05:
        said["flags"] = random.choice((["vm"], {"debugger": True, "vm": False}, ["<b>", "vm"]))
    if random.random() < 0.05:
        said["activation_identifier"] = random.choice((person.device or "d", "another name of it"))
    return said


def usage_of_day(developers: Sequence[str | None], product: str, day: date, random: Random) -> Iterator[Sent]:
    """Uses, one by one and summed up by those who relay them."""
    for developer in developers:
        if random.random() >= 0.25:
            continue
        moment = moment_of(day, random)
        for _ in range(random.choice((1, 1, 2, 3))):
            said: dict[str, Any] = {
                "activity_type": random.choice(ACTIVITIES),
                "source": random.choice(("TELEMETRY", "PRODUCT_CLOUD")),
                "environment": random.choice(("PRODUCTION", "production", "STAGING")),
                "product_id": product,
                "user_agent": f"cli/{random.choice(VERSIONS)}",
                "event_at": _event_time(moment, random),
                "meta": {"version": random.choice(VERSIONS)},
            }
            said |= {} if developer is None else {"user_id": developer, "user_id_type": _id_type(developer)}
            if random.random() < 0.3:
                said["ip_addr"] = address(random)
            if random.random() < 0.3:
                said["domain"] = random.choice([each.domain for each in companies() if each.domain])
            if random.random() < 0.15:
                said |= {"mode": "aggregated", "count": random.choice((1, 7, 40_000, 1_000_000, 0, "many"))}
            if random.random() < 0.1:
                said["event_id"] = f"u{random.randrange(80)}"
            if random.random() < 0.03:
                del said[random.choice(("activity_type", "event_at", "source"))]
            yield Sent(moment, address(random), json.dumps({"payload": said}).encode(), is_usage=True)


def developers(number: int, random: Random) -> list[str | None]:
    """Their ids; None is somebody without one."""
    domains = [each.domain for each in companies() if each.domain][:15]
    mails = [f"dev{each}@{random.choice(domains)}" for each in range(number)]
    others = [*ODD_TEXTS[:6], "octocat", "anonymous", "Dev@GMAIL.com", None, None]
    return [*mails, *others]


def moment_of(day: date, random: Random) -> datetime:
    """A millisecond of the day."""
    return datetime.combine(day, time(), UTC) + timedelta(milliseconds=random.randrange(86_400_000))


def _event_time(moment: datetime, random: Random) -> object:
    """Just before it was received, or on any other day; as a number, in milliseconds, or as text."""
    days = random.choice((0, 0, 0, 0, 1, 3, 40, 400, -2))
    happened = moment - timedelta(days=days, seconds=random.randrange(3_600))
    seconds = int(happened.timestamp())
    return random.choice((seconds, seconds * 1000, happened.isoformat()))


def _id_type(developer: str) -> str:
    return "EMAIL" if "@" in developer else "GITHUB"


def _value(random: Random) -> dict[str, Any]:
    group = random.choice((*GROUPS, *ODD_TEXTS[:10])) if random.random() < 0.9 else f"rare-{random.randrange(60)}"
    match random.randrange(4):
        case 0 | 1:
            return {
                "data_type": "numeric-single-value",
                "data_group": group,
                "numeric_data_single_value": _number(group, random),
            }
        case 2:
            pair = {"numeric_data_x": _number(group, random), "numeric_data_y": _number("", random)}
            return {"data_type": "numeric-xy-axis", "data_group": group, **pair}
        case _:
            text = random.choice((*ODD_TEXTS, *("often",) * 20, f"text {random.randrange(10_000)}"))
            return {"data_type": "text", "data_group": group, "text_data": text}


def _number(group: str, random: Random) -> object:
    match group:
        case "startup-ms":
            return round(random.lognormvariate(7, 0.5), 1)
        case "balance":
            return random.randint(-500, 500)
        case _:
            return random.choice((
                0, -0.0, 1, -1, 1e300, -1e300, 1e-300, 5e-324, 2**53 + 1, 10**18, 10**309, 0.1, 1 / 3, 1e9, 123456.5,
                99_999.5, 0.000099995, random.uniform(-10, 10), random.randint(0, 10**6),
            ))  # fmt: skip
