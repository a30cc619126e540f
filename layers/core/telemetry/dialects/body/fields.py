"""Reading fields of whatever type a client sent, and saying what is wrong with them."""

from collections import defaultdict
from collections.abc import Mapping
from math import isfinite
from typing import Any, TypeGuard

from telemetry.domain.event import encodable
from telemetry.domain.ids import trimmed


class Fields:
    """The fields of one JSON object. Reading never fails: `errors` collects what is wrong, by field."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.errors: dict[str, list[str]] = defaultdict(list)

    def __contains__(self, name: str) -> bool:
        """Whether the field has a value (null and blank text do not count as one)."""
        value = self._values.get(name)
        return value is not None and not (isinstance(value, str) and not value.strip())

    def value(self, name: str) -> Any:  # noqa: ANN401 (JSON is any of six types)
        """The field as it came."""
        return self._values.get(name)

    def complain(self, name: str, message: str) -> None:
        self.errors[name].append(message)

    def text(self, name: str, *, integer_allowed: bool = False) -> str | None:
        """The field as trimmed text, None when absent or blank. A number becomes text, and is an error.

        Integers stay exact, however long they are; `integer_allowed` makes them no error.
        """
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            if not integer_allowed:
                self.complain(name, f"The {label(name)} must be a string.")
            return str(value)
        if not isinstance(value, str):
            self.complain(name, f"The {label(name)} must be a string.")
            return None
        text = encodable(value)
        if text != value:
            self.complain(name, f"The {label(name)} must be valid text.")
        return text.strip() or None

    def identifier(self, name: str, *, integer_allowed: bool = False) -> str | None:
        """The field as `text` gives it, without invisible characters at its ends; None where nothing is left."""
        return trimmed(self.text(name, integer_allowed=integer_allowed) or "") or None

    def number(self, name: str) -> float | None:
        """The field as a double, without a sign at zero; None for what is no number, and for an integer too large."""
        value = self._values.get(name)
        try:
            return float(value) + 0.0 if _is_number(value) else None
        except OverflowError:
            return None

    def require_number(self, name: str) -> None:
        """Complains unless the field is a finite number, or text of one."""
        if name not in self:
            self.complain(name, f"The {label(name)} field is required.")
        elif not _is_number(self._values[name]):
            self.complain(name, f"The {label(name)} must be a number.")

    def require_object(self, name: str) -> None:
        """Complains unless the field is absent, an object, or an empty list (PHP writes an empty object so)."""
        value = self._values.get(name)
        if name in self and value != [] and not isinstance(value, dict):
            self.complain(name, f"The {label(name)} must be an object.")


def label(name: str) -> str:
    """`data_type` → `data type`, as error messages call it."""
    return name.replace("_", " ")


def _is_number(value: object) -> TypeGuard[float | str]:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    if isinstance(value, str) and (not value.isascii() or "_" in value):  # float() reads more than JSON writes
        return False
    try:
        return isfinite(float(value))
    except (ValueError, OverflowError):
        return isinstance(value, int)  # an integer too long for a float is a number all the same
