"""Texts that others chose, inside keys of ours: the parts of a key are joined by `#`.

A text that another part follows is escaped by `key_text`: it can then neither end its part nor begin the next, and no
two lists of parts give one key. A product's id that ends a key stands as it is where all before it has a fixed form, as
in `hours#<id>` or `2026-11-21T08#<id>`: whatever stands behind the first `#` is the id.
"""


def key_text(text: str) -> str:
    """The text without `#`: `a#b` is `a%23b`, `50%` is `50%25`. Most texts stay what they are."""
    return text.replace("%", "%25").replace("#", "%23")


def text_of_key(part: str) -> str:
    """The inverse of `key_text`."""
    return part.replace("%23", "#").replace("%25", "%")
