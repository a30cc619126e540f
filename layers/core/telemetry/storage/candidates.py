"""How far the closing of each product's day is, in an environment's aggregates."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from telemetry.domain.closing import Candidate
from telemetry.domain.instant import from_seconds, to_seconds
from telemetry.storage.errors import store
from telemetry.storage.tables import KeyedItem, bind

RETENTION = timedelta(days=30)


class CandidateItem(KeyedItem):
    """How far the closing of a product's day is. pk `candidate#2026-11-03`, sk `acme-cli`."""

    attempt = NumberAttribute()
    expected = NumberAttribute()
    counted_at = NumberAttribute(null=True)
    records = NumberAttribute()
    digest = UnicodeAttribute()
    expires_at = NumberAttribute()


@store("candidates")
@dataclass(frozen=True, slots=True)
class CandidateStore:
    """Reads and replaces candidates. Raises StoreUnavailable."""

    table: str

    def candidates(self, day: date) -> dict[str, Candidate]:
        """How far the closing of a day is, by product; strongly consistent."""
        model = bind(CandidateItem, self.table)
        return {item.sk: _candidate(item, day) for item in model.query(_candidates(day), consistent_read=True)}

    def put_candidates(self, candidates: Iterable[Candidate], now: datetime) -> None:
        """Keeps them for some time, each until another takes its place."""
        model = bind(CandidateItem, self.table)
        expires_at = to_seconds(now + RETENTION)
        with model.batch_write() as batch:
            for each in candidates:
                batch.save(
                    model(
                        _candidates(each.day),
                        each.product,
                        attempt=each.attempt,
                        expected=each.expected,
                        counted_at=None if each.counted_at is None else to_seconds(each.counted_at),
                        records=each.records,
                        digest=each.digest,
                        expires_at=expires_at,
                    )
                )


def _candidates(day: date) -> str:
    return f"candidate#{day}"


def _candidate(item: CandidateItem, day: date) -> Candidate:
    return Candidate(
        product=item.sk,
        day=day,
        attempt=int(item.attempt),
        expected=int(item.expected),
        counted_at=None if item.counted_at is None else from_seconds(item.counted_at),
        records=int(item.records),
        digest=item.digest,
    )
