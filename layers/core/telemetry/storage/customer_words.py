"""Customers by the beginnings of the words of their names: an item for each word, written with the customer."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from pynamodb.attributes import UnicodeAttribute

from telemetry.domain.customer import Customer
from telemetry.domain.name_words import begins_words, found_by
from telemetry.storage.changes import Write
from telemetry.storage.side_by_side import side_by_side
from telemetry.storage.tables import KeyedItem, bind

MOST_READ = 100
"""Items of a word that one search looks at."""

_MOST_ASKED = 3
"""Words that are looked for; what was found is held against the others too."""

_IN_PARTITION = 2


class WordItem(KeyedItem):
    """A word of a customer's name. pk `customer_words#au`, sk `aurora#c-7f3a`; `name` is the whole name."""

    name = UnicodeAttribute()


class Named(NamedTuple):
    """Names by customer id, in the order of the words that were found. `is_cut`: there may be more."""

    names: dict[str, str]
    is_cut: bool


def word_writes(table: str, customer: Customer, was: Customer | None = None) -> Iterator[Write]:
    """What to write with a customer, so that it is found by its name, and no longer by the one that it had."""
    model, words = bind(WordItem, table), found_by(customer.name)
    if was is not None and was.name == customer.name:
        return
    for word in words:
        yield Write(model(_partition(word), _sort_key(word, customer.id), name=customer.name))
    for word in found_by(was.name) if was else ():
        if word not in words:
            yield Write(model(_partition(word), _sort_key(word, customer.id)), deletes=True)


def named_with(table: str, words: Collection[str]) -> Named:
    """Customers of whose names each word (folded) begins a word, by at most _MOST_ASKED requests.

    The longest words are looked for: these name the fewest customers. Where each of them is the beginning of more than
    MOST_READ words, some customers may not be found, and `is_cut` says so.
    """
    asked = sorted(words, key=len, reverse=True)[:_MOST_ASKED]
    read = side_by_side(lambda word: _beginning_with(table, word), asked)
    names: dict[str, str] = {}
    for items in read:
        names |= {_customer_id(each): each.name for each in items if begins_words(words, each.name)}
    return Named(names, is_cut=all(len(items) == MOST_READ for items in read) and bool(read))


def _beginning_with(table: str, word: str) -> list[WordItem]:
    model = bind(WordItem, table)
    return list(model.query(_partition(word), model.sk.startswith(word), limit=MOST_READ))


def _partition(word: str) -> str:
    """`customer_words#au`: a few thousand partitions, in each of which words are in order."""
    return f"customer_words#{word[:_IN_PARTITION]}"


def _sort_key(word: str, id_: str) -> str:
    return f"{word}#{id_}"


def _customer_id(item: WordItem) -> str:
    return item.sk.partition("#")[2]
