"""`python -m local run`, `key`, `records`, `import`, `verify`: see docs/operations.md."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from local.errors import CommandError
from telemetry.domain.errors import TelemetryError

_COMMANDS = {
    "run": ("local.service", "serve everything on one machine"),
    "key": ("local.keys", "make an API key"),
    "records": ("local.records", "print and count stored events"),
    "import": ("local.imports", "import licences and activations"),
    "verify": ("local.verify", "recompute closed days from their records"),
}
"""By name: the module with `add_arguments` and `run`, and what it does."""

_UNKNOWN = "unrecognized arguments"
_OF_USAGE = (_UNKNOWN, "the following arguments are required")
"""How argparse begins what is best told with all that may be said."""


def main() -> int:
    """Runs one command; what the user can mend is a message, not a traceback."""
    try:
        arguments = _read(sys.argv[1:])
        return int(import_module(_COMMANDS[arguments.command][0]).run(arguments))
    except BrokenPipeError:
        # the reader, `head` for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (CommandError, OSError, TelemetryError) as exc:
        print(exc, file=sys.stderr)
        return 1


def _read(words: Sequence[str]) -> argparse.Namespace:
    """Imports the one command that is meant: the others are not to make `run` slower to start."""
    parser = _Parser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (module, purpose) in _COMMANDS.items():
        command = commands.add_parser(name, help=purpose)
        if name in words[:1]:
            import_module(module).add_arguments(command)
            command.add_argument("--state", type=_folder, default=".local", help="folder of the data (%(default)s)")
    arguments, surplus = parser.parse_known_args(words)
    if surplus:
        arguments.parser.error(f"{_UNKNOWN}: {' '.join(surplus)}")
    return arguments


class _Parser(argparse.ArgumentParser):
    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (argparse's own)
        super().__init__(*args, **kwargs)
        self.set_defaults(parser=self)  # the innermost one reads the rest, and knows what it takes

    def error(self, message: str) -> NoReturn:
        """One line: what is wrong, and what may be said where nothing was that fits; `--help` has the rest."""
        if message.startswith(_OF_USAGE):
            message = f"{message}; {' '.join(self.format_usage().split())}"
        self.exit(2, f"{self.prog}: {message}\n")


def _folder(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("it names no folder")
    return text
