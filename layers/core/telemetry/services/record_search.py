"""Records looked for by staff: page by page, newest first."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, TypeVar

from telemetry.domain.api_key import ApiKey
from telemetry.domain.environment import Environment
from telemetry.domain.errors import Damaged, NotFound
from telemetry.domain.judge import Verdict
from telemetry.domain.keyring import Identity
from telemetry.domain.license import License, license_id
from telemetry.domain.record import Record, RecordKey, license_in, license_named, partition_with, read_telemetry_id
from telemetry.domain.record_search import Contents, RecordFilter, RecordView
from telemetry.domain.sighting import UNKNOWN_PRODUCT
from telemetry.services.administration.stores import Stores
from telemetry.storage.browse import (
    CLEAN,
    EVERY_CLASS,
    FLAGGED,
    UNJUDGED,
    Browser,
    Listed,
    Position,
    Selection,
    Step,
)

MOST_PARTITIONS = 1_000
"""Of a customer's licences: each is looked into for every page. Where there are more, records are found by receipt."""

_AT_ONCE = 100
_BYTES_AT_ONCE = 4_000_000
_LONGEST_VERSION = 64

T = TypeVar("T")


class Found(NamedTuple):
    """A record that is looked for, its place in the list, and what was said of it later."""

    at: Position
    listed: Listed
    judged_later: Verdict | None


@dataclass(frozen=True, slots=True)
class RecordSearch:
    """Where records of an environment are looked for; `products` are the registered ones.

    A search looks at no more than its browser's effort allows, and then says where to go on, whatever it found.
    Everything raises StoreUnavailable, and InvalidCursor for a position in a list of another order.
    """

    environment: Environment
    browser: Browser
    products: Sequence[str]
    stores: Stores
    contents_of: Callable[[Record], Contents]

    def page(
        self, wanted: RecordFilter, limit: int, after: Position | None, shown: Callable[[RecordView], T]
    ) -> tuple[list[T], Position | None]:
        """Some of what is looked for, as it is shown, and the position after which the rest begins (None: no rest).

        Newest first: by receipt, or with a licence or customer by event time.
        """
        reader = self.reader(wanted, after, limit + 1)
        found = reader.read(limit + 1)
        shown_ones, rest = found[:limit], found[limit - 1].at if len(found) > limit else reader.rest
        items = []
        for one, view in self.views(shown_ones):
            items.append(shown(view))
            if self.browser.effort.is_late and one is not shown_ones[-1]:
                return items, one.at
        return items, rest

    def reader(self, wanted: RecordFilter, after: Position | None, count: int) -> "Reader":
        """Reads what is looked for, from a position on; `count` is how much will be taken of it, more or less."""
        terms = self._terms(wanted)
        return Reader(self.browser, self._walk(wanted, terms, after, count), terms, after)

    def views(self, found: Iterable[Found]) -> Iterator[tuple[Found, RecordView]]:
        """The records with all that is shown of them, in order; without those that expired meanwhile."""
        by_key = {one.listed.key: one for one in found}
        later = {key: one.judged_later for key, one in by_key.items() if one.judged_later}
        for group in _handfuls(self.browser.load([one.listed for one in by_key.values()])):
            yield from ((by_key[view.record.key], view) for view in self._views(group, later))

    def one(self, id_: str) -> RecordView:
        """A record by its telemetry id. Raises NotFound, also for those of other environments."""
        key = read_telemetry_id(id_, self.environment, self.stores.keyring)
        record = self.browser.get(key) if key else None
        if record is None:
            raise NotFound("record with this id")
        (view,) = self._views([record], {} if record.is_judged else self.browser.judgements([record.key]))
        return view

    def body(self, id_: str) -> bytes:
        """A record's body by its telemetry id. Raises NotFound, and Damaged when the body cannot be read."""
        record = self.one(id_).record
        if not record.has_body:
            raise Damaged(f"Of this record, {record.damage}")
        return record.raw

    def api_key_of(self, record: Record) -> ApiKey | None:
        """The key that brought a record, if it is still known."""
        try:
            return self.stores.api_keys.get(record.api_key_id).key
        except NotFound:
            return None

    def _terms(self, wanted: RecordFilter) -> "_Terms":
        keyring = self.stores.keyring
        licenses = None
        if wanted.license_id or wanted.customer_id:
            licenses = frozenset(license_named(license_.fingerprint) for license_ in self._licenses_of(wanted))
        return _Terms(
            wanted,
            keyring.fingerprint_if(Identity.USER, wanted.user),
            keyring.fingerprint_if(Identity.DEVICE, wanted.device),
            licenses,
        )

    def _walk(self, wanted: RecordFilter, terms: "_Terms", after: Position | None, count: int) -> Iterator[Step]:
        sent_as = ["", *self.products]
        if terms.licenses is not None and len(terms.licenses) * len(sent_as) <= MOST_PARTITIONS:
            partitions = [partition_with(name, product) for name in terms.licenses for product in sent_as]
            return self.browser.walk_by_event_time(partitions, wanted.window, after, count)
        products = [*self.products, UNKNOWN_PRODUCT]
        if wanted.product:
            products = [product for product in products if product == wanted.product]
        selection = Selection(products, _classes(wanted), terms.user)
        return self.browser.walk_by_receipt(selection, wanted.window, after, count)

    def _licenses_of(self, wanted: RecordFilter) -> list[License]:
        if wanted.license_id is None:
            return self.stores.licenses.of_customer(self.environment, wanted.customer_id or "")
        try:
            license_ = self.stores.licenses.get(wanted.license_id)
        except NotFound:
            return []
        fits = license_.environment is self.environment and wanted.customer_id in {None, license_.customer_id}
        return [license_] if fits else []

    def _views(self, records: Sequence[Record], later: Mapping[RecordKey, Verdict]) -> Iterator[RecordView]:
        """Licences and customers in one request each."""
        contents = [self.contents_of(record) for record in records]
        ids = [self._license_id(said.event.license_key) for said in contents]
        licenses, _ = self.stores.licenses.known({id_ for id_ in ids if id_}, ())
        customers = self.stores.customers.many({one.customer_id for one in licenses.values() if one.customer_id})
        for record, said, id_ in zip(records, contents, ids, strict=True):
            license_ = licenses.get(id_ or "")
            customer = customers.get(license_.customer_id or "") if license_ else None
            yield RecordView(record, said, later.get(record.key), license_, customer)

    def _license_id(self, license_key: str | None) -> str | None:
        return license_id(self.environment, license_key, self.stores.keyring) if license_key else None


@dataclass(slots=True)
class Reader:
    """What is looked for, bit by bit. After `rest` begins what was not read yet; None: there is no more."""

    browser: Browser
    walk: Iterator[Step]
    terms: "_Terms"
    rest: Position | None

    def read(self, count: int) -> list[Found]:
        """The next so many; fewer at the end, or when the effort is spent: then there may be more at `rest`."""
        found: list[Found] = []
        while steps := list(islice(self.walk, count - len(found))):
            self.rest = steps[-1].at
            self.browser.effort.note(len(steps))
            found += [one for one in self._judged(steps) if self.terms.fit(one)]
            if len(found) == count or self.browser.effort.is_spent:
                return found
        self.rest = None
        return found

    def _judged(self, steps: Sequence[Step]) -> Iterator[Found]:
        unjudged = [record.key for _, record in steps if record and record.record_class == UNJUDGED]
        verdicts = self.browser.judgements(unjudged) if unjudged else {}
        return (Found(at, record, verdicts.get(record.key)) for at, record in steps if record)


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a list can be told by. `licenses` are those wanted, as partitions name them."""

    wanted: RecordFilter
    user: bytes | None
    device: bytes | None
    licenses: frozenset[str] | None

    def fit(self, found: Found) -> bool:
        listed, wanted = found.listed, self.wanted
        flags = listed.flags | found.judged_later.flags if found.judged_later else listed.flags
        version = wanted.version and wanted.version[:_LONGEST_VERSION]
        return (
            self.user in {None, listed.user}
            and self.device in {None, listed.device}
            and (self.licenses is None or license_in(listed.key.partition) in self.licenses)
            and wanted.product in {None, listed.product}
            and wanted.source_ip in {None, listed.source_ip, listed.address}
            and version in {None, listed.version}
            and wanted.api_key_id in {None, listed.api_key_id}
            and wanted.is_flagged in {None, bool(flags) or listed.is_flagged}
            and (wanted.flag is None or wanted.flag in flags)
        )


def _classes(wanted: RecordFilter) -> Sequence[str]:
    """The unjudged may be either, once judged."""
    if wanted.flag or wanted.is_flagged:
        return (FLAGGED, UNJUDGED)
    return EVERY_CLASS if wanted.is_flagged is None else (CLEAN, UNJUDGED)


def _handfuls(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Not too many, and not too large, at a time."""
    group: list[Record] = []
    for record in records:
        group.append(record)
        if len(group) == _AT_ONCE or sum(len(one.raw) for one in group) >= _BYTES_AT_ONCE:
            yield group
            group = []
    if group:
        yield group
