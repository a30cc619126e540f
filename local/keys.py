"""`python -m local key`: makes an API key, in local state or in a stack on AWS."""

import argparse
import sys

from local import deployments
from local.arguments import check_product, one_of
from local.caller import operator
from telemetry.domain.api_key import Capability, Role
from telemetry.domain.environment import Environment
from telemetry.domain.retention import LONGEST_DAYS
from telemetry.services.administration.api_keys import KeyTerms, create_sdk_key, create_staff_key
from telemetry.services.administration.stores import Stores
from telemetry.settings import TableNames
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
        stores = Stores.of(TableNames(stack).registry, LONGEST_DAYS, keyring())
        staff, terms = operator("key"), KeyTerms(arguments.name)
        if arguments.kind == "sdk":
            check_product(arguments.product, stores.products.all())
            environment, capabilities = arguments.environment, arguments.capability
            issued = create_sdk_key(staff, environment, capabilities, arguments.product, terms, stores)
        else:
            issued = create_staff_key(staff, arguments.environment, arguments.role, terms, stores)
    print(f"key id (user name of HTTP Basic): {issued.key.id}", file=sys.stderr)
    print(issued.secret)
    return 0
