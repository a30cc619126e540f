"""Nothing crosses environments: random operations over all routes, with keys of all environments and roles."""

import json
import os
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Iterable
from random import Random
from types import ModuleType
from typing import Any

import pytest

from telemetry.domain.api_key import Capability, Role
from telemetry.domain.environment import Environment
from telemetry.domain.license import LicenseState
from telemetry.services.api_keys import issue_sdk_key, issue_staff_key
from telemetry.storage.bodies import decode_body
from telemetry.storage.tables import dynamodb_client
from tests.client import Client
from tests.lambdas import http_event, load_function
from tests.worlds.deployment import Deployment
from tests.worlds.licenses import issue

pytestmark = pytest.mark.slow

SEEDS = (1, 2)
OPERATIONS = (100_000 if "SOAK" in os.environ else 3_000) // len(SEEDS)
MARKERS = {Environment.PRODUCTION: "qprodq", Environment.STAGING: "qstagq", Environment.DEVELOPMENT: "qdevlq"}
PRODUCTS = ("acme-cli", "acme-desktop")
LICENSES = 6
FUNCTIONS = ("admin", "analytics", "ingest", "licensing", "reports")


class World:
    """Licences and keys of every environment, each text of which carries the environment's marker."""

    def __init__(self, deployment: Deployment, random: Random) -> None:
        self.random = random
        self.functions: dict[str, ModuleType] = {name: load_function(name) for name in FUNCTIONS}
        self.license_keys = {e: [f"KEY-{MARKERS[e]}-{n:08d}" for n in range(LICENSES)] for e in Environment}
        self.license_ids = {
            e: [
                issue(
                    deployment, key, e, customer_id=None, state=random.choice(list(LicenseState)), activation_limit=9
                ).id
                for key in self.license_keys[e]
            ]
            for e in Environment
        }
        keyring, registry = deployment.keyring, deployment.api_keys
        capabilities = [frozenset({capability}) for capability in Capability] + [frozenset(Capability)]
        self.sdk = [
            (e, issue_sdk_key(f"sdk {MARKERS[e]}", e, some, random.choice([None, *PRODUCTS]), keyring, registry))
            for e in Environment
            for some in capabilities
        ]
        reaches = [frozenset({e}) for e in Environment] + [frozenset(list(Environment)[:2])]
        self.staff = [
            (
                reach,
                issue_staff_key(f"staff {' '.join(MARKERS[e] for e in reach)}", reach, role, keyring, registry).secret,
            )
            for reach in reaches
            for role in Role
        ]
        self.record_ids: dict[Environment, list[str]] = {e: [] for e in Environment}
        self.sdk_key_ids = {e: [key.key.id for own, key in self.sdk if own is e] for e in Environment}

    def call(self, function: str, event: dict[str, Any]) -> str:
        """The whole answer as text, headers too, base64 parts in clear."""
        answer = Client(self.functions[function]).send(event)
        body = answer.content.decode()
        seen = f"{answer.headers} {answer.cookies} {body}"
        try:
            encoded = json.loads(body).get("response_base64", "")
        except (ValueError, AttributeError):
            encoded = ""
        return seen + b64decode(encoded).decode()

    def text(self, environment: Environment) -> str:
        return f"{MARKERS[environment]}-{self.random.randrange(30)}"

    # ── what SDK keys do: everything they send carries the marker of their environment

    def sdk_operation(self) -> tuple[str, frozenset[Environment], str]:
        own, issued = self.random.choice(self.sdk)
        headers = {"x-api-key": issued.secret, "content-type": "application/json"}
        query = {"environment": self.random.choice(list(Environment)).value} if self.random.random() < 0.1 else None
        kind = self.random.choice(
            ["telemetry", "usage", "verify", "activate", "deactivate", "query", "query", "report"]
        )
        match kind:
            case "telemetry":
                body = json.dumps([self._event(own) for _ in range(self.random.choice((1, 1, 3)))])
                text = self.call("ingest", http_event("/api/v1/telemetry", body, headers, query))
                self.record_ids[own] += re.findall('"telemetry_id":"([^"]+)"', text)
                return text, frozenset({own}), kind
            case "usage":
                body = json.dumps({"payload": self._usage(own)})
                return (
                    self.call("ingest", http_event("/api/product/usage", body, headers, query)),
                    frozenset({own}),
                    kind,
                )
            case "verify" | "activate" | "deactivate":
                asked = {"license_key": self.random.choice(self.license_keys[own]), "identifier": self.text(own)}
                event = http_event(f"/v1/{kind}", json.dumps(asked), headers, query)
                return self.call("licensing", event), frozenset({own}), kind
            case "query":
                filters = self._filters(own)
                event = http_event("/api/v1/telemetry", "", headers, {**filters, **(query or {})}, "GET")
                return self.call("analytics", event), frozenset({own}), kind
            case _:
                application = {"application": self.random.choice([*PRODUCTS, "*"])}
                body = json.dumps({"requestObject": {"name": "CURRENT_MAU", "parameters": application}})
                event = http_event("/rest/v3/telemetry/report", body, headers, query)
                return self.call("reports", event), frozenset({own}), kind

    def _event(self, own: Environment) -> dict[str, Any]:
        return {
            "data_type": "text",
            "data_group": self.text(own),
            "text_data": self.text(own),
            "license_key": self.random.choice([*self.license_keys[own], self.text(own), "unknown"]),
            "hwid": self.text(own),
            "user_identifier": self.text(own),
            "product_id": self.random.choice([*PRODUCTS, self.text(own)]),
            "product_version": self.text(own),
            "event_id": self.text(own),
            "metadata": {"m": self.text(own)},
            "flags": [self.text(own)] if self.random.random() < 0.1 else [],
        }

    def _usage(self, own: Environment) -> dict[str, Any]:
        return {
            "activity_type": self.text(own),
            "user_id": self.text(own),
            "product_id": "acme-cli",
            "event_id": self.text(own),
            "environment": self.text(own),
        }

    def _filters(self, own: Environment) -> dict[str, str]:
        """Also asks for what is another environment's."""
        anyones = self.random.choice(list(Environment))
        choices = {
            "license_key": self.random.choice(self.license_keys[anyones]),
            "user_identifier": self.text(anyones),
            "product_id": self.random.choice(PRODUCTS),
            "has_red_flags": self.random.choice(("1", "0")),
            "data_group": self.text(own),
        }
        names = self.random.sample(list(choices), self.random.choice((0, 1, 1, 2)))
        # what was asked for must not come back by way of an error message either
        return {name: choices[name] for name in names}

    # ── what staff does: in any environment, with licences and keys of any other

    def staff_operation(self) -> tuple[str, frozenset[Environment], str]:
        reach, secret = self.random.choice(self.staff)
        asked, whose = self.random.choice(list(Environment)), self.random.choice(list(Environment))
        headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
        license_id, key_id = self.random.choice(self.license_ids[whose]), self.random.choice(self.sdk_key_ids[whose])
        record_id = self.random.choice(self.record_ids[whose] or ["none-yet"])
        of_asked = {"environment": asked.value}
        of_license = of_asked | {"license_id": license_id}
        of_one = of_asked | {"kind": "license", "entity": license_id}
        new_key = {"name": f"key {MARKERS[asked]}", "capabilities": ["read"]}
        key = self.random.choice(self.license_keys[whose])
        looked_for = {"text": self.random.choice((key, key[-4:], license_id, self.text(whose)))}
        method, path, query, body, may_show = self.random.choice(
            [
                ("GET", "licenses", of_asked, "", {asked}),
                ("GET", "api-keys", of_asked, "", {asked}),
                ("GET", "audit", of_asked, "", {asked}),
                ("GET", f"licenses/{license_id}", {}, "", {whose}),
                ("GET", f"licenses/{license_id}/activations", {}, "", {whose}),
                ("POST", f"licenses/{license_id}/{self.random.choice(('suspend', 'resume'))}", {}, "", {whose}),
                ("GET", f"licenses/{license_id}/card", {}, "", {whose}),
                (
                    "POST",
                    f"licenses/{license_id}/deactivate",
                    {},
                    json.dumps({"identifier": self.text(whose)}),
                    {whose},
                ),
                ("GET", "exports/licenses", of_asked, "", {asked}),
                ("GET", "history", of_one, "", {asked}),
                ("PATCH", f"licenses/{license_id}", {}, json.dumps({"activation_limit": 9}), {whose}),
                ("GET", f"api-keys/{key_id}", {}, "", {whose}),
                ("GET", f"api-keys/{key_id}/secret", {}, "", {whose}),
                ("POST", "api-keys", of_asked, json.dumps(new_key), {asked}),
                ("GET", "products", {}, "", set()),
                ("GET", "customers", {}, "", set()),
                ("GET", "analytics/records", of_license, "", {asked}),
                ("GET", "analytics/records", of_asked | {"limit": "5"}, "", {asked}),
                ("GET", f"analytics/records/{record_id}", of_asked, "", {asked}),
                ("GET", f"analytics/records/{record_id}/raw", of_asked, "", {asked}),
                ("GET", "analytics/export", of_license | {"format": "ndjson"}, "", {asked}),
                ("POST", "analytics/search", of_asked, json.dumps(looked_for), {asked, whose}),
                ("GET", "analytics/licenses", of_asked, "", {asked}),
                ("GET", f"analytics/licenses/{license_id}/use", of_asked, "", {asked}),
                ("GET", "analytics/products", of_asked, "", set()),
                ("GET", "analytics/licenses/top", of_asked, "", {asked}),
                ("GET", "analytics/mismatches", of_asked, "", {asked}),
                ("GET", "analytics/system-logs", of_asked, "", {asked}),
            ]
        )
        if method == "PATCH":
            headers["if-match"] = f'"{self.random.randrange(1, 4)}"'
        function = "analytics" if path.startswith("analytics/") else "admin"
        event = http_event(f"/api/v1/{path if function in path else f'admin/{path}'}", body, headers, query, method)
        shown = frozenset(may_show) & reach
        what = path.replace(record_id, "id").replace(license_id, "id").split("/")[: 4 if function == "analytics" else 1]
        return self.call(function, event), shown, f"{method} {'/'.join(what)}"


def foreign(text: str, allowed: Iterable[Environment]) -> set[str]:
    return {marker for environment, marker in MARKERS.items() if environment not in set(allowed) and marker in text}


@pytest.mark.parametrize("seed", SEEDS)
def test_no_foreign_marker_in_any_answer_or_table(
    deployment: Deployment, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORD_SHARDS", "1")  # reading back asks every shard; one is as telling as eight
    world = World(deployment, Random(seed))
    seen: Counter[str] = Counter()
    own_markers: Counter[str] = Counter()
    for _ in range(OPERATIONS):
        is_staff = world.random.random() < 0.5
        text, allowed, what = world.staff_operation() if is_staff else world.sdk_operation()
        # staff keys' names carry the markers of all they reach: the audit log of one of these names them rightly
        text = _without_staff_names(text) if is_staff else text
        assert not foreign(text, allowed), (what, allowed, text[:2000])
        seen[what] += 1
        own_markers[what] += any(MARKERS[environment] in text for environment in allowed)
    assert len(seen) == 28, seen
    telling = ("records", "records/id", "records/id/raw", "export", "system-logs")
    for what in (
        "query",
        "GET licenses",
        "GET api-keys",
        "GET audit",
        *(f"GET analytics/{it}" for it in telling),
    ):
        assert own_markers[what], what  # the test would see a marker if one came

    for environment in Environment:
        for table in (deployment.tables.records(environment), deployment.tables.aggregates(environment)):
            dump = _dump(table)
            assert MARKERS[environment] in dump or "aggregates" in table
            assert not foreign(dump, {environment}), table


def _without_staff_names(text: str) -> str:
    return re.sub(r"staff( q\w+q)+", "staff", text)


def _dump(table: str) -> str:
    """All items of a table as text, bodies inflated."""
    texts = []
    for page in dynamodb_client().get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            texts.append(str(item))
            if "b" in item and "s" in item:
                texts.append(decode_body(item["b"]["B"]).decode())
    return "\n".join(texts)
