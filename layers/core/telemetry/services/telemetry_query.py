"""Telemetry read back by SDK keys: page by page, newest first."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from telemetry.domain.event import normalise_group, normalise_license
from telemetry.domain.keyring import NEVER_SEEN, Identity, Keyring
from telemetry.domain.record import Record, license_partition, listed, product_named
from telemetry.domain.record_contents import Said
from telemetry.domain.sighting import UNKNOWN_PRODUCT
from telemetry.domain.telemetry_query import FoundRecord, PageStart, TelemetryPage, TelemetryQuery
from telemetry.services.record_reader import Found, Reader, Wanted, classes_of
from telemetry.storage.index_partition import UNJUDGED
from telemetry.storage.record_browser import RecordBrowser
from telemetry.storage.selection import Selection


@dataclass(frozen=True, slots=True)
class TelemetrySearch:
    """Where and how records are looked for; `products` are the registered ones, `said_in` reads a record's body."""

    browser: RecordBrowser
    products: Sequence[str]
    said_in: Callable[[Record], Said]
    keyring: Keyring
    forgotten: Callable[[], Collection[bytes]] = frozenset
    """As of services.record_search.RecordSearch."""

    def page(self, query: TelemetryQuery, place: PageStart) -> TelemetryPage:
        """The page of a list that begins at a place, newest first: by receipt, or with a licence key by event time.

        Records are found by the index; only the bodies of what is shown are read. When the browser's effort is spent
        before that, the page is short, or empty. Raises StoreUnavailable, InvalidCursor.
        """
        count = place.skip + query.per_page + 1
        page = Reader.of(self.browser, self._wanted(query), place.after, count).page(query.per_page, place.skip)
        rows, rest = page.shown(self._rows(page.found), self.browser.effort)
        return TelemetryPage(tuple(rows), rest)

    def _rows(self, found: Sequence[Found]) -> Iterator[tuple[Found, FoundRecord]]:
        by_key = {one.listed.key: one for one in found}
        for record in self.browser.load([one.listed for one in found]):
            yield by_key[record.key], self._row(record, by_key[record.key])

    def _row(self, record: Record, found: Found) -> FoundRecord:
        said, is_forgotten = self.said_in(record), record.names_any(self.forgotten())
        return FoundRecord(
            key=record.key,
            product=record.product,
            received_at=record.received_at,
            flags=found.flags,
            is_judged=found.listed.record_class != UNJUDGED or found.judged_later is not None,
            said=said.forgotten() if is_forgotten else said,
            damage=record.damage,
            is_forgotten=is_forgotten,
        )

    def _wanted(self, query: TelemetryQuery) -> Wanted:
        product_id, license_key = query.product_id, normalise_license(query.license_key)
        is_registered, user = product_id in self.products, self.keyring.fingerprint_if(Identity.USER, query.user_id)
        selection = Selection(
            products=frozenset([product_id] if product_id and is_registered else [*self.products, UNKNOWN_PRODUCT]),
            classes=classes_of(query.is_flagged),
            user=NEVER_SEEN if user and user in self.forgotten() else user,
            data_type=listed(query.data_type),
            group=listed(normalise_group(query.data_group)),
            sent_as=product_named(product_id) if product_id and not is_registered else None,
            licenses=frozenset({None}) if query.license_key and not license_key else None,
        )
        partitions = license_key and [license_partition(license_key, id_, self.keyring) for id_ in self._sent_as(query)]
        return Wanted(selection, partitions or None, is_flagged=query.is_flagged)

    def _sent_as(self, query: TelemetryQuery) -> list[str]:
        """Product ids under which a licence's records may have been sent; also none, with a key that has a product."""
        if query.product_id is None:
            return [*self.products, ""]
        return [query.product_id, ""] if query.product_id in self.products else [query.product_id]
