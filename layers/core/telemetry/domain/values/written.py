"""Summaries of values as plain JSON, always the same for the same values: what is stored, and what digests are of."""

import json
from collections import Counter
from hashlib import sha256
from itertools import accumulate, pairwise
from typing import Any

from telemetry.domain.values.numbers import Numbers
from telemetry.domain.values.pairs import Pairs
from telemetry.domain.values.summary import SeriesKey, Summary, Values
from telemetry.domain.values.texts import Texts
from telemetry.domain.values.value import Moment, Pair, ValueType

Json = Any


def digest_of(product: str, day: str, values: Values, expected: int) -> str:
    """SHA-256 (hex) over all that is kept of a closed day, of which finance's report has `expected` records."""
    said = {"product": product, "day": day, "expected": expected, "values": written(values)}
    return sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def written(values: Values) -> Json:
    """As plain JSON: records, unread ones, and the series, in order."""
    series = [[*key, _WRITE[key.type](summary)] for key, summary in sorted(values.series.items())]
    return [values.records, values.unread, series]


def read(said: Json) -> Values:
    """The inverse of `written`."""
    records, unread, series = said
    keys = ((SeriesKey(ValueType(type_), group, version), summary) for type_, group, version, summary in series)
    return Values(records, unread, {key: _READ[key.type](summary) for key, summary in keys})


def _numbers(said: Json) -> Summary:
    count, last_ms, digits, zeros, least, most, level, steps, counts = said
    buckets = dict(zip(accumulate(steps), counts, strict=True))
    return Numbers(count, last_ms, digits << zeros, least, most, level, buckets)


def _pairs(said: Json) -> Summary:
    count, at, *pairs = said
    return Pairs(count, Moment(*at), *(Pair(*each) for each in pairs))


def _texts(said: Json) -> Summary:
    count, last_ms, counts = said
    return Texts(count, last_ms, Counter(dict(counts)))


def _of_numbers(each: Any) -> Json:  # noqa: ANN401 (a summary of its type)
    """The sum without the zeros at its end, in binary; and the places of buckets as steps from one to the next."""
    zeros = max(0, (each.total & -each.total).bit_length() - 1)
    places = sorted(each.buckets)
    steps = [later - earlier for earlier, later in pairwise([0, *places])]
    counts = [each.buckets[place] for place in places]
    return [each.count, each.last_ms, each.total >> zeros, zeros, each.least, each.most, each.level, steps, counts]


def _of_pairs(each: Any) -> Json:  # noqa: ANN401
    return [each.count, each.at, each.latest, each.least, each.most]


def _of_texts(each: Any) -> Json:  # noqa: ANN401
    return [each.count, each.last_ms, sorted(each.counts.items())]


_WRITE = {ValueType.NUMBER: _of_numbers, ValueType.PAIR: _of_pairs, ValueType.TEXT: _of_texts}
_READ = {ValueType.NUMBER: _numbers, ValueType.PAIR: _pairs, ValueType.TEXT: _texts}
