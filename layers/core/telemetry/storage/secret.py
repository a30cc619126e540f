"""Where the deployment secret comes from: SSM in AWS, a key file on a laptop. Never an environment variable."""

from functools import cache
from os import environ
from pathlib import Path
from typing import Any

import boto3

from telemetry.domain.errors import ConfigurationError
from telemetry.domain.keyring import Keyring
from telemetry.storage.errors import storage_errors
from telemetry.storage.tables import in_time, short_config


@cache
def keyring() -> Keyring:
    """The keyring of this deployment, read once per process: SECRET_FILE (a path) or SECRET_PARAMETER (SSM).

    Both hold the secret in hexadecimal. Raises StoreUnavailable while SSM throttles or is silent (the next request asks
    again), botocore's own errors when it denies or has none, ConfigurationError when what there is cannot be one.
    """
    try:
        return Keyring(bytes.fromhex(_hexadecimal()))
    except ValueError as exc:
        raise ConfigurationError("The deployment secret is not hexadecimal") from exc


def _hexadecimal() -> str:
    if path := environ.get("SECRET_FILE"):
        return Path(path).read_text(encoding="ascii")
    if name := environ.get("SECRET_PARAMETER"):
        return _parameter(name)
    raise ConfigurationError("Missing environment variable: SECRET_PARAMETER (or SECRET_FILE)")


@storage_errors("deployment secret")
def _parameter(name: str) -> str:
    client: Any = boto3.client("ssm", config=short_config())  # needed once in the life of a process
    in_time(client)
    return str(client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
