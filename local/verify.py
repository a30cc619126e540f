"""`python -m local verify`: whether the reports of closed days hold, against records, digests and the chain of days."""

import argparse
import sys
from datetime import UTC, date, datetime

from local import deployments
from local.template import read_template
from telemetry.domain.environment import Environment
from telemetry.domain.shards import ShardPlan
from telemetry.domain.sighting import CATALOGUE
from telemetry.services.verify_day import Verifier
from telemetry.settings import TableNames
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.corrections import CorrectionStore
from telemetry.storage.day_records import DayRecordStore
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.records import RecordStore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `verify`."""
    deployments.add_arguments(parser)
    parser.add_argument("--environment", type=Environment, default=Environment.PRODUCTION, choices=list(Environment))
    parser.add_argument("--product", default=CATALOGUE, help="a product's id; without it all, and the catalogue")
    parser.add_argument("--day", type=date.fromisoformat, help="a closed UTC day; without it all")
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
        names = TableNames(stack)
        table = names.aggregates(arguments.environment)
        records = DayRecordStore(RecordStore(names.records(arguments.environment), arguments.shards))
        verifier = Verifier(LedgerStore(table), DayReportStore(table), CorrectionStore(table), records)
        days = verifier.verify_all(arguments.product, now)
        for verdict in verifier.verify(arguments.product, arguments.day, now) if arguments.day else days:
            verdicts.append(verdict)
            print(": ".join(filter(None, (f"{verdict.day} {verdict.scope}", verdict.outcome, verdict.difference))))
    unsound = [verdict for verdict in verdicts if not verdict.is_sound]
    print(f"{len(verdicts)} reports, {len(unsound)} of them do not hold", file=sys.stderr)
    return 1 if unsound else 0
