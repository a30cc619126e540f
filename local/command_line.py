"""`python -m local run`, `key`, `records`: see README."""

import argparse
import os
import sys
from pathlib import Path

from local import keys, records, service
from local.cloudformation import TemplateError
from local.engine import EngineError
from local.service import PortTaken
from local.state import StateError
from telemetry.domain.errors import TelemetryError


def main() -> int:
    """Runs one command; what the user can mend is a message, not a traceback."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="serve everything on one machine")
    run.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    run.add_argument("--no-demo", action="store_true", help="on a fresh state make keys only")
    key = commands.add_parser("key", help="make an API key")
    keys.add_arguments(key)
    stored = commands.add_parser("records", help="print and count stored events")
    records.add_arguments(stored)
    for command in (run, key, stored):
        command.add_argument("--state", default=".local", help="folder of the data (%(default)s)")
    arguments = parser.parse_args()
    try:
        if arguments.command == "run":
            return service.run(arguments.port, Path(arguments.state), history=not arguments.no_demo)
        return keys.run(arguments) if arguments.command == "key" else records.run(arguments)
    except (EngineError, PortTaken, StateError, TelemetryError, TemplateError) as exc:
        print(exc, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # the reader, `head` for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
