"""Forgets how a developer is called. That somebody was there stays, for it was counted."""

from collections.abc import Sequence
from contextlib import suppress

from telemetry.domain.active_users import Outdated
from telemetry.services.profiles.stores import ProfileStores
from telemetry.storage.profiles.tenures import TenureKey
from telemetry.storage.side_by_side import side_by_side


def forget_everywhere(stores: ProfileStores, products: Sequence[str], fingerprint: bytes) -> None:
    """In all of these products; what has been done already is not done again."""
    side_by_side(lambda product: forget_names(stores, product, fingerprint), products)


def forget_names(stores: ProfileStores, product: str, fingerprint: bytes) -> None:
    """In all views of a product. The profile comes last: it knows which devices know the developer."""
    for view in stores.views.views(product, consistent=True):
        known = stores.people.developer(view, product, fingerprint, consistent=True)
        for company in known.companies:
            stores.tenures.forget(view, product, TenureKey(company, fingerprint))
    _forget_profile(stores, product, fingerprint)


def _forget_profile(stores: ProfileStores, product: str, fingerprint: bytes) -> None:
    while profile := stores.people.profiles(product, [fingerprint]).get(fingerprint):
        for device in profile.devices:
            _forget_user(stores, product, device, fingerprint)
        if profile == profile.forgotten():
            return
        with suppress(Outdated):
            stores.people.put_profile(product, fingerprint, profile.forgotten())
            return


def _forget_user(stores: ProfileStores, product: str, device: bytes, user: bytes) -> None:
    while user in (known := stores.people.users(product, [device])[device]).users:
        with suppress(Outdated):
            stores.people.put_users(product, device, known.without(user))
