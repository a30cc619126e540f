"""The vendor's overrides of attribution, which are the same in all environments."""

from dataclasses import replace

from telemetry.domain.overrides import Overrides, VersionedOverrides, check_domains
from telemetry.domain.staff import Staff
from telemetry.services.administration.stores import Stores, at_version, audited_facts
from telemetry.storage.domain_lists import domain_lists

EVERYWHERE = "*"
"""What the audit log calls the whole deployment."""


def change_overrides(staff: Staff, overrides: Overrides, version: int, stores: Stores) -> VersionedOverrides:
    """Puts overrides into the place of those that were read at a version. Raises InvalidField, StaleVersion."""
    check_domains(overrides, domain_lists())
    before = stores.overrides.get()
    facts = before.overrides.to_json(), overrides.to_json()
    entry = audited_facts(staff, "company_overrides.change", EVERYWHERE, *facts)
    with at_version(version, before.version, "company overrides"):
        return stores.overrides.change(replace(before, overrides=overrides), entry)
