"""Attempts to sign in, in the registry."""

from dataclasses import dataclass

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from telemetry.domain.errors import ChangedMeanwhile
from telemetry.domain.instant import from_milliseconds, to_milliseconds, to_seconds
from telemetry.domain.sign_in_attempts import FORGOTTEN_AFTER, SignInAttempts
from telemetry.storage.errors import conditions, store
from telemetry.storage.tables import KeyedItem, bind, found_item

_ATTEMPTS = "sign_in"


class SignInAttemptsItem(KeyedItem):
    """Attempts to sign in from one address. pk `sign_in#192.0.2.7`; `last` in epoch ms. TTL deletes at `expires_at`."""

    sk = UnicodeAttribute(range_key=True, default=_ATTEMPTS)
    attempts = NumberAttribute()
    last = NumberAttribute()
    expires_at = NumberAttribute()


@store("sign-in attempts")
@dataclass(frozen=True, slots=True)
class SignInAttemptStore:
    """Attempts to sign in, by address. Raises StoreUnavailable."""

    table: str

    def get(self, address: str) -> SignInAttempts | None:
        """Strongly consistent."""
        item = found_item(bind(SignInAttemptsItem, self.table), _partition(address), _ATTEMPTS)
        return SignInAttempts(int(item.attempts), from_milliseconds(item.last)) if item else None

    def put(self, address: str, attempts: SignInAttempts, before: SignInAttempts | None) -> None:
        """Replaces what was read. Raises ChangedMeanwhile."""
        model = bind(SignInAttemptsItem, self.table)
        item = model(
            _partition(address),
            attempts=attempts.count,
            last=to_milliseconds(attempts.last),
            expires_at=to_seconds(attempts.last + FORGOTTEN_AFTER),
        )
        unchanged = (
            (model.attempts == before.count) & (model.last == to_milliseconds(before.last))
            if before
            else model.pk.does_not_exist()
        )
        with conditions(ChangedMeanwhile(f"attempts from {address}")):
            item.save(condition=unchanged)

    def forget(self, address: str) -> None:
        """Lets the address begin anew."""
        bind(SignInAttemptsItem, self.table)(_partition(address)).delete()


def _partition(address: str) -> str:
    return f"{_ATTEMPTS}#{address}"
