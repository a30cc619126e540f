"""The vendor's overrides of attribution: one setting of the whole deployment, in the registry."""

from dataclasses import dataclass, replace

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from telemetry.domain.errors import ChangedMeanwhile
from telemetry.domain.instant import from_milliseconds, to_milliseconds
from telemetry.domain.overrides import UNSAID_VERSION, Overrides, VersionedOverrides
from telemetry.domain.staff import AuditEntry
from telemetry.storage.changes import Write, commit
from telemetry.storage.errors import store
from telemetry.storage.tables import KeyedItem, bind, found_item

_EVERYWHERE = "settings#*"
_COMPANIES = "companies"


class OverridesItem(KeyedItem):
    """What was said. `overrides` is as `Overrides.to_json` has it, `changed_at` in epoch milliseconds."""

    pk = UnicodeAttribute(hash_key=True, default=_EVERYWHERE)
    sk = UnicodeAttribute(range_key=True, default=_COMPANIES)
    overrides = JSONAttribute()
    version = NumberAttribute()
    changed_at = NumberAttribute()
    changed_by = UnicodeAttribute()


@store("overrides")
@dataclass(frozen=True, slots=True)
class OverridesStore:
    """The overrides in the registry table, empty where nobody has said anything. Raises StoreUnavailable."""

    table: str

    def get(self) -> VersionedOverrides:
        """The overrides as they are now, strongly consistent."""
        item = found_item(bind(OverridesItem, self.table), _EVERYWHERE, _COMPANIES)
        return _versioned(item) if item else VersionedOverrides()

    def change(self, overrides: VersionedOverrides, entry: AuditEntry) -> VersionedOverrides:
        """Stores overrides that were read at this version; gives them with the next. Raises ChangedMeanwhile."""
        changed = replace(overrides, version=overrides.version + 1)
        item = bind(OverridesItem, self.table)(
            overrides=changed.overrides.to_json(),
            version=changed.version,
            changed_at=to_milliseconds(entry.author.at),
            changed_by=entry.author.key_id,
        )
        unchanged = (
            OverridesItem.pk.does_not_exist()
            if overrides.version == UNSAID_VERSION
            else OverridesItem.version == overrides.version
        )
        if not commit(self.table, [Write(item, unchanged)], entry):
            raise ChangedMeanwhile("company overrides")
        return _versioned(item)


def _versioned(item: OverridesItem) -> VersionedOverrides:
    return VersionedOverrides(
        overrides=Overrides.from_json(item.overrides),
        version=int(item.version),
        changed_at=from_milliseconds(item.changed_at),
        changed_by=item.changed_by,
    )
