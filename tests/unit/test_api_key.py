from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from telemetry.domain.api_key import ApiKey, Capability, KeyKind, Role, grant, grant_staff
from telemetry.domain.environment import Environment
from telemetry.domain.errors import AddressNotAllowed, Forbidden

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PRODUCTION = frozenset({Environment.PRODUCTION})


def key(*networks: str, kind: KeyKind = KeyKind.SDK) -> ApiKey:
    return ApiKey(
        "k1", kind, "x", "tk_", "abcd", PRODUCTION, frozenset(Capability), Role.ADMIN, allowed_networks=networks
    )


@pytest.mark.parametrize(
    ("network", "source_ip", "is_allowed"),
    [
        ("192.0.2.0/24", "192.0.2.1", True),
        ("192.0.2.0/24", "::ffff:192.0.2.1", True),
        ("192.0.2.0/24", "::ffff:c000:0201", True),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("::ffff:192.0.2.0/120", "192.0.2.1", True),
        ("::ffff:192.0.2.0/120", "::ffff:192.0.2.1", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8::/32", "2001:db8::1", True),
        ("fe80::/64", "fe80::1%eth0", True),
        ("192.0.2.0/24", "::ffff:198.51.100.1", False),
        ("192.0.2.0/24", "2001:db8::1", False),
        ("::ffff:192.0.2.0/120", "198.51.100.1", False),
        ("::/0", "192.0.2.1", False),
        ("192.0.2.0/24", "::192.0.2.1", False),  # another form, long out of use: no IPv4 caller comes with it
        *(("0.0.0.0/0", text, False) for text in ("", "unknown", "192.0.2.1, 192.0.2.2", "192.0.2.1:80", "\ud800")),
    ],
)
def test_keys_are_bound_to_networks_however_the_address_is_written(
    network: str,
    source_ip: str,
    is_allowed: bool,  # noqa: FBT001
) -> None:
    def asked() -> None:
        grant(key(network), Capability.INGEST, None, source_ip, NOW)
        grant_staff(key(network, kind=KeyKind.STAFF), Role.VIEWER, None, source_ip, NOW)

    if is_allowed:
        asked()
    else:
        with pytest.raises(AddressNotAllowed):
            asked()


def test_a_refusal_tells_what_the_key_is_and_logs_its_id() -> None:
    staff, sdk = key(kind=KeyKind.STAFF), replace(key(), capabilities=frozenset({Capability.READ}))
    asked: dict[str, Callable[[], object]] = {
        "This needs a staff key with the role super_admin; yours is admin.": lambda: grant_staff(
            staff, Role.SUPER_ADMIN, None, "192.0.2.1", NOW
        ),
        "The API key opens these environments: production.": lambda: grant_staff(
            staff, Role.VIEWER, "prod", "192.0.2.1", NOW
        ),
        "This needs an SDK key with the capability ingest.": lambda: grant(
            sdk, Capability.INGEST, None, "192.0.2.1", NOW
        ),
        "The API key opens production only.": lambda: grant(sdk, Capability.READ, "staging", "192.0.2.1", NOW),
        "The API key works from its allowed networks only.": lambda: grant(
            key("198.51.100.0/24"), Capability.READ, None, "192.0.2.1", NOW
        ),
    }
    for told, ask in asked.items():
        with pytest.raises(Forbidden) as refused:
            ask()
        assert (refused.value.told, str(refused.value)) == (told, "k1")
