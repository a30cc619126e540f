"""The alert topic: what people should hear of at once."""

import json
from collections.abc import Mapping
from typing import Any

from telemetry.messages.clients import sns_client
from telemetry.storage.errors import store

LONGEST_SUBJECT = 99
"""Characters of a subject: SNS wants less than a hundred."""


@store("alert topic")
class AlertTopic:
    """The SNS topic with this ARN."""

    def __init__(self, arn: str) -> None:
        self._arn = arn

    def publish(self, subject: str, message: Mapping[str, Any]) -> None:
        """Publishes `message` as JSON. Raises StoreUnavailable when SNS does not take it."""
        sns_client().publish(TopicArn=self._arn, Subject=_mailable(subject), Message=json.dumps(message, indent=2))


def _mailable(subject: str) -> str:
    """What SNS takes: an alert must not fail because a product's name has a line break, or is long."""
    return "".join(c if c.isprintable() else " " for c in subject)[:LONGEST_SUBJECT]
