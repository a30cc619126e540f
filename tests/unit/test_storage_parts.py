from collections.abc import Collection
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.errors import ConfigurationError, StoreUnavailable
from telemetry.domain.product import Product, is_product_id
from telemetry.domain.shards import ShardPlan, shard_of
from telemetry.retry import Deadline, check_time, deadline
from telemetry.storage.bodies import decode_body, encode_body
from telemetry.storage.products import Catalogue
from telemetry.storage.side_by_side import side_by_side
from tests.lambdas import example_event


@given(st.binary())
def test_bodies_come_back_byte_for_byte(body: bytes) -> None:
    assert decode_body(encode_body(body)) == body


def test_typical_bodies_lie_deflated() -> None:
    for name in ("ingest-telemetry", "ingest-usage"):
        body = example_event(name)["body"].encode()
        assert len(encode_body(body)) < 0.7 * len(body)


def test_a_body_of_the_first_encodings_stays_readable() -> None:
    # written down once: records outlive the code that wrote them
    body = b'{"data_type":"text","text_data":"hello","product_id":"acme-cli"}'
    assert decode_body(b"\x00" + body) == body
    assert encode_body(body).hex() == "01430d42685821e7e38cd49c9c7c74472526e7a6ea26e7642ad50200"
    assert decode_body(bytes.fromhex("01430d42685821e7e38cd49c9c7c74472526e7a6ea26e7642ad50200")) == body


def test_an_encoding_nobody_wrote_is_an_error() -> None:
    with pytest.raises(ValueError, match="its encoding 09 is unknown"):
        decode_body(b"\x09abc")


def test_a_shard_plan_changes_at_a_day_boundary() -> None:
    plan = ShardPlan.parse("8 2027-03-01:32 2027-01-01:16")
    days = [date(2026, 12, 31), date(2027, 1, 1), date(2027, 2, 28), date(2027, 3, 1)]
    assert [plan.on(day) for day in days] == [8, 16, 16, 32]


@pytest.mark.parametrize("text", ["", "0", "8 ", "8 2027-01-01", "8 2027-01-01:0", "8,2027-01-01:4"])
def test_a_shard_plan_that_is_none(text: str) -> None:
    with pytest.raises(ConfigurationError):
        ShardPlan.parse(text)


@given(st.binary(min_size=4), st.integers(1, 999))
def test_a_shard_is_one_of_the_count(identity: bytes, count: int) -> None:
    assert 0 <= shard_of(identity, count) < count


def test_attempts_stop_within_the_budget() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    shared = Deadline(5, clock=lambda: now[0], sleep=sleep, jitter=lambda: 1.0)
    assert list(shared.attempts()) == list(range(9))
    assert now[0] < 5


def test_who_shares_a_deadline_shares_its_time() -> None:
    now = [0.0]
    shared = Deadline(5, clock=lambda: now[0], sleep=lambda _: None, jitter=lambda: 0.0)
    for attempt in shared.attempts():
        now[0] += 2
        assert attempt < 3
    assert (shared.is_over, shared.seconds_left) == (True, -1)
    assert list(shared.attempts()) == []


def test_a_deadline_sooner_than_another() -> None:
    now = [0.0]
    shared = Deadline(5, clock=lambda: now[0])
    now[0] = 1
    sooner = shared.sooner(3)
    assert (sooner.seconds_left, shared.seconds_left, shared.anew().seconds_left) == (1, 4, 5)


def test_no_deadline_outlasts_the_one_in_force() -> None:
    now = [0.0]
    request = Deadline(2, clock=lambda: now[0])
    with pytest.raises(LookupError):
        deadline()
    with request.in_force():
        own = Deadline(5, clock=lambda: now[0])
        assert (deadline(), own.seconds_left) == (request, 2)
        check_time()
        now[0] = 2
        assert list(own.attempts()) == []
        with pytest.raises(StoreUnavailable, match="no time is left"):
            check_time()
    check_time()
    assert own.seconds_left == 3


def test_a_deadline_is_in_force_in_other_threads_too() -> None:
    request = Deadline(60)
    with request.in_force():
        assert side_by_side(lambda _: deadline(), range(40)) == [request] * 40


class CountingProducts:
    """Same interface as `ProductStore`, but for being away when told to."""

    def __init__(self, *ids: str) -> None:
        self.asked: list[tuple[list[str], bool]] = []
        self.listed = {id_: Product(id_, id_) for id_ in ids}
        self.is_up = True

    def named(self, ids: Collection[str], *, consistent: bool = True) -> dict[str, Product]:
        self.asked.append((list(ids), consistent))
        if not self.is_up:
            raise StoreUnavailable("products")
        return {id_: self.listed[id_] for id_ in ids if id_ in self.listed}


def test_a_new_product_is_found_at_once_and_costs_nothing_from_then_on() -> None:
    now, products = [0.0], CountingProducts("acme")
    catalogue = Catalogue(products, clock=lambda: now[0])
    acme, reo = products.listed["acme"], Product("reoWebApp", "Reo")
    assert catalogue.find_all(["acme", "reoWebApp", "acme"]) == {"acme": acme}
    assert catalogue.find_all(["acme", "reoWebApp"]) == {"acme": acme}
    products.listed["reoWebApp"] = reo
    assert catalogue.find_all(["acme", "reoWebApp"]) == {"acme": acme, "reoWebApp": reo}
    assert products.asked == [(["acme", "reoWebApp"], True), (["reoWebApp"], True), (["reoWebApp"], True)]
    assert [catalogue.find("reoWebApp") for _ in range(9)] == [reo] * 9
    assert len(products.asked) == 3


def test_a_product_is_read_once_a_minute_however_often_it_is_asked_for() -> None:
    now, products = [0.0], CountingProducts("acme")
    catalogue = Catalogue(products, clock=lambda: now[0])
    for second in range(580):
        now[0] = second
        assert catalogue.find("acme")
    assert products.asked == [(["acme"], True)] + [(["acme"], False)] * 9
    changed = products.listed["acme"] = replace(products.listed["acme"], version=2)
    now[0] += 2.1
    assert catalogue.find("acme") != changed
    assert catalogue.find("acme", max_age=2) == changed


def test_only_names_that_can_be_are_looked_for_in_one_request() -> None:
    products = CountingProducts()
    catalogue = Catalogue(products, clock=lambda: 0.0)
    names = [str(number) for number in range(30)]
    assert catalogue.find_all(["*", "~x", "x" * 65, *names, *names]) == {}
    assert products.asked == [(names, True)]
    catalogue.find_all(["*", "\x00", " a"])
    assert len(products.asked) == 1


def test_no_more_products_are_remembered_than_there_is_room_for_and_all_are_found() -> None:
    names = [str(number) for number in range(30)]
    products = CountingProducts(*names)
    catalogue = Catalogue(products, clock=lambda: 0.0, most=10)
    assert catalogue.find_all(names).keys() == set(names)
    assert catalogue.find_all(names[-10:]).keys() == set(names[-10:])
    assert len(products.asked) == 1
    assert catalogue.find(names[0])
    assert products.asked[1:] == [([names[0]], True)]


def test_products_read_once_serve_on_while_the_registry_is_away() -> None:
    """Others are not taken for unknown ones: what they are counted as would stay."""
    now, products = [0.0], CountingProducts("acme", "other")
    catalogue = Catalogue(products, clock=lambda: now[0])
    products.is_up = False
    with pytest.raises(StoreUnavailable):
        catalogue.find("acme")
    products.is_up = True
    assert catalogue.find("acme")
    now[0], products.is_up = 70, False
    assert catalogue.find_all(["acme"]).keys() == {"acme"}
    with pytest.raises(StoreUnavailable):
        catalogue.find_all(["acme", "other"])


@pytest.mark.parametrize(
    "text",
    ["reoWebApp", "V1.2", "com.Example.App", "My App", "a/b", "ü" * 32, "50%", "a#b", "?", "-", "..", "a\u200b", "0"],
)
def test_ids_of_products(text: str) -> None:
    assert is_product_id(text)


@pytest.mark.parametrize(
    "text", ["", " ", "a ", "\u3000a", "*", "~a", "~", "a\nb", "a\x00", "\x85x", "ü" * 33, "\ud800"]
)
def test_what_is_no_id_of_a_product(text: str) -> None:
    assert not is_product_id(text)
