"""The page knows of the API what its description says: what it does not know in its address, it refuses."""

from telemetry.description.page_types import page_types
from tests.described import api
from tests.lambdas import ROOT

TYPES = ROOT / "functions/dashboard/page/src/types.ts"


def test_what_the_page_knows_is_what_is_described() -> None:
    """`make types` writes it anew."""
    assert TYPES.read_text() == page_types(dict(api()))
