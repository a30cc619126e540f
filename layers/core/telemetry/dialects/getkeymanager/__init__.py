"""The GetKeyManager dialect: SDK telemetry, licences and activations (docs/protocols.md).

Here is what any dialect with events has (`telemetry.dialects` lists it), and the answers to telemetry. Who
needs them imports `query`, which is telemetry read back, and `licensing`, which is licences and activations.
"""

from telemetry.dialects.getkeymanager.answers import Result, answer, batch_answer, with_product_error
from telemetry.dialects.getkeymanager.events import (
    Submission,
    contents_of,
    event_of,
    parse,
    parse_one,
    said_in,
)
from telemetry.dialects.getkeymanager.failures import failure

__all__ = [
    "Result",
    "Submission",
    "answer",
    "batch_answer",
    "contents_of",
    "event_of",
    "failure",
    "parse",
    "parse_one",
    "said_in",
    "with_product_error",
]
