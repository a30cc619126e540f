"""Bulk import of licences and activations: any number of rows, one pass, safe to run again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from telemetry.domain.environment import Environment
from telemetry.domain.errors import ChangedMeanwhile, NotFound, StoreUnavailable
from telemetry.domain.event import normalise_license
from telemetry.domain.instant import in_utc
from telemetry.domain.keyring import Identity, Keyring
from telemetry.domain.license import SHORTEST_KEY, License, LicenseState, last_four, license_id
from telemetry.retry import Deadline
from telemetry.storage.activations import ActivationChange, ActivationStore
from telemetry.storage.batches import grouped
from telemetry.storage.inserts import Insertion
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.side_by_side import side_by_side

ROWS_AT_ONCE = 500

FIELDS = ("license_key", "product_id", "customer_id", "state", "expires_at", "activation_limit", "identifier")
"""What a row may have."""

_SECONDS_TO_TRY = 30.0
_LONGEST = 256

Row = tuple[int, Mapping[str, Any]]
"""Line number and fields."""


class RowError(Exception):
    """What is wrong with a row, for who wrote it."""


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far the import is. `errors` are of the rows just taken: line number and what is wrong."""

    rows: int
    added: int
    present: int
    errors: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Importer:
    """Imports into one environment. A row with an `identifier` is an activation of its licence, any other a licence."""

    environment: Environment
    licenses: LicenseStore
    activations: ActivationStore
    keyring: Keyring
    now: datetime
    products: frozenset[str]

    def run(self, rows: Iterable[Row]) -> Iterator[ImportProgress]:
        """Takes the rows in order, some hundred at a time. What is there already stays as it is, and counts as present.

        Raises StoreUnavailable when storage keeps failing; running again goes on from there.
        """
        taken = added = present = 0
        for some in grouped(rows, ROWS_AT_ONCE):
            errors: list[tuple[int, str]] = []
            for outcomes in (self._add_licenses(some, errors), self._activate(some, errors)):
                added += sum(outcomes)
                present += len(outcomes) - sum(outcomes)
            taken += len(some)
            yield ImportProgress(taken, added, present, tuple(sorted(errors)))

    def _add_licenses(self, rows: Sequence[Row], errors: list[tuple[int, str]]) -> list[bool]:
        found: dict[str, tuple[License, str]] = {}
        repeated = 0
        for line, fields in rows:
            if fields.get("identifier"):
                continue
            try:
                license_, key = self.license(fields)
            except RowError as exc:
                errors.append((line, str(exc)))
                continue
            repeated += license_.id in found
            found.setdefault(license_.id, (license_, key))
        insertions = self.licenses.add_many(list(found.values()), Deadline(_SECONDS_TO_TRY)) if found else []
        if Insertion.UNAVAILABLE in insertions:
            raise StoreUnavailable("licenses")
        return [insertion is Insertion.INSERTED for insertion in insertions] + [False] * repeated

    def _activate(self, rows: Sequence[Row], errors: list[tuple[int, str]]) -> list[bool]:
        outcomes = side_by_side(self._activate_one, [row for row in rows if row[1].get("identifier")])
        errors.extend(outcome for outcome in outcomes if isinstance(outcome, tuple))
        return [outcome for outcome in outcomes if isinstance(outcome, bool)]

    def _activate_one(self, row: Row) -> bool | tuple[int, str]:
        line, fields = row
        try:
            id_ = license_id(self.environment, _key(fields), self.keyring)
            change = self._activate_at_once(id_, _text(fields, "identifier"))
        except (RowError, NotFound) as exc:
            return line, str(exc) if isinstance(exc, RowError) else "license_key: no such licence here"
        if change is ActivationChange.NO_ROOM:
            return line, "activation_limit: the licence has no room for another activation"
        return change is ActivationChange.DONE

    def _activate_at_once(self, id_: str, identifier: str) -> ActivationChange:
        """Other rows may activate the same licence at the same time, and so change its state."""
        for _ in range(3):
            try:
                license_ = self.licenses.get(id_)
                return self.activations.activate(license_, identifier, self.now, Deadline(_SECONDS_TO_TRY))
            except ChangedMeanwhile:
                continue
        raise StoreUnavailable(f"license {id_}")

    def license(self, fields: Mapping[str, Any]) -> tuple[License, str]:
        """The licence a row describes, and its key. Raises RowError."""
        if unknown := fields.keys() - frozenset(FIELDS):
            raise RowError(f"{min(map(str, unknown))}: no such field")
        key, product_id, customer_id = _key(fields), _text(fields, "product_id"), _text(fields, "customer_id")
        if product_id and product_id not in self.products:
            raise RowError("product_id: no such product")
        state = _state(_text(fields, "state"), has_customer=bool(customer_id))
        license_ = License(
            id=license_id(self.environment, key, self.keyring),
            environment=self.environment,
            fingerprint=self.keyring.fingerprint(Identity.LICENSE, key),
            last_four=last_four(key),
            product_id=product_id or None,
            customer_id=customer_id or None,
            state=state,
            expires_at=_moment(_text(fields, "expires_at")),
            activation_limit=_limit(fields.get("activation_limit")),
            active_activations=0,
            created_at=self.now,
        )
        return license_, key


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise RowError(f"{name}: must be text")
    text = str(value).strip()
    if len(text) > _LONGEST:
        raise RowError(f"{name}: longer than {_LONGEST} characters")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise RowError(f"{name}: must be valid text")
    return text


def _key(fields: Mapping[str, Any]) -> str:
    key = normalise_license(_text(fields, "license_key"))
    if key is None:
        raise RowError("license_key: missing")
    if len(key) < SHORTEST_KEY:
        raise RowError(f"license_key: shorter than {SHORTEST_KEY} characters")
    return key


def _state(text: str, *, has_customer: bool) -> LicenseState:
    if not text:
        return LicenseState.ASSIGNED if has_customer else LicenseState.AVAILABLE
    try:
        return LicenseState(text.lower())
    except ValueError:
        raise RowError(f"state: must be one of {', '.join(LicenseState)}") from None


def _moment(text: str) -> datetime | None:
    """A date means its end, in UTC."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RowError("expires_at: must be a date or time in ISO-8601") from None
    if len(text) <= len("2026-11-21"):
        moment = datetime.combine(moment.date(), time(23, 59, 59))
    try:
        return in_utc(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except ValueError as exc:
        raise RowError(f"expires_at: {exc}") from None


def _limit(value: object) -> int:
    """0 means unlimited."""
    if value is None or value == "":
        return 0
    try:
        limit = int(str(value))
    except ValueError:
        raise RowError("activation_limit: must be an integer") from None
    if not -1 <= limit <= 10_000_000:
        raise RowError("activation_limit: must be from -1 to 10,000,000")
    return limit
