"""The service on one machine: DynamoDB, routes, streams and schedules as template.yaml describes them."""

from typing import Any

Json = Any
"""What JSON can hold; documents have no narrower type before they are looked at."""
