"""What is wrong with an event: pure, and the same for both dialects."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from telemetry.domain.environment import Environment
from telemetry.domain.event import Event
from telemetry.domain.flags import Flag

RULES_VERSION = 1
FUTURE_TOLERANCE = timedelta(hours=24)
PAST_TOLERANCE = timedelta(days=35)
CALL_HOME = "CALL_HOME"

_LONGEST_EVIDENCE = 40


@dataclass(frozen=True, slots=True)
class Product:
    """A registered product. `activity_types` is empty when any activity type will do."""

    id: str
    name: str
    requires_license: bool = False
    activity_types: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The flags of an event, with a short text of what was seen for each that has one to show."""

    flags: frozenset[Flag]
    evidence: str


def judge(event: Event, product: Product | None, environment: Environment, received_at: datetime) -> Verdict:
    """Flags an event. `product` is the registered one it names, or None."""
    seen = {
        Flag.MALFORMED: ",".join(sorted(event.errors)),
        Flag.UNKNOWN_PRODUCT: "" if product else event.product_id or "-",
        Flag.UNKNOWN_ACTIVITY_TYPE: _unknown_activity(event, product),
        Flag.ENVIRONMENT_TEXT_CONFLICT: _other_environment(event, environment),
        Flag.CLOCK_SKEW: _skew(event, received_at),
        Flag.CLIENT_REPORTED: ",".join(event.client_flags),
    }
    return _verdict({flag: text for flag, text in seen.items() if text})


def _verdict(seen: Mapping[Flag, str]) -> Verdict:
    """Evidence reads `<rules version>;<flag code>=<what was seen, quoted, cut>;…`; empty for a clean record."""
    parts = (f"{flag.code}={_quoted(text)}" for flag, text in seen.items())
    return Verdict(frozenset(seen), ";".join((str(RULES_VERSION), *parts)) if seen else "")


def _unknown_activity(event: Event, product: Product | None) -> str:
    if not product or not product.activity_types or not event.group:
        return ""
    activity = event.group.replace(" ", "_")
    known = activity == CALL_HOME or event.group in product.activity_types
    return "" if known else event.group


def _other_environment(event: Event, environment: Environment) -> str:
    text = (event.environment_text or "").lower()
    return text if text in set(Environment) and text != environment else ""


def _skew(event: Event, received_at: datetime) -> str:
    """Seconds between the client's clock and ours, when they are too many to be true."""
    if event.event_at is None:
        return ""
    skew = timedelta(milliseconds=event.event_at) - timedelta(seconds=received_at.timestamp())
    return "" if -PAST_TOLERANCE <= skew <= FUTURE_TOLERANCE else f"{skew.total_seconds():+.0f}"


def _quoted(text: str) -> str:
    return quote(text[:_LONGEST_EVIDENCE], safe=" ,:+", errors="backslashreplace")
