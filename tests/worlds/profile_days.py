"""Random use of a product by developers at companies, closed day by day, and counted once more from what was sent."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from random import Random
from typing import NamedTuple

from telemetry.domain.attribution import Attribution, AttributionKind, AttributionSource
from telemetry.domain.overrides import Overrides
from telemetry.domain.profiles.closing import Pin
from telemetry.domain.profiles.rows import Attribute
from telemetry.domain.record import RecordKey
from telemetry.domain.shards import shard_of
from telemetry.domain.sighting import Observation, Sighting
from telemetry.services.profiles.close import ProfileCloser
from telemetry.services.profiles.reader import ProfileReader
from telemetry.services.profiles.stores import ProfileStores
from telemetry.services.recount import Allowance
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.profiles.today import TodayStore

PRODUCT = "orbit#cli"
SHARDS = 2
FIRST = date(2026, 9, 1)
NOW = datetime(2026, 12, 1, tzinfo=UTC)

_USERS, _DEVICES = 9, 4
_COMPANIES = ("acme.com", "bolt.io", "~o:cold gmbh", "delta.dev")


class Use(NamedTuple):
    """One record. `company` and `strength` say what it is attributed to: 3 by domain, 2 or 1 by address."""

    day: date
    user: bytes | None
    device: bytes | None
    company: str | None
    strength: int
    activity: str
    uses: int

    @property
    def actor(self) -> bytes | None:
        return self.user or self.device


def fingerprint(name: str) -> bytes:
    return sha256(name.encode()).digest()[:16]


def attributed(hint: str | None, address: str | None) -> Attribution:
    """By hints `acme.com`, and addresses `2:acme.com`; `ISP` is a network."""
    if hint:
        return Attribution(AttributionKind.COMPANY, hint, hint, AttributionSource.DOMAIN, 3, "DE")
    if address and ":" in address:
        strength, _, company = address.partition(":")
        return Attribution(AttributionKind.COMPANY, company, company, AttributionSource.ADDRESS, int(strength), "FR")
    return Attribution(AttributionKind.NETWORK, "AS1", "ISP", AttributionSource.ADDRESS, 1, "US")


@dataclass
class Records:
    """Records of a product, as the index lists them."""

    uses: list[Use] = field(default_factory=list)

    def observations(
        self, product: str, day: date, shards: Iterable[int] | None = None, hours: range = range(24)
    ) -> Iterator[Observation]:
        del hours
        chosen = range(SHARDS) if shards is None else list(shards)
        for number, use in enumerate(self.uses):
            if product == PRODUCT and use.day == day and _shard(use, number) in chosen:
                yield _observation(use, number)

    def shard_count(self, day: date) -> int:
        del day
        return SHARDS

    def products(self, day: date) -> frozenset[str]:
        return frozenset({PRODUCT} if any(use.day == day for use in self.uses) else ())

    def has_any(self, product: str, day: date) -> bool:
        return product in self.products(day)


@dataclass
class Attributes:
    """Attributes by `attributed`; each pin names another file, so that it shows which pin was used."""

    pinned: int = 0
    merged: dict[str, str] = field(default_factory=dict)

    def pin(self, now: datetime) -> Pin:
        self.pinned += 1
        return Pin(f"{self.pinned:064x}", Overrides(), "lists 1", now)

    def is_given_up(self, pin: Pin) -> bool:
        return not pin.network_file

    def attribute(self, pin: Pin) -> Attribute:
        assert pin.network_file
        merged = dict(self.merged)

        def attribute(hint: str | None, address: str | None) -> Attribution:
            found = attributed(hint, address)
            target = merged.get(found.id or "")
            return replace(found, id=target, name=target) if target else found

        return attribute


def names(keys: Sequence[RecordKey]) -> Mapping[RecordKey, tuple[str | None, str | None]]:
    return {key: (key.partition, "EMAIL") for key in keys}


def closer(table: str, records: Records, attributes: Attributes, forgotten: Collection[bytes] = ()) -> ProfileCloser:
    return ProfileCloser(ProfileStores.of(table), records, attributes, names, lambda: forgotten, Allowance())


def reader(table: str, forgotten: frozenset[bytes] = frozenset()) -> ProfileReader:
    return ProfileReader(ProfileStores.of(table), TodayStore(table), LedgerStore(table), forgotten)


def random_uses(random: Random, days: int) -> list[Use]:
    """Some use each day by some people, who mostly stay with their company."""
    home = [random.choice((*_COMPANIES, None)) for _ in range(_USERS)]
    found = []
    for number in range(days):
        day = FIRST + timedelta(days=number)
        for _ in range(random.choice((0, 0, 1, 4, 9))):
            who = random.randrange(_USERS)
            if random.random() < 0.05:
                home[who] = random.choice(_COMPANIES)
            kind = random.random()
            user = fingerprint(f"user {who}") if kind < 0.7 else None
            device = fingerprint(f"device {who % _DEVICES}") if random.random() < 0.5 else None
            if kind > 0.9:
                user = device = None
            company = home[who] if random.random() < 0.7 else random.choice((*_COMPANIES, None))
            uses = 0 if random.random() < 0.1 else random.choice((1, 1, 1, 5, 1_000))
            activity = random.choice(("primary", "secondary1", "LOGIN_ACTIVITY"))
            found.append(Use(day, user, device, company, random.randint(1, 3), activity, uses))
    return found


class Did(NamedTuple):
    """What somebody did on a day."""

    company: str | None
    uses: Counter[str]


def recounted(uses: Iterable[Use]) -> dict[tuple[date, bytes], Did]:
    """What every developer did on every day."""
    by_day: defaultdict[tuple[date, bytes], list[Use]] = defaultdict(list)
    for use in uses:
        if use.actor:
            by_day[use.day, use.actor].append(use)
    found: dict[tuple[date, bytes], Did] = {}
    told: dict[bytes, tuple[date, str]] = {}
    for (day, actor), some in sorted(by_day.items()):
        weight, strength = Counter[str](), defaultdict[str, int](int)
        for use in some:
            if use.company:
                weight[use.company] += max(1, use.uses)
                strength[use.company] = max(strength[use.company], use.strength)
        company = min(weight, key=lambda each: (-strength[each], -weight[each], each), default=None)
        if company:
            told[actor] = day, company
        elif actor in told and (day - told[actor][0]).days <= 30:
            company = told[actor][1]
        found[day, actor] = Did(company, _activities(some))
    return found


def recounted_nobody(uses: Iterable[Use]) -> dict[tuple[date, str | None], Counter[str]]:
    """What nobody by name did on each day, by company."""
    by_day: defaultdict[tuple[date, str | None], list[Use]] = defaultdict(list)
    for use in uses:
        if not use.actor:
            by_day[use.day, use.company].append(use)
    return {key: _activities(some) for key, some in by_day.items()}


def _activities(uses: Iterable[Use]) -> Counter[str]:
    found = Counter[str]()
    for use in uses:
        if use.uses:
            found[use.activity] += use.uses
    return found


def _shard(use: Use, number: int) -> int:
    return shard_of(use.actor or sha256(str(number).encode()).digest(), SHARDS)


def _observation(use: Use, number: int) -> Observation:
    by_domain = use.strength == 3
    return Observation(
        sighting=Sighting(PRODUCT, use.day, use.actor, use.device, billable=True),
        partition=f"c#{_shard(use, number)}",
        received_at=datetime.combine(use.day, time(12), UTC),
        expires_at=datetime.combine(use.day + timedelta(days=91), time(), UTC),
        flags=frozenset(),
        version="1.0",
        license=None,
        api_key_id="key-1",
        source_ip="192.0.2.1",
        country=None,
        seal=sha256(f"{number} {use}".encode()).digest(),
        uses=use.uses,
        key=RecordKey(f"U1{(use.actor or b'').hex()}#{PRODUCT}", f"{number:013d}#e"),
        group=use.activity,
        address=f"{use.strength}:{use.company}" if use.company and not by_domain else "81.2.69.1",
        company=use.company if by_domain else None,
    )
