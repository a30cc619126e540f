"""Where the deployment secret comes from: SSM in AWS, a key file on a laptop. Never an environment variable."""

from functools import cache
from os import environ
from pathlib import Path

from telemetry.domain.errors import ConfigurationError
from telemetry.domain.keyring import Keyring


@cache
def keyring() -> Keyring:
    """The keyring of this deployment, read once per process: SECRET_FILE (a path) or SECRET_PARAMETER (SSM).

    Both hold the secret in hexadecimal. Raises ConfigurationError.
    """
    try:
        return Keyring(bytes.fromhex(_hexadecimal()))
    except ValueError as exc:
        raise ConfigurationError("The deployment secret is not hexadecimal") from exc


def _hexadecimal() -> str:
    if path := environ.get("SECRET_FILE"):
        return Path(path).read_text(encoding="ascii")
    if name := environ.get("SECRET_PARAMETER"):
        # only in AWS, and slow to import: not needed on a laptop
        from aws_lambda_powertools.utilities.parameters import get_parameter  # noqa: PLC0415

        return str(get_parameter(name, decrypt=True))
    raise ConfigurationError("Missing environment variable: SECRET_PARAMETER (or SECRET_FILE)")
