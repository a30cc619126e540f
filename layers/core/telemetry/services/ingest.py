"""Stores events: each is judged, flagged and stored once, and none is refused because of its content."""

import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple, Protocol

from telemetry.domain.api_key import Access
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.event import Event, attributed_address
from telemetry.domain.flags import Flag, is_billable
from telemetry.domain.judge import EventProducts, LicenseView, Verdict, judge
from telemetry.domain.keyring import Identity, Keyring
from telemetry.domain.product import Product
from telemetry.domain.record import (
    NO_ADDRESS,
    Record,
    RecordKey,
    listed,
    record_key,
    server_event_id,
    stored_version,
    telemetry_id,
)
from telemetry.domain.retention import expiry
from telemetry.domain.sighting import UNKNOWN_PRODUCT
from telemetry.retry import Deadline
from telemetry.storage.inserts import Insertion
from telemetry.storage.products import REREAD_SECONDS
from telemetry.storage.records import Existing

_SHARE_TO_STORE = 0.5


class Status(StrEnum):
    """What became of an event. Only FAILED asks the client to send it again."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    FAILED = "failed"


class EventOutcome(NamedTuple):
    """The answer for one event; `flags` are those of the record that is stored."""

    telemetry_id: str
    status: Status
    flags: frozenset[Flag]


class Records(Protocol):
    """The records of one environment (storage.records.RecordStore)."""

    def insert(self, records: Sequence[Record], deadline: Deadline) -> list[Insertion]: ...
    def existing(self, keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Existing]: ...


@dataclass(frozen=True, slots=True)
class Ingest:
    """What keeping events takes, the same for the life of a process."""

    records: Callable[[Environment], Records]
    products: Callable[[Collection[str], float], Mapping[str, Product]]
    """Finds products by id, as they were at most the given number of seconds ago (storage.products.Catalogue)."""
    licenses: Callable[[Sequence[Event], Environment, float], list[LicenseView]]
    keyring: Keyring
    retention_days: Callable[[Environment], int]
    license_cache_seconds: float = 60
    clock: Callable[[], float] = time.monotonic
    """Seconds, the clock of what `licenses` remembers."""

    def keep(
        self, events: Sequence[Event], access: Access, source_ip: str, now: datetime, deadline: Deadline
    ) -> list[EventOutcome]:
        """Stores events, one outcome each, in order, by the deadline. Anything but FAILED is durable.

        An event whose key is taken is a duplicate when the stored digest is its own. Else it is a conflict, and is
        stored under a key of its own.
        """
        store, keyring = self.records(access.environment), self.keyring.remembering()
        # a registry that is silent must leave time to store: unjudged, but stored
        with deadline.sooner(deadline.seconds_left * _SHARE_TO_STORE).in_force():
            rulings = self._rulings(events, access, now)
            expires_at = expiry(now, self.retention_days(access.environment))
            records = [
                _record(event, ruling, access, source_ip, now, expires_at, keyring)
                for event, ruling in zip(events, rulings, strict=True)
            ]
        statuses = _insert(records, store, deadline)
        self._settle(records, statuses, store, deadline)
        return [
            EventOutcome(telemetry_id(record.key, access.environment, keyring), status or Status.FAILED, record.flags)
            for record, status in zip(records, statuses, strict=True)
        ]

    def _settle(self, records: list[Record], statuses: list[Status | None], store: Records, deadline: Deadline) -> None:
        """Finds duplicates and conflicts, and stores the conflicts under keys of their own."""
        unsettled = [i for i, status in enumerate(statuses) if status is None]
        existing = store.existing(list({records[i].key for i in unsettled}), deadline) if unsettled else {}
        conflicts: dict[RecordKey, list[int]] = {}
        for i in unsettled:
            found = existing.get(records[i].key)
            if found is None:
                statuses[i] = Status.FAILED
            elif found.digest == records[i].digest:
                # an id made here is met again only by our own second attempt, after an answer that was lost
                statuses[i] = Status.DUPLICATE if records[i].id_from_client else Status.STORED
                records[i] = records[i].with_flags(found.flags)
            else:
                records[i] = records[i].as_conflict()
                conflicts.setdefault(records[i].key, []).append(i)
        kept = _beside([records[places[0]] for places in conflicts.values()], store, deadline) if conflicts else {}
        for key, places in conflicts.items():
            for i in places:
                found = kept.get(key)
                if found and found.digest == records[i].digest:
                    statuses[i], records[i] = Status.CONFLICT, records[i].with_flags(found.flags)
                else:
                    statuses[i] = Status.FAILED

    def _rulings(self, events: Sequence[Event], access: Access, now: datetime) -> list["_Ruling"]:
        """Judges events by what is remembered of the registry; a piracy or licence flag only by what was just read.

        So telemetry, activate, telemetry at once leaves the second record clean, whichever container answers.
        """
        began = self.clock()
        remembered = began - self.license_cache_seconds
        products = self._products(_named(events, access), remembered)
        rulings = self._rule(events, access, now, remembered, products)
        if doubtful := [i for i, ruling in enumerate(rulings) if not is_billable(ruling.verdict.flags)]:
            # without a license key it is a setting of the product that flags; unknown names are not looked up again
            if unlicensed := [events[i] for i in doubtful if events[i].license_key is None]:
                known = products.keys() & set(_named(unlicensed, access))
                products = {**products, **self._products(known, began)}
            fresh = self._rule([events[i] for i in doubtful], access, now, began, products)
            for i, ruling in zip(doubtful, fresh, strict=True):
                rulings[i] = ruling
        return rulings

    def _products(self, ids: Collection[str], since: float) -> Mapping[str, Product]:
        """Products change seldom: what was read of them in the last seconds is recent enough for any flag."""
        return self.products(ids, max(self.clock() - since, REREAD_SECONDS))

    def _rule(
        self, events: Sequence[Event], access: Access, now: datetime, since: float, known: Mapping[str, Product]
    ) -> list["_Ruling"]:
        views: Sequence[LicenseView | None]
        try:
            views = self.licenses(events, access.environment, since)
        except StoreUnavailable:
            views = [None if event.license_key else LicenseView() for event in events]
        rulings = []
        for event, view in zip(events, views, strict=True):
            products = EventProducts(known.get(event.product_id or ""), known.get(access.key.product_id or ""))
            verdict = judge(event, view, products, access.environment, now)
            rulings.append(_Ruling(verdict, _product(products, view), is_judged=view is not None))
        return rulings


class _Ruling(NamedTuple):
    """What ingest decides about an event before it stores it."""

    verdict: Verdict
    product: str
    is_judged: bool


def _record(
    event: Event,
    ruling: _Ruling,
    access: Access,
    source_ip: str,
    now: datetime,
    expires_at: datetime,
    keyring: Keyring,
) -> Record:
    return Record(
        key=record_key(event, server_event_id(now, secrets.token_bytes(10)), now, keyring),
        raw=event.raw,
        digest=sha256(event.raw).digest(),
        dialect=event.dialect,
        product=ruling.product,
        received_at=now,
        expires_at=expires_at,
        user=keyring.fingerprint_if(Identity.USER, event.counted_user),
        device=keyring.fingerprint_if(Identity.DEVICE, event.counted_device),
        product_version=stored_version(event.product_version or None),
        flags=ruling.verdict.flags,
        evidence=ruling.verdict.evidence,
        api_key_id=access.key.id,
        source_ip=source_ip,
        country=event.country,
        format=event.format,
        data_type=listed(event.data_type),
        group=listed(event.group),
        count=event.count,
        address=_address(event, source_ip),
        company=event.company,
        id_from_client=event.event_id is not None,
        is_judged=ruling.is_judged,
    )


def _address(event: Event, source_ip: str) -> str | None:
    """As the record has it: days are attributed from the index, which knows no `source` of an event."""
    address = attributed_address(event.dialect, event.source, event.address, source_ip) or NO_ADDRESS
    return None if address == source_ip else address


def _named(events: Sequence[Event], access: Access) -> list[str]:
    """The products that events may be of, the key's first."""
    return [name for name in (access.key.product_id, *(event.product_id for event in events)) if name]


def _product(products: EventProducts, view: LicenseView | None) -> str:
    """The product a record counts for: the payload's, else the key's, else the licence's, else nobody's."""
    if product := products.named or products.of_key:
        return product.id
    return (view and view.license and view.license.product_id) or UNKNOWN_PRODUCT


def _insert(records: Sequence[Record], store: Records, deadline: Deadline) -> list[Status | None]:
    """First attempt, with equal keys folded: some engines fail a whole batch over them. None means: look closer."""
    first: dict[RecordKey, int] = {}
    for i, record in enumerate(records):
        first.setdefault(record.key, i)
    insertions = store.insert([records[i] for i in first.values()], deadline)
    statuses: list[Status | None] = [None] * len(records)
    for i, insertion in zip(first.values(), insertions, strict=True):
        if insertion is Insertion.INSERTED:
            statuses[i] = Status.STORED
        elif insertion is Insertion.UNAVAILABLE:
            statuses[i] = Status.FAILED
    return statuses


def _beside(conflicts: Sequence[Record], store: Records, deadline: Deadline) -> Mapping[RecordKey, Existing]:
    """Stores conflicts under keys of their own, and gives what is there then: a key that was taken may hold another."""
    insertions = store.insert(conflicts, deadline)
    found = list(zip(conflicts, insertions, strict=True))
    there = {record.key: Existing(record.digest, record.flags) for record, each in found if each is Insertion.INSERTED}
    taken = [record.key for record, each in found if each is Insertion.EXISTS]
    return {**there, **store.existing(taken, deadline)} if taken else there
