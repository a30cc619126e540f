"""Closes days of product usage: developers and companies of the products that keep profiles."""

from datetime import date
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.domain.environment import Environment
from telemetry.domain.profiles.closing import Range
from telemetry.emission import emitting
from telemetry.faults import faults_counted
from telemetry.services.recount import Allowance
from telemetry.wiring.close_usage import CloseUsageWiring
from telemetry.wiring.wired import Wired

logger = Logger()
metrics = Metrics()
wired = Wired(CloseUsageWiring.from_env)


@logger.inject_lambda_context
@emitting(metrics)
@faults_counted
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Takes `{"environment": "production"}`, and closes what finance has closed.

    With `"product"` and `"attribute_anew": ["2026-11-01", "2026-11-20"]` these days are attributed with what there is
    today, beside what was made of them before. With `"without_network_file": true` days whose network file is gone are
    attributed without one. Raises when a product's day cannot be closed, after all others have got further; when days
    are closed, but their network file is damaged or not the newest; and when usage lags behind: an alarm has to ring.
    """
    environment, now = Environment(event["environment"]), wired.clock.now()
    allowance = Allowance(lambda: context.get_remaining_time_in_millis() / 1000)
    goes_without = event.get("without_network_file") is True
    closer = wired().closer(environment, allowance, without_network_file=goes_without)
    products = sorted(each.id for each in wired().products.all().values() if each.profiles)
    if "attribute_anew" in event:
        product, days_anew = event["product"], Range(*map(date.fromisoformat, event["attribute_anew"]))
        if product not in products:
            raise ValueError(f"{product} keeps no profiles")
        closer.attribute_anew(product, days_anew, now)
        products = [product]
    finance = wired().ledger(environment).closing()
    closed = closer.close_all(products, finance, now)
    days = {product: [day.isoformat() for day in days] for product, days in closed.items() if days}
    logger.info("Usage closed", environment=environment, days=days)
    if (files := wired().network_files) and not goes_without:
        files.check()
    closer.check(products, finance)
    return {"environment": environment, "closed": days}
