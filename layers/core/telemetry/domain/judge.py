"""What is wrong with an event: pure, and the same for both dialects (docs/protocols.md)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote, unquote

from telemetry.domain.environment import Environment
from telemetry.domain.event import CALL_HOME, Event
from telemetry.domain.flags import Flag, decode
from telemetry.domain.license import License, LicenseState
from telemetry.domain.product import Product

RULES_VERSION = 3
FUTURE_TOLERANCE = timedelta(hours=24)
PAST_TOLERANCE = timedelta(days=35)

_LONGEST_EVIDENCE = 40


class LicenseView(NamedTuple):
    """What the registry knows of an event's licence key, in the API key's environment.

    `license` is None when nobody issued the key here; `is_elsewhere` then says whether it was issued in another
    environment; nothing more is known of that one. `is_activated`: an active activation matches one of the event's
    device ids.
    """

    license: License | None = None
    is_elsewhere: bool = False
    is_activated: bool = False


class EventProducts(NamedTuple):
    """What the registry knows of the products an event may be of: the one it names, and the API key's own."""

    named: Product | None = None
    of_key: Product | None = None

    def of(self, event: Event) -> Product | None:
        """The product whose rules apply: the key's own if the event names none, but not if it names a wrong one."""
        return self.named if event.product_id else self.of_key


class Verdict(NamedTuple):
    """The flags of an event, with a short text of what was seen for each."""

    flags: frozenset[Flag]
    evidence: str

    @property
    def rules_version(self) -> int | None:
        """The version of the rules it was judged by; None where nothing was flagged."""
        version = self.evidence.partition(";")[0]
        return int(version) if version else None

    @property
    def seen(self) -> dict[Flag, str]:
        """What was seen, by flag; a flag that needs no text has none, and unknown flags are left out."""
        parts = (part.partition("=") for part in self.evidence.split(";")[1:])
        return {flag: unquote(text) for code, _, text in parts for flag in decode(code)}


def judge(
    event: Event, view: LicenseView | None, products: EventProducts, environment: Environment, received_at: datetime
) -> Verdict:
    """Flags an event. `view` None: the registry could not be read, and nothing is said about the licence."""
    product = products.of(event)
    seen = {
        Flag.MALFORMED: ",".join(sorted(event.errors)),
        Flag.UNKNOWN_PRODUCT: _unknown_product(event, view, product),
        Flag.UNKNOWN_ACTIVITY_TYPE: _unknown_activity(event, product),
        Flag.ENVIRONMENT_TEXT_CONFLICT: _other_environment(event, environment),
        Flag.CLOCK_SKEW: _skew(event, received_at),
        Flag.CLIENT_REPORTED: ",".join(event.client_flags),
        Flag.PLACEHOLDER_ID: ",".join(event.placeholders),
    }
    if view is not None:
        seen |= _license_findings(event, view, products, received_at)
    return _verdict({flag: text for flag, text in seen.items() if text})


def _license_findings(
    event: Event, view: LicenseView, products: EventProducts, received_at: datetime
) -> Mapping[Flag, str]:
    """Piracy and licence flags: what was seen, by flag; empty text where there is nothing to flag."""
    if event.license_key is None:
        product = products.named or products.of_key
        return {Flag.INVALID_LICENSE: "absent" if product and product.requires_license else ""}
    if view.license is None:
        if view.is_elsewhere:
            return {Flag.ENVIRONMENT_MISMATCH: "elsewhere"}
        return {Flag.INVALID_LICENSE: "unknown"}
    state = view.license.state
    lapsed = view.license.expires_at is not None and view.license.expires_at <= received_at
    expiry = view.license.expires_at.date().isoformat() if view.license.expires_at else LicenseState.EXPIRED
    return {
        Flag.REVOKED_LICENSE: state if state is LicenseState.REVOKED else "",
        Flag.BYPASSED_ACTIVATION: "" if view.is_activated else "inactive" if event.device_ids else "no device",
        Flag.EXPIRED_LICENSE: expiry if lapsed or state is LicenseState.EXPIRED else "",
        Flag.SUSPENDED_LICENSE: state if state is LicenseState.SUSPENDED else "",
        Flag.UNASSIGNED_LICENSE: state if state is LicenseState.AVAILABLE else "",
        Flag.PRODUCT_MISMATCH: _other_product(view.license, products),
    }


def _other_product(license_: License, products: EventProducts) -> str:
    """The licence's product, when the record is of another one that is registered."""
    product = products.named or products.of_key
    return license_.product_id or "" if product and license_.product_id != product.id else ""


def _unknown_product(event: Event, view: LicenseView | None, product: Product | None) -> str:
    """A wrong name always; a missing one unless the licence's product stands in."""
    if product or (not event.product_id and view and view.license and view.license.product_id):
        return ""
    return event.product_id or "-"


def _verdict(seen: Mapping[Flag, str]) -> Verdict:
    """Evidence reads `<rules version>;<flag code>=<what was seen, quoted, cut>;…`; empty for a clean record."""
    parts = (f"{flag.code}={_quoted(text)}" for flag, text in seen.items())
    return Verdict(frozenset(seen), ";".join((str(RULES_VERSION), *parts)) if seen else "")


def _unknown_activity(event: Event, product: Product | None) -> str:
    if not product or not product.activity_types or not event.group:
        return ""
    known = event.group == CALL_HOME or event.group in product.activity_types
    return "" if known else event.group


def _other_environment(event: Event, environment: Environment) -> str:
    text = (event.environment_text or "").lower()
    return text if text and text in set(Environment) and text != environment else ""


def _skew(event: Event, received_at: datetime) -> str:
    """Seconds between the client's clock and ours, when they are more than is plausible."""
    if event.event_at is None:
        return ""
    skew = timedelta(milliseconds=event.event_at) - timedelta(seconds=received_at.timestamp())
    return "" if -PAST_TOLERANCE <= skew <= FUTURE_TOLERANCE else f"{skew.total_seconds():+.0f}"


def _quoted(text: str) -> str:
    return quote(text[:_LONGEST_EVIDENCE], safe=" ,:+", errors="backslashreplace")
