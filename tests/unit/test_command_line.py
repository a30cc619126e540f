"""What users can mend is one line on standard error and an exit code, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.command_line import main
from local.state import FORMAT
from tests.lambdas import ROOT

SECRET = "5e" * 32


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that has been in use."""
    monkeypatch.setattr(os, "umask", lambda _: 0o022)  # of all tests
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "dynamodb.sqlite").touch()
    (folder / "secret").write_text(SECRET)
    (folder / "format").write_text(f"{FORMAT}\n")
    return folder


def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code and the line."""
    monkeypatch.setattr(sys, "argv", ["local", *arguments])
    try:
        code = main()
    except SystemExit as exc:
        code = int(exc.code or 0)
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    return code, line


@pytest.mark.parametrize("port", ["80000", "65536", "abc", "-1", "", " ", "8000x", "1e3", "٣", "0x50", "9" * 5_000])
def test_a_port_is_a_port(
    port: str, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, line = told(monkeypatch, capsys, "run", "--port", port, "--state", str(state))
    assert code == 2
    assert line.startswith("python -m local run: argument --port: ")


@pytest.mark.parametrize(
    "content", [b"", b"5e" * 31, b"5e" * 33, b"5e" * 31 + b"zz", b"\xff" * 64, SECRET.encode("utf-16"), b"5" * 63]
)
@pytest.mark.parametrize("command", [("run", "--port", "0"), ("records",)])
def test_a_damaged_secret(
    content: bytes,
    command: tuple[str, ...],
    state: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (state / "secret").write_bytes(content)
    code, line = told(monkeypatch, capsys, *command, "--state", str(state))
    hint = "it has to hold 64 hexadecimal digits, and the data is of no use without them; put it back"
    assert (code, line) == (1, f"{state}/secret is damaged: {hint}\n")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff", b"{}x", b'{"a": 5}', b'{"a": ""}', b'{"a": "x"}', b"[" * 100_000]
)
def test_damaged_positions(
    content: bytes, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (state / "stream-positions.json").write_bytes(content)
    code, line = told(monkeypatch, capsys, "run", "--port", "0", "--state", str(state))
    assert (code, line) == (1, f"{state}/stream-positions.json is damaged: remove it, and start again\n")


@pytest.mark.parametrize("name", ["secret", "stream-positions.json"])
def test_a_folder_in_place_of_a_file(
    name: str, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (state / name).unlink(missing_ok=True)
    (state / name).mkdir()
    code, line = told(monkeypatch, capsys, "run", "--port", "0", "--state", str(state))
    assert (code, line) == (1, f"cannot read {state}/{name}: Is a directory\n")


@pytest.mark.parametrize(
    ("folder", "line"),
    [
        ("{}/secret", "cannot use {}/secret: it is no folder; choose another STATE=\n"),
        ("{}/secret/x", "cannot use {}/secret/x: Not a directory; choose another STATE=\n"),
        ("/proc/self/new", "cannot use /proc/self/new: No such file or directory; choose another STATE=\n"),
        (
            "/sys",
            "cannot use /sys: it holds 'block' and no format, so it is no state folder; choose another STATE=\n",
        ),
        ("", "python -m local run: argument --state: it names no folder\n"),
    ],
)
def test_a_folder_that_cannot_be_used(
    folder: str, line: str, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = told(monkeypatch, capsys, "run", "--port", "0", "--state", folder.format(state))
    assert code > 0
    assert printed == line.format(state)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_damaged_demo_keys(
    content: bytes, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (state / "demo-keys.json").write_bytes(content)
    code, line = told(monkeypatch, capsys, "run", "--port", "0", "--state", str(state))
    assert (code, line) == (1, f"{state}/demo-keys.json is damaged: remove it, and start again\n")


@pytest.mark.parametrize("content", [b"", b"x", b"3.0", b"\xff", "²".encode(), b"-3"])
@pytest.mark.parametrize("command", [("run", "--port", "0"), ("records",)])
def test_a_damaged_format(
    content: bytes,
    command: tuple[str, ...],
    state: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (state / "format").write_bytes(content)
    code, line = told(monkeypatch, capsys, *command, "--state", str(state))
    hint = f"it has to hold the number of a format, {FORMAT} is this version's"
    assert (code, line) == (1, f"{state}/format is damaged: {hint}\n")


ENVIRONMENTS = "production, staging, development"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            "records --environment nope",
            f"python -m local records: argument --environment: 'nope' is none of {ENVIRONMENTS}",
        ),
        ("records --day 3.11.", "python -m local records: argument --day: '3.11.' is no day: write it as 2026-11-03"),
        (
            "verify --environment nope",
            f"python -m local verify: argument --environment: 'nope' is none of {ENVIRONMENTS}",
        ),
        ("verify --day nope", "python -m local verify: argument --day: 'nope' is no day: write it as 2026-11-03"),
        ("verify --shards nope", "Not a shard plan: 'nope'; expected like '8' or '8 2027-01-01:16'"),
        (
            "import --environment nope x.csv",
            f"python -m local import: argument --environment: 'nope' is none of {ENVIRONMENTS}",
        ),
        (
            "key sdk --environment nope --capability ingest",
            f"python -m local key sdk: argument --environment: 'nope' is none of {ENVIRONMENTS}",
        ),
        (
            "key sdk --environment staging --capability nope",
            "python -m local key sdk: argument --capability: 'nope' is none of ingest, read, report",
        ),
        (
            "key staff --environment staging --role nope",
            "python -m local key staff: argument --role: 'nope' is none of viewer, admin, super_admin",
        ),
    ],
)
def test_what_is_not_to_choose_from(
    words: str, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = told(monkeypatch, capsys, *words.split())
    assert code > 0
    assert printed == f"{line}\n"


def test_a_command_there_is_not(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, line = told(monkeypatch, capsys, "nope")
    assert code == 2
    assert all(name in line for name in ("run", "key", "records", "import", "verify"))


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        ("", "usage: python -m local [-h] {run,key,records,import,verify} ..."),
        ("key", "{sdk,staff}"),
        ("records --colour red", "[--product PRODUCT]"),
        ("key staff --colour red --environment staging --role admin", "[--name NAME]"),
        ("run --stack telemetry", "[--port PORT]"),
    ],
)
def test_what_may_be_said_instead(
    words: str, allowed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, line = told(monkeypatch, capsys, *words.split())
    assert code == 2
    assert allowed in line


def test_make_is_not_needed() -> None:
    """It sets PYTHONPATH; who types the command need not."""
    done = subprocess.run(
        [sys.executable, "-m", "local", "records", "--help"],
        cwd=ROOT, env={}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_damaged_database(state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (state / "dynamodb.sqlite").write_bytes(b"x" * 5_000)
    code, line = told(monkeypatch, capsys, "records", "--state", str(state))
    assert code == 1
    assert line.startswith(f"the local DynamoDB did not start on {state}/dynamodb.sqlite: is that file damaged?")


@pytest.mark.parametrize(
    "command",
    [
        ("key", "sdk", "--environment", "staging", "--capability", "ingest"),
        ("verify",),
        ("records",),
        ("import", "--environment", "production", "licenses.csv"),
    ],
)
@pytest.mark.parametrize("region", [{}, pytest.param({"AWS_DEFAULT_REGION": "eu-central-1"}, marks=pytest.mark.slow)])
def test_a_stack_without_credentials(command: tuple[str, ...], region: dict[str, str], tmp_path: Path) -> None:
    """In a process of its own: clients are made once, with what the process was started with."""
    (tmp_path / "licenses.csv").write_text("license_key\n")  # looked at first
    machine = {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "AWS_EC2_METADATA_DISABLED": "true", **region}
    name, *arguments = command
    done = subprocess.run(
        [sys.executable, "-m", "local", name, "--stack", "elsewhere", *arguments],
        cwd=tmp_path,
        env={**machine, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("the stack elsewhere cannot be reached: ")
    assert "AWS_DEFAULT_REGION" in done.stderr
