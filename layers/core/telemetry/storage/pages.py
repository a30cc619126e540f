"""Lists, a page at a time."""

from collections.abc import Callable
from typing import Any, TypeVar

from pynamodb.models import Model
from pynamodb.pagination import ResultIterator

from telemetry.domain.page import Page

T = TypeVar("T")
M = TypeVar("M", bound=Model)

FILTERED_PAGE_SIZE = 1_000
"""Items to look at in one request when a filter leaves some out."""

_MOST_REQUESTS = 10


def read_page(found: ResultIterator[M], range_key: str, limit: int, read: Callable[[dict[str, Any]], T]) -> Page[T]:
    """The first `limit` items of a query; `range_key` names the attribute that orders them, and is unique there."""
    items: list[dict[str, Any]] = []
    for requests, answer in enumerate(found.page_iter, 1):
        items += answer["Items"]
        last = found.page_iter.last_evaluated_key
        if len(items) > limit:
            return Page(tuple(map(read, items[:limit])), str(items[limit - 1][range_key]["S"]))
        if requests == _MOST_REQUESTS and last:
            return Page(tuple(map(read, items)), str(last[range_key]["S"]))
    return Page(tuple(map(read, items)), None)
