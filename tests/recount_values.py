"""What values there are, counted again from a file of records by a program that knows nothing of summaries."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

OTHER = "~other"
NUMBER, PAIR, TEXT = "numeric-single-value", "numeric-xy-axis", "text"
Row = Mapping[str, str]
"""A line of the export as CSV, by column."""


@dataclass
class Recount:
    """All values of one type in a group, as lists."""

    rows: list[tuple[str, str, Any]] = field(default_factory=list)
    """When it was received, from which version, and what."""

    def of_version(self, version: str) -> "Recount":
        return Recount([each for each in self.rows if each[1] == version])

    def within(self, start: str, end: str) -> "Recount":
        return Recount([each for each in self.rows if start <= each[0] < end])

    @property
    def values(self) -> list[Any]:
        return [value for *_, value in self.rows]


def recounts(rows: Iterable[Row], product: str) -> dict[tuple[str, str], Recount]:
    """By group and type. A malformed record has no value, and product usage has none."""
    found: dict[tuple[str, str], Recount] = {}
    for row in rows:
        if row["product"] != product or row["dialect"] != "getkeymanager" or "MALFORMED" in row["flags"].split():
            continue
        value: Any = row["value"]
        if row["data_type"] == NUMBER:
            value = float(value)
        elif row["data_type"] == PAIR:
            pair = json.loads(value)
            value = (pair["x"], pair["y"])
        named = found.setdefault((row["group"], row["data_type"]), Recount())
        named.rows.append((row["received_at"], row["version"] or "~unknown", value))
    return found


def check_series(series: Mapping[str, Any], recount: Recount, step_of: Mapping[str, str]) -> None:
    """An item of `series` of an answer against the recount; `step_of` gives the end of each bucket by its start."""
    check_whole(series["type"], series if series["type"] == TEXT else series["total"], recount)
    if series["type"] == PAIR:
        at = max(at for at, *_ in recount.rows)
        latest = [{"x": x, "y": y, "received_at": at} for moment, _, (x, y) in recount.rows if moment == at]
        assert series["latest"] in latest  # of those of one request it is any
    for bucket in series["buckets"]:
        part = recount.within(bucket["start"], step_of[bucket["start"]])
        whole = bucket if series["type"] == TEXT else bucket["stats"]
        if part.rows or series["type"] == TEXT:
            check_whole(series["type"], whole, part)
        else:
            assert whole is None
    versions = Counter(version for _, version, _ in recount.rows)
    check_bounded({each["version"]: each["values"] for each in series["versions"]}, versions)
    for each in series["versions"]:
        if each["version"] != OTHER and each["values"] == versions[each["version"]]:
            check_whole(series["type"], each, recount.of_version(each["version"]))


def check_whole(type_: str, said: Mapping[str, Any], recount: Recount) -> None:
    """Numbers of any part of a series against its values."""
    values = recount.values
    assert said["values"] == len(values)
    if type_ == NUMBER:
        assert (said["min"], said["max"]) == (min(values), max(values))
        assert said["mean"] == float(sum(map(Fraction, values)) / len(values))
        for name, part in (("p50", 0.5), ("p95", 0.95)):
            check_quantile(said[name], sorted(values), part, said["error"])
    elif type_ == PAIR:
        for axis, name in enumerate("xy"):
            assert said[name] == {"min": min(each[axis] for each in values), "max": max(each[axis] for each in values)}
    elif said.get("texts") is not None:
        check_texts(said["texts"], Counter(values))


def check_quantile(said: float, values: Sequence[float], part: float, error: float) -> None:
    """By nearest rank."""
    true = values[max(1, math.ceil(part * len(values))) - 1]
    assert abs(said - true) <= error * abs(true) * (1 + 1e-12)
    assert values[0] <= said <= values[-1]


def check_texts(said: Sequence[Mapping[str, Any]], true: Counter[str]) -> None:
    """The most frequent texts, and all others."""
    check_bounded({each["text"]: each["values"] for each in said}, true)


def check_bounded(said: Mapping[str, int], true: Counter[str]) -> None:
    """A bounded list: what it names came at least so often, and at most as often as with all the rest; it sums up."""
    counts = dict(said)
    rest = counts.pop(OTHER, 0)
    assert sum(counts.values()) + rest == true.total()
    assert all(count <= true[name] <= count + rest for name, count in counts.items())
    if not rest:
        assert Counter(counts) == true
