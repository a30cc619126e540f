"""Numbers summed up in bounded space: how many, exact mean, smallest, largest, and quantiles with a stated error.

The histogram counts numbers in buckets whose width grows with the numbers, so that its error is relative. At level 0
each doubling is cut into 32 buckets of equal width; each level more has buckets twice as wide, and is reached only when
numbers spread over more than MOST_BUCKETS buckets. The level of many numbers together does not depend on their order,
nor on how they were put together: it is the lowest at which they have room. So summaries merge without a loss, and what
a spread costs is precision, which is told, and never a part of the range. (After UDDSketch, Epicoco et al. 2020, with
linear buckets within a doubling, as HdrHistogram has them: a number's bucket is exact, and needs no logarithm.)
"""

from dataclasses import dataclass, field
from math import ceil, frexp, inf, ldexp
from typing import Final

from telemetry.domain.values.value import Moment

MOST_BUCKETS = 192
"""Of one summary. At level 0 that is six doublings, a spread of 1 to 64, at level 1 twelve; zero is one of its own."""

_PARTS: Final = 32  # buckets of a doubling at level 0
_WHOLE: Final = 5  # the level at which a bucket is a whole doubling; at higher ones it is several
_OFFSET: Final = 1 << 16  # makes the place of every double's bucket positive, and is even at every level there is
_UNIT: Final = 1_074  # the smallest double is two to the power of minus this


@dataclass(slots=True)
class Numbers:
    """A summary of numbers. `last_ms` is when the last one came, in epoch milliseconds.

    `total` is their exact sum, in units of the smallest double. `buckets` are by their places: a negative number's
    bucket has the negative of the place of its absolute value, zero has place 0; so places are in the order of numbers.
    """

    count: int = 0
    last_ms: int = 0
    total: int = 0
    least: float = inf
    most: float = -inf
    level: int = 0
    buckets: dict[int, int] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        """Rounded once; there must be a number."""
        return self.total / (self.count << _UNIT)

    @property
    def error(self) -> float:
        """By how much of itself a quantile may be off, at most: 0.0154 at level 0, about twice that at level 1."""
        ratio = _widest(self.level)
        return (ratio - 1) / (ratio + 1)

    def quantile(self, part: float) -> float:
        """The number that this part of all are not above (by nearest rank), within `error`; there must be a number."""
        rank = max(1, ceil(part * self.count))
        for place in sorted(self.buckets):
            rank -= self.buckets[place]
            if rank <= 0:
                return min(max(_middle(place, self.level), self.least), self.most)
        raise ValueError("there is no number")

    def add(self, number: float, at: Moment) -> None:
        """One more number, finite."""
        place = _coarser(_place(number), self.level)
        self.buckets[place] = self.buckets.get(place, 0) + 1
        self.count += 1
        self.total += _units(number)
        self.least, self.most = min(self.least, number), max(self.most, number)
        self.last_ms = max(self.last_ms, at.received_ms)
        self._make_room()

    def merge(self, other: "Numbers") -> None:
        """Takes in all numbers of another summary, which stays as it is."""
        level = max(self.level, other.level)
        merged = _at_level(self.buckets, level - self.level)
        for place, count in _at_level(other.buckets, level - other.level).items():
            merged[place] = merged.get(place, 0) + count
        self.level, self.buckets = level, merged
        self.count += other.count
        self.total += other.total
        self.least, self.most = min(self.least, other.least), max(self.most, other.most)
        self.last_ms = max(self.last_ms, other.last_ms)
        self._make_room()

    def _make_room(self) -> None:
        while len(self.buckets) > MOST_BUCKETS:
            self.buckets = _at_level(self.buckets, 1)
            self.level += 1


def _place(number: float) -> int:
    """At level 0."""
    if number == 0:
        return 0
    fraction, doublings = frexp(abs(number))
    place = _OFFSET + doublings * _PARTS + int((fraction - 0.5) * 2 * _PARTS)
    return place if number > 0 else -place


def _coarser(place: int, levels: int) -> int:
    return place >> levels if place >= 0 else -(-place >> levels)


def _at_level(buckets: dict[int, int], levels: int) -> dict[int, int]:
    found: dict[int, int] = {}
    for place, count in buckets.items():
        coarser = _coarser(place, levels)
        found[coarser] = found.get(coarser, 0) + count
    return found


def _middle(place: int, level: int) -> float:
    """The number that is off by the same part from both ends of a bucket."""
    if place == 0:
        return 0.0
    first = (abs(place) << level) - _OFFSET
    doublings, within = divmod(first, _PARTS)
    low = 0.5 + within / (2 * _PARTS)
    ratio = 1 + (1 << level) / (2 * _PARTS * low) if level < _WHOLE else _widest(level)
    middle = ldexp(2 * low / (1 + 1 / ratio), doublings)
    return middle if place > 0 else -middle


def _widest(level: int) -> float:
    """The largest number of a bucket by its smallest, at most."""
    return 1 + (1 << level) / _PARTS if level <= _WHOLE else 2.0 ** (1 << (level - _WHOLE))


def _units(number: float) -> int:
    numerator, denominator = number.as_integer_ratio()
    return numerator << (_UNIT + 1 - denominator.bit_length())
