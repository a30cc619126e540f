"""What a developer did at one company, up to a closed day: one item, written once for each day on which it did."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from telemetry.domain.hourly_counts import largest
from telemetry.domain.profiles.cards import WEEKS, WINDOW_DAYS, Activity, CompanyName
from telemetry.domain.profiles.rows import MOST_ACTIVITIES, MOST_COUNTRIES, MOST_VERSIONS, Row

KEPT_DAYS = 91
"""Of active days, the last one included."""

_ALL_DAYS = (1 << KEPT_DAYS) - 1


@dataclass(frozen=True, slots=True)
class Tenure:
    """What a developer (or nobody by name) did at a company.

    `through` is the closed day that was added last: no day is added twice, nor an earlier one after it. Bit n of `days`
    says that it was active n days before `last`. `weeks` are uses by week (`week_of`), of the last 13; `uses` all there
    ever were, by activity type. `told_on` is the last day that told the company.
    """

    company: CompanyName | None
    through: date
    first: date
    last: date
    told_on: date | None
    days: int = 1
    weeks: Mapping[int, int] = field(default_factory=dict)
    uses: Mapping[str, int] = field(default_factory=dict)
    versions: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    name: str | None = None
    id_type: str | None = None

    def activity(self, day: date) -> Activity:
        """As of a closed day, which is none before `last`."""
        days = self.days << (day - self.last).days
        return Activity(
            first=self.first,
            last=self.last,
            days=active_days(days),
            days_before=active_days(days >> WINDOW_DAYS),
            uses=self.uses,
            weeks=trend(self.weeks, day),
        )


def added(before: Tenure | None, row: Row, day: date) -> Tenure:
    """The tenure with a day more; the same where it has this day, or a later one, already."""
    if before is not None and before.through >= day:
        return before
    base = before or Tenure(row.company, day, day, day, None, days=0)
    uses = Counter(base.uses)
    uses.update(row.uses)
    weeks = Counter(base.weeks)
    weeks[week_of(day)] += sum(row.uses.values())
    told = row.told_on == day
    return replace(
        base,
        company=row.company if told or base.company is None else base.company,
        through=day,
        last=day,
        told_on=day if told else base.told_on or row.told_on,
        days=(base.days << (day - base.last).days | 1) & _ALL_DAYS,
        weeks={week: count for week, count in weeks.items() if count and week > week_of(day) - WEEKS},
        uses=largest(uses, MOST_ACTIVITIES),
        versions=_latest(base.versions, row.versions, MOST_VERSIONS),
        countries=_latest(base.countries, row.countries, MOST_COUNTRIES),
    )


def week_of(day: date) -> int:
    """A week's number, from Monday to Sunday."""
    return (day.toordinal() - 1) // 7


def trend(weeks: Mapping[int, int], day: date) -> tuple[int, ...]:
    """The last 13 weeks, oldest first; the last is that of the day."""
    last = week_of(day)
    return tuple(weeks.get(week, 0) for week in range(last - WEEKS + 1, last + 1))


def active_days(days: int) -> int:
    """How many of the last 30 days; bit 0 is the last one."""
    return (days & ((1 << WINDOW_DAYS) - 1)).bit_count()


def _latest(before: tuple[str, ...], seen: tuple[str, ...], most: int) -> tuple[str, ...]:
    """The last ones, those of the day at the end."""
    return (*(each for each in before if each not in seen), *seen)[-most:]
