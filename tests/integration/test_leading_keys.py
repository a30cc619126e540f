"""No engine here knows roles: what functions update is held against what the template lets them update."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

from local.cloudformation import load
from local.template import ROOT
from telemetry.domain.environment import Environment
from telemetry.storage.tables import brief_client, dynamodb_client
from tests.conftest import Deployment
from tests.issuing import DEVICE, KEY, issue
from tests.lambdas import Context, http_event, load_function


def may_update(function: str) -> list[str]:
    """The partition keys that a function's role may update, over all tables."""
    policies = load(ROOT / "template.yaml")["Resources"][function]["Properties"]["Policies"]
    statements = [each for policy in policies if "Statement" in policy for each in policy["Statement"]]
    updating = [each for each in statements if "dynamodb:UpdateItem" in each["Action"] and each["Effect"] == "Allow"]
    return [
        key for each in updating for (test,) in [each["Condition"].values()] for key in test["dynamodb:LeadingKeys"]
    ]


@contextmanager
def updated() -> Iterator[set[str]]:
    """The partition keys of what is updated meanwhile, by itself or in a transaction."""
    keys: set[str] = set()

    def note(params: dict[str, Any], **_: object) -> None:
        request = json.loads(params["body"])
        updates = [each["Update"] for each in request.get("TransactItems", ()) if "Update" in each]
        updates += [request] if "UpdateExpression" in request else []
        keys.update(each["Key"]["pk"]["S"] for each in updates)

    clients = dynamodb_client(), brief_client()
    for client in clients:
        client.meta.events.register("before-call.dynamodb", note)
    try:
        yield keys
    finally:
        for client in clients:
            client.meta.events.unregister("before-call.dynamodb", note)


def within(keys: set[str], patterns: list[str]) -> bool:
    return all(any(fnmatchcase(key, pattern) for pattern in patterns) for key in keys)


def test_ingest_counts_failed_calls_where_it_may(deployment: Deployment) -> None:
    ingest, good = load_function("ingest"), deployment.keys[Environment.PRODUCTION]
    with updated() as keys:
        for key, body in (("tk_prod_nobody-was-given-this", "{}"), (good, "{")):
            ingest.handler(http_event("/api/v1/telemetry", body, {"x-api-key": key}), Context())
    assert keys == {"failed_calls#unknown", "failed_calls#production"}
    assert within(keys, may_update("IngestFunction"))


def test_licensing_changes_licences_and_counts_calls_where_it_may(deployment: Deployment) -> None:
    license_, licensing = issue(deployment), load_function("licensing")
    headers = {"x-api-key": deployment.keys[Environment.PRODUCTION], "idempotency-key": "k"}
    body = json.dumps({"license_key": KEY, "identifier": DEVICE})
    with updated() as keys:
        licensing.handler(http_event("/v1/activate", body, headers), Context(milliseconds_left=20_000))
    assert {"licensing", f"license#{license_.id}"} < keys
    assert within(keys, may_update("LicensingFunction"))
