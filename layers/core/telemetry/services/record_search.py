"""Records looked for by staff: page by page, newest first."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from telemetry.domain.api_key import ApiKey
from telemetry.domain.environment import Environment
from telemetry.domain.errors import Damaged, Forgotten, NotFound
from telemetry.domain.judge import Verdict
from telemetry.domain.keyring import NEVER_SEEN, Identity
from telemetry.domain.license import License, license_id, license_id_of
from telemetry.domain.record import Record, RecordKey, license_named, partition_with, read_telemetry_id, stored_version
from telemetry.domain.record_contents import Contents
from telemetry.domain.record_search import RecordFilter, RecordView
from telemetry.domain.search import fingerprint_of_key_name
from telemetry.domain.sighting import UNKNOWN_PRODUCT
from telemetry.services.administration.stores import Stores
from telemetry.services.api_keys import known_key
from telemetry.services.record_reader import Found, Reader, Wanted, classes_of
from telemetry.storage.record_browser import RecordBrowser
from telemetry.storage.record_runs import Position
from telemetry.storage.selection import Selection

MOST_PARTITIONS = 1_000
"""Partitions of a customer's licences that are read for a page. If there are more, records are found by receipt."""

_AT_ONCE = 100
_BYTES_AT_ONCE = 4_000_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RecordSearch:
    """Where records of an environment are looked for; `products` are the registered ones.

    A search reads no more than its browser's effort allows, and then says where to go on, whatever it has found.
    Every method raises StoreUnavailable, and InvalidCursor for a position in a list of another order.
    """

    environment: Environment
    browser: RecordBrowser
    products: Sequence[str]
    stores: Stores
    contents_of: Callable[[Record], Contents]
    forgotten: Callable[[], Collection[bytes]] = frozenset
    """Users and devices that are not to be told: searches for them find nothing, their records name nobody."""

    def page(
        self, wanted: RecordFilter, limit: int, after: Position | None, shown: Callable[[RecordView], T]
    ) -> tuple[list[T], Position | None]:
        """Some records that match, as they are shown, and the position after which the rest begins (None: no rest).

        Newest first: by receipt, or with a licence or customer by event time.
        """
        page = self.reader(wanted, after, limit + 1).page(limit)
        rows = ((one, shown(view)) for one, view in self.views(page.found))
        items, rest = page.shown(rows, self.browser.effort)
        return items, rest and rest.after

    def reader(self, wanted: RecordFilter, after: Position | None, count: int) -> Reader:
        """Reads the records that match, from a position on; `count` is about how many of them will be read."""
        return Reader.of(self.browser, self._wanted(wanted), after, count)

    def views(self, found: Iterable[Found]) -> Iterator[tuple[Found, RecordView]]:
        """The records with all that is shown of them, in order; without those that have expired since."""
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
        """A record's body by its telemetry id. Raises NotFound, Forgotten, and Damaged when it cannot be read."""
        view = self.one(id_)
        if view.is_forgotten:
            raise Forgotten
        record = view.record
        if not record.has_body:
            raise Damaged(f"This record is damaged: {record.damage}")
        return record.raw

    def api_key_of(self, record: Record) -> ApiKey | None:
        """The key that brought a record, if it is still known."""
        return known_key(record.api_key_id, self.stores.api_keys)

    def _wanted(self, wanted: RecordFilter) -> Wanted:
        names, sent_as, partitions = self._named(wanted), ["", *self.products], None
        if names is not None and len(names) * len(sent_as) <= MOST_PARTITIONS:
            partitions = [partition_with(name, product) for name in names for product in sent_as]
        selection = Selection(
            products=frozenset(one for one in (*self.products, UNKNOWN_PRODUCT) if wanted.product in {None, one}),
            classes=classes_of(True if wanted.flag else wanted.is_flagged),
            user=self._known(Identity.USER, wanted.user),
            device=self._known(Identity.DEVICE, wanted.device),
            version=stored_version(wanted.version),
            address=wanted.source_ip,
            api_key_id=wanted.api_key_id,
            licenses=names if partitions is None else None,
        )
        return Wanted(selection, partitions, wanted.window, wanted.is_flagged, wanted.flag)

    def _known(self, identity: Identity, name: str | None) -> bytes | None:
        fingerprint = self.stores.keyring.fingerprint_if(identity, name)
        return NEVER_SEEN if fingerprint and fingerprint in self.forgotten() else fingerprint

    def _named(self, wanted: RecordFilter) -> frozenset[str] | None:
        """The licences whose records are searched, by their names in partitions."""
        if not (wanted.license_id or wanted.customer_id):
            return None
        if (fingerprint := fingerprint_of_key_name(wanted.license_id or "")) and wanted.customer_id is None:
            return frozenset({license_named(fingerprint)})
        return frozenset(license_named(license_.fingerprint) for license_ in self._licenses_of(wanted))

    def _licenses_of(self, wanted: RecordFilter) -> list[License]:
        if wanted.license_id is None:
            return self.stores.licenses.of_customer(self.environment, wanted.customer_id or "")
        fingerprint = fingerprint_of_key_name(wanted.license_id)
        id_ = license_id_of(self.environment, fingerprint, self.stores.keyring) if fingerprint else wanted.license_id
        try:
            license_ = self.stores.licenses.get(id_)
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
        forgotten = self.forgotten()
        for record, said, id_ in zip(records, contents, ids, strict=True):
            license_ = licenses.get(id_ or "")
            customer = customers.get(license_.customer_id or "") if license_ else None
            view = RecordView(record, said, later.get(record.key), license_, customer)
            yield view.forgotten() if record.names_any(forgotten) else view

    def _license_id(self, license_key: str | None) -> str | None:
        return license_id(self.environment, license_key, self.stores.keyring) if license_key else None


def _handfuls(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Groups that are neither too many records nor too many bytes."""
    group: list[Record] = []
    for record in records:
        group.append(record)
        if len(group) == _AT_ONCE or sum(len(one.raw) for one in group) >= _BYTES_AT_ONCE:
            yield group
            group = []
    if group:
        yield group
