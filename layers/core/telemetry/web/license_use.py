"""What licences sent, day by day: the answer (docs/analytics.md)."""

from datetime import datetime
from typing import TypedDict

from telemetry.domain.environment import Environment
from telemetry.domain.json_strings import Day, Instant
from telemetry.domain.license_activity import LicenseCount
from telemetry.domain.license_use import LicenseUse
from telemetry.domain.record_search import RecordFilter
from telemetry.services.license_use import LATE, MOST_RECORDS, NamedUse
from telemetry.web.analytics import flags_by_name
from telemetry.web.analytics_answers import Count
from telemetry.web.records import Query, cut, instant


class Sent(TypedDict):
    """Records, and what they show: distinct devices, addresses of callers, and countries (20 at most)."""

    records: int
    flagged: int
    flags: Count
    devices: int
    ips: int
    countries: list[str]
    first_seen: Instant | None
    last_seen: Instant | None


class SentOnDay(Sent):
    """The same of one UTC day of receipt."""

    day: Day


class SentByDevice(TypedDict):
    """The same of one device. `hwid` is what it calls itself; null where it is forgotten or cannot be read."""

    hwid: str | None
    records: int
    flagged: int
    flags: Count
    countries: list[str]
    first_seen: Instant
    last_seen: Instant


_Window = TypedDict("_Window", {"from": Instant, "to": Instant})


class LicenseUseAnswer(_Window):
    """What was sent under a licence, or under all of a customer's, in a window; days without records are left out.

    `devices` are the 50 that sent last, the newest first; `sent.devices` tells how many there are.
    `exact` is false where there are too many records to look at: then of those with an event time only later ones than
    `counted_from` are counted.
    """

    environment: Environment
    license_id: str | None
    customer_id: str | None
    exact: bool
    counted_from: Instant | None
    note: str
    sent: Sent
    days: list[SentOnDay]
    devices: list[SentByDevice]


def license_use_body(told: NamedUse, query: Query, wanted: RecordFilter) -> LicenseUseAnswer:
    """The newest day first."""
    use = told.use
    return {
        "environment": query.environment,
        "license_id": wanted.license_id,
        "customer_id": wanted.customer_id,
        "from": instant(wanted.window.since),
        "to": instant(wanted.window.until),
        "exact": use.is_whole,
        "counted_from": _instant(use.counted_from),
        "note": _note(use),
        "sent": _sent(use.whole),
        "days": [{"day": day.isoformat(), **_sent(use.days[day])} for day in sorted(use.days, reverse=True)],
        "devices": [_sent_by(device.count, name) for device, name in zip(use.devices, told.devices, strict=True)],
    }


def _sent_by(count: LicenseCount, name: str | None) -> SentByDevice:
    shown = count.activity("", "")
    return {
        "hwid": cut(name),
        "records": shown.records,
        "flagged": shown.flagged,
        "flags": flags_by_name(shown.flags),
        "countries": list(shown.countries),
        "first_seen": instant(shown.first_seen),
        "last_seen": instant(shown.last_seen),
    }


def _note(use: LicenseUse) -> str:
    late = f"Without records whose events were more than {LATE.days} days before."
    return late if use.is_whole else f"Only the newest records are counted, {MOST_RECORDS:,} at most."


def _sent(count: LicenseCount | None) -> Sent:
    if count is None:
        return {
            "records": 0, "flagged": 0, "flags": {}, "devices": 0, "ips": 0, "countries": [], "first_seen": None,
            "last_seen": None,
        }  # fmt: skip
    shown = count.activity("", "")
    return {
        "records": shown.records,
        "flagged": shown.flagged,
        "flags": flags_by_name(shown.flags),
        "devices": shown.devices,
        "ips": shown.ips,
        "countries": list(shown.countries),
        "first_seen": instant(shown.first_seen),
        "last_seen": instant(shown.last_seen),
    }


def _instant(moment: datetime | None) -> str | None:
    return instant(moment) if moment else None
