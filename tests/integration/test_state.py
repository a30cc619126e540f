import re
import stat
import threading
import time
from pathlib import Path

import pytest

from local import deployments
from local.engine import Engine, create_tables, damage, dynamodb
from local.errors import CommandError
from local.service import complain_of, network_file
from local.state import FORMAT, State, StateError, StateInUse, attached
from local.template import read_template
from telemetry.domain.errors import StoreUnavailable


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "state"
    with State.hold(folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        with pytest.raises(StateError, match="another instance is using"):
            State.hold(folder, patience=0.1)
    with State.hold(folder, patience=0):
        pass


def test_waits_for_a_dying_predecessor(tmp_path: Path) -> None:
    first = State.hold(tmp_path)
    threading.Timer(0.3, first.__exit__).start()
    with State.hold(tmp_path, patience=5):
        pass


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match=r"cannot use .*: it is no folder; choose another STATE="):
        State.hold(tmp_path / "file")
    with pytest.raises(StateError, match="cannot use /proc/self: "):
        State.hold(Path("/proc/self"))  # nobody may make a file there


def test_makes_the_secret_once_for_this_user_alone(tmp_path: Path) -> None:
    with State.hold(tmp_path) as state:
        secret = state.secret()
        assert len(secret) == 32
        assert state.secret() == secret
        assert stat.S_IMODE(state.secret_file.stat().st_mode) == 0o600
        state.database.touch()
        state.secret_file.unlink()
        with pytest.raises(StateError, match="is lost"):
            state.secret()


def test_functions_get_the_network_file_that_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETWORK_FILE", raising=False)
    with State.hold(tmp_path) as state:
        assert network_file(state) == {}
        monkeypatch.setenv("NETWORK_FILE", "/mine.mmdb")
        assert network_file(state) == {"NETWORK_FILE": "/mine.mmdb"}
        state.network_file.touch()
        assert network_file(state) == {"NETWORK_FILE": "/mine.mmdb"}
        monkeypatch.setenv("NETWORK_FILE", "")
        assert network_file(state) == {"NETWORK_FILE": str(tmp_path / "networks.mmdb")}


def test_forgets_a_first_loading_that_was_interrupted(tmp_path: Path) -> None:
    with State.hold(tmp_path) as state:
        secret = state.secret()
        state.begin_loading()
        state.database.touch()
        (tmp_path / "dynamodb.sqlite-wal").touch()
        state.positions.touch()
        state.network_file.touch()
        assert state.discard_unfinished()
        assert not state.database.exists()
        assert not (tmp_path / "dynamodb.sqlite-wal").exists()
        assert not state.positions.exists()
        assert not state.network_file.exists()
        assert state.secret() == secret

        state.begin_loading()
        state.database.touch()
        state.end_loading()
        assert not state.discard_unfinished()
        assert state.database.exists()


def test_a_first_loading_is_waited_for(tmp_path: Path) -> None:
    with State.hold(tmp_path) as state:
        state.begin_loading()
        state.database.touch()
        with pytest.raises(StateError, match="is not loaded yet: start the service"), attached(tmp_path):
            pass
    with pytest.raises(StateError, match="is not loaded yet"), attached(tmp_path):
        pass  # it was interrupted, and will begin again


def test_attaches_to_what_runs_or_starts_an_engine(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="holds no data yet"), attached(tmp_path):
        pass
    with State.hold(tmp_path) as state, Engine.start(state.database, [state.lock]) as engine:
        create_tables(dynamodb(engine.endpoint), read_template().tables)
        state.announce(engine.endpoint)
        with pytest.raises(StateError, match=r"cannot read .*secret: No such file"), attached(tmp_path):
            pass
        state.secret_file.write_text("5e" * 32)
        with attached(tmp_path) as endpoint:
            assert endpoint == engine.endpoint
    # what a killed instance announced is no longer true
    with attached(tmp_path) as endpoint:
        assert endpoint != engine.endpoint
        assert "telemetry-registry" in dynamodb(endpoint).list_tables()["TableNames"]


def test_does_not_wait_for_an_instance_that_never_answers(tmp_path: Path) -> None:
    with State.hold(tmp_path) as state:
        state.database.touch()
        began = time.monotonic()
        with pytest.raises(StateError, match="another instance"), attached(tmp_path):
            pass
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("written_by", [None, "1", str(FORMAT + 1)])
def test_data_of_another_version_is_left_alone(tmp_path: Path, written_by: str | None) -> None:
    with State.hold(tmp_path) as state:
        state.database.touch()
    with State.hold(tmp_path):
        pass
    file = tmp_path / "format"
    assert file.read_text() == f"{FORMAT}\n"
    file.unlink()
    if written_by:
        file.write_text(written_by)
    for _ in range(2):  # nor does it stay locked
        with pytest.raises(StateError, match="was written by another version: remove the folder, or choose") as error:
            State.hold(tmp_path, patience=0)
        assert not isinstance(error.value, StateInUse)
    with pytest.raises(StateError, match="another version"), attached(tmp_path):
        pass


def test_a_lost_database_is_no_new_beginning(tmp_path: Path) -> None:
    with State.hold(tmp_path) as state:
        state.secret()
        state.begin_loading()
        state.database.touch()
        state.end_loading()
        state.database.unlink()
        with pytest.raises(StateError, match=r"dynamodb.sqlite is lost: put it back, or remove .* to begin anew$"):
            state.secret()
    with pytest.raises(StateError, match="is lost: put it back"), attached(tmp_path):
        pass


def test_a_database_of_an_older_version_is_missed_by_the_keys_of_its_demo(tmp_path: Path) -> None:
    with State.hold(tmp_path) as state:
        state.secret()
        state.demo_keys.write_text("{}")
        with pytest.raises(StateError, match="is lost: put it back"):
            state.secret()


def test_a_start_that_was_cut_off_before_there_was_data_begins_again(tmp_path: Path) -> None:
    with State.hold(tmp_path) as state:
        secret = state.secret()
        assert state.secret() == secret
        state.begin_loading()
        state.demo_keys.write_text("{}")
        (tmp_path / "secret-check").touch()
        assert state.discard_unfinished()
        assert state.secret() == secret


def test_the_secret_of_another_state_is_refused(tmp_path: Path) -> None:
    with State.hold(tmp_path) as state:
        secret = state.secret()
        state.begin_loading()
        state.database.touch()
        state.end_loading()
        assert state.secret() == secret
        assert secret.hex() not in (tmp_path / "secret-check").read_text()
        state.secret_file.write_text("5e" * 32)
        with pytest.raises(StateError, match=r"secret is not the secret that the data in .* was written with"):
            state.secret()
    with pytest.raises(StateError, match="is not the secret"), attached(tmp_path):
        pass


def test_a_state_of_before_learns_its_secret(tmp_path: Path) -> None:
    with State.hold(tmp_path) as state:
        state.secret()
        state.database.touch()
        state.secret()
        state.secret_file.write_text("5e" * 32)
        with pytest.raises(StateError, match="is not the secret"):
            state.secret()


@pytest.mark.parametrize("name", ["thesis.odt", "lost+found", "demo-keys.json"])
def test_nothing_is_written_into_a_folder_of_another_kind(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(StateError, match=rf"holds '{re.escape(name)}' and no format, so it is no state folder"):
        State.hold(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_a_format_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("A4")
    with pytest.raises(StateError, match="format is damaged"):
        State.hold(tmp_path)
    assert (tmp_path / "format").read_text() == "A4"


@pytest.mark.parametrize("name", ["lock", "format.new", "secret"])
def test_a_folder_that_was_only_begun_is_used(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with State.hold(tmp_path):
        assert (tmp_path / "format").read_text() == f"{FORMAT}\n"


def test_a_database_that_is_damaged_inside_is_called_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The engine starts on it, and fails where it comes to the damage."""
    with State.hold(tmp_path) as state:
        state.secret()
        with Engine.start(state.database, [state.lock]) as engine:
            create_tables(dynamodb(engine.endpoint), read_template().tables)
    assert damage(state.database) is None
    report = complain_of(state.database)
    report("rollup failed: ledger: InternalServerError")
    assert capsys.readouterr().err == "rollup failed: ledger: InternalServerError\n"

    size = state.database.stat().st_size
    with state.database.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xa5" * 4096)
    line = f"the database {state.database} is damaged: put a copy of it back, or remove its folder to begin anew"
    assert damage(state.database) == line
    with pytest.raises(CommandError) as told, deployments.reached_locally(tmp_path):
        raise StoreUnavailable("products: InternalServerError")
    assert str(told.value) == line
    report = complain_of(state.database)
    for _ in range(2):
        report("rollup failed: ledger: InternalServerError")
    assert capsys.readouterr().err.count(line) == 1
