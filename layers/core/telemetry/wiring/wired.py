"""The wiring of one process: made at the first request, or before it on Lambda, then kept until the process ends."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, Self, TypeVar

from telemetry.clock import Clock, SystemClock
from telemetry.settings import Settings, is_on_lambda


@dataclass(frozen=True)
class Wiring:
    """Stores and services are made when they are first used, so that nothing waits for what it does not need."""

    settings: Settings
    clock: Clock
    settings_type: ClassVar[type[Settings]] = Settings

    @classmethod
    def from_env(cls, clock: Clock) -> Self:
        """Raises ConfigurationError."""
        return cls(cls.settings_type.from_env(), clock)


W = TypeVar("W", bound=Wiring)


class Wired(Generic[W]):
    """Gives the wiring when it is called. `clock` also works when the wiring cannot be made."""

    clock: Clock
    _made: W | None
    _changes: Mapping[str, Any]

    def __init__(self, from_env: Callable[[Clock], W]) -> None:
        self._from_env = from_env
        self.start(SystemClock())

    def __call__(self) -> W:
        """The wiring. Raises ConfigurationError when an environment variable is missing; the next call tries again."""
        if self._made is None:
            self._made = replace(self._from_env(self.clock), **self._changes)
        return self._made

    def on_init(self, prepare: Callable[[W], object]) -> None:
        """On Lambda, makes the wiring and what `prepare` makes of it, while the function is loaded.

        What fails then is tried again in the first request that needs it, which answers it as any other error.
        """
        if is_on_lambda():
            with suppress(Exception):
                prepare(self())

    def start(self, clock: Clock, **changes: Any) -> None:  # noqa: ANN401
        """Forgets the wiring, like a cold start. The next one gets this clock, and these values of its fields."""
        self.clock, self._changes, self._made = clock, changes, None
