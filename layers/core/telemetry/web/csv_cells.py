"""Cells of CSV files (RFC 4180) that people open in a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterable

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def no_formula(text: str) -> str:
    """The text, behind an apostrophe where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def on_one_line(value: str | None) -> str:
    """Safe in a spreadsheet, where a text may be a formula, and on one line, so that each line of the file is a row."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), no_formula(value or ""))


def csv_line(cells: Iterable[str]) -> bytes:
    """RFC 4180."""
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()
