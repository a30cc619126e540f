"""Why a record is flagged, in a sentence."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from telemetry.domain.flags import Flag
from telemetry.domain.license import LicenseState


def explain(flags: Iterable[Flag], seen: Mapping[Flag, str]) -> str | None:
    """`Flagged because its licence is revoked, and its clock is 40 days behind.`; None for a clean record.

    `seen` is what the judge saw, by flag: what it does not say, the sentence does not either.
    """
    chosen = set(flags)
    reasons = [_REASONS[flag](seen.get(flag, "")) for flag in Flag if flag in chosen]
    if not reasons:
        return None
    *others, last = reasons
    return f"Flagged because {', '.join(others)}{', and ' if others else ''}{last}."


def _invalid(seen: str) -> str:
    if seen == "absent":
        return "it carries no licence key although its product requires one"
    return "its licence key was never issued"


def _bypassed(seen: str) -> str:
    if seen == "no device":
        return "it names no device, so that no activation of its licence can match"
    return "its device has no active activation under its licence"


def _expired(seen: str) -> str:
    return f"its licence expired on {seen}" if seen and seen != LicenseState.EXPIRED else "its licence has expired"


def _of_other_product(seen: str) -> str:
    return f"its licence is for {seen}" if seen else "its licence is for another product"


def _malformed(seen: str) -> str:
    return f"it is malformed ({seen.replace(',', ', ')})" if seen else "it is malformed"


def _unknown_product(seen: str) -> str:
    return "it names no product" if seen in {"", "-"} else f"its product {seen} is not registered"


def _unknown_activity(seen: str) -> str:
    return f"its product knows no activity {seen}" if seen else "its product does not know its activity"


def _other_environment(seen: str) -> str:
    return f"it says it comes from {seen}" if seen else "it says it comes from another environment"


def _skew(seen: str) -> str:
    if not seen:
        return "its time is far from the time it was received"
    distance = timedelta(seconds=abs(int(seen)))
    amount = f"{distance.days} days" if distance.days > 1 else f"{distance // timedelta(hours=1)} hours"
    return f"its time is {amount} {'behind' if seen.startswith('-') else 'ahead of'} the time it was received"


def _reported(seen: str) -> str:
    return f"the client reported {seen.replace(',', ', ')}" if seen else "the client reported it"


def _placeholder(seen: str) -> str:
    named = [_ID_NAMES[name] for name in seen.split(",") if name in _ID_NAMES]
    which = "are placeholders" if len(named) > 1 else "is a placeholder"
    return f"its {' and '.join(named) or 'id'} {which}, as programs send them when they have none"


_ID_NAMES = {"user": "user id", "hwid": "hardware id", "activation_identifier": "activation identifier"}
_REASONS: Mapping[Flag, Callable[[str], str]] = {
    Flag.INVALID_LICENSE: _invalid,
    Flag.ENVIRONMENT_MISMATCH: lambda _: "its licence key was issued in another environment only",
    Flag.REVOKED_LICENSE: lambda _: "its licence is revoked",
    Flag.BYPASSED_ACTIVATION: _bypassed,
    Flag.EXPIRED_LICENSE: _expired,
    Flag.SUSPENDED_LICENSE: lambda _: "its licence is suspended",
    Flag.UNASSIGNED_LICENSE: lambda _: "its licence is not assigned to a customer",
    Flag.PRODUCT_MISMATCH: _of_other_product,
    Flag.MALFORMED: _malformed,
    Flag.UNKNOWN_PRODUCT: _unknown_product,
    Flag.UNKNOWN_ACTIVITY_TYPE: _unknown_activity,
    Flag.ENVIRONMENT_TEXT_CONFLICT: _other_environment,
    Flag.CLOCK_SKEW: _skew,
    Flag.EVENT_ID_CONFLICT: lambda _: "another record with its event id says something else",
    Flag.CLIENT_REPORTED: _reported,
    Flag.PLACEHOLDER_ID: _placeholder,
}
