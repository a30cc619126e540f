"""What a function's process has wired: made at its first request, and kept for its life."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from telemetry.clock import Clock, SystemClock

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

W = TypeVar("W", bound="DataclassInstance")


class Wired(Generic[W]):
    """Call it to get the wiring. `clock` can be asked before, and when the wiring cannot be made."""

    clock: Clock
    _made: W | None
    _changes: Mapping[str, Any]

    def __init__(self, from_env: Callable[[Clock], W]) -> None:
        self._from_env = from_env
        self.start(SystemClock())

    def __call__(self) -> W:
        """The wiring. Raises ConfigurationError when the environment lacks something; the next call tries again."""
        if self._made is None:
            self._made = replace(self._from_env(self.clock), **self._changes)
        return self._made

    def start(self, clock: Clock, **changes: Any) -> None:  # noqa: ANN401
        """A cold start: forgets all that was made. The wiring gets this clock, and these of its fields changed."""
        self.clock, self._changes, self._made = clock, changes, None
