"""Where the deployment secret comes from: SSM in AWS, a key file on a laptop. Never an environment variable."""

import json
from functools import cache
from http import HTTPStatus
from os import environ
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError, NoRegionError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from telemetry.domain.errors import ConfigurationError, StoreUnavailable
from telemetry.domain.keyring import Keyring
from telemetry.retry import check_time, wait_with_jitter
from telemetry.storage import tables
from telemetry.storage.errors import storage_errors

_ATTEMPTS = 2
"""As many as a client makes (storage.tables.short_config)."""


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
        with storage_errors("deployment secret"):
            return get_parameter(name)
    raise ConfigurationError("Missing environment variable: SECRET_PARAMETER (or SECRET_FILE)")


def get_parameter(name: str) -> str:
    """The value of a parameter of SSM, decrypted. Raises what a client of botocore would raise.

    It is one call in the life of a process: to make a client of SSM for it would take longer than all else at a cold
    start, because the model of that service is one of the largest.
    """
    for failures in range(1, _ATTEMPTS):
        check_time()
        try:
            with storage_errors("deployment secret"):
                return _attempt(name)
        except StoreUnavailable:
            wait_with_jitter(failures)
    check_time()
    return _attempt(name)


def _attempt(name: str) -> str:
    answer = _signed("AmazonSSM.GetParameter", {"Name": name, "WithDecryption": True})
    if answer.status_code != HTTPStatus.OK:
        raise _refusal(answer)
    try:
        return str(json.loads(answer.content)["Parameter"]["Value"])
    except (ValueError, KeyError, TypeError) as exc:
        raise HTTPClientError(error=exc) from exc  # cut off: that is no answer


def _refusal(answer: AWSResponse) -> ClientError:
    """The error of an answer, as botocore makes it. What stands before SSM may answer without a code."""
    try:
        body = dict(json.loads(answer.content))
    except (ValueError, TypeError):
        body = {}
    code = str(body.get("__type", answer.status_code)).rpartition("#")[2]
    message = body.get("message", body.get("Message", ""))
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": answer.status_code},
    }
    return ClientError(response, "GetParameter")


def _signed(target: str, body: object) -> AWSResponse:
    """What SSM answers to a call, signed as the process's clients sign theirs, and with their time-outs."""
    session = tables.session()
    region, credentials = session.get_config_variable("region"), session.get_credentials()
    if not region:
        raise NoRegionError
    if not credentials:
        raise NoCredentialsError
    url = _endpoint(region)
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
    request = AWSRequest("POST", url, headers, json.dumps(body).encode())
    SigV4Auth(credentials.get_frozen_credentials(), "ssm", region).add_auth(request)
    timeouts: Any = (tables.CONNECT_TIMEOUT_SECONDS, tables.READ_TIMEOUT_SECONDS)
    http = URLLib3Session(
        verify=session.get_config_variable("ca_bundle") or True,
        proxies=get_environ_proxies(url),
        timeout=timeouts,
    )
    try:
        return http.send(request.prepare())
    finally:
        http.close()


def _endpoint(region: str) -> str:
    given = environ.get("AWS_ENDPOINT_URL_SSM") or environ.get("AWS_ENDPOINT_URL")
    return given or f"https://ssm.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}/"
