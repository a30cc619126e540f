"""`python -m local run`, `key`, `records`, `import`, `verify`: see README."""

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from local import imports, keys, records, service, verify
from local.cloudformation import TemplateError
from local.engine import EngineError
from local.imports import UnreadableFile
from local.service import PortTaken
from local.state import StateError
from telemetry.domain.errors import TelemetryError

_HIGHEST_PORT = 65_535


def main() -> int:
    """Runs one command; what the user can mend is a message, not a traceback."""
    parser = _Parser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="serve everything on one machine")
    run.add_argument("--port", type=_port, default=8000, help="0 takes a free one")
    run.add_argument("--no-demo", action="store_true", help="on a fresh state make keys only")
    key = commands.add_parser("key", help="make an API key")
    keys.add_arguments(key)
    stored = commands.add_parser("records", help="print and count stored events")
    records.add_arguments(stored)
    imported = commands.add_parser("import", help="import licences and activations")
    imports.add_arguments(imported)
    verified = commands.add_parser("verify", help="recompute closed days from their records")
    verify.add_arguments(verified)
    for command in (run, key, stored, imported, verified):
        command.add_argument("--state", type=_folder, default=".local", help="folder of the data (%(default)s)")
    arguments = parser.parse_args()
    try:
        if arguments.command == "run":
            return service.run(arguments.port, Path(arguments.state), history=not arguments.no_demo)
        commands_by_name = {"key": keys.run, "records": records.run, "import": imports.run, "verify": verify.run}
        return commands_by_name[arguments.command](arguments)
    except BrokenPipeError:
        # the reader, `head` for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (EngineError, OSError, PortTaken, StateError, TelemetryError, TemplateError, UnreadableFile) as exc:
        print(exc, file=sys.stderr)
        return 1


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line: what is wrong; `--help` has the rest."""
        self.exit(2, f"{self.prog}: {message}\n")


def _folder(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("it names no folder")
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= _HIGHEST_PORT):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no port: choose one from 1 to {_HIGHEST_PORT}, or 0 for a free one"
        )
    return int(text)
