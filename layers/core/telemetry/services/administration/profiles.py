"""Developers forgotten, and told apart; days attributed anew. Each in one environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from telemetry.domain.environment import Environment
from telemetry.domain.errors import InvalidField, NotFound
from telemetry.domain.profiles.closing import Current, Range, View
from telemetry.domain.retention import oldest_day
from telemetry.domain.staff import AuditEntry, Staff
from telemetry.services.administration import stores as registry_stores
from telemetry.services.administration.stores import audited_facts
from telemetry.services.profiles.forget import forget_everywhere
from telemetry.services.profiles.stores import ProfileStores
from telemetry.services.profiles.views import begin_anew, show_again
from telemetry.storage.changes import Logged
from telemetry.storage.profiles.forgotten import ForgottenStore
from telemetry.storage.profiles.keys import fingerprint_of


@dataclass(frozen=True, slots=True)
class Profiles:
    """What is kept of developers and companies in an environment. `registry` is the table with the audit log."""

    environment: Environment
    stores: ProfileStores
    forgotten: ForgottenStore
    registry: str

    def forget(self, staff: Staff, id_: str, registry: registry_stores.Stores) -> None:
        """Notes that a user or device is forgotten, then takes its names away. Asked again, it does what is left."""
        fingerprint = fingerprint_of(id_)
        self.forgotten.add(fingerprint, self._entry(staff, "developer.forget", id_))
        forget_everywhere(self.stores, sorted(registry.products.all()), fingerprint)

    def unlink(self, staff: Staff, product: str, id_: str, other: str) -> None:
        """Says that two are not the same person. Raises NotFound for those of whom nothing is kept, InvalidField."""
        logged = self._of_link(staff, "unlink", product, id_, other)
        for each in (id_, other):
            known = self.stores.people.developer(0, product, fingerprint_of(each), consistent=True)
            if known.profile is None and not known.users.users:
                raise NotFound(f"developer {each} of {product}")
        self.stores.people.unlink(product, fingerprint_of(id_), fingerprint_of(other), logged)

    def link_again(self, staff: Staff, product: str, id_: str, other: str) -> None:
        """Takes it back, if it was said. Raises InvalidField."""
        logged = self._of_link(staff, "link", product, id_, other)
        self.stores.people.link_again(product, fingerprint_of(id_), fingerprint_of(other), logged)

    def views(self, product: str) -> tuple[Current, list[View]]:
        """Which view is shown, and all there are, by number."""
        current, views = self.stores.views.current(product), self.stores.views.views(product, consistent=True)
        return current, [views[number] for number in sorted(views)]

    def attribute_anew(self, staff: Staff, product: str, days: Range, registry: registry_stores.Stores) -> View:
        """Begins a view, which closing makes and shows.

        Raises InvalidField for a product without profiles and for days of which none is closed, NotFound before any is,
        ActionNotAllowed while a view is under way.
        """
        if not registry.products.get(product).profiles:
            raise InvalidField("product", "Keeps no profiles")
        after = {"product": product, "first_day": days.first.isoformat(), "last_day": days.last.isoformat()}
        logged = self._logged(self._entry(staff, "attribution.begin", product, after=after))
        return begin_anew(self.stores.views, product, days, staff.now, logged)

    def show(self, staff: Staff, product: str, view: int, registry: registry_stores.Stores) -> None:
        """Shows a view that was shown before. Raises NotFound, ActionNotAllowed, ChangedMeanwhile."""
        shown = self.stores.views.current(product).view
        entry = self._entry(staff, "attribution.show", product, before={"view": shown}, after={"view": view})
        oldest = oldest_day(staff.now, registry.retention.get(self.environment).days)
        show_again(self.stores.views, product, view, oldest, self._logged(entry))

    def _of_link(self, staff: Staff, action: str, product: str, id_: str, other: str) -> Logged:
        if id_ == other:
            raise InvalidField("other_id", "Must be another one")
        return self._logged(self._entry(staff, f"developer.{action}", id_, after={"product": product, "other": other}))

    def _entry(
        self,
        staff: Staff,
        action: str,
        entity: str,
        before: Mapping[str, object] = MappingProxyType({}),
        after: Mapping[str, object] = MappingProxyType({}),
    ) -> AuditEntry:
        return audited_facts(staff, action, entity, before, after, self.environment)

    def _logged(self, entry: AuditEntry) -> Logged:
        return Logged(entry, self.registry)
