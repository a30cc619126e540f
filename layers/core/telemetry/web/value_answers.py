"""What the route about values answers, as JSON. `values` makes it; the API's description shows it."""

from typing import Literal, TypedDict

from telemetry.domain.environment import Environment
from telemetry.domain.json_strings import Day, Digest, Instant
from telemetry.domain.values.value import ValueType


class NumberStats(TypedDict):
    """Numbers summed up. All but the quantiles are exact; quantiles are by nearest rank."""

    values: int
    min: float
    mean: float
    p50: float
    p95: float
    max: float
    error: float
    """By how much of itself a quantile may be off, at most: 0.0154 is 1.54 %. Larger where numbers are far apart."""


class Span(TypedDict):
    """The smallest and the largest number."""

    min: float
    max: float


class PairStats(TypedDict):
    """Pairs of numbers summed up."""

    values: int
    x: Span
    y: Span


class LatestPair(TypedDict):
    """The pair that was received last."""

    x: float
    y: float
    received_at: Instant


class _Part(TypedDict):
    start: Instant
    closed: bool


class NumberBucket(_Part):
    """An hour or a UTC day. `stats` is null if no number came in it."""

    stats: NumberStats | None


class PairBucket(_Part):
    """An hour or a UTC day. `stats` is null if no pair came in it."""

    stats: PairStats | None


class TextBucket(_Part):
    """An hour or a UTC day, and how many texts came in it."""

    values: int


class NumberVersion(NumberStats):
    """The numbers of a product version. `~other` is all versions without a name here, `~unknown` is none."""

    version: str


class PairVersion(PairStats):
    """The pairs of a product version. `~other` is all versions without a name here, `~unknown` is none."""

    version: str


class TextVersion(TypedDict):
    """How many texts came from a product version. `~other` is all versions without a name here, `~unknown` is none."""

    version: str
    values: int


class TextCount(TypedDict):
    """How often a text came, at least: more may be in `~other`. One of over 64 bytes ends in a hash."""

    text: str
    values: int


class NumberSeries(TypedDict):
    """The numbers of a group: in all, over time, and by version, the most first."""

    type: Literal[ValueType.NUMBER]
    total: NumberStats
    buckets: list[NumberBucket]
    versions: list[NumberVersion]


class PairSeries(TypedDict):
    """The pairs of a group: in all, over time, and by version, the most first."""

    type: Literal[ValueType.PAIR]
    total: PairStats
    latest: LatestPair
    buckets: list[PairBucket]
    versions: list[PairVersion]


class TextSeries(TypedDict):
    """The texts of a group: the most frequent, the rest as `~other`; over time, and by version, the most first."""

    type: Literal[ValueType.TEXT]
    values: int
    texts: list[TextCount] | None
    """Null for a viewer: what products send as text may name somebody."""
    buckets: list[TextBucket]
    versions: list[TextVersion]


class ValueGroup(TypedDict):
    """A group with values in the window; one with values of two types is two. `~other` is what has no name here."""

    group: str
    type: ValueType
    values: int
    versions: int
    """How many versions they came from, `~other` and `~unknown` included."""
    last_seen: Instant


class ValueDay(TypedDict):
    """What the values of a UTC day are worth."""

    day: Day
    closed: bool
    """False: so far."""
    records: int
    """Records of the product that were looked at for their value."""
    unread: int
    """Of these, records whose bodies were not at hand: too large for the stream, or damaged."""
    missing: int | None
    """Records of finance's report that were not looked at; null while the day is open."""
    complete: bool | None
    """Whether none is unread or missing; null while the day is open, and of a closed day of which nothing is kept."""
    digest: Digest | None
    """Over all that is kept of the closed day."""


_Window = TypedDict("_Window", {"from": Instant, "to": Instant})


class Values(_Window):
    """The values of a product's telemetry in a window."""

    environment: Environment
    product: str
    bucket: Literal["hour", "day"]
    as_of: Instant
    groups: list[ValueGroup]
    group: str | None
    """The group that was asked for."""
    version: str | None
    """The version that was asked for; null: all of them."""
    series: list[NumberSeries | PairSeries | TextSeries]
    """The values of that group, one item for each type; none without a group."""
    days: list[ValueDay]
