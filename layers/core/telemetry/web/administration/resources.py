"""All resources of the admin API."""

from telemetry.web.administration import (
    api_keys,
    attribution,
    audit,
    company_overrides,
    customers,
    days,
    developers,
    licenses,
    products,
    retention,
    spikes,
)

ROUTERS = [
    resource.router
    for resource in (
        products,
        customers,
        licenses,
        api_keys,
        retention,
        company_overrides,
        developers,
        attribution,
        days,
        spikes,
        audit,
    )
]
"""The routes of each resource."""
