"""No engine here knows roles: what functions do to which keys is held against what the template lets them do."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from local.cloudformation import load
from local.template import ROOT
from telemetry.domain.environment import Environment
from telemetry.domain.product import Product
from telemetry.services.close_day import DayCloser
from telemetry.storage.profiles.keys import fingerprint_text
from telemetry.storage.tables import brief_client, dynamodb_client
from tests.client import Client
from tests.integration.test_admin_profiles import ANN, LAPTOP, OF_PRODUCT, Site
from tests.lambdas import Context, http_event, load_function
from tests.stream_events import deadline, stream_batch
from tests.worlds.deployment import Deployment, Mailbox, never, start_ingest
from tests.worlds.licenses import DEVICE, KEY, issue
from tests.worlds.profile_days import FIRST


def may(function: str, action: str = "UpdateItem") -> list[str]:
    """The partition keys that a function's role may update, or what else there is to do, over all tables."""
    policies = load(ROOT / "template.yaml")["Resources"][function]["Properties"]["Policies"]
    statements = [each for policy in policies if "Statement" in policy for each in policy["Statement"]]
    allowing = [each for each in statements if f"dynamodb:{action}" in each["Action"] and each["Effect"] == "Allow"]
    return [
        key
        for each in allowing
        for operator, test in each.get("Condition", {}).items()
        if operator.startswith("ForAllValues:")
        for key in test["dynamodb:LeadingKeys"]
    ]


def must_not(function: str, action: str) -> list[str]:
    """The partition keys that a function's role is forbidden to do this to."""
    policies = load(ROOT / "template.yaml")["Resources"][function]["Properties"]["Policies"]
    statements = [each for policy in policies if "Statement" in policy for each in policy["Statement"]]
    denying = [each for each in statements if f"dynamodb:{action}" in each["Action"] and each["Effect"] == "Deny"]
    return [key for each in denying for key in each["Condition"]["ForAnyValue:StringLike"]["dynamodb:LeadingKeys"]]


@contextmanager
def written() -> Iterator[dict[str, set[str]]]:
    """The partition keys of all that is written to aggregates meanwhile, by action."""
    keys: dict[str, set[str]] = {}

    def note(params: dict[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401
        request = json.loads(params["body"])
        done = [(f"{kind}Item", what) for each in request.get("TransactItems", ()) for kind, what in each.items()]
        if model.name in {"PutItem", "UpdateItem"}:
            done.append((model.name, request))
        if model.name == "BatchWriteItem":
            (puts,) = request["RequestItems"].values()
            done += [(model.name, put["PutRequest"]) for put in puts]
        for action, what in done:
            keys.setdefault(action, set()).add(what.get("Key", what.get("Item"))["pk"]["S"])

    events = dynamodb_client().meta.events
    events.register("before-call.dynamodb", note)
    try:
        yield keys
    finally:
        events.unregister("before-call.dynamodb", note)


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


@contextmanager
def changed() -> Iterator[dict[str, set[str]]]:
    """The partition keys of single items that are put or deleted meanwhile, by action."""
    with touched() as keys:
        yield keys
        for action in {"GetItem", "BatchGetItem", "Query"} & keys.keys():
            del keys[action]


@contextmanager
def touched() -> Iterator[dict[str, set[str]]]:
    """The partition keys that single items are read, put or deleted under meanwhile, by action."""
    keys: dict[str, set[str]] = {}

    def note(params: dict[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401
        request = json.loads(params["body"])
        done = [(model.name, request)] if "TransactItems" not in request else []
        done += [(f"{kind}Item", what) for each in request.get("TransactItems", ()) for kind, what in each.items()]
        for action, what in done:
            if item := what.get("Key", what.get("Item")):
                keys.setdefault(action, set()).add(item["pk"]["S"])

    events = dynamodb_client().meta.events
    events.register("before-call.dynamodb", note)
    try:
        yield keys
    finally:
        events.unregister("before-call.dynamodb", note)


def within(keys: set[str], patterns: list[str]) -> bool:
    return all(any(fnmatchcase(key, pattern) for pattern in patterns) for key in keys)


def test_ingest_counts_failed_calls_where_it_may(deployment: Deployment) -> None:
    ingest, good = Client(load_function("ingest")), deployment.keys[Environment.PRODUCTION]
    with updated() as keys:
        for key, body in (("tk_prod_nobody-was-given-this", "{}"), (good, "{")):
            ingest.post("/api/v1/telemetry", body, x_api_key=key)
    assert keys == {"failed_calls#unknown", "failed_calls#production"}
    assert within(keys, may("IngestFunction"))


def test_licensing_changes_licences_and_counts_calls_where_it_may(deployment: Deployment) -> None:
    license_, headers = issue(deployment), {"x-api-key": deployment.keys[Environment.PRODUCTION]}
    licensing = Client(load_function("licensing"), headers | {"idempotency-key": "k"})
    with updated() as keys:
        licensing.post("/v1/activate", {"license_key": KEY, "identifier": DEVICE})
    assert {"licensing", f"license#{license_.id}"} < keys
    assert within(keys, may("LicensingFunction"))


def test_counting_and_closing_write_nothing_they_must_not(deployment: Deployment, mailbox: Mailbox) -> None:
    del mailbox
    now, table = datetime(2026, 11, 3, 9, tzinfo=UTC), deployment.tables.aggregates(Environment.PRODUCTION)
    bodies = [
        {"data_type": "text", "data_group": "g", "text_data": "x", "product_id": "acme-cli", "hwid": f"d{each}"}
        for each in range(4)
    ]
    assert start_ingest(deployment, now)("/api/v1/telemetry", json.dumps(bodies)).status == 200
    with written() as by_rollup:
        load_function("rollup").handler(stream_batch(deployment), Context())
    closer = DayCloser.of(table, deployment.day_records(), ["acme-cli"], never)
    in_parts = replace(closer, recounter=replace(closer.recounter, records_at_once=2))
    with written() as by_closing:
        assert [each.day for each in in_parts.close(deadline(now.date()))] == [now.date()]
    assert {key.partition("#")[0] for key in by_closing["BatchWriteItem"]} == {
        "candidate",
        "recount",
        "scopes",
        "summaries",
    }
    for function, found in (("RollupFunction", by_rollup), ("CloseDayFunction", by_closing)):
        for action, keys in found.items():
            assert not any(within({key}, must_not(function, action)) for key in keys), (function, action)


def test_rollup_notes_who_is_active_where_it_may(deployment: Deployment, mailbox: Mailbox) -> None:
    """And of the registry it reads products and overrides."""
    del mailbox
    deployment.products.put(Product("acme-cli", "Acme CLI", profiles=True))
    event = {"data_type": "text", "data_group": "g", "text_data": "x", "product_id": "acme-cli"}
    start_ingest(deployment)("/api/v1/telemetry", json.dumps(event | {"user_identifier": "ann@globex.example"}))
    with written() as keys, reading_registry() as read:
        load_function("rollup").handler(stream_batch(deployment), Context())
    assert len([key for key in keys["PutItem"] if key.startswith("profiles#today#acme-cli#")]) == 1
    assert not any(within({key}, must_not("RollupFunction", "PutItem")) for key in keys["PutItem"])
    assert read == {"product", "settings#*"} == set(may("RollupFunction", "GetItem"))


@contextmanager
def reading_registry() -> Iterator[set[str]]:
    """The partition keys of what is read of the registry meanwhile."""
    keys: set[str] = set()

    def note(params: dict[str, Any], **_: object) -> None:
        request = json.loads(params["body"])
        tables = request.get("RequestItems") or {request.get("TableName"): {"Keys": [request.get("Key")]}}
        keys.update(key["pk"]["S"] for table, of in tables.items() if "-registry" in str(table) for key in of["Keys"])

    events = dynamodb_client().meta.events
    events.register("before-call.dynamodb", note)
    try:
        yield keys
    finally:
        events.unregister("before-call.dynamodb", note)


def test_signing_in_and_out_touches_what_it_may(deployment: Deployment) -> None:
    dashboard, key = Client(load_function("dashboard")), deployment.staff_key()
    with touched() as keys:
        for secret in ("tk_staff_nobody-was-given-this", key):
            answer = dashboard.post("/admin/session", {"key": secret})
        (cookie,) = (each.partition(";")[0] for each in answer.cookies)
        shown = dashboard.send(http_event("/admin/session", "", {}, None, "GET", [cookie]))
        token = {"x-csrf-token": shown.body["csrf"]}
        dashboard.send(http_event("/admin/session", "", token, None, "DELETE", [cookie]))
    assert keys.keys() == {"GetItem", "PutItem", "DeleteItem"}
    for action, found in keys.items():
        assert {each.partition("#")[0] for each in found} >= {"session", "sign_in"}
        assert within(found, may("DashboardFunction", action)), action


def test_closing_usage_and_changing_profiles_write_nothing_else(deployment: Deployment) -> None:
    site = Site(deployment)
    with written() as by_closing:
        site.close()
    assert {key.partition("#")[0] for keys in by_closing.values() for key in keys} == {"profiles"}
    for action, keys in by_closing.items():
        assert within(keys, may("CloseUsageFunction", action)), action
    days, of_product = {"first_day": str(FIRST), "last_day": str(FIRST)}, OF_PRODUCT
    link = f"/developers/{fingerprint_text(ANN)}/unlinked/{fingerprint_text(LAPTOP)}"
    with changed() as by_admin:
        site.ask("PUT", link, None, of_product)
        site.ask("DELETE", link, None, of_product)
        site.ask("POST", "/attribution", days, of_product)
        site.forget(ANN)
    assert by_admin.keys() == {"PutItem", "DeleteItem"}
    for action, keys in by_admin.items():
        of_profiles = {key for key in keys if key.startswith("profiles#")}
        assert of_profiles
        assert {key.partition("#")[0] for key in keys - of_profiles} <= {"audit", "forgotten"}
        assert within(of_profiles, may("AdminFunction", action)), action


def test_who_writes_profiles_writes_nothing_else_of_aggregates() -> None:
    for function, others in (("CloseUsageFunction", []), ("AdminFunction", ["corrections#*", "spike_handling"])):
        for action in ("PutItem", "DeleteItem", "BatchWriteItem", "UpdateItem"):
            assert set(may(function, action)) <= {"profiles#*", *others}, (function, action)
        policies = load(ROOT / "template.yaml")["Resources"][function]["Properties"]["Policies"]
        for each in (each for policy in policies if "Statement" in policy for each in policy["Statement"]):
            if "-aggregates-" in str(each["Resource"]) and re.search(
                "Write|Put|Delete|Update|PartiQL", str(each["Action"])
            ):
                assert "Condition" in each, each["Sid"]
