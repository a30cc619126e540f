"""Changes of the registry, each in one transaction with its entry in the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.staff import AuditEntry
from telemetry.storage.audit import audit_item
from telemetry.storage.backoff import Backoff
from telemetry.storage.tables import connection, error_code

_SECONDS = 3.0
_CONDITION_FAILED = "ConditionalCheckFailed"
_PASSING = {
    None,  # no answer
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionCanceledException",
    "TransactionInProgressException",
}


@dataclass(frozen=True, slots=True)
class Write:
    """What a change does to one item on one condition: put it, or update it by `actions`, or delete it."""

    item: Model
    condition: Condition
    actions: Sequence[Action] = ()
    deletes: bool = False


def commit(table: str, writes: Sequence[Write], entry: AuditEntry | None = None) -> bool:
    """Does all writes and the audit entry, or nothing; False when a condition did not hold.

    Tries again while others get in between. Raises StoreUnavailable when that takes too long, and PynamoDB's own errors
    when trying again cannot mend it.
    """
    token = str(uuid4())  # an attempt whose answer was lost is not done twice
    log = audit_item(entry, table) if entry else None
    failure: PynamoDBException | None = None
    for _ in Backoff(_SECONDS).attempts():
        try:
            with TransactWrite(connection=connection(), client_request_token=token) as transaction:
                for write in writes:
                    _add(write, transaction)
                if log:
                    transaction.save(log, condition=type(log).pk.does_not_exist())
        except PynamoDBException as exc:
            reasons = exc.cancellation_reasons if isinstance(exc, TransactWriteError) else []
            if any(reason and reason.code == _CONDITION_FAILED for reason in reasons):
                return False
            if error_code(exc) not in _PASSING:
                raise
            failure = exc
        else:
            return True
    raise StoreUnavailable("registry") from failure


def _add(write: Write, transaction: TransactWrite) -> None:
    if write.deletes:
        transaction.delete(write.item, condition=write.condition)
    elif write.actions:
        transaction.update(write.item, actions=list(write.actions), condition=write.condition)
    else:
        transaction.save(write.item, condition=write.condition)
