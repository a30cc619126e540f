"""kill -9 of everything, under load: what was acknowledged is there once, and counted."""

import itertools
import json
import os
import random
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.local_service import LocalService
from tests.waiting import eventually

pytestmark = pytest.mark.slow

KILLS = 3
ACKNOWLEDGED = 20_000 if "SOAK" in os.environ else 2_100
CLIENTS = 6
USERS = 90


class Client(threading.Thread):
    """Posts events, alone and in batches, and writes down each acknowledged id before the next request."""

    def __init__(self, name: str, service: LocalService, ledgers: Path, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self.acknowledged = 0
        self._url = f"{service.url}/api/v1/telemetry"
        self._headers = {"x-api-key": service.key("ingest_key")}
        self._product = service.keys["products"][0]
        self._ledger = ledgers / f"ledger-{name}"
        self._random = random.Random(seed)

    def run(self) -> None:
        numbers = itertools.count()
        with self._ledger.open("a") as ledger, httpx.Client(headers=self._headers, timeout=30) as http:
            while True:
                events = [self._event(next(numbers)) for _ in range(self._random.choice((1, 1, 1, 10, 40)))]
                try:
                    answer = http.post(self._url, json=events[0] if len(events) == 1 else events)
                except httpx.TransportError:
                    return  # the service is gone
                if answer.status_code != 200:
                    return  # or going
                ledger.writelines(f"{event['event_id']}\n" for event in events)
                ledger.flush()
                os.fsync(ledger.fileno())
                self.acknowledged += len(events)

    def _event(self, number: int) -> dict[str, str]:
        return {
            "event_id": f"{self.name}-{number}",
            "product_id": self._product,
            "user_identifier": f"user-{self._random.randrange(USERS)}",
            "data_type": "text",
            "data_group": "g",
            "text_data": "x",
        }


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    state = tmp_path / "state"
    acknowledged = 0
    for kill in range(KILLS):
        with LocalService(state) as service:
            clients = [Client(f"k{kill}-c{n}", service, tmp_path, 100 * kill + n) for n in range(CLIENTS)]
            for client in clients:
                client.start()
            enough = -(-ACKNOWLEDGED // KILLS) + random.randrange(100)
            while sum(client.acknowledged for client in clients) < enough:
                assert any(client.is_alive() for client in clients), "".join(service.output)
                time.sleep(random.uniform(0.001, 0.02))  # it is killed at any moment
            service.kill()
            for client in clients:
                client.join(60)
            acknowledged += sum(client.acknowledged for client in clients)
    assert acknowledged >= ACKNOWLEDGED

    ids = [line for path in tmp_path.glob("ledger-*") for line in path.read_text().splitlines()]
    assert len(ids) == acknowledged
    with LocalService(state) as service:
        product = service.keys["products"][0]
        stored = [json.loads(record["body"]) for record in service.records("--product", product)]
        times = Counter(event["event_id"] for event in stored)
        assert {event_id: times[event_id] for event_id in ids} == dict.fromkeys(ids, 1)
        assert max(times.values()) == 1
        users = len({event["user_identifier"] for event in stored})
        # what was under way comes again, and before what is sent now
        event, other = {"data_type": "text", "data_group": "g", "text_data": "x"}, service.keys["products"][1]
        last = event | {"product_id": other, "user_identifier": "the last"}
        service.post("/api/v1/telemetry", last, service.key("ingest_key"))
        eventually(lambda: service.monthly_users(other) == 1, seconds=60)
        assert service.monthly_users(product) == users
