"""What the demo vendor's devices asked of their licences in the last month, answered and counted as ever.

Most may run, some may not; a new device takes a seat and gives it back, and where all seats are taken it is refused.
In the end every licence has the seats that it had.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from random import Random

from local.demo_history import DAYS, moment_of
from local.demo_licenses import SEATS, Fleet, Seat
from telemetry.dialects.getkeymanager.licensing import code_of
from telemetry.domain.environment import Environment
from telemetry.domain.licensing import DeviceAction, DeviceRequest
from telemetry.domain.sighting import UNKNOWN_PRODUCT
from telemetry.retry import Deadline
from telemetry.wiring.licensing import LicensingWiring

_CHECKS = {Environment.PRODUCTION: 6, Environment.STAGING: 1, Environment.DEVELOPMENT: 1}
_MOVES_EVERY = 3
"""Days; then a licence's other seats are taken, one device too many asks, and all are given back."""


def ask(wiring: LicensingWiring, fleets: Mapping[Environment, Fleet], today: date) -> int:
    """Asks what devices asked on the days before `today`. Gives the number of calls."""
    calls = 0
    for environment, fleet in fleets.items():
        random = Random(f"licence checks in {environment}")
        counters = wiring.counters(environment)
        for number in range(DAYS):
            day = today - timedelta(days=DAYS - number)
            asked = questions(fleet, environment, number, random)
            for moment, question in zip(sorted(moment_of(day, random) for _ in asked), asked, strict=True):
                finding = wiring.licensing.answer(question, environment, moment, Deadline(60))
                product = (finding.license and finding.license.product_id) or UNKNOWN_PRODUCT
                counters.add(product, question.action, code_of(finding.outcome), moment)
            calls += len(asked)
    return calls


def questions(fleet: Fleet, environment: Environment, day: int, random: Random) -> list[DeviceRequest]:
    """What the devices of a fleet ask on a day, in order; `day` is counted from the first."""
    asked = [*_checks(fleet, _CHECKS[environment], random)]
    if environment is Environment.PRODUCTION and day % _MOVES_EVERY == 0:
        asked += _moves(random.choice(fleet.seats[1:]), random)  # the first one's key goes round
    return asked


def _checks(fleet: Fleet, number: int, random: Random) -> Iterator[DeviceRequest]:
    for _ in range(random.randint(1, 2 * number - 1)):
        yield _question(DeviceAction.VERIFY, random.choice(fleet.odd if random.random() < 0.15 else fleet.seats))


def _moves(seat: Seat, random: Random) -> Iterator[DeviceRequest]:
    others = [Seat(seat.license_key, random.randbytes(16).hex()) for _ in range(SEATS)]
    yield from (_question(DeviceAction.ACTIVATE, each) for each in others)
    yield from (_question(DeviceAction.DEACTIVATE, each) for each in others)


def _question(action: DeviceAction, seat: Seat) -> DeviceRequest:
    return DeviceRequest(action, seat.license_key, seat.device)
