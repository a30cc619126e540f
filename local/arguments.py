"""Values on the command line: read, or refused in one line that lists the choices."""

import argparse
from collections.abc import Callable, Collection
from datetime import date
from enum import StrEnum
from typing import TypeVar

from local.errors import CommandError

E = TypeVar("E", bound=StrEnum)


class UnknownProduct(CommandError):
    """There is no such product; the message lists those there are."""


def one_of(kind: type[E]) -> Callable[[str], E]:
    """Reads a member by its value (argparse would say no more than that it is invalid)."""

    def read(text: str) -> E:
        try:
            return kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(kind)}") from None

    return read


def day(text: str) -> date:
    """Reads a UTC day, `2026-11-03`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as 2026-11-03") from None


def check_product(product: str | None, known: Collection[str]) -> None:
    """Raises UnknownProduct for one that is not among the known; None is no product at all."""
    if product is not None and product not in known:
        raise UnknownProduct(f"there is no product {product!r}; there are: {', '.join(sorted(known)) or 'none yet'}")
