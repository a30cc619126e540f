"""Which companies and developers a filter means."""

import re
from dataclasses import dataclass
from functools import cached_property

from telemetry.domain.name_words import folded
from telemetry.domain.profiles.cards import CompanyCard, CompanyName, DeveloperCard


@dataclass(frozen=True)
class Wanted:
    """A filter; None where any will do. `name` is the beginning of a word of a name or id, in any case,
    with or without accents.

    `company` is the company of developers, `country` that of companies.
    """

    name: str | None = None
    country: str | None = None
    company: str | None = None

    @property
    def is_any(self) -> bool:
        return self.name is None and self.country is None and self.company is None

    def fits_company(self, card: CompanyCard) -> bool:
        is_there = self.country is None or self.country in card.countries
        return is_there and self._is_named(*_texts(card.company))

    def fits_developer(self, card: DeveloperCard) -> bool:
        is_there = self.company is None or (card.company is not None and card.company.id == self.company)
        return is_there and self._is_named(card.name or "")

    def _is_named(self, *texts: str) -> bool:
        return self._beginning is None or any(self._beginning.search(folded(text)) for text in texts)

    @cached_property
    def _beginning(self) -> re.Pattern[str] | None:
        return None if self.name is None else re.compile(rf"(?<![^\W_]){re.escape(folded(self.name))}")


def _texts(company: CompanyName) -> tuple[str, str]:
    return company.name, company.id
