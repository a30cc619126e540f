"""Changes of the registry, each in one transaction with its entry in the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from telemetry.domain.errors import StoreUnavailable
from telemetry.retry import Deadline
from telemetry.storage.errors import ConditionFailed, conditions, storage_errors
from telemetry.storage.tables import connection

if TYPE_CHECKING:
    from telemetry.domain.staff import AuditEntry

_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Write:
    """What a change does to one item, on one condition if any: put it, or update it by `actions`, or delete it."""

    item: Model
    condition: Condition | None = None
    actions: Sequence[Action] = ()
    deletes: bool = False


class Logged(NamedTuple):
    """The audit entry of a change of another table, and the registry it goes to."""

    entry: "AuditEntry"
    registry: str


def commit(table: str, writes: Sequence[Write], entry: "AuditEntry | None" = None) -> bool:
    """Does all writes and the audit entry, or nothing; False when a condition did not hold.

    Tries again while others get in between. Raises StoreUnavailable when that takes too long.
    """
    return not refused([*writes, *log_writes(table, entry)], "registry", Deadline(_SECONDS))


def log_writes(table: str, entry: "AuditEntry | None") -> list[Write]:
    """What a transaction of the registry does besides, so that an entry is in the audit log; nothing without one."""
    from telemetry.storage.audit import audit_item  # noqa: PLC0415 (functions that change nothing need not load it)

    log = audit_item(entry, table) if entry else None
    return [Write(log, type(log).pk.does_not_exist())] if log else []


def put(item: Model, condition: Condition, otherwise: Exception, logged: Logged | None = None) -> None:
    """Puts an item of any table, with its audit entry if there is one. Raises `otherwise` when it may not be put."""
    if logged is None:
        with conditions(otherwise):
            item.save(condition=condition)
    elif not commit(logged.registry, [Write(item, condition)], logged.entry):
        raise otherwise


def refused(writes: Sequence[Write], what: str, deadline: Deadline) -> tuple[int, ...]:
    """Does all writes or nothing: the places of those whose conditions did not hold; none when it is done.

    Places are counted as PynamoDB sends the writes: deletions first, then puts, then updates.
    Tries again while others get in between. Raises StoreUnavailable, about `what`, when there is no time left for that.
    """
    token = str(uuid4())  # DynamoDB knows an attempt by it whose answer was lost, and does not do it twice
    failure: StoreUnavailable | None = None
    for _ in deadline.attempts():
        try:
            with storage_errors(what), conditions(), TransactWrite(token, connection=connection()) as transaction:
                for write in writes:
                    _add(write, transaction)
        except ConditionFailed as exc:
            return exc.items
        except StoreUnavailable as exc:
            failure = exc
        else:
            return ()
    raise StoreUnavailable(what) from failure


def _add(write: Write, transaction: TransactWrite) -> None:
    if write.deletes:
        transaction.delete(write.item, condition=write.condition)
    elif write.actions:
        transaction.update(write.item, actions=list(write.actions), condition=write.condition)
    else:
        transaction.save(write.item, condition=write.condition)
