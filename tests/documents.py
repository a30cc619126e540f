"""What README and docs/ consist of: pages, headings, links, code."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.lambdas import ROOT

PAGES = [Path("README.md"), *sorted(path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md"))]
"""For users and developers; relative to the repository."""

ALL_PAGES = sorted({*PAGES, *(path.relative_to(ROOT) for path in ROOT.glob("*.md"))})

NOT_RUN = re.compile(r"<!-- not run: .+ -->")

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")


class Block(NamedTuple):
    """A fenced block: its language, text, and the line on which its fence is; `is_run` unless a comment says not."""

    language: str
    text: str
    line: int
    is_run: bool


def text_of(page: Path) -> str:
    return (ROOT / page).read_text()


def fenced(page: Path) -> Iterator[Block]:
    """All fenced blocks of a page."""
    text = text_of(page)
    for found in _FENCE.finditer(text):
        before = text[: found.start()]
        last = before.rstrip().rpartition("\n")[2]
        yield Block(found[1], found[2], before.count("\n") + 1, is_run=not NOT_RUN.fullmatch(last))


def blocks(page: Path, language: str) -> Iterator[Block]:
    """Those of a language that are to be run."""
    return (block for block in fenced(page) if block.language == language and block.is_run)


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text_of(page))


def inline_code(page: Path) -> list[str]:
    """What stands in backticks."""
    return _INLINE.findall(prose(page))


def links(page: Path) -> list[str]:
    """Where a page leads, images included."""
    return _LINK.findall(_INLINE.sub("", prose(page)))


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them (GitHub's rules; a repeated one gets a number)."""
    names: Counter[str] = Counter()
    found = set()
    for heading in _HEADING.findall(prose(page)):
        text = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower())
        name = text.replace(" ", "-")
        found.add(f"{name}-{names[name]}" if names[name] else name)
        names[name] += 1
    return found
