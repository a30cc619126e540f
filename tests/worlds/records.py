"""Random records of two environments, and in memory what a search over them must find."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from telemetry.dialects import getkeymanager, reo
from telemetry.domain.api_key import Access, ApiKey, KeyKind
from telemetry.domain.customer import Customer
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.event import Event
from telemetry.domain.flags import Flag
from telemetry.domain.judge import LicenseView, Verdict
from telemetry.domain.license import LicenseState
from telemetry.domain.product import Product
from telemetry.domain.record import RecordKey, read_telemetry_id
from telemetry.domain.shards import ShardPlan
from telemetry.retry import Deadline
from telemetry.services.ingest import Ingest, Status
from telemetry.storage.customers import CustomerStore
from telemetry.storage.license_lookup import LicenseLookup
from telemetry.storage.records import RecordStore
from tests.worlds.deployment import Deployment
from tests.worlds.licenses import issue, license_store

SHARDS = 2
PRODUCTS = ("acme-cli", "acme-desktop")
KEYS = {"ACME-AAAA-0000-0001": "globex", "ACME-BBBB-0000-0002": "globex", "ACME-CCCC-0000-0003": "initech"}
USERS = (None, "ann@x.example", "bob", "=cmd", "u" * 300)
DEVICES = (None, "d1", "D1", "d2", "-d3")
ADDRESSES = ("192.0.2.1", "192.0.2.2", "2001:db8::1")
VERSIONS = (None, "1.0", "1.1", "+2")
API_KEYS = ("k1", "k2", "=k3")
NOBODYS_ID = "00000000-0000-8000-8000-000000000000"


@dataclass(frozen=True)
class Kept:
    """A record as it must be found. `subject` is its licence key; `sent_as` the product id that was sent."""

    id: str
    key: RecordKey
    received_at: datetime
    product: str
    sent_as: str | None
    user: str | None
    device: str | None
    address: str
    version: str | None
    license_key: str | None
    raw: bytes
    api_key_id: str
    flags: frozenset[Flag] = field(compare=False)

    @property
    def milliseconds(self) -> int:
        return round(self.received_at.timestamp() * 1000)


@dataclass
class World:
    """Records of an environment, put in through the service at any time."""

    deployment: Deployment
    environment: Environment = Environment.PRODUCTION
    kept: list[Kept] = field(default_factory=list)
    is_registry_up: bool = True

    def __post_init__(self) -> None:
        self.store = RecordStore(self.deployment.tables.records(self.environment), ShardPlan(SHARDS))
        self.lookup = LicenseLookup(license_store(self.deployment), self.deployment.keyring)
        self.products = {name: Product(name, name) for name in PRODUCTS}
        self.ingest = Ingest(
            lambda _: self.store,
            lambda *_: self.products,
            self._views,
            self.deployment.keyring,
            lambda _: 90,
        )

    def issue(self) -> dict[str, str]:
        """Licences by key; gives their ids. Customers have names."""
        customers = CustomerStore(self.deployment.tables.registry)
        for name in sorted(set(KEYS.values())):
            if name not in customers.many([name]):
                customers.add(Customer(name, name.title(), None, datetime(2026, 1, 1, tzinfo=UTC)))
        states = (LicenseState.ACTIVE, LicenseState.REVOKED, LicenseState.SUSPENDED)
        return {
            key: issue(self.deployment, key, self.environment, customer_id=customer, state=state).id
            for (key, customer), state in zip(KEYS.items(), states, strict=True)
        }

    def _views(self, events: Sequence[Event], environment: Environment, _since: float) -> list[LicenseView]:
        if not self.is_registry_up:
            raise StoreUnavailable("licenses")
        return self.lookup.views(events, environment, float("inf"))

    def keep(
        self,
        bodies: Sequence[dict[str, Any]],
        when: datetime,
        address: str = ADDRESSES[0],
        api_key_id: str = API_KEYS[0],
    ) -> list[Kept]:
        """Of either dialect: what has a `payload` is product usage."""
        raws = [json.dumps(body).encode() for body in bodies]
        return self.keep_raw(raws, when, address, api_key_id)

    def keep_raw(
        self, raws: Sequence[bytes], when: datetime, address: str = ADDRESSES[0], api_key_id: str = API_KEYS[0]
    ) -> list[Kept]:
        when = when.replace(microsecond=when.microsecond // 1000 * 1000)
        events = [reo.parse(raw) if b'"payload"' in raw else getkeymanager.parse_one(raw) for raw in raws]
        key = ApiKey(api_key_id, KeyKind.SDK, "", "", "", frozenset({self.environment}))
        outcomes = self.ingest.keep(events, Access(key, self.environment), address, when, Deadline(60))
        assert {outcome.status for outcome in outcomes} <= {Status.STORED, Status.CONFLICT}
        new = [
            Kept(
                outcome.telemetry_id,
                self._key(outcome.telemetry_id),
                when,
                self._product(event),
                event.product_id,
                event.user_id,
                event.device_id,
                address,
                event.product_version,
                event.license_key,
                event.raw,
                api_key_id,
                outcome.flags,
            )
            for event, outcome in zip(events, outcomes, strict=True)
        ]
        self.kept += new
        return new

    def judge_later(self, kept: Kept, flags: frozenset[Flag]) -> None:
        record = self.store.get(kept.key)
        assert record
        assert not record.is_judged
        self.store.add_judgement(record, Verdict(flags, "2;I=unknown" if flags else ""), kept.received_at, Deadline(60))
        self.kept[self.kept.index(kept)] = replace(kept, flags=kept.flags | flags)

    def _key(self, id_: str) -> RecordKey:
        key = read_telemetry_id(id_, self.environment, self.deployment.keyring)
        assert key
        return key

    def _product(self, event: Event) -> str:
        if event.product_id in PRODUCTS:
            return event.product_id
        return "acme-desktop" if self.is_registry_up and event.license_key in KEYS else "~unknown"


def random_body(random: Random, now: datetime) -> dict[str, Any]:
    """An event of either dialect; about a third are clean."""
    if random.random() < 0.2:
        usage = {"activity_type": random.choice(("primary", "x")), "product_id": random.choice((*PRODUCTS, "wrong"))}
        return {"payload": usage | {"user_id": random.choice(USERS) or "", "user_agent": "x", "meta": {"n": 1}}}
    body: dict[str, Any] = {
        "data_type": "text",
        "data_group": "g",
        "text_data": "é\n,\"'",
        "product_id": random.choice((*PRODUCTS, *PRODUCTS, "wrong", None)),
        "product_version": random.choice(VERSIONS),
        "user_identifier": random.choice(USERS),
        "hwid": random.choice(DEVICES),
        "license_key": random.choice((None, None, *KEYS, "never-issued")),
        "country": random.choice(("DE", None)),
        "metadata": {"os": "linux"},
        "flags": random.choice(([], [], ["debugger"])),
    }
    if random.random() < 0.5:
        body["event_id"] = f"e{random.getrandbits(64)}"
    if random.random() < 0.5:
        body["event_at"] = int(now.timestamp()) - random.choice((0, 1, 3_600, 40 * 86_400))
    return body


def populate(world: World, random: Random, now: datetime, count: int) -> None:
    """Records of the last days, many of them of the same millisecond, some stored while the registry was away."""
    while len(world.kept) < count:
        when = now - timedelta(hours=random.choice((0, 0, 1, 30, 60, 100, 200)), milliseconds=random.randrange(4))
        world.is_registry_up = random.random() < 0.85
        bodies = [random_body(random, when) for _ in range(random.choice((1, 3, 12)))]
        for kept in world.keep(bodies, when, random.choice(ADDRESSES), random.choice(API_KEYS)):
            record = world.store.get(kept.key)
            assert record
            if not record.is_judged and random.random() < 0.7:
                world.judge_later(kept, frozenset(random.sample([Flag.INVALID_LICENSE], random.choice((0, 1)))))
    world.is_registry_up = True


def random_filter(random: Random, licenses: dict[str, str]) -> dict[str, str]:
    """A query string."""
    choices = {
        "product": random.choice((*PRODUCTS, "~unknown", "nobody's")),
        "license_id": random.choice([*licenses.values(), NOBODYS_ID]),
        "customer_id": random.choice((*KEYS.values(), "nobody's")),
        "user": random.choice(("ANN@x.example", "ann@x.example", "bob", "=cmd", "u" * 300)),
        "hwid": random.choice([device for device in DEVICES if device]) + random.choice(("", ".")),
        "ip": random.choice(ADDRESSES),
        "flagged": random.choice(("true", "false")),
        "flag": random.choice([*Flag]).value,
        "version": random.choice([version for version in VERSIONS if version]),
        "api_key_id": random.choice((*API_KEYS, "nobody's")),
    }
    names = random.sample(list(choices), random.choice((0, 1, 1, 1, 2, 3)))
    return {name: choices[name] for name in names}


def expected(world: World, query: dict[str, str], licenses: dict[str, str], *, by_receipt: bool = False) -> list[Kept]:
    """What a search must find, in order: by receipt, or with a licence or customer by event time."""

    def fits(one: Kept) -> bool:
        license_id = licenses.get(one.license_key or "")
        device = query["hwid"].lower().removesuffix(".") if "hwid" in query else None
        user = query.get("user", "").lower() if "@" in query.get("user", "") else query.get("user")
        return (
            query.get("product") in {None, one.product}
            and query.get("license_id") in {None, license_id}
            and query.get("customer_id") in {None, KEYS.get(one.license_key or "")}
            and user in {None, one.user}
            and device in {None, (one.device or "").lower()}
            and query.get("ip") in {None, one.address}
            and query.get("flagged") in {None, "true" if one.flags else "false"}
            and query.get("flag") in {None, *one.flags}
            and query.get("version") in {None, one.version}
            and query.get("api_key_id") in {None, one.api_key_id}
        )

    found = [one for one in world.kept if fits(one)]
    if ("license_id" in query or "customer_id" in query) and not by_receipt:
        # partitions cannot be listed: of a licence, those of registered products and of none are known
        found = [one for one in found if one.sent_as in {None, *PRODUCTS}]
        return sorted(found, key=lambda one: (one.key.sort, one.key.partition), reverse=True)
    return sorted(found, key=lambda one: (one.milliseconds, *one.key), reverse=True)
