"""Requests and answers of the analytics API, except those about single records and alerts (docs/analytics.md)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from telemetry.domain.activity_types import ActivityTypeUses
from telemetry.domain.closing import end_of
from telemetry.domain.flags import Flag, by_code
from telemetry.domain.instant import midnight
from telemetry.domain.license_activity import TOP_LICENSES, LicenseActivity
from telemetry.domain.overview import ActiveDay, Before, Bucket, Overview, Timeline, timeline
from telemetry.domain.product import ActivityType
from telemetry.domain.sighting import CATALOGUE
from telemetry.domain.window import Range, Window, is_hourly, recent
from telemetry.services.license_watch import MOST_FLAGGED, MOST_LICENSES, Excess, Holder, Seen
from telemetry.services.system_logs import CallerFilter, SystemLogs
from telemetry.web import analytics_answers as answers
from telemetry.web.administration.audit_entry import AuditEntry
from telemetry.web.records import EnvironmentQuery, Query, Text, instant

ProductId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]


class ScopeQuery(Query):
    """A product, or all of them, in a window."""

    product: ProductId | None = None

    @property
    def scope(self) -> str:
        return self.product or CATALOGUE

    def timeline(self, now: datetime) -> Timeline:
        """The window: by the hour for 24 hours and for windows that are not whole UTC days. Raises InvalidField."""
        window = self.window(now)
        return timeline(window, now, is_hourly=is_hourly(self.range, self.first, window), range_=self.range)


class TopQuery(ScopeQuery):
    """How many licences."""

    limit: int = Field(20, ge=1, le=MOST_LICENSES)


class ExcessQuery(ScopeQuery):
    """The smallest number of devices to list."""

    threshold: int = Field(20, ge=1)


class LicensesQuery(TopQuery, ExcessQuery):
    """How many licences, and the smallest number of devices to list."""


class ActivityTypesQuery(EnvironmentQuery):
    """A product, which must be named."""

    product: ProductId

    def window(self, now: datetime) -> Window:
        """The last 90 UTC days, today included."""
        return recent(Range.QUARTER, now)


class LogQuery(ScopeQuery):
    """Which failed calls."""

    cause: Text | None = None
    last4: Annotated[Text, StringConstraints(max_length=4)] | None = None
    """Of the key that was presented. No more: addresses stand in histories and logs."""
    ip: Text | None = None

    def callers(self) -> CallerFilter:
        """As the service takes it."""
        return CallerFilter(self.cause, self.last4, self.ip)


# ── overview


def overview_body(
    told: Overview,
    query: ScopeQuery,
    granted_codes: Collection[int],
    known: Mapping[str, ActivityType],
    now: datetime,
) -> answers.Overview:
    """`granted_codes` are the codes of licensing answers that grant what was asked; `known` are the product's."""
    cut = told.timeline
    granted = sum(calls for (_, code), calls in told.calls.items() if code in granted_codes)
    return {
        "environment": query.environment,
        "product": query.product,
        "from": instant(cut.window.since),
        "to": instant(cut.window.until),
        "bucket": "hour" if cut.is_hourly else "day",
        "as_of": instant(now),
        "users_window": _whole_days(told.timeline.days),
        "stats": _stats(told),
        "alerts": [
            {
                "flag": each.flag,
                "records": each.records,
                "before": each.before,
                "change": None if each.before is None else each.records - each.before,
            }
            for each in told.alerts
        ],
        "trend": _trend(told.buckets),
        "versions": [
            {"version": version, "records": records, "percent": _percent(records, told.records)}
            for version, records in told.versions.items()
        ],
        "version_trend": [
            {"start": instant(bucket.start), "versions": versions}
            for bucket, versions in zip(told.buckets, told.version_trend, strict=True)
        ],
        "active_users": _active(told.active),
        "activations": {
            "granted": granted,
            "blocked": told.calls.total() - granted,
            "codes": [
                {"action": action, "code": code, "calls": calls} for (action, code), calls in sorted(told.calls.items())
            ],
        },
        "activities": [
            {
                "activity_type": each.name,
                "label": known[each.name].label if each.name in known else None,
                "level": known[each.name].level if each.name in known else None,
                "uses": each.uses,
                "first_seen": instant(each.first),
                "last_seen": instant(each.last),
            }
            for each in told.activities
        ],
        "before": _before(told.before) if told.before else None,
    }


def _before(told: Before) -> answers.Before:
    records, flagged = sum(each.records for each in told.buckets), sum(each.flagged for each in told.buckets)
    return {
        "from": instant(told.timeline.window.since),
        "to": instant(told.timeline.window.until),
        "users_window": _whole_days(told.timeline.days),
        "recent_activity": records,
        "range_flagged": flagged,
        "range_clean": records - flagged,
        "unique_users": told.distinct.users,
        "unique_devices": told.distinct.devices,
        "unique_users_days": len(told.timeline.days),
        "trend": _trend(told.buckets),
        "active_users": _active(told.active),
    }


def _trend(buckets: Iterable[Bucket]) -> list[answers.TrendBucket]:
    return [
        {
            "start": instant(bucket.start),
            "clean": bucket.records - bucket.flagged,
            "flagged": bucket.flagged,
            "closed": bucket.is_closed,
        }
        for bucket in buckets
    ]


def _active(days: Iterable[ActiveDay]) -> list[answers.ActiveUsersOfDay]:
    return [
        {
            "day": each.day.isoformat(),
            "users": each.users,
            "devices": each.devices,
            "users_7": each.users_7,
            "users_30": each.users_30,
            "closed": each.is_closed,
        }
        for each in days
    ]


def _stats(told: Overview) -> answers.OverviewStats:
    flagged_percent = _percent(told.lifetime_flagged, told.lifetime_records)
    return {
        "total_records": told.lifetime_records,
        "flagged_records": told.lifetime_flagged,
        "flagged_percent": flagged_percent,
        "clean_records": told.lifetime_records - told.lifetime_flagged,
        "clean_percent": round(100 - flagged_percent, 1) if told.lifetime_records else 0.0,
        "recent_activity": told.records,
        "range_flagged": told.flagged,
        "range_clean": told.records - told.flagged,
        "unique_users": told.users,
        "unique_devices": told.devices,
        "unique_users_days": len(told.timeline.days),
        "uses": sum(each.uses for each in told.activities),
    }


# ── activity types


def activity_types_body(
    found: Iterable[ActivityTypeUses], query: ActivityTypesQuery, window: Window
) -> answers.ActivityTypes:
    """Activity types that arrived in the window, and those that the product lists."""
    return {
        "environment": query.environment,
        "product": query.product,
        "from": instant(window.since),
        "to": instant(window.until),
        "items": [
            {
                "activity_type": each.activity_type,
                "configured": each.known is not None,
                "label": each.known.label if each.known else None,
                "level": each.known.level if each.known else None,
                "uses": each.uses,
                "first_day": each.first_day.isoformat() if each.first_day else None,
                "last_day": each.last_day.isoformat() if each.last_day else None,
            }
            for each in found
        ],
    }


# ── licences


def top_body(licenses: Iterable[tuple[LicenseActivity, Holder]], seen: Seen, now: datetime) -> answers.TopLicenses:
    """The licences with the most flags."""
    items: list[answers.TopLicense] = [
        {
            "license_id": holder.license.id if holder.license else None,
            "fingerprint": each.license,
            "last4": holder.last_four,
            "customer": customer_of(holder),
            "product": each.product,
            "state": holder.license.state_at(now) if holder.license else None,
            "records": each.records,
            "flagged": each.flagged,
            "flags": flags_by_name(each.flags),
            "devices": each.devices,
            "ips": each.ips,
            "countries": list(each.countries),
            "first_seen": instant(each.first_seen),
            "last_seen": instant(each.last_seen),
        }
        for each, holder in licenses
    ]
    return {"items": items, **_labels(seen, "Devices and IPs: the most on one UTC day.")}


def excess_body(found: Iterable[Excess], seen: Seen) -> answers.DeviceExcess:
    """Licences and customers with many devices."""
    items: list[answers.ExcessItem] = [
        {
            "kind": "license" if each.fingerprint else "customer",
            "license_id": each.holder.license.id if each.holder.license else None,
            "customer_id": each.holder.owner.id if each.holder.owner else None,
            "name": _name(each),
            "last4": each.holder.last_four,
            "devices": each.devices,
            "limit": each.limit,
            "over": each.is_over,
        }
        for each in found
    ]
    counted = "The most distinct devices with one product on one UTC day; under two licences they count twice."
    return {"items": items, **_labels(seen, counted)}


def mismatches_body(licenses: Iterable[tuple[LicenseActivity, Holder]], seen: Seen) -> answers.Mismatches:
    """Licence keys of other environments."""
    items: list[answers.Mismatch] = [
        {
            "fingerprint": each.license,
            "last4": holder.last_four,
            "records": each.flags[Flag.ENVIRONMENT_MISMATCH.code],
            "first_seen": instant(each.first_seen),
            "last_seen": instant(each.last_seen),
            "customer": _customer_elsewhere(holder),
        }
        for each, holder in licenses
    ]
    return {"items": items, **_labels(seen)}


def licenses_body(
    top: answers.TopLicenses, devices: answers.DeviceExcess, mismatches: answers.Mismatches
) -> answers.NotableLicenses:
    """The three lists that tell which licences to look at."""
    return {"top": top, "devices": devices, "mismatches": mismatches}


def _labels(seen: Seen, counted: str = "") -> answers.Counted:
    """Whether the numbers are exact, and what they count."""
    known = f"Of each UTC day the {TOP_LICENSES} foremost licences."
    newest = f"Since {seen.open_days[0]}: the newest {MOST_FLAGGED:,} flagged records alone." if seen.open_days else ""
    return {
        "window": _whole_days(seen.window),
        "exact": not seen.open_days,
        "note": " ".join(part for part in (counted, known, newest) if part),
    }


def _whole_days(days: Sequence[date]) -> answers.Window:
    return {"from": instant(midnight(days[0])), "to": instant(end_of(days[-1]))}


def _name(excess: Excess) -> str:
    if excess.holder.owner:
        return excess.holder.owner.name or excess.holder.owner.id
    return "Assigned to nobody" if excess.holder.license else "Unknown key"


def customer_of(holder: Holder) -> answers.CustomerName | None:
    """Whose licence it is, if anybody's."""
    return {"id": holder.owner.id, "name": holder.owner.name} if holder.owner else None


def _customer_elsewhere(holder: Holder) -> answers.CustomerElsewhere | None:
    customer, license_ = customer_of(holder), holder.license
    return {**customer, "environment": license_.environment} if customer and license_ else None


# ── system logs


def logs_body(logs: SystemLogs) -> answers.SystemLogs:
    """The lists, and the names of those that are cut."""
    return {
        "failed_calls": [
            {
                "hour": instant(each.hour),
                "environment": each.environment,
                "cause": each.caller.cause,
                "last4": each.caller.last_four or None,
                "ip": each.caller.source_ip,
                "calls": each.calls,
            }
            for each in logs.failed_calls
        ],
        "staff_actions": [AuditEntry.of(each).model_dump(mode="json") for each in logs.staff_actions],
        "exports": [AuditEntry.of(each).model_dump(mode="json") for each in logs.exports],
        "closings": [{"day": each.day.isoformat(), "closed_at": instant(each.closed_at)} for each in logs.closings],
        "cut": list(logs.cut),
    }


def flags_by_name(counts: Mapping[str, int]) -> answers.Count:
    """By name instead of code, the most frequent first."""
    return {by_code(code): count for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))}


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0
