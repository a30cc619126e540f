"""What no engine here shows: an index may give equal sort keys in any order, another one each time."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.record import RecordKey
from telemetry.storage.browse import Listed, _by_receipt, _ties_in_order

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


def listed(milliseconds: int, sort: str) -> Listed:
    received_at = NOW + timedelta(milliseconds=milliseconds)
    return Listed(RecordKey("L1x#acme", sort), "acme", "c", received_at, NOW, None, None, None, "", frozenset())


@given(st.sets(st.tuples(st.integers(0, 3), st.text("ab", min_size=1, max_size=4)), max_size=20), st.randoms())
def test_ties_come_in_the_order_of_positions(
    records: set[tuple[int, str]],
    random: Any,  # noqa: ANN401
) -> None:
    entries = [listed(*record) for record in records]
    random.shuffle(entries)
    entries.sort(key=lambda record: record.received_at, reverse=True)  # all that an index promises
    assert list(_ties_in_order(iter(entries))) == sorted(entries, key=_by_receipt, reverse=True)
