"""What the Makefile makes of its variables. Nothing is run: `make -n` prints the commands."""

import shlex
import shutil
import subprocess

import pytest

from tests.lambdas import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is missing")

MADE = (".venv/run.done", "local/node_modules/.done", "functions/dashboard/dist/telemetry.html.gz")
"""What the commands need first; taken as made."""


def made(*words: str) -> "subprocess.CompletedProcess[str]":
    there = [word for path in MADE for word in ("-o", path)]
    return subprocess.run(
        ["make", "-n", *there, *words],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def command(*words: str) -> list[str]:
    """The words of the one command that make would run, from `local` on."""
    done = made(*words)
    assert done.returncode == 0, done.stderr
    line = shlex.split(done.stdout)
    return line[line.index("local") + 1 :]


@pytest.mark.parametrize("target", ["records", "verify"])
def test_any_value_is_one_word(target: str) -> None:
    words = command(target, "STATE=a state", "STACK=my stack", "PRODUCT=Bob's App; true", "DAY=2026-11-03")
    asked = dict(zip(words[1::2], words[2::2], strict=True))
    assert words[0] == target
    assert asked == {
        "--state": "a state", "--stack": "my stack", "--product": "Bob's App; true", "--day": "2026-11-03",
    }  # fmt: skip


def test_a_file_to_import_may_have_any_name() -> None:
    words = command("import", "FILE=-my licences.csv", "ENVIRONMENT=staging", "STACK=s", "SECRET_PARAMETER=/a/b")
    assert words == [
        "import", "--state", ".local", "--stack", "s", "--secret-parameter", "/a/b",
        "--environment", "staging", "--", "-my licences.csv",
    ]  # fmt: skip


def test_the_arguments_of_key_are_words() -> None:
    assert command("key", "ARGS=staff --role viewer") == ["key", "--state", ".local", "staff", "--role", "viewer"]


@pytest.mark.parametrize("demo", [[], ["DEMO=1"], ["DEMO=0"]])
def test_run(demo: list[str]) -> None:
    alone = ["--no-demo"] if demo == ["DEMO=0"] else []
    assert command("run", "PORT=8001", *demo) == ["run", "--port", "8001", "--state", ".local", *alone]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["run", "STACK=telemetry"], "make run serves on this machine alone and takes no STACK="),
        (["run", "DEMO=maybe"], "DEMO=maybe is neither 0 nor 1"),
        (["run", "DEMO="], "DEMO= is neither 0 nor 1"),
        (["import"], "FILE=… and ENVIRONMENT=… are needed"),
        (["import", "FILE=x.csv"], "FILE=… and ENVIRONMENT=… are needed"),
        (["import", "ENVIRONMENT=staging"], "FILE=… and ENVIRONMENT=… are needed"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_before_anything_is_made(words: list[str], reason: str) -> None:
    done = made(*words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"*** {reason}." in done.stderr
