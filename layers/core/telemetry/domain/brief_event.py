"""Events without what counting does not need: for who holds many of them."""

from dataclasses import fields, replace
from typing import Any

from telemetry.domain.event import Event, normalise_user
from telemetry.domain.hourly_counts import OTHER
from telemetry.domain.ids import trimmed
from telemetry.domain.values.value import counted_text

_LONGEST = 300  # characters: beyond what names, groups and versions are told by


def brief(event: Event) -> Event:
    """Without its bytes, and with the beginnings of long texts. It counts and shows alike."""
    changes: dict[str, Any] = {
        each.name: text[:_LONGEST]
        for each in fields(event)
        if isinstance(text := getattr(event, each.name), str) and len(text) > _LONGEST
    }
    if isinstance(event.value, str):
        changes["value"] = OTHER if _names_itself(event, event.value) else counted_text(event.value)
    return replace(event, **changes, raw=b"", client_flags=(), errors=dict.fromkeys(event.errors, ()))


def _names_itself(event: Event, text: str) -> bool:
    """Whether a text is a long id of its own user or device: once cut, nobody could know that it is forgotten."""
    is_own = normalise_user(text) == event.user_id or trimmed(text) in event.device_ids
    return is_own and counted_text(text) != text
