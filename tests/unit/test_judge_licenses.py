"""The truth table of licence flags, written by hand from docs/protocols.md"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from itertools import product as combinations

import pytest

from telemetry.domain.environment import Environment
from telemetry.domain.event import Dialect, Event
from telemetry.domain.flags import Flag
from telemetry.domain.judge import EventProducts, LicenseView, judge
from telemetry.domain.keyring import Keyring
from telemetry.domain.license import License, LicenseState, license_id
from telemetry.domain.product import Product
from telemetry.storage.license_lookup import LicenseLookup

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
KEYRING = Keyring(bytes(32))
HERE, THERE = Environment.PRODUCTION, Environment.STAGING
KEY = "ACME-1234"
INVALID, MISMATCH, REVOKED, BYPASSED = (
    Flag.INVALID_LICENSE, Flag.ENVIRONMENT_MISMATCH, Flag.REVOKED_LICENSE, Flag.BYPASSED_ACTIVATION,
)  # fmt: skip
EXPIRED, SUSPENDED, UNASSIGNED, OTHER = (
    Flag.EXPIRED_LICENSE, Flag.SUSPENDED_LICENSE, Flag.UNASSIGNED_LICENSE, Flag.PRODUCT_MISMATCH,
)  # fmt: skip

LICENSES = (
    "absent", "unknown", "elsewhere", "available", "assigned", "active", "suspended", "expired", "revoked",
    "past its date", "other product",
)  # fmt: skip
ACTIVATIONS = ("active", "inactive", "none", "other device")

# (licence, activation): flags where the product requires a licence, flags where it does not
TABLE: dict[tuple[str, str], tuple[set[Flag], set[Flag]]] = {
    ("absent", "active"): ({INVALID}, set()),
    ("absent", "inactive"): ({INVALID}, set()),
    ("absent", "none"): ({INVALID}, set()),
    ("absent", "other device"): ({INVALID}, set()),
    ("unknown", "active"): ({INVALID}, {INVALID}),
    ("unknown", "inactive"): ({INVALID}, {INVALID}),
    ("unknown", "none"): ({INVALID}, {INVALID}),
    ("unknown", "other device"): ({INVALID}, {INVALID}),
    ("elsewhere", "active"): ({MISMATCH}, {MISMATCH}),
    ("elsewhere", "inactive"): ({MISMATCH}, {MISMATCH}),
    ("elsewhere", "none"): ({MISMATCH}, {MISMATCH}),
    ("elsewhere", "other device"): ({MISMATCH}, {MISMATCH}),
    ("available", "active"): ({UNASSIGNED}, {UNASSIGNED}),
    ("available", "inactive"): ({UNASSIGNED, BYPASSED}, {UNASSIGNED, BYPASSED}),
    ("available", "none"): ({UNASSIGNED, BYPASSED}, {UNASSIGNED, BYPASSED}),
    ("available", "other device"): ({UNASSIGNED, BYPASSED}, {UNASSIGNED, BYPASSED}),
    ("assigned", "active"): (set(), set()),
    ("assigned", "inactive"): ({BYPASSED}, {BYPASSED}),
    ("assigned", "none"): ({BYPASSED}, {BYPASSED}),
    ("assigned", "other device"): ({BYPASSED}, {BYPASSED}),
    ("active", "active"): (set(), set()),
    ("active", "inactive"): ({BYPASSED}, {BYPASSED}),
    ("active", "none"): ({BYPASSED}, {BYPASSED}),
    ("active", "other device"): ({BYPASSED}, {BYPASSED}),
    ("suspended", "active"): ({SUSPENDED}, {SUSPENDED}),
    ("suspended", "inactive"): ({SUSPENDED, BYPASSED}, {SUSPENDED, BYPASSED}),
    ("suspended", "none"): ({SUSPENDED, BYPASSED}, {SUSPENDED, BYPASSED}),
    ("suspended", "other device"): ({SUSPENDED, BYPASSED}, {SUSPENDED, BYPASSED}),
    ("expired", "active"): ({EXPIRED}, {EXPIRED}),
    ("expired", "inactive"): ({EXPIRED, BYPASSED}, {EXPIRED, BYPASSED}),
    ("expired", "none"): ({EXPIRED, BYPASSED}, {EXPIRED, BYPASSED}),
    ("expired", "other device"): ({EXPIRED, BYPASSED}, {EXPIRED, BYPASSED}),
    ("revoked", "active"): ({REVOKED}, {REVOKED}),
    ("revoked", "inactive"): ({REVOKED, BYPASSED}, {REVOKED, BYPASSED}),
    ("revoked", "none"): ({REVOKED, BYPASSED}, {REVOKED, BYPASSED}),
    ("revoked", "other device"): ({REVOKED, BYPASSED}, {REVOKED, BYPASSED}),
    ("past its date", "active"): ({EXPIRED}, {EXPIRED}),
    ("past its date", "inactive"): ({EXPIRED, BYPASSED}, {EXPIRED, BYPASSED}),
    ("past its date", "none"): ({EXPIRED, BYPASSED}, {EXPIRED, BYPASSED}),
    ("past its date", "other device"): ({EXPIRED, BYPASSED}, {EXPIRED, BYPASSED}),
    ("other product", "active"): ({OTHER}, {OTHER}),
    ("other product", "inactive"): ({OTHER, BYPASSED}, {OTHER, BYPASSED}),
    ("other product", "none"): ({OTHER, BYPASSED}, {OTHER, BYPASSED}),
    ("other product", "other device"): ({OTHER, BYPASSED}, {OTHER, BYPASSED}),
}


class FakeLicenses:
    """What the registry would say; `reads` counts the requests."""

    def __init__(self, licenses: Collection[License] = (), active: Collection[tuple[str, str]] = ()) -> None:
        self.licenses = {license_.id: license_ for license_ in licenses}
        self.active = set(active)
        self.reads: list[tuple[int, int]] = []

    def known(
        self, ids: Collection[str], activations: Collection[tuple[str, str]]
    ) -> tuple[dict[str, License], set[tuple[str, str]]]:
        self.reads.append((len(ids), len(activations)))
        return {id_: self.licenses[id_] for id_ in ids if id_ in self.licenses}, self.active & set(activations)


def a_license(case: str) -> License:
    environment = THERE if case == "elsewhere" else HERE
    return License(
        id=license_id(environment, KEY, KEYRING),
        environment=environment,
        fingerprint=b"",
        last_four="1234",
        product_id="other" if case == "other product" else "acme",
        customer_id="c1",
        state=LicenseState(case) if case in set(LicenseState) else LicenseState.ACTIVE,
        expires_at=NOW - timedelta(seconds=1) if case == "past its date" else None,
        activation_limit=0,
        active_activations=1,
        created_at=NOW,
    )


def registry(license_case: str, activation: str) -> FakeLicenses:
    license_ = None if license_case in {"absent", "unknown"} else a_license(license_case)
    active = {"active": ["device-1"], "other device": ["device-2"]}.get(activation, [])
    return FakeLicenses([license_] if license_ else [], [(license_.id, name) for name in active] if license_ else [])


def test_the_table_is_complete() -> None:
    assert set(TABLE) == set(combinations(LICENSES, ACTIVATIONS))


@pytest.mark.parametrize("sent_as", ["hwid", "activation_identifier"])
@pytest.mark.parametrize("requires_license", [True, False])
@pytest.mark.parametrize(("license_case", "activation"), TABLE)
def test_flags(license_case: str, activation: str, requires_license: bool, sent_as: str) -> None:  # noqa: FBT001
    event = Event(
        raw=b"",
        dialect=Dialect.GETKEYMANAGER,
        product_id="acme",
        license_key=None if license_case == "absent" else KEY,
        **{sent_as: "device-1"},  # type: ignore[arg-type]
    )
    lookup = LicenseLookup(registry(license_case, activation), KEYRING)
    (view,) = lookup.views([event], HERE, since=0)
    product = Product("acme", "Acme", requires_license=requires_license)
    verdict = judge(event, view, EventProducts(product), HERE, NOW)
    assert verdict.flags == TABLE[license_case, activation][0 if requires_license else 1]
    assert bool(verdict.evidence) == bool(verdict.flags)


def test_without_any_device_nothing_is_activated() -> None:
    event = Event(raw=b"", dialect=Dialect.GETKEYMANAGER, product_id="acme", license_key=KEY)
    (view,) = LicenseLookup(registry("active", "active"), KEYRING).views([event], HERE, since=0)
    assert judge(event, view, EventProducts(Product("acme", "Acme")), HERE, NOW).flags == {BYPASSED}


def test_nothing_is_said_of_a_licence_while_the_registry_cannot_be_read() -> None:
    event = Event(raw=b"", dialect=Dialect.GETKEYMANAGER, product_id="acme", license_key=KEY, client_flags=("vm",))
    assert judge(event, None, EventProducts(Product("acme", "Acme")), HERE, NOW).flags == {Flag.CLIENT_REPORTED}


def test_evidence_names_what_was_seen_but_nothing_of_another_environment() -> None:
    event = Event(raw=b"", dialect=Dialect.GETKEYMANAGER, product_id="acme", license_key=KEY, hwid="device-1")

    def evidence(license_case: str, activation: str) -> str:
        (view,) = LicenseLookup(registry(license_case, activation), KEYRING).views([event], HERE, since=0)
        return judge(event, view, EventProducts(Product("acme", "Acme")), HERE, NOW).evidence

    assert evidence("elsewhere", "active") == "3;E=elsewhere"
    assert evidence("unknown", "active") == "3;I=unknown"
    assert evidence("revoked", "inactive") == "3;R=revoked;B=inactive"
    assert evidence("past its date", "active") == "3;X=2026-11-21"
    assert evidence("other product", "active") == "3;P=other"


def test_what_is_remembered_is_not_read_again_until_it_is_too_old() -> None:
    now, licenses = [1000.0], registry("active", "active")
    lookup = LicenseLookup(licenses, KEYRING, clock=lambda: now[0])
    event = Event(raw=b"", dialect=Dialect.GETKEYMANAGER, license_key=KEY, hwid="device-1", activation_identifier="x")
    for _ in range(5):
        assert lookup.views([event, event], HERE, since=now[0] - 60)[0].is_activated
    assert licenses.reads == [(3, 2)]  # the licence in three environments, two device ids: one request
    licenses.active.clear()
    now[0] += 59
    assert lookup.views([event], HERE, since=now[0] - 60)[0].is_activated
    assert not lookup.views([event], HERE, since=now[0])[0].is_activated
    assert licenses.reads == [(3, 2)] * 2
    now[0] += 61
    lookup.views([event], HERE, since=now[0] - 60)
    assert licenses.reads == [(3, 2)] * 3


@pytest.mark.slow
def test_random_keys_do_not_fill_the_memory() -> None:
    lookup = LicenseLookup(FakeLicenses(), KEYRING)
    for start in range(0, 60_000, 500):
        keys = [f"random-{number}" for number in range(start, start + 500)]
        events = [Event(raw=b"", dialect=Dialect.GETKEYMANAGER, license_key=key, hwid=key) for key in keys]
        views = lookup.views(events, HERE, since=0)
        assert views == [LicenseView()] * 500
    assert len(lookup._licenses) + len(lookup._activations) <= 40_000
