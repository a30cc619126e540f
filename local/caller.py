"""Who works at the command line, as the audit log names them."""

import socket
from datetime import UTC, datetime
from getpass import getuser

from telemetry.domain.api_key import ApiKey, KeyKind, Role
from telemetry.domain.environment import Environment
from telemetry.domain.staff import Author, Staff

COMMAND_LINE = "command line"
"""Stands where the id of a staff key stands for those who come with one."""


def operator(command: str) -> Staff:
    """Whoever can reach the tables without the API may do everything; they are named as their machine names them."""
    now = datetime.now(UTC)
    at = now.replace(microsecond=now.microsecond // 1000 * 1000)  # as it is stored
    key = ApiKey(
        id=COMMAND_LINE,
        kind=KeyKind.STAFF,
        name=f"{_user()}@{socket.gethostname()}",
        prefix="",
        last_four="",
        environments=frozenset(Environment),
        role=Role.SUPER_ADMIN,
    )
    author = Author(key.id, key.name, at, source_ip="", user_agent=f"python -m local {command}", request_id="")
    return Staff(key, key.environments, author)


def _user() -> str:
    """A container may run as a number that has no name."""
    try:
        return getuser()
    except (KeyError, OSError):
        return "nobody known"
