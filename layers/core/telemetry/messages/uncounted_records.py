"""The failure queue: which records could not be counted, and why. The records themselves stay stored."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.uncounted_record import UncountedRecord
from telemetry.messages.clients import sqs_client
from telemetry.retry import Attempts, Wait, wait_with_jitter
from telemetry.storage.errors import store

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

LONGEST_CAUSE = 500
"""Characters of a cause that are sent. Keys have at most 3 KB: ten messages then stay under SQS's 256 KB a call."""

_MESSAGES_PER_CALL = 10


@store("failure queue")
class UncountedRecordQueue:
    """The SQS queue with this URL."""

    def __init__(self, url: str, wait: Wait = wait_with_jitter) -> None:
        self._url = url
        self._wait = wait

    def send(self, records: Sequence[UncountedRecord]) -> None:
        """Returns when all are in the queue, each as a JSON object of its fields; there may be some twice.

        Raises StoreUnavailable when SQS keeps refusing some: then send all of them again.
        """
        for start in range(0, len(records), _MESSAGES_PER_CALL):
            self._send_group(records[start : start + _MESSAGES_PER_CALL])

    def _send_group(self, records: Sequence[UncountedRecord]) -> None:
        waiting: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(number), "MessageBody": _body(record)} for number, record in enumerate(records)
        ]
        attempts = Attempts(self._wait)
        while True:
            answer = sqs_client().send_message_batch(QueueUrl=self._url, Entries=waiting)
            # a call may succeed and leave out some of its messages
            sent = {message["Id"] for message in answer.get("Successful", ())}
            waiting = [entry for entry in waiting if entry["Id"] not in sent]
            if not waiting:
                return
            attempts.failed(StoreUnavailable("failure queue"))


def _body(record: UncountedRecord) -> str:
    # in ASCII: SQS refuses control characters, which keys and causes may hold
    return json.dumps(asdict(record) | {"cause": record.cause[:LONGEST_CAUSE]})
