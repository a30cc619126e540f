"""`python -m local key`: makes an API key, in local state or in a stack on AWS."""

import argparse
import sys
from datetime import UTC, datetime

from local import deployments
from local.arguments import check_product, one_of
from telemetry.domain.api_key import Capability, Role
from telemetry.domain.environment import Environment
from telemetry.services.api_keys import issue_sdk_key, issue_staff_key
from telemetry.settings import TableNames
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.products import ProductStore
from telemetry.storage.secret import keyring


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `key`."""
    deployments.add_arguments(parser)
    kinds = parser.add_subparsers(dest="kind", required=True)
    sdk = kinds.add_parser("sdk", help="for SDKs: one environment, some capabilities")
    sdk.add_argument("--environment", type=one_of(Environment), choices=list(Environment), required=True)
    sdk.add_argument("--capability", type=one_of(Capability), choices=list(Capability), action="append", required=True)
    sdk.add_argument("--product", help="the product of events that name none that is registered")
    staff = kinds.add_parser("staff", help="for people: environments and a role")
    staff.add_argument(
        "--environment", type=one_of(Environment), choices=list(Environment), action="append", required=True
    )
    staff.add_argument("--role", type=one_of(Role), choices=list(Role), required=True)
    for kind in (sdk, staff):
        kind.add_argument("--name", default="made by hand", help="what it is for")


def run(arguments: argparse.Namespace) -> int:
    """Prints the key on standard output, and what it is on standard error."""
    with deployments.reached(arguments) as stack:
        api_keys = ApiKeyStore(TableNames(stack).registry)
        if arguments.kind == "sdk":
            check_product(arguments.product, ProductStore(TableNames(stack).registry).all())
            issued = issue_sdk_key(
                arguments.name,
                arguments.environment,
                frozenset(arguments.capability),
                arguments.product,
                keyring(),
                api_keys,
                datetime.now(UTC),
            )
        else:
            issued = issue_staff_key(
                arguments.name,
                frozenset(arguments.environment),
                arguments.role,
                keyring(),
                api_keys,
                datetime.now(UTC),
            )
    print(f"key id (user name of HTTP Basic): {issued.key.id}", file=sys.stderr)
    print(issued.secret)
    return 0
