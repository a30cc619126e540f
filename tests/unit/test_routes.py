"""Which route a path with surplus slashes is, and which API a path belongs to."""

import pytest

from local.template import DEFAULT_PATH, read_template
from telemetry.web.routes import PATHS, Api, canonical_path, routed, single_slashes
from tests.lambdas import http_event


@pytest.mark.parametrize(
    ("path", "single"),
    [
        ("/api/v1/verify", "/api/v1/verify"),
        ("/api/v1/verify/", "/api/v1/verify"),
        ("//api///v1//verify//", "/api/v1/verify"),
        ("/", "/"),
        ("//", "/"),
        ("", "/"),
        ("/a b/%2F/", "/a b/%2F"),
    ],
)
def test_single_slashes(path: str, single: str) -> None:
    assert single_slashes(path) == single


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/api/v1//send-telemetry-data", "/api/v1/send-telemetry-data"),
        ("POST", "//v1/verify/", "/v1/verify"),
        ("GET", "/v1/get-telemetry/", "/v1/get-telemetry"),
        ("HEAD", "/admin/", "/admin"),
        ("GET", "//", "/"),
        # none too many: a redirect would lead to itself
        ("POST", "/api/v1/verify", None),
        ("PUT", "/api/v1/verify", None),
        # no such route, or not with this method
        ("GET", "//api/v1/verify", None),
        ("GET", "//evil.example/", None),
        ("POST", "/api/v1/verify/x", None),
        ("POST", "/api/v1//admin/products", None),
        ("BREW", "//api/v1/verify", None),
    ],
)
def test_canonical_path(method: str, path: str, expected: str | None) -> None:
    assert canonical_path(method, path) == expected


@pytest.mark.parametrize("path", sorted(PATHS["GET"] - {"/"}))
def test_functions_see_the_canonical_path_and_head_as_get(path: str) -> None:
    asked = http_event(f"/{path}/", "", {}, method="HEAD")
    seen = routed(asked)
    assert (seen["rawPath"], seen["requestContext"]["http"]["method"]) == (path, "GET")
    assert seen["requestContext"]["http"]["path"] == f"/{path}/"
    assert asked == http_event(f"/{path}/", "", {}, method="HEAD")


def test_other_paths_stay_as_they_are() -> None:
    asked = http_event("/api/v1/admin/products/", "", {}, method="PATCH")
    assert routed(asked) == asked


def test_each_function_serves_the_apis_it_answers_for() -> None:
    """Also below its greedy routes, where no route of its own is."""
    served: dict[str, set[Api]] = {}
    for route in read_template().routes:
        if route.path != DEFAULT_PATH:
            path = route.path.replace("{proxy+}", "nothing/here")
            served.setdefault(route.function, set()).add(Api.of(path))
    assert served == {
        "ingest": {Api.GETKEYMANAGER, Api.REO, Api.OTHER},
        "licensing": {Api.GETKEYMANAGER},
        "reports": {Api.POWERAUTH, Api.REPORTS},
        "analytics": {Api.GETKEYMANAGER, Api.ANALYTICS, Api.OTHER},
        "admin": {Api.ADMINISTRATION},
        "dashboard": {Api.OTHER},
    }


@pytest.mark.parametrize(
    ("path", "api"),
    [
        ("/api/v1/telemetry", Api.GETKEYMANAGER),
        ("/v1/verify/x", Api.GETKEYMANAGER),
        ("/api/v1//analytics/overview", Api.GETKEYMANAGER),
        ("/api/product/usage", Api.REO),
        ("/api/products", Api.OTHER),
        ("/rest/v5", Api.POWERAUTH),
        ("/rest", Api.OTHER),
        ("/api/v1/reports/daily", Api.REPORTS),
        ("/api/v1/analytics", Api.ANALYTICS),
        ("/api/v1/admin/products", Api.ADMINISTRATION),
        ("/admin/telemetry", Api.OTHER),
        ("", Api.OTHER),
    ],
)
def test_the_api_of_a_path(path: str, api: Api) -> None:
    assert Api.of(path) is api
