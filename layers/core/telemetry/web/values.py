"""Requests and answers of the route about values (docs/analytics.md)."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from telemetry.domain.hourly_counts import OTHER, largest
from telemetry.domain.instant import from_milliseconds
from telemetry.domain.values import numbers, pairs, texts
from telemetry.domain.values.told import DayState, Group, GroupValues, Told
from telemetry.domain.values.value import ValueType
from telemetry.web import value_answers as answers
from telemetry.web.analytics import ProductId, ScopeQuery
from telemetry.web.records import instant

MOST_TEXTS_SHOWN = 20
"""Texts that are told by name; the rest is OTHER."""

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]


class ValuesQuery(ScopeQuery):
    """Values of a product, which must be named: of one group in detail, and of one version or all."""

    product: ProductId
    group: Name | None = None
    version: Name | None = None


def values_body(told: Told, query: ValuesQuery, now: datetime, is_told: Callable[[str], bool] | None) -> answers.Values:
    """`is_told` says whether a text may be told; None: no text is."""
    cut = told.timeline
    series = told.of_group(query.group, query.version) if query.group else []
    return {
        "environment": query.environment,
        "product": query.product,
        "from": instant(cut.window.since),
        "to": instant(cut.window.until),
        "bucket": "hour" if cut.is_hourly else "day",
        "as_of": instant(now),
        "groups": [_group(each) for each in told.groups()],
        "group": query.group,
        "version": query.version,
        "series": [_series(each, is_told) for each in series],
        "days": [_day(each) for each in told.days],
    }


def _group(group: Group) -> answers.ValueGroup:
    return {
        "group": group.name,
        "type": group.type,
        "values": group.values,
        "versions": group.versions,
        "last_seen": instant(from_milliseconds(group.last_ms)),
    }


def _day(state: DayState) -> answers.ValueDay:
    closed = state.closed
    return {
        "day": state.day.isoformat(),
        "closed": state.is_closed,
        "records": state.values.records,
        "unread": state.values.unread,
        "missing": closed.missing if closed else None,
        "complete": closed.is_complete if closed else None,
        "digest": closed.digest if closed else None,
    }


def _series(
    found: GroupValues, is_told: Callable[[str], bool] | None
) -> answers.NumberSeries | answers.PairSeries | answers.TextSeries:
    match found.total:
        case numbers.Numbers():
            return _numbers(found, found.total)
        case pairs.Pairs():
            return _pairs(found, found.total)
        case texts.Texts():
            return _texts(found, found.total, is_told)
        case _:
            raise TypeError(found.type)


def _numbers(found: GroupValues, total: numbers.Numbers) -> answers.NumberSeries:
    return {
        "type": ValueType.NUMBER,
        "total": _number_stats(total),
        "buckets": [
            {
                "start": instant(bucket.start),
                "closed": bucket.is_closed,
                "stats": _number_stats(each) if isinstance(each, numbers.Numbers) else None,
            }
            for bucket, each in found.buckets
        ],
        "versions": [
            {"version": version, **_number_stats(each)}
            for version, each in found.versions.items()
            if isinstance(each, numbers.Numbers)
        ],
    }


def _number_stats(each: numbers.Numbers) -> answers.NumberStats:
    return {
        "values": each.count,
        "min": each.least,
        "mean": each.mean,
        "p50": each.quantile(0.5),
        "p95": each.quantile(0.95),
        "max": each.most,
        "error": each.error,
    }


def _pairs(found: GroupValues, total: pairs.Pairs) -> answers.PairSeries:
    return {
        "type": ValueType.PAIR,
        "total": _pair_stats(total),
        "latest": {
            "x": total.latest.x,
            "y": total.latest.y,
            "received_at": instant(from_milliseconds(total.last_ms)),
        },
        "buckets": [
            {
                "start": instant(bucket.start),
                "closed": bucket.is_closed,
                "stats": _pair_stats(each) if isinstance(each, pairs.Pairs) else None,
            }
            for bucket, each in found.buckets
        ],
        "versions": [
            {"version": version, **_pair_stats(each)}
            for version, each in found.versions.items()
            if isinstance(each, pairs.Pairs)
        ],
    }


def _pair_stats(each: pairs.Pairs) -> answers.PairStats:
    return {
        "values": each.count,
        "x": {"min": each.least.x, "max": each.most.x},
        "y": {"min": each.least.y, "max": each.most.y},
    }


def _texts(found: GroupValues, total: texts.Texts, is_told: Callable[[str], bool] | None) -> answers.TextSeries:
    return {
        "type": ValueType.TEXT,
        "values": total.count,
        "texts": None if is_told is None else _counted(total, is_told),
        "buckets": [
            {"start": instant(bucket.start), "closed": bucket.is_closed, "values": each.count if each else 0}
            for bucket, each in found.buckets
        ],
        "versions": [{"version": version, "values": each.count} for version, each in found.versions.items()],
    }


def _counted(total: texts.Texts, is_told: Callable[[str], bool]) -> list[answers.TextCount]:
    counts: dict[str, int] = {}
    for text, count in total.counts.items():
        name = text if is_told(text) else OTHER
        counts[name] = counts.get(name, 0) + count
    return [{"text": text, "values": count} for text, count in largest(counts, MOST_TEXTS_SHOWN).items()]
