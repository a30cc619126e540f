"""What AWS charges, in US dollars: us-east-1, in February 2026.

Without the free tier, which other stacks of the account may use up.
"""

from collections.abc import Mapping

PRICES: Mapping[str, float] = {
    "alarm, of one metric, a month": 0.10,
    "metric of our own, a month": 0.30,
    "log, ingested, a GB": 0.50,
    "Lambda on arm64, a GB-second": 0.0000133334,
    "Lambda, a request": 0.20e-6,
    "DynamoDB on demand, a write unit": 0.625e-6,
    "DynamoDB on demand, a read unit": 0.125e-6,
}

HOURS = 730
"""In a month."""
