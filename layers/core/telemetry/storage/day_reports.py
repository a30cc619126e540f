"""The reports of closed days, in an environment's aggregates. Each is written once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pynamodb.attributes import BinaryAttribute, ListAttribute, MapAttribute, NumberAttribute
from pynamodb.transactions import TransactWrite

from telemetry.domain.active_users import Audience, Balance, LedgerBroken
from telemetry.domain.day_report import WINDOWS, DayDetails, DayReport, DayTotals
from telemetry.domain.instant import from_seconds, to_seconds
from telemetry.domain.report_rules import RULES_1
from telemetry.storage.active_user_items import DayItem, opening_key, packed, scope_key, unpacked
from telemetry.storage.batches import batch_get, grouped
from telemetry.storage.deflated_json import deflated_json, inflated_json
from telemetry.storage.errors import ConditionFailed, conditions, store
from telemetry.storage.license_activity_json import license_activity_from_json, license_activity_to_json
from telemetry.storage.tables import AnyItem, KeyedItem, bind, connection

Key = tuple[str, str]
Raw = dict[str, Any]
_AUDIENCES = tuple(Audience)
REPORTS_AT_ONCE = 33
"""Three items each: what one transaction takes."""

_TOLD_AT_ONCE = 50  # two items each: what one request takes


class TotalsItem(KeyedItem):
    """A day of a product or the catalogue. pk `days#acme-cli`, sk `2026-11-03`. At most 400 B: views read many.

    r records, f flagged, l and m the same over its lifetime, g records by flag code, a actors over WINDOWS (audience
    after audience), x when its first record expires, d digest, c chain, w when it was written and t when it was
    computed (epoch seconds).
    """

    records = NumberAttribute(attr_name="r")
    flagged = NumberAttribute(attr_name="f")
    lifetime_records = NumberAttribute(attr_name="l")
    lifetime_flagged = NumberAttribute(attr_name="m")
    flags: MapAttribute[str, Any] = MapAttribute(attr_name="g")  # type: ignore[no-untyped-call]
    active: ListAttribute[Any] = ListAttribute(attr_name="a")
    expires_at = NumberAttribute(attr_name="x", null=True)
    digest = BinaryAttribute(attr_name="d", legacy_encoding=False)
    chain = BinaryAttribute(attr_name="c", legacy_encoding=False)
    closed_at = NumberAttribute(attr_name="w")
    computed_at = NumberAttribute(attr_name="t")


class DetailsItem(KeyedItem):
    """What else is known of the day. pk `details#acme-cli`, sk `2026-11-03`; b is JSON, deflated."""

    body = BinaryAttribute(attr_name="b", legacy_encoding=False)


@store("day reports")
@dataclass(frozen=True, slots=True)
class DayReportStore:
    """Reads reports, and adds to them. Raises StoreUnavailable."""

    table: str

    def report(self, scope: str, day: date, *, consistent: bool = False) -> DayReport | None:
        """All of a closed day, None where there is none: one request."""
        keys = (_totals_key(scope, day), _details_key(scope, day), _balance_key(scope, day))
        totals, details, balance = self._items(keys, consistent=consistent)
        if totals is None or details is None or balance is None:
            return None
        return DayReport(_totals(totals), _details(details), _balance(balance, day))

    def users(self, scope: str, day: date, *, consistent: bool = False) -> tuple[DayTotals, Balance] | None:
        """What tells the users of a closed day over any window, None where there is none: one request."""
        return self.users_on(scope, [day], consistent=consistent).get(day)

    def users_on(
        self, scope: str, days: Sequence[date], *, consistent: bool = False
    ) -> dict[date, tuple[DayTotals, Balance]]:
        """The same of up to 50 closed days: those that have a report. One request."""
        keys = [key for day in days for key in (_totals_key(scope, day), _balance_key(scope, day))]
        items = iter(self._items(keys, consistent=consistent))
        return {
            day: (_totals(totals), _balance(balance, day))
            for day, totals, balance in zip(days, items, items, strict=True)
            if totals is not None and balance is not None
        }

    def details(self, scope: str, day: date, *, consistent: bool = False) -> tuple[DayTotals, DayDetails] | None:
        """What happened on a closed day, None where there is none: one request."""
        totals, details = self._items((_totals_key(scope, day), _details_key(scope, day)), consistent=consistent)
        return None if totals is None or details is None else (_totals(totals), _details(details))

    def totals(self, scope: str, first: date, last: date, *, consistent: bool = False) -> list[DayTotals]:
        """The closed days from `first` to `last`, in order: one request for a year."""
        model = bind(TotalsItem, self.table)
        days = model.sk.between(first.isoformat(), last.isoformat())
        return [_totals_of(item) for item in model.query(_days(scope), days, consistent_read=consistent)]

    def details_between(self, scope: str, first: date, last: date) -> list[DayDetails]:
        """What else is known of the closed days from `first` to `last`, in order: some KB each."""
        model = bind(DetailsItem, self.table)
        days = model.sk.between(first.isoformat(), last.isoformat())
        return [_details_of(item) for item in model.query(f"details#{scope}", days)]

    def latest(self, scope: str, last: date, *, consistent: bool = False) -> DayTotals | None:
        """The latest closed day up to `last`."""
        model = bind(TotalsItem, self.table)
        found = model.query(
            _days(scope), model.sk <= last.isoformat(), scan_index_forward=False, limit=1, consistent_read=consistent
        )
        return next((_totals_of(item) for item in found), None)

    def keep(self, report: DayReport) -> DayReport:
        """Writes a report, once and for all; gives the one that is kept, which may be an earlier one."""
        scope, day = report.totals.scope, report.totals.day
        try:
            with conditions(), TransactWrite(connection=connection()) as transaction:
                self._put(transaction, report)
        except ConditionFailed as exc:
            kept = self.report(scope, day, consistent=True)
            if kept is None:
                raise LedgerBroken(f"The report of {scope} on {day} is not whole") from exc
            return kept
        return report

    # ── days being closed

    def keep_all(self, reports: Sequence[DayReport]) -> bool:
        """Writes up to REPORTS_AT_ONCE reports; False, and none of them is written, where one is there already."""
        try:
            with conditions(), TransactWrite(connection=connection()) as transaction:
                for report in reports:
                    self._put(transaction, report)
        except ConditionFailed:
            return False
        return True

    def totals_on(self, scopes: Sequence[str], day: date) -> dict[str, DayTotals]:
        """The totals of a day, of those scopes that have a report of it; strongly consistent."""
        keys = [_totals_key(scope, day) for scope in scopes]
        found = batch_get(bind(TotalsItem, self.table), keys, consistent_read=True)
        return {each.scope: each for each in map(_totals_of, found)}

    def told(self, scopes: Sequence[str], day: date) -> Iterator[tuple[DayTotals, DayDetails]]:
        """What happened on a day, of those scopes that have a report of it, in their order; strongly consistent."""
        for some in grouped(scopes, _TOLD_AT_ONCE):
            keys = [key for scope in some for key in (_totals_key(scope, day), _details_key(scope, day))]
            items = iter(self._items(keys, consistent=True))
            for totals, details in zip(items, items, strict=True):
                if totals is not None and details is not None:
                    yield _totals(totals), _details(details)

    def _put(self, transaction: TransactWrite, report: DayReport) -> None:
        """All parts of a report, on condition that there is none."""
        scope, day = report.totals.scope, report.totals.day
        totals, details = bind(TotalsItem, self.table), bind(DetailsItem, self.table)
        balance = bind(DayItem, self.table)
        transaction.save(_totals_item(totals, report.totals), condition=totals.pk.does_not_exist())
        transaction.save(details(*_details_key(scope, day), body=_details_body(report.details)))
        transaction.save(balance(*_balance_key(scope, day), balance=packed(report.balance)))

    def _items(self, keys: Sequence[Key], *, consistent: bool = False) -> list[Raw | None]:
        """Items of several kinds, each None where it is missing: one request."""
        items = batch_get(bind(AnyItem, self.table), keys, consistent_read=consistent)
        found = {(item.pk, item.sk): item.raw for item in items}
        return [found.get(key) for key in keys]


def _days(scope: str) -> str:
    return f"days#{scope}"


def _totals_key(scope: str, day: date) -> Key:
    return _days(scope), day.isoformat()


def _details_key(scope: str, day: date) -> Key:
    return f"details#{scope}", day.isoformat()


def _balance_key(scope: str, day: date) -> Key:
    return scope_key(scope), opening_key(day.toordinal() + 1)


def _totals_item(model: type[TotalsItem], totals: DayTotals) -> TotalsItem:
    return model(
        *_totals_key(totals.scope, totals.day),
        records=totals.records,
        flagged=totals.flagged,
        lifetime_records=totals.lifetime_records,
        lifetime_flagged=totals.lifetime_flagged,
        flags=dict(totals.flags),
        active=[users for audience in _AUDIENCES for users in totals.active[audience]],
        expires_at=None if totals.expires_at is None else to_seconds(totals.expires_at),
        digest=totals.digest,
        chain=totals.chain,
        closed_at=to_seconds(totals.closed_at),
        computed_at=to_seconds(totals.computed_at),
    )


def _totals(item: Raw) -> DayTotals:
    return _totals_of(TotalsItem.from_raw_data(item))


def _totals_of(item: TotalsItem) -> DayTotals:
    size = len(WINDOWS)
    return DayTotals(
        scope=item.pk.removeprefix("days#"),
        day=date.fromisoformat(item.sk),
        records=int(item.records),
        flagged=int(item.flagged),
        flags={code: int(count) for code, count in item.flags.attribute_values.items()},
        active={
            audience: tuple(int(users) for users in item.active[place * size : (place + 1) * size])
            for place, audience in enumerate(_AUDIENCES)
        },
        lifetime_records=int(item.lifetime_records),
        lifetime_flagged=int(item.lifetime_flagged),
        expires_at=None if item.expires_at is None else from_seconds(item.expires_at),
        digest=item.digest,
        chain=item.chain,
        closed_at=from_seconds(item.closed_at),
        computed_at=from_seconds(item.computed_at),
    )


def _details_body(details: DayDetails) -> bytes:
    said: dict[str, Any] = {
        "versions": dict(details.versions),
        "hours": details.hours,
        "licenses": [license_activity_to_json(each) for each in details.licenses],
        "evidence": dict(details.evidence),
        "rules": details.rules,
    }
    if details.rules == RULES_1.version:  # it has never been said of these
        del said["rules"]
    return deflated_json(said)


def _details(item: Raw) -> DayDetails:
    return _details_of(DetailsItem.from_raw_data(item))


def _details_of(item: DetailsItem) -> DayDetails:
    said = inflated_json(item.body)
    return DayDetails(
        scope=item.pk.removeprefix("details#"),
        day=date.fromisoformat(item.sk),
        versions=said["versions"],
        hours=tuple((records, flagged) for records, flagged in said["hours"]),
        licenses=tuple(license_activity_from_json(each) for each in said["licenses"]),
        evidence=said["evidence"],
        rules=said.get("rules", RULES_1.version),
    )


def _balance(item: Raw, day: date) -> Balance:
    stored: bytes = DayItem.from_raw_data(item).balance
    return unpacked(stored, day.toordinal())
