"""Exports companies and developers in pages, with the digest that exports of records have."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import NamedTuple, TypeVar

from telemetry.services.record_export import MOST_BYTES, MOST_ROWS, ExportProgress, answer_bytes

C = TypeVar("C")


class CardPage(NamedTuple):
    """Whole lines, how far the export has come with them, and whether there are more."""

    lines: bytes
    progress: ExportProgress
    has_more: bool


def card_page(cards: Iterable[C], before: ExportProgress, line: Callable[[C], bytes], header: bytes) -> CardPage:
    """The page that goes on after the rows so far; `cards` come in the same order each time."""
    lines = [header] if header else []
    progress = before.having(header, rows=0) if header else before
    size = 0
    for card in islice(cards, before.rows, None):
        text = line(card)
        size += answer_bytes(text)
        if progress.rows > before.rows and (size > MOST_BYTES or progress.rows >= before.rows + MOST_ROWS):
            return CardPage(b"".join(lines), progress, has_more=True)
        lines.append(text)
        progress = progress.having(text)
    return CardPage(b"".join(lines), progress, has_more=False)
