"""All resources of the admin API."""

from telemetry.web.administration import (
    api_keys,
    audit,
    company_overrides,
    customers,
    days,
    licenses,
    products,
    retention,
)

ROUTERS = [
    resource.router for resource in (products, customers, licenses, api_keys, retention, company_overrides, days, audit)
]
"""The routes of each resource."""
