"""Limits and answers hold under concurrency and faults."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from random import Random
from threading import Barrier
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from pynamodb.connection import Connection

from telemetry.domain.environment import Environment
from telemetry.domain.errors import KeyReused, StoreUnavailable
from telemetry.domain.license import ActivationState, License, LicenseState
from telemetry.domain.licensing import DeviceAction, DeviceRequest, Finding, LicensingOutcome
from telemetry.domain.product import Product
from telemetry.retry import Deadline
from telemetry.services.idempotency import Answer, once
from telemetry.services.licensing import Licensing
from telemetry.storage import changes
from telemetry.storage.idempotency import LEASE, IdempotencyStore, Kept
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.tables import dynamodb_client
from tests.worlds.deployment import Deployment
from tests.worlds.licenses import DEVICE, KEY, activation_store, activations_of, issue, license_store

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


def service(deployment: Deployment) -> Licensing:
    licenses, activations = license_store(deployment), activation_store(deployment)
    return Licensing(licenses, activations, {"acme-desktop": Product("acme-desktop", "")}.get, deployment.keyring)


def ask(deployment: Deployment, action: DeviceAction, identifier: str, deadline: Deadline | None = None) -> Finding:
    question = DeviceRequest(action, KEY, identifier)
    return service(deployment).answer(question, Environment.PRODUCTION, NOW, deadline or Deadline(30))


def active(deployment: Deployment, license_: License) -> list[str]:
    """Identifiers of active devices; the licence's count says the same number."""
    found = activations_of(deployment, license_)
    names = [activation.identifier for activation in found if activation.state is ActivationState.ACTIVE]
    assert license_store(deployment).get(license_.id).active_activations == len(names)
    return names


def together(calls: Sequence[Callable[[], Any]], threads: int = 50) -> list[Any]:
    """Makes calls, as many at once as there are threads."""
    barrier = Barrier(threads)

    def call(number: int) -> Any:  # noqa: ANN401
        if number < threads:
            barrier.wait()
        return calls[number]()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(call, range(len(calls))))


@pytest.mark.parametrize("state", [LicenseState.ASSIGNED, LicenseState.ACTIVE])
def test_200_parallel_activations_against_a_limit_of_10(deployment: Deployment, state: LicenseState) -> None:
    license_ = issue(deployment, activation_limit=10, state=state)
    findings = together([partial(ask, deployment, DeviceAction.ACTIVATE, f"device-{n}") for n in range(200)])
    assert Counter(finding.outcome for finding in findings) == {
        LicensingOutcome.ACTIVATED: 10,
        LicensingOutcome.LIMIT_REACHED: 190,
    }
    assert len(active(deployment, license_)) == 10


def test_one_device_in_parallel_counts_once(deployment: Deployment) -> None:
    license_ = issue(deployment, activation_limit=2)
    findings = together([lambda: ask(deployment, DeviceAction.ACTIVATE, DEVICE)] * 100)
    assert Counter(finding.outcome for finding in findings) == {
        LicensingOutcome.ACTIVATED: 1,
        LicensingOutcome.ALREADY_ACTIVE: 99,
    }
    assert active(deployment, license_) == [DEVICE]


def test_seats_taken_and_given_back_at_once_never_exceed_the_limit(deployment: Deployment) -> None:
    license_ = issue(deployment, activation_limit=5)
    random = Random(7)
    actions = [DeviceAction.ACTIVATE, DeviceAction.DEACTIVATE]
    asked = [(random.choice(actions), f"device-{random.randrange(12)}") for _ in range(300)]
    calls = [partial(ask, deployment, action, device) for action, device in asked]
    outcomes = Counter(finding.outcome for finding in together(calls, threads=20))
    remaining = active(deployment, license_)
    assert len(remaining) <= 5
    assert outcomes[LicensingOutcome.ACTIVATED] - outcomes[LicensingOutcome.DEACTIVATED] == len(remaining)


class FaultyTransactions:
    """A client whose transactions fail as planned: before their effect, after it, by a conflict or by throttling."""

    def __init__(self, plan: Sequence[str | None]) -> None:
        self.plan = list(plan)
        self.real: Any = dynamodb_client()
        self._request_signer = None  # PynamoDB looks for one without credentials

    def _make_api_call(self, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401
        assert operation == "TransactWriteItems"
        match self.plan.pop(0) if self.plan else None:
            case None:
                return self.real._make_api_call(operation, arguments)
            case "before":
                raise ConnectTimeoutError(endpoint_url="http://dynamodb")
            case "after":
                self.real._make_api_call(operation, arguments)
                raise ReadTimeoutError(endpoint_url="http://dynamodb")
            case "conflict":
                codes = [{"Code": "TransactionConflict"}, {"Code": "None"}]
                raise ClientError(
                    {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": codes},  # type: ignore[typeddict-item]
                    operation,
                )
            case code:
                raise ClientError({"Error": {"Code": code}}, operation)


@pytest.fixture
def plan(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> list[str | None]:  # noqa: ARG001
    client = FaultyTransactions([])

    def connection() -> Connection:
        made = Connection()
        made._client = client  # type: ignore[assignment]
        return made

    monkeypatch.setattr(changes, "connection", connection)
    return client.plan


FAULTS = ["before", "conflict", "ThrottlingException", "ProvisionedThroughputExceededException", "InternalServerError"]


def patient() -> Deadline:
    return Deadline(1_000_000, sleep=lambda _: None)


@pytest.mark.parametrize("fault", [*FAULTS, "TransactionInProgressException", "after"])
def test_what_fails_once_is_done_once(deployment: Deployment, plan: list[str | None], fault: str) -> None:
    license_ = issue(deployment, activation_limit=1)
    plan += [fault, fault, None]
    assert ask(deployment, DeviceAction.ACTIVATE, DEVICE, patient()).outcome is LicensingOutcome.ACTIVATED
    assert active(deployment, license_) == [DEVICE]
    plan += [fault, fault, None]
    assert ask(deployment, DeviceAction.DEACTIVATE, DEVICE, patient()).outcome is LicensingOutcome.DEACTIVATED
    assert active(deployment, license_) == []


@pytest.mark.slow
def test_any_faults_leave_the_count_right(deployment: Deployment, plan: list[str | None]) -> None:
    license_ = issue(deployment, activation_limit=3)
    random = Random(3)
    for _ in range(150):
        plan[:] = random.choices([*FAULTS, "after"], k=random.randrange(4))
        device = f"device-{random.randrange(5)}"
        was = device in active(deployment, license_)
        is_full = len(active(deployment, license_)) == 3
        if random.random() < 0.6:
            expected = (
                LicensingOutcome.ALREADY_ACTIVE
                if was
                else LicensingOutcome.LIMIT_REACHED
                if is_full
                else LicensingOutcome.ACTIVATED
            )
            action = DeviceAction.ACTIVATE
        else:
            expected = LicensingOutcome.DEACTIVATED if was else LicensingOutcome.ALREADY_INACTIVE
            action = DeviceAction.DEACTIVATE
        outcome = ask(deployment, action, device, patient()).outcome
        plan.clear()
        assert outcome is expected


def test_conflicts_without_end_are_given_up(deployment: Deployment, plan: list[str | None]) -> None:
    license_ = issue(deployment)
    plan += ["conflict"] * 1_000
    with pytest.raises(StoreUnavailable):
        ask(deployment, DeviceAction.ACTIVATE, DEVICE, Deadline(0.3))
    assert 900 < len(plan) < 1_000
    plan.clear()
    assert active(deployment, license_) == []


def test_a_licence_that_staff_suspend_meanwhile_is_read_anew(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue(deployment)
    store = license_store(deployment)
    known = LicenseStore.known

    def suspended_after_reading(self: LicenseStore, *arguments: Any) -> Any:  # noqa: ANN401
        found = known(self, *arguments)
        (license_,) = found[0].values()
        if license_.state is LicenseState.ASSIGNED:
            store.change(replace(license_, state=LicenseState.SUSPENDED))
        return found

    monkeypatch.setattr(LicenseStore, "known", suspended_after_reading)
    assert ask(deployment, DeviceAction.ACTIVATE, DEVICE).outcome is LicensingOutcome.BLOCKED


# ── Idempotency-Key


def perform(deployment: Deployment, act: Callable[[], Answer], body: bytes = b"{}", budget: float = 20) -> Answer:
    keys = IdempotencyStore(deployment.tables.registry)
    return once(("k1", "activate", "the key"), body, act, keys, deployment.keyring, NOW, Deadline(budget))


def test_one_key_many_at_once_acts_once(deployment: Deployment) -> None:
    acted: list[int] = []

    def act() -> Answer:
        acted.append(1)
        return 200, {"n": len(acted), "text": "ü\ud800"}

    answers = together([lambda: perform(deployment, act)] * 60, threads=30)
    assert {json.dumps(answer[1]) for answer in answers} == {json.dumps({"n": 1, "text": "ü\ud800"})}
    assert acted == [1]


def test_who_waits_in_vain_is_told_to_come_again(deployment: Deployment) -> None:
    def act() -> Answer:
        with pytest.raises(StoreUnavailable):
            perform(deployment, never, budget=0.1)
        with pytest.raises(KeyReused):
            perform(deployment, never, b"other")
        return 200, {}

    assert perform(deployment, act) == (200, {})


def never() -> Answer:
    raise AssertionError


def test_a_key_whose_holder_died_is_free_after_its_lease(deployment: Deployment) -> None:
    keys, later = IdempotencyStore(deployment.tables.registry), NOW + LEASE
    assert keys.claim("n", b"r", "first", NOW) == Kept(b"r", "first", None)
    assert keys.claim("n", b"r", "second", NOW) == Kept(b"r", "first", None)
    assert keys.claim("n", b"other", "third", later) == Kept(b"r", "first", None)
    assert keys.claim("n", b"r", "second", later) == Kept(b"r", "second", None)
    assert not keys.keep("n", "first", (200, 1))
    assert keys.keep("n", "second", (200, 2))
    assert keys.keep("n", "second", (200, 2))  # the answer to the first attempt was lost
    assert not keys.keep("n", "second", (200, 3))
    keys.release("n", "second")
    assert keys.claim("n", b"r", "fourth", later + LEASE) == Kept(b"r", "second", (200, 2))


def test_a_key_is_free_after_a_day_whether_deleted_or_not(deployment: Deployment) -> None:
    keys = IdempotencyStore(deployment.tables.registry)
    keys.claim("n", b"r", "first", NOW)
    keys.keep("n", "first", (200, 1))
    assert keys.claim("n", b"r2", "second", NOW.replace(day=22, minute=29)).answer == (200, 1)
    assert keys.claim("n", b"r2", "second", NOW.replace(day=22, minute=30)) == Kept(b"r2", "second", None)


def test_an_answer_nobody_can_keep_is_not_given(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IdempotencyStore, "keep", lambda *_: False)
    with pytest.raises(StoreUnavailable):
        perform(deployment, lambda: (200, {}))
