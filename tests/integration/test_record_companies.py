"""Who is behind a record, as staff see it: by domains, and by addresses where there is a network file."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from telemetry.domain.api_key import Role
from tests.client import Client, bearer
from tests.lambdas import load_function
from tests.worlds.analytics import AnalyticsWorld
from tests.worlds.deployment import Deployment, Mailbox
from tests.worlds.network_files import write_network_file

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
BUSINESS, PROVIDER, UNKNOWN = "81.2.69.160", "89.160.20.112", "8.8.4.4"
FILE = {
    "81.2.69.0/24": {"name": "Globex Ltd", "domain": "globex.co.uk", "type": "business", "country": "GB"},
    "89.160.20.0/24": {"name": "Some Telecom", "domain": "telecom.se", "type": "isp", "asn": "AS64500"},
}
NOBODY = {"kind": "none", "id": None, "name": None, "source": None, "confidence": 0, "country": None}
GLOBEX = {"kind": "company", "id": "globex.co.uk", "source": "address", "confidence": 2, "country": "GB"}

Behind = Callable[[AnalyticsWorld], dict[str, Any]]


@pytest.fixture
def network_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "networks.mmdb"
    write_network_file(path, FILE)
    monkeypatch.setenv("NETWORK_FILE", str(path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return path


@pytest.fixture
def world(deployment: Deployment, mailbox: Mailbox, request: pytest.FixtureRequest) -> AnalyticsWorld:
    if "network_file" in request.fixturenames:
        request.getfixturevalue("network_file")
    return AnalyticsWorld(deployment, mailbox, NOW)


def behind(world: AnalyticsWorld) -> dict[str, Any]:
    """The newest record."""
    row = world.given("records", limit="1")["items"][0]
    told: dict[str, Any] = world.given(f"records/{row['id']}")["company"]
    return told


def test_without_a_file_domains_tell_and_addresses_do_not(world: AnalyticsWorld) -> None:
    for minutes, payload, domain in (
        (9, {"user_id": "ann@sales.globex.co.uk"}, "globex.co.uk"),
        (8, {"count": 7, "domain": "Initech.Example."}, "initech.example"),
        (7, {"user_id": "ann@gmail.com", "ip_addr": BUSINESS}, None),
        (6, {"user_id": "octocat", "ip_addr": BUSINESS}, None),
    ):
        world.use(payload, NOW - timedelta(minutes=minutes))
        known = {"kind": "company", "id": domain, "name": domain, "source": "domain", "confidence": 3, "country": None}
        assert behind(world) == (known if domain else NOBODY) | {"network_file": "none"}


def test_addresses_tell_with_a_file(network_file: Path, world: AnalyticsWorld) -> None:
    del network_file
    usage: list[tuple[dict[str, Any], str]] = [
        ({"ip_addr": BUSINESS}, UNKNOWN),
        ({"ip_addr": f"::ffff:{BUSINESS}"}, UNKNOWN),
        ({"user_id": "ann@hotmail.com", "ip_addr": BUSINESS}, UNKNOWN),
        ({"source": "TELEMETRY"}, BUSINESS),
        ({"count": 3, "ip_addr": BUSINESS}, UNKNOWN),
    ]
    for number, (payload, ip) in enumerate(usage):
        world.use(payload, NOW - timedelta(minutes=30 - number), ip)
        assert behind(world) == GLOBEX | {"name": "Globex Ltd", "network_file": "used"}, payload
    world.keep({"hwid": "d"}, NOW - timedelta(minutes=20), ip=BUSINESS)
    assert behind(world)["id"] == "globex.co.uk"


def test_what_addresses_do_not_tell(network_file: Path, world: AnalyticsWorld) -> None:
    """The vendor's server relays: where it is says nothing. And a provider is no company."""
    del network_file
    for minutes, (payload, ip) in enumerate(
        [({}, BUSINESS), ({"ip_addr": UNKNOWN}, BUSINESS), ({"source": "TELEMETRY"}, "10.0.0.7")]
    ):
        world.use(payload, NOW - timedelta(minutes=30 - minutes), ip)
        assert behind(world) == NOBODY | {"network_file": "used"}, payload
    world.use({"ip_addr": PROVIDER}, NOW - timedelta(minutes=5))
    told = behind(world)
    assert (told["kind"], told["id"], told["source"], told["confidence"]) == ("network", "AS64500", "address", 1)
    world.use({"user_id": "ann@globex.co.uk", "ip_addr": PROVIDER}, NOW - timedelta(minutes=4))
    assert (behind(world)["kind"], behind(world)["source"]) == ("company", "domain")


def test_the_vendors_word_goes_first(network_file: Path, world: AnalyticsWorld) -> None:
    del network_file
    world.use({"user_id": "ann@initech.example"}, NOW - timedelta(minutes=9))
    assert behind(world)["id"] == "initech.example"
    admin = Client(load_function("admin"), bearer(world.keys[Role.ADMIN]))
    said = {"merged": {"initech.example": "globex.co.uk"}, "own_networks": ["81.2.69.0/24"]}
    path = "/api/v1/admin/company-overrides"
    assert admin.request("PUT", path, said, headers={"if-match": admin.get(path).headers["etag"]}).status == 200
    assert behind(world)["id"] == "globex.co.uk"
    world.use({"ip_addr": BUSINESS}, NOW - timedelta(minutes=8))
    told = behind(world)
    assert (told["kind"], told["network_file"]) == ("none", "used")


@pytest.mark.parametrize("wrong", ["missing", "cut off", "no network file", "a folder"])
def test_a_file_that_cannot_be_read_hides_no_record(network_file: Path, world: AnalyticsWorld, wrong: str) -> None:
    content = network_file.read_bytes()
    network_file.unlink()
    if wrong == "a folder":
        network_file.mkdir()
    elif wrong != "missing":
        network_file.write_bytes(content[:-200] if wrong == "cut off" else b"no network file")
    world.use({"ip_addr": BUSINESS}, NOW - timedelta(minutes=9))
    assert behind(world) == NOBODY | {"network_file": "unreadable"}
    world.use({"user_id": "ann@globex.co.uk", "ip_addr": BUSINESS}, NOW - timedelta(minutes=8))
    assert behind(world)["id"] == "globex.co.uk"


def test_damage_in_the_middle_of_a_file_is_nobody(network_file: Path, world: AnalyticsWorld) -> None:
    content = bytearray(network_file.read_bytes())
    content[: len(content) // 3] = bytes(255 for _ in range(len(content) // 3))
    network_file.write_bytes(bytes(content))
    world.use({"ip_addr": BUSINESS}, NOW - timedelta(minutes=9))
    assert behind(world)["kind"] in {"none", "company"}
