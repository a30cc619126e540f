"""What staff do behind the page's back, through the admin API."""

from typing import Any

import httpx

from tests.local_service import LocalService

PRODUCTION = {"environment": "production"}


def asked(service: LocalService, path: str, method: str = "GET", body: object = None, **query: str) -> Any:  # noqa: ANN401
    """What staff are answered, and what they change behind the page's back."""
    headers = {"authorization": f"Bearer {service.keys['admin_key']}"}
    if method == "PATCH":
        headers["if-match"] = httpx.get(f"{service.url}/api/v1/admin/{path}", headers=headers).headers["etag"]
    url = f"{service.url}/api/v1/admin/{path}"
    answer = httpx.request(method, url, params=query, headers=headers, json=body, timeout=30)
    assert answer.status_code < 300, answer.text
    return answer.json()


def a_license(service: LocalService, **terms: object) -> Any:  # noqa: ANN401
    return asked(service, "licenses", "POST", terms, **PRODUCTION)
