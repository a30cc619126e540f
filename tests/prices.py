"""What AWS charges in us-east-1, in US dollars, as written down in November 2026 and without any free tier.

Metrics and logs are as others quoted AWS's page in February 2026. The rest is from memory: check it on AWS's own pages.
"""

from collections.abc import Mapping

PRICES: Mapping[str, float] = {
    "alarm, of one metric, a month": 0.10,
    "metric of our own, a month": 0.30,
    "log, ingested, a GB": 0.50,
    "Lambda on arm64, a GB-second": 0.0000133334,
    "Lambda, a request": 0.20e-6,
    "HTTP API, a request": 1.00e-6,
    "DynamoDB on demand, a write unit": 0.625e-6,
    "DynamoDB on demand, a read unit": 0.125e-6,
}

HOURS = 730
"""In a month."""
