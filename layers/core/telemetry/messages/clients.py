"""Clients of SQS, SNS and Lambda. Nothing here runs at import; what is made is kept for the life of the process."""

from functools import cache
from typing import TYPE_CHECKING, cast

from botocore.client import BaseClient
from botocore.config import Config
from botocore.session import Session, get_session

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

# as short as storage's, for the same reason: botocore's own are longer than a function may take
_CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})


@cache
def sqs_client() -> "SQSClient":
    """The process's client of SQS."""
    return cast("SQSClient", _client("sqs"))


@cache
def sns_client() -> "SNSClient":
    """The process's client of SNS."""
    return cast("SNSClient", _client("sns"))


@cache
def lambda_client() -> "LambdaClient":
    """The process's client of Lambda."""
    return cast("LambdaClient", _client("lambda"))


def _client(service: str) -> BaseClient:
    return _session().create_client(service, config=_CONFIG)


@cache
def _session() -> Session:
    return get_session()
