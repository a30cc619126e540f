"""Which deployment a command works on: the local state, or a stack on AWS."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.engine import damage, use
from local.errors import CommandError
from local.state import DATABASE_FILE, SECRET_FILE, attached
from local.template import read_template
from telemetry.domain.errors import StoreUnavailable
from telemetry.storage.errors import is_fault


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that name a stack."""
    parser.add_argument("--stack", help="a deployed stack's name, instead of the local state")
    parser.add_argument(
        "--secret-parameter",
        default=read_template().function("ingest").environment["SECRET_PARAMETER"],
        help="the stack's SecretParameter (%(default)s)",
    )


@contextmanager
def reached(arguments: argparse.Namespace) -> Iterator[str]:
    """The stack's name, with the environment set so that AWS clients and the keyring are its own."""
    if arguments.stack:
        os.environ["SECRET_PARAMETER"] = arguments.secret_parameter
        with _told(arguments.stack):
            yield arguments.stack
    else:
        with reached_locally(Path(arguments.state)) as stack:
            yield stack


@contextmanager
def _told(stack: str) -> Iterator[None]:
    """Ends the command in one line where AWS refuses: most often there are no credentials, or they are another's."""
    try:
        yield
    except Exception as exc:
        if not is_fault(exc):
            raise
        reason = str(exc).removesuffix(".")
        raise CommandError(
            f"the stack {stack} cannot be reached: {reason}. Credentials (AWS_PROFILE), region (AWS_DEFAULT_REGION) "
            "and the stack's name must be those of the deployment."
        ) from exc


@contextmanager
def reached_locally(folder: Path) -> Iterator[str]:
    """The name of the stack of which this is the state, with the environment set likewise."""
    with attached(folder) as endpoint:
        use(endpoint)
        os.environ["SECRET_FILE"] = str(folder / SECRET_FILE)
        try:
            yield read_template().stack
        except StoreUnavailable as exc:
            if damaged := damage(folder / DATABASE_FILE):
                raise CommandError(damaged) from exc
            raise
