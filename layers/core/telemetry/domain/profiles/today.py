"""Who is active today, before the day is closed: each company of the day, and developers who never were before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from telemetry.domain.attribution import Attribution, company_of_day
from telemetry.domain.event import DEVICE, Event
from telemetry.domain.instant import minute_of
from telemetry.domain.profiles.cards import CompanyName, shown
from telemetry.domain.sighting import Observation


class CompanyDay(NamedTuple):
    """A company, by its id, among a product's users on a UTC day of receipt."""

    product: str
    day: date
    company: str


class DeveloperOf(NamedTuple):
    """A developer of a product, by its fingerprint."""

    product: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class CompanyToday:
    """A company that is active on a day, and since which minute. `is_new`: no closed day has seen it."""

    company: CompanyName
    first: datetime
    is_new: bool


@dataclass(frozen=True, slots=True)
class DeveloperToday:
    """A developer whom nobody had seen before, and when that was, to the second.

    `name` is the id as it is counted, None where its first record is too large to be read at once. `id_type` is what
    Reo.Dev's events call it, in upper case, or DEVICE.
    """

    fingerprint: bytes
    name: str | None
    id_type: str | None
    company: CompanyName | None
    first: datetime


class Use(NamedTuple):
    """A record that was counted, the event in it if its body is at hand, and who is behind it."""

    observation: Observation
    event: Event | None
    behind: Attribution


def company_today(uses: Iterable[Use], *, is_new: bool) -> CompanyToday:
    """Of records of one company, one at least; what told it best gives it its name."""
    records = list(uses)
    first = min(each.observation.received_at for each in records)
    return CompanyToday(_company(records) or _named(records[0].behind), minute_of(first), is_new)


def developer_today(uses: Iterable[Use]) -> DeveloperToday:
    """Of records of one actor on one day, one at least."""
    records = sorted(uses, key=lambda each: each.observation.received_at)
    name, id_type = max(map(_identity, records), key=lambda who: (who[0] is not None, who[1] is not None))
    first = records[0].observation
    return DeveloperToday(
        fingerprint=first.sighting.actor or b"",
        name=shown(name) if name else None,
        id_type=id_type,
        company=_company(records),
        first=first.received_at.replace(microsecond=0),
    )


def _identity(use: Use) -> tuple[str | None, str | None]:
    """The actor's id and what it is called."""
    who, event = use.observation.sighting, use.event
    if who.actor == who.device:
        return event.counted_device if event else None, DEVICE
    return (event.counted_user, event.user_id_type) if event else (None, None)


def _company(records: Sequence[Use]) -> CompanyName | None:
    found = company_of_day(records[0].observation.sighting.day, [(each.behind, 1) for each in records])
    return _named(found.company) if found else None


def _named(company: Attribution) -> CompanyName:
    id_, source = company.id or "", company.source.value if company.source else ""
    return CompanyName(id_, shown(company.name or id_), source, company.confidence)
