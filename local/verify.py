"""`python -m local verify`: whether the reports of closed days hold, against records, digests and the chain of days."""

import argparse
import sys
from datetime import UTC, date, datetime

from local import deployments
from local.arguments import check_product, day, one_of
from local.errors import CommandError
from local.template import read_template
from telemetry.clock import SystemClock
from telemetry.domain.environment import Environment
from telemetry.domain.shards import ShardPlan
from telemetry.domain.sighting import CATALOGUE, UNKNOWN_PRODUCT
from telemetry.services.verify_day import Verifier
from telemetry.settings import RecordSettings, TableNames
from telemetry.wiring.close_day import CloseDayWiring


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `verify`."""
    deployments.add_arguments(parser)
    parser.add_argument(
        "--environment", type=one_of(Environment), default=Environment.PRODUCTION, choices=list(Environment)
    )
    parser.add_argument("--product", default=CATALOGUE, help="a product's id; without it all, and the catalogue")
    parser.add_argument("--day", type=day, help="a closed UTC day; without it all")
    parser.add_argument(
        "--shards",
        type=ShardPlan.parse,
        default=ShardPlan.parse(read_template().function("close_day").environment["RECORD_SHARDS"]),
        help="the stack's RecordShards, where they are not the template's",
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints a line for each report; 1 when one does not hold."""
    now, verdicts = datetime.now(UTC), []
    with deployments.reached(arguments) as stack:
        wiring = CloseDayWiring(RecordSettings(TableNames(stack), arguments.shards), SystemClock())
        check_product(arguments.product, {*wiring.products.all(), UNKNOWN_PRODUCT, CATALOGUE})
        verifier = wiring.verifier(arguments.environment)
        if arguments.day:
            _check_day(arguments.day, arguments.product, verifier, now)
        days = verifier.verify_all(arguments.product, now)
        for verdict in verifier.verify(arguments.product, arguments.day, now) if arguments.day else days:
            verdicts.append(verdict)
            print(": ".join(filter(None, (f"{verdict.day} {verdict.scope}", verdict.outcome, verdict.difference))))
    unsound = [verdict for verdict in verdicts if not verdict.is_sound]
    print(f"{len(verdicts)} reports, {len(unsound)} of them do not hold", file=sys.stderr)
    return 1 if unsound else 0


def _check_day(day: date, product: str, verifier: Verifier, now: datetime) -> None:
    """Raises CommandError for a day that is not closed."""
    closed = [totals.day for totals in verifier.reports.totals(product, date.min, now.date())]
    if day not in closed:
        which = f"closed are {closed[0]} to {closed[-1]}" if closed else "none is closed yet"
        raise CommandError(f"{day} is no closed day of {product}: {which}")
