"""Looking for records."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from telemetry.domain.event import normalise_license
from telemetry.domain.flags import Flag
from telemetry.domain.keyring import Identity, Keyring
from telemetry.domain.record import Record, RecordKey, license_partition
from telemetry.domain.sighting import UNKNOWN_PRODUCT
from telemetry.domain.telemetry_query import FoundRecord, Page, Said, TelemetryQuery
from telemetry.storage.browse import CLEAN, EVERY_CLASS, FLAGGED, UNJUDGED, Browser, Listed, Selection

_AT_ONCE = 50
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A listed record, with the flags of its judgement when it was stored without one."""

    listed: Listed
    flags: frozenset[Flag]
    is_judged: bool


@dataclass(frozen=True, slots=True)
class TelemetrySearch:
    """Where and how records are looked for; `products` are the registered ones, `said_in` reads a record's body."""

    browser: Browser
    products: Sequence[str]
    said_in: Callable[[Record], Said]
    keyring: Keyring

    def page(self, query: TelemetryQuery) -> Page:
        """One page of what is looked for, newest first: by receipt, or with a licence key by event time.

        Raises SearchTooWide, StoreUnavailable.
        """
        first, after = (query.page - 1) * query.per_page, query.page * query.per_page
        candidates = self._candidates(query)
        if _needs_bodies(query, self.products):
            found = list(islice(self._read(candidates, query), first, after + 1))
        else:
            found = list(self._read(islice(candidates, first, after + 1), query))
        return Page(tuple(found[: query.per_page]), len(found) > query.per_page)

    def _candidates(self, query: TelemetryQuery) -> Iterator[_Candidate]:
        """All that the index alone can tell apart."""
        user = self.keyring.fingerprint_if(Identity.USER, query.user_id)
        product = query.product_id if query.product_id in self.products else None
        license_key = normalise_license(query.license_key)
        if license_key:
            partitions = [license_partition(license_key, id_, self.keyring) for id_ in self._sent_as(query)]
            listed = self.browser.by_event_time(partitions)
        else:
            products = [product] if product else [UNKNOWN_PRODUCT] if query.product_id else self._all_products()
            listed = self.browser.by_receipt(Selection(products, _classes(query), user))
        chosen = (
            record
            for record in listed
            if (user is None or record.user == user) and (product is None or record.product == product)
        )
        for candidate in self._judged(chosen):
            is_flagged = bool(candidate.flags) or candidate.listed.is_flagged
            if query.is_flagged in {None, is_flagged}:
                yield candidate

    def _all_products(self) -> list[str]:
        return [*self.products, UNKNOWN_PRODUCT]

    def _sent_as(self, query: TelemetryQuery) -> list[str]:
        """The product ids a licence's records may have been sent under; also none, with a key that has a product."""
        if query.product_id is None:
            return [*self.products, ""]
        return [query.product_id, ""] if query.product_id in self.products else [query.product_id]

    def _judged(self, listed: Iterator[Listed]) -> Iterator[_Candidate]:
        for group in _groups(listed, _AT_ONCE):
            unjudged = [record.key for record in group if record.record_class == UNJUDGED]
            verdicts = self.browser.judgements(unjudged) if unjudged else {}
            for record in group:
                verdict = verdicts.get(record.key)
                flags = record.flags | verdict.flags if verdict else record.flags
                yield _Candidate(record, flags, is_judged=record.record_class != UNJUDGED or verdict is not None)

    def _read(self, candidates: Iterator[_Candidate], query: TelemetryQuery) -> Iterator[FoundRecord]:
        """The candidates with what they say, when that is what is looked for."""
        for group in _groups(candidates, _AT_ONCE):
            by_key: dict[RecordKey, _Candidate] = {candidate.listed.key: candidate for candidate in group}
            for record in self.browser.load([candidate.listed for candidate in group]):
                self.browser.effort.spend()
                said, candidate = self.said_in(record), by_key[record.key]
                if self._is_wanted(record, said, query):
                    yield FoundRecord(
                        key=record.key,
                        product=record.product,
                        received_at=record.received_at,
                        flags=candidate.flags,
                        is_judged=candidate.is_judged,
                        said=said,
                        damage=record.damage,
                    )

    def _is_wanted(self, record: Record, said: Said, query: TelemetryQuery) -> bool:
        """One whose body cannot be read is, unless the body would decide."""
        if not record.has_body:
            return not _needs_bodies(query, self.products)
        return _matches(said, query, self.products)


def _classes(query: TelemetryQuery) -> Sequence[str]:
    """The unjudged may be either, once judged."""
    if query.is_flagged is None:
        return EVERY_CLASS
    return (FLAGGED, UNJUDGED) if query.is_flagged else (CLEAN, UNJUDGED)


def _needs_bodies(query: TelemetryQuery, products: Sequence[str]) -> bool:
    is_unregistered = query.product_id is not None and query.product_id not in products
    is_no_key = query.license_key is not None and normalise_license(query.license_key) is None
    return is_unregistered or is_no_key or query.data_type is not None or query.data_group is not None


def _matches(said: Said, query: TelemetryQuery, products: Sequence[str]) -> bool:
    return (
        query.data_type in {None, said.data_type}
        and query.data_group in {None, said.data_group}
        and query.license_key in {None, said.license_key}
        and (query.product_id is None or query.product_id in products or query.product_id == said.product_id)
    )


def _groups(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group
