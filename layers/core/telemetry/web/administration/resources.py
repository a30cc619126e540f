"""All resources of the admin API."""

from telemetry.web.administration import api_keys, audit, customers, days, licenses, products, retention

ROUTERS = [resource.router for resource in (products, customers, licenses, api_keys, retention, days, audit)]
"""The routes of each resource."""
