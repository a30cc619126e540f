"""A clock that tests set."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Stands still unless told; its seconds also grow by a microsecond each time somebody looks."""

    def __init__(self, now: datetime | None = None) -> None:
        self._now = now or datetime.now(UTC)
        self._seconds = 1000.0

    def now(self) -> datetime:
        return self._now

    def seconds(self) -> float:
        self._seconds += 1e-6
        return self._seconds

    def set(self, now: datetime) -> None:
        """It is this moment; what is remembered gets no older."""
        self._now = now

    def advance(self, seconds: float) -> None:
        """So much time passes."""
        self._now += timedelta(seconds=seconds)
        self._seconds += seconds
