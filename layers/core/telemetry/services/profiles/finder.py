"""Developers and companies of a product by who they are: for a search over all products, so in a few requests."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from telemetry.domain.profiles.cards import CompanyName, Order
from telemetry.domain.profiles.people import Profile
from telemetry.domain.profiles.search import Wanted
from telemetry.services.profiles.stores import ProfileStores

FOREMOST = 500
"""Of the companies, and of the developers, that were the most active in the last 30 days: these are found by names."""

LONGEST_COMPANY = 256
"""Bytes of a company's id that is looked up."""


@dataclass(frozen=True, slots=True)
class ProfileFinder:
    """Developers and companies of one environment, as of the last closed day. Raises StoreUnavailable."""

    stores: ProfileStores
    forgotten: Collection[bytes]

    def developers(self, product: str, fingerprints: Collection[bytes]) -> Mapping[bytes, Profile]:
        """Those of these users and devices that are developers of a product, however long ago. One request."""
        told = [each for each in fingerprints if each not in self.forgotten]
        return self.stores.people.profiles(product, told, consistent=False) if told else {}

    def named(self, product: str, text: str) -> tuple[list[CompanyName], list[tuple[bytes, str]]]:
        """Companies and developers of whose names or ids the text is the beginning of a word. At most four requests.

        Companies with this domain, however long ago they were seen; of the others, the FOREMOST are looked through.
        Developers by fingerprint and name.
        """
        number, views = self.stores.views.shown(product)
        view, wanted = views.get(number), Wanted(text)
        if view is None or view.listed is None:
            return [], []
        place = number, product, view.listed, Order.ACTIVE, 0, FOREMOST
        cards, _ = self.stores.lists.companies(*place)
        people, _ = self.stores.lists.developers(*place)
        companies = {card.company.id: card.company for card in cards if wanted.fits_company(card)}
        domain = text.casefold()
        is_short = len(domain.encode()) <= LONGEST_COMPANY
        exact = self.stores.tenures.nobodys(number, product, [domain]) if is_short else {}
        companies |= {id_: tenure.company for id_, tenure in exact.items() if tenure.company and id_ not in companies}
        developers = [
            (card.fingerprint, card.name)
            for card in people
            if card.name and card.fingerprint not in self.forgotten and wanted.fits_developer(card)
        ]
        return list(companies.values()), developers
