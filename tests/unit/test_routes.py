"""Which path is meant by one with too many slashes."""

import pytest

from telemetry.web.routes import PATHS, meant, routed, single_slashes
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
def test_meant(method: str, path: str, expected: str | None) -> None:
    assert meant(method, path) == expected


@pytest.mark.parametrize("path", sorted(PATHS["GET"] - {"/"}))
def test_functions_see_the_path_that_is_meant_and_head_as_get(path: str) -> None:
    asked = http_event(f"/{path}/", "", {}, method="HEAD")
    seen = routed(asked)
    assert (seen["rawPath"], seen["requestContext"]["http"]["method"]) == (path, "GET")
    assert seen["requestContext"]["http"]["path"] == f"/{path}/"
    assert asked == http_event(f"/{path}/", "", {}, method="HEAD")


def test_other_paths_stay_as_they_are() -> None:
    asked = http_event("/api/v1/admin/products/", "", {}, method="PATCH")
    assert routed(asked) == asked
