"""Words of names, as people look for them: in any case, with or without accents."""

import re
from collections.abc import Collection
from unicodedata import category, normalize

MOST_WORDS = 8
"""Words of a name by which it is found: the first different ones."""

LONGEST_WORD = 32
"""Characters of a word by which it is found."""

_WORD = re.compile(r"[^\W_]+")
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
"""Letters that Unicode does not take apart, as a keyboard without them spells them."""


def folded(text: str) -> str:
    """As it is compared: without case and accents. `Ærø` is `aero`."""
    apart = normalize("NFKD", text)
    return "".join(each for each in apart if category(each) != "Mn").casefold().translate(_LETTERS)


def words_of(name: str) -> tuple[str, ...]:
    """The different words of a name, folded: `Ærø & Søn GmbH` has `aero`, `son` and `gmbh`."""
    return tuple(dict.fromkeys(word[:LONGEST_WORD] for word in _WORD.findall(folded(name))))


def found_by(name: str) -> tuple[str, ...]:
    """Those of its words by which a name is found."""
    return words_of(name)[:MOST_WORDS]


def begins_words(asked: Collection[str], name: str) -> bool:
    """Whether each of the asked words (folded) is the beginning of a word of the name. No words fit nothing."""
    words = words_of(name)
    return bool(asked) and all(any(word.startswith(each) for word in words) for each in asked)
