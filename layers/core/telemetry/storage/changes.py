"""Changes of the registry, each in one transaction with its entry in the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.staff import AuditEntry
from telemetry.retry import Deadline
from telemetry.storage.audit import audit_item
from telemetry.storage.errors import ConditionFailed, conditions, storage_errors
from telemetry.storage.tables import connection

_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Write:
    """What a change does to one item on one condition: put it, or update it by `actions`, or delete it."""

    item: Model
    condition: Condition
    actions: Sequence[Action] = ()
    deletes: bool = False


def commit(table: str, writes: Sequence[Write], entry: AuditEntry | None = None) -> bool:
    """Does all writes and the audit entry, or nothing; False when a condition did not hold.

    Tries again while others get in between. Raises StoreUnavailable when that takes too long.
    """
    token = str(uuid4())  # an attempt whose answer was lost is not done twice
    log = audit_item(entry, table) if entry else None
    failure: StoreUnavailable | None = None
    for _ in Deadline(_SECONDS).attempts():
        try:
            with storage_errors("registry"), conditions(), _transaction(token) as transaction:
                for write in writes:
                    _add(write, transaction)
                if log:
                    transaction.save(log, condition=type(log).pk.does_not_exist())
        except ConditionFailed:
            return False
        except StoreUnavailable as exc:
            failure = exc
        else:
            return True
    raise StoreUnavailable("registry") from failure


def _transaction(token: str) -> TransactWrite:
    return TransactWrite(connection=connection(), client_request_token=token)


def _add(write: Write, transaction: TransactWrite) -> None:
    if write.deletes:
        transaction.delete(write.item, condition=write.condition)
    elif write.actions:
        transaction.update(write.item, actions=list(write.actions), condition=write.condition)
    else:
        transaction.save(write.item, condition=write.condition)
