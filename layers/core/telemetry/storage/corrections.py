"""Corrections: what later counts found against the reports of closed days. They are in the aggregates, and stay."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from telemetry.domain.correction import Correction
from telemetry.domain.instant import from_seconds, to_seconds
from telemetry.storage.errors import ConditionFailed, conditions, store
from telemetry.storage.tables import KeyedItem, bind


class CorrectionItem(KeyedItem):
    """What a later count found that the day's report does not say. pk `corrections#acme-cli`.

    sk `2026-11-03#…`, with the digest of what was found: the same finding is kept once.
    """

    difference = UnicodeAttribute()
    records = NumberAttribute()
    flagged = NumberAttribute()
    users = NumberAttribute()
    found_at = NumberAttribute()


@store("corrections")
@dataclass(frozen=True, slots=True)
class CorrectionStore:
    """Adds corrections, and lists them. Raises StoreUnavailable."""

    table: str

    def correct(self, correction: Correction, digest: bytes) -> None:
        """Keeps what was found, beside the report; `digest` is that of the report there would be."""
        item = bind(CorrectionItem, self.table)(
            f"corrections#{correction.scope}",
            f"{correction.day}#{digest.hex()[:16]}",
            difference=correction.difference,
            records=correction.records,
            flagged=correction.flagged,
            users=correction.users,
            found_at=to_seconds(correction.found_at),
        )
        with suppress(ConditionFailed), conditions():
            item.save(condition=CorrectionItem.pk.does_not_exist())

    def corrections(self, scope: str, first: date, last: date) -> list[Correction]:
        """The corrections of a product or the catalogue, of the days from `first` to `last`, in the order of days."""
        model = bind(CorrectionItem, self.table)
        days = model.sk.between(first.isoformat(), f"{last}#~")
        return [
            Correction(
                scope=scope,
                day=date.fromisoformat(item.sk[:10]),
                difference=item.difference,
                records=int(item.records),
                flagged=int(item.flagged),
                users=int(item.users),
                found_at=from_seconds(item.found_at),
            )
            for item in model.query(f"corrections#{scope}", days)
        ]
