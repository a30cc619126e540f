"""Other invocations of a function, asked for and not waited for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telemetry.messages.clients import lambda_client
from telemetry.storage.errors import store


@store("Lambda")
@dataclass(frozen=True, slots=True)
class Invocations:
    """The function with this ARN."""

    function: str

    def ask_for(self, event: Mapping[str, Any]) -> None:
        """Returns when Lambda has taken the event. Raises StoreUnavailable when it does not."""
        lambda_client().invoke(FunctionName=self.function, InvocationType="Event", Payload=json.dumps(event))
