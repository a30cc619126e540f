"""Spans: whatever comes in whatever order, all of it is in one of them, and none holds more than it may."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.profiles.span import Span


@given(st.lists(st.binary(max_size=2)), st.integers(1, 5))
def test_spans_have_everything_between_them(places: list[bytes], most: int) -> None:
    found, start, largest = Counter[bytes](), b"", 0
    while True:
        span = Span(Counter[bytes], start, most)
        for place in places:
            if (counts := span.at(place)) is not None:
                counts[place] += 1
        held = list(span.items())
        assert [place for place, _ in held] == sorted({place for place, _ in held})
        for place, counts in held:
            assert place not in found
            found += counts
        largest = max(largest, len(held))
        if span.end is None:
            break
        assert len(held) >= most
        start = span.end
    assert found == Counter(places)
    assert largest <= 2 * most
