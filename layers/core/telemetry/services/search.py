"""Finds whatever staff look for: by a text, in a bounded number of requests, and without keeping the text anywhere."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from telemetry.domain.active_users import Actor, ActorKey, Audience
from telemetry.domain.api_key import ApiKey, KeyKind
from telemetry.domain.environment import Environment
from telemetry.domain.keyring import Identity
from telemetry.domain.license import License, license_id_of
from telemetry.domain.license_list import LicenseFilter
from telemetry.domain.name_words import begins_words, words_of
from telemetry.domain.product import Product
from telemetry.domain.profiles.ids import fingerprint_of, id_of
from telemetry.domain.record import license_named, partition_with, read_telemetry_id
from telemetry.domain.search import MOST_HITS, Asked, Hit, HitKind, Hits
from telemetry.services.administration.stores import Stores
from telemetry.services.api_keys import hash_of
from telemetry.services.ports import Ledger
from telemetry.services.profiles.finder import ProfileFinder
from telemetry.storage.customer_words import Named
from telemetry.storage.record_browser import RecordBrowser
from telemetry.storage.side_by_side import side_by_side

MOST_PRODUCTS_WITH_PROFILES = 10
"""Products whose developers and companies are looked through: each takes five requests."""

MOST_PRODUCTS_ASKED = 48
"""Products under which records with an unknown licence key are looked for: each takes a request."""

MOST_API_KEYS = 200
"""SDK keys of an environment that are looked through, the oldest: one request."""

_IN_MEMORY = frozenset({HitKind.PRODUCT})
"""What is found without the text being sent anywhere."""


@dataclass(frozen=True)
class Search:
    """One search in an environment, for a caller who sees `environments`. Raises StoreUnavailable.

    Nothing here may raise, log or keep an error that tells the text: it may be a licence key.
    """

    asked: Asked
    environment: Environment
    environments: Collection[Environment]
    stores: Stores
    ledger: Ledger
    browser: RecordBrowser
    profiles: ProfileFinder
    _cut: set[HitKind] = field(default_factory=set, init=False, repr=False)
    """Of what not all was looked through."""

    def find(self, kinds: Collection[HitKind]) -> Hits:
        """All of these kinds that the text may mean."""
        if not self.asked.is_long_enough:
            return Hits({}, frozenset())
        found: dict[HitKind, list[Hit]] = {}
        for finder, of in self._finders.items():
            is_for_keys = HitKind.LICENSE in of or of == _IN_MEMORY
            if not of.isdisjoint(kinds) and (is_for_keys or not self._is_license_key):
                for hit in finder():
                    found.setdefault(hit.kind, []).append(hit)
        wanted = {kind: found[kind] for kind in HitKind if kind in kinds and kind in found}
        more = frozenset(kind for kind, hits in wanted.items() if len(hits) > MOST_HITS)
        more |= self._cut.intersection(kinds)
        return Hits({kind: hits[:MOST_HITS] for kind, hits in wanted.items()}, more)

    @property
    def _finders(self) -> Mapping[Callable[[], Iterator[Hit]], frozenset[HitKind]]:
        """What to try, and which kinds that may find. Licence keys first."""
        licenses = {self._licenses: frozenset({HitKind.LICENSE, HitKind.KEY})}
        api_keys = {self._api_keys: frozenset({HitKind.API_KEY})}
        if self.asked.is_api_key:
            return api_keys
        if self.asked.is_masked:
            return licenses | api_keys
        return licenses | {
            self._records: frozenset({HitKind.RECORD}),
            self._actors: frozenset({HitKind.USER, HitKind.DEVICE}),
            self._addresses: frozenset({HitKind.IP}),
            self._products: frozenset({HitKind.PRODUCT}),
            self._api_keys: frozenset({HitKind.API_KEY}),
            self._customers: frozenset({HitKind.CUSTOMER}),
            self._profiles: frozenset({HitKind.DEVELOPER, HitKind.COMPANY}),
        }

    # ── by whole ids and keys

    def _records(self) -> Iterator[Hit]:
        """One request, and only for an id that was issued here."""
        text, keyring = self.asked.text, self.stores.keyring
        for each in self._here_first:
            key = read_telemetry_id(text, each, keyring)
            if key is None:
                continue
            if each is not self.environment:
                yield Hit(HitKind.RECORD, text, "A record", each)
            elif record := self.browser.get(key):
                name = self._product_name(record.product)
                yield Hit(
                    HitKind.RECORD, text, "A record", each, f"{name}, received {record.received_at:%Y-%m-%d %H:%M}"
                )

    def _licenses(self) -> Iterator[Hit]:
        """One request for whole keys and ids, two for last characters, one for names of customers."""
        whole = self._licenses_by_key
        ending = self.asked.ending
        endings = self.stores.licenses.ending(self.environment, ending, MOST_HITS + 1) if ending else []
        licenses = [*whole, *(each for each in endings if each not in whole)]
        customers = self.stores.customers.many({each.customer_id for each in licenses if each.customer_id})
        for each in licenses:
            customer = customers.get(each.customer_id or "")
            owner = customer.name if customer else each.customer_id or "Assigned to nobody"
            product = self._product_name(each.product_id) if each.product_id else "any product"
            note = f"{owner}, {product}, {each.state_at(self.browser.now)}"
            yield Hit(HitKind.LICENSE, each.id, f"••••{each.last_four}", each.environment, note)
        if self._is_unissued_key:
            name = license_named(self._key_fingerprints[0])
            title = f"Records sent with a key that {self.environment} never issued"
            note = f"A licence of {', '.join(each.environment for each in whole)}" if whole else "No licence has it"
            yield Hit(HitKind.KEY, name, title, self.environment, note)

    @cached_property
    def _is_license_key(self) -> bool:
        """Then nothing else is looked for: DynamoDB, and a log of its calls, would be told it.

        An SDK may send its key as a user's or a device's id, too: that would lead to an address with the key in it.
        """
        return bool(self._licenses_by_key) or self._is_unissued_key

    @cached_property
    def _licenses_by_key(self) -> list[License]:
        ids = {
            license_id_of(environment, fingerprint, self.stores.keyring)
            for environment in self._here_first
            for fingerprint in self._key_fingerprints
        }
        ids |= {self.asked.license_id} if self.asked.license_id else set()
        found, _ = self.stores.licenses.known(ids, (), consistent=False) if ids else ({}, {})
        seen = [each for each in found.values() if each.environment in self.environments]
        return sorted(seen, key=lambda each: (each.environment is not self.environment, each.environment))

    @cached_property
    def _is_unissued_key(self) -> bool:
        """Whether records of this environment were sent with it, though no licence of the environment has it."""
        is_issued = any(each.environment is self.environment for each in self._licenses_by_key)
        if is_issued or not (self.asked.may_be_unissued_key or self.asked.key_name):
            return False
        products = sorted(self._all_products)[:MOST_PRODUCTS_ASKED]
        name = license_named(self._key_fingerprints[0])
        places = [partition_with(name, each) for each in ("", *products)]
        return bool(self.browser.store.last_received(places, self.browser.now))

    def _api_keys(self) -> Iterator[Hit]:
        """SDK keys. Two requests."""
        asked, found = self.asked, list[ApiKey]()
        if asked.is_api_key:
            whole = self.stores.api_keys.find(hash_of(asked.text, self.stores.keyring))
            is_ours = whole and whole.kind is KeyKind.SDK and not whole.environments.isdisjoint(self.environments)
            found = [whole] if whole and is_ours else []
        else:
            page = self.stores.api_keys.page(KeyKind.SDK, self.environment, MOST_API_KEYS, None)
            found = [each for each in page.items if self._is_meant(each)]
            self._cut.update({HitKind.API_KEY} if page.next else ())
        for each in found:
            (environment,) = each.environments
            state = "" if each.is_active else ", revoked"
            yield Hit(HitKind.API_KEY, each.id, each.name, environment, f"{each.prefix}…{each.last_four}{state}")

    def _is_meant(self, key: ApiKey) -> bool:
        asked = self.asked
        is_ending = asked.ending is not None and asked.ending.casefold() == key.last_four.casefold()
        return key.id == asked.text or is_ending or (not asked.is_masked and begins_words(asked.words, key.name))

    def _actors(self) -> Iterator[Hit]:
        """A user or device that rollup has counted, unless it is forgotten. One request."""
        names = {HitKind.USER: self.asked.user, HitKind.DEVICE: self.asked.device}
        fingerprints = dict(zip(names, self._actor_fingerprints, strict=True))
        told = [each for each in fingerprints.values() if each and each not in self.profiles.forgotten]
        actors = self.ledger.actors([ActorKey(each) for each in told], consistent=False) if told else {}
        for kind, audience in ((HitKind.USER, Audience.ALL_USERS), (HitKind.DEVICE, Audience.DEVICES)):
            actor, name = actors.get(ActorKey(fingerprints[kind] or b"")), names[kind]
            day = _last_day(actor, audience) if actor else None
            if day and name:
                yield Hit(kind, name, name, self.environment, f"Last active on {day:%Y-%m-%d}")

    def _addresses(self) -> Iterator[Hit]:
        """Nothing is read: that no record has it, its records tell."""
        if address := self.asked.address:
            yield Hit(HitKind.IP, address, address, self.environment, "Records from this address, or about it")

    # ── by names

    def _products(self) -> Iterator[Hit]:
        """One request, with those above that name a product."""
        for id_, product in sorted(self._all_products.items(), key=lambda each: each[0] != self.asked.text):
            if id_ == self.asked.text or begins_words(self.asked.words, f"{product.name} {id_}"):
                note = id_ if product.is_active else f"{id_}, no longer active"
                yield Hit(HitKind.PRODUCT, id_, product.name, self.environment, note)

    def _customers(self) -> Iterator[Hit]:
        """Five requests at most."""
        by_id = self.stores.customers.many([self.asked.text]) if self.asked.may_be_id else {}
        for id_, customer in by_id.items():
            yield Hit(HitKind.CUSTOMER, id_, customer.name, self.environment, id_)
        self._cut.update({HitKind.CUSTOMER} if self._named_customers.is_cut else ())
        names = {id_: name for id_, name in self._named_customers.names.items() if id_ not in by_id}
        for id_, name in sorted(names.items(), key=lambda each: (words_of(each[1]), each[0])):
            yield Hit(HitKind.CUSTOMER, id_, name, self.environment, id_)
        if not by_id and not names and self.asked.may_be_id and self._is_named_by_licenses(self.asked.text):
            yield Hit(
                HitKind.CUSTOMER, self.asked.text, self.asked.text, self.environment, "Not registered, but has licences"
            )

    def _is_named_by_licenses(self, customer_id: str) -> bool:
        """An import may name a customer whom nobody registered."""
        found = self.stores.licenses.page(LicenseFilter(self.environment, customer_id=customer_id), self.browser.now, 1)
        return bool(found.items)

    def _profiles(self) -> Iterator[Hit]:
        """Five requests for each product with profiles."""
        products = [each for _, each in sorted(self._all_products.items()) if each.profiles]
        by_id = fingerprint_of(self.asked.text)
        fingerprints = {each for each in (*self._actor_fingerprints, by_id) if each}

        def of(product: Product) -> list[Hit]:
            known = self.profiles.developers(product.id, fingerprints)
            developers = {each: profile.name for each, profile in known.items()}
            companies, named = self.profiles.named(product.id, self.asked.text)
            developers |= {each: name for each, name in named if each not in developers}
            return [
                *(self._profile(HitKind.DEVELOPER, id_of(each), name, product) for each, name in developers.items()),
                *(self._profile(HitKind.COMPANY, each.id, each.name, product) for each in companies),
            ]

        if len(products) > MOST_PRODUCTS_WITH_PROFILES:
            self._cut.update({HitKind.DEVELOPER, HitKind.COMPANY})
        for hits in side_by_side(of, products[:MOST_PRODUCTS_WITH_PROFILES]):
            yield from hits

    def _profile(self, kind: HitKind, id_: str, name: str | None, product: Product) -> Hit:
        return Hit(kind, id_, name or "Not known by name", self.environment, product.name, product.id)

    # ── what several of them need

    @property
    def _here_first(self) -> list[Environment]:
        return sorted(self.environments, key=lambda each: (each is not self.environment, each))

    @cached_property
    def _all_products(self) -> Mapping[str, Product]:
        return self.stores.products.all()

    def _product_name(self, id_: str) -> str:
        return self._all_products[id_].name if id_ in self._all_products else id_

    @cached_property
    def _named_customers(self) -> Named:
        return self.stores.customers.named(self.asked.words)

    @cached_property
    def _key_fingerprints(self) -> list[bytes]:
        keyring = self.stores.keyring
        by_name = [self.asked.key_name] if self.asked.key_name else []
        return [*by_name, *(keyring.fingerprint(Identity.LICENSE, each) for each in self.asked.license_keys)]

    @property
    def _actor_fingerprints(self) -> tuple[bytes | None, bytes | None]:
        """As a user, as a device."""
        keyring = self.stores.keyring
        return (
            keyring.fingerprint_if(Identity.USER, self.asked.user),
            keyring.fingerprint_if(Identity.DEVICE, self.asked.device),
        )


def _last_day(actor: Actor, audience: Audience) -> date | None:
    days = [max(days) for place, days in actor.history.items() if place.audience is audience and days]
    return date.fromordinal(max(days)) if days else None
