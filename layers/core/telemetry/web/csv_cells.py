"""Cells of CSV files (RFC 4180) that people open in a spreadsheet."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def no_formula(text: str) -> str:
    """The text, behind an apostrophe where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
