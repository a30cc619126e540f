"""Who and what events are about, through the handlers as Lambda runs them: ingest, rollup, finance's report."""

import json
import urllib.request
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from reo_census_mcp import ReoProductUsageLogger

from telemetry.domain.environment import Environment
from telemetry.domain.flags import Flag
from telemetry.domain.product import Product
from telemetry.domain.sighting import CATALOGUE
from tests.benchmarks.capacity import counted_calls
from tests.client import Client, bearer
from tests.lambdas import Context, load_function
from tests.stream_events import stream_batch
from tests.worlds.deployment import Deployment, Post, start_ingest
from tests.worlds.licenses import KEY, issue

pytestmark = pytest.mark.days

DEVICES = ("machine-1", "machine-2", "machine-3")
ZERO = "00000000-0000-0000-0000-000000000000"
PRODUCTS = (
    "reoWebApp", "V1.2", "com.Example.App", "My App", "a/b", "/a//", "ü", "🚀 ™", "50%", "%41", "a#b", "a+b", "a;b",
    "a,b", "a=b&c", "?x", 'q"', "..", "<b>", "'", "=1+1", "x" * 64, "__proto__",
)  # fmt: skip

Users = Callable[..., int]


@pytest.fixture
def users(deployment: Deployment) -> Users:
    """How many users finance is told of after all records were counted."""

    def users(application: str = CATALOGUE) -> int:
        load_function("rollup").handler(stream_batch(deployment), Context())
        question = {"requestObject": {"name": "CURRENT_MAU", "parameters": {"application": application}}}
        reports = Client(load_function("reports"), {"x-api-key": deployment.keys[Environment.PRODUCTION]})
        answer = reports.post("/rest/v3/telemetry/report", question)
        return int(answer.body["responseObject"]["reportData"]["users"])

    return users


def event(**fields: object) -> dict[str, object]:
    return {"data_type": "text", "data_group": "g", "text_data": "x", "product_id": "acme-desktop"} | fields


def sent(deployment: Deployment, post: Post, events: Iterable[dict[str, object]]) -> list[set[Flag]]:
    """The flags of events that were sent together."""
    answer = post("/api/v1/telemetry", json.dumps(list(events))).body
    return [set(deployment.record(result["telemetry_id"]).flags) for result in answer["results"]]


def test_spellings_of_one_user_are_one_user(deployment: Deployment, post: Post, users: Users) -> None:
    spellings = ("jürgen@münchen.example", "ju\u0308rgen@mu\u0308nchen.example", "\ufeffJÜRGEN@münchen.example\u200b")
    flags = sent(deployment, post, (event(user_identifier=each) for each in spellings))
    usage = {"activity_type": "primary", "source": "TELEMETRY", "event_at": 1, "product_id": "acme-cli"}
    post("/api/product/usage", json.dumps({"payload": usage | {"user_id": spellings[1]}}))
    sent(deployment, post, [event(hwid="h\u00fc"), event(hwid="\u2060hu\u0308")])
    assert flags == [set()] * 3
    assert users() == 2


@pytest.mark.parametrize("user", ["undefined", "null", "unknown", "Anonymous", "[object Object]", "0"])
def test_a_placeholder_is_nobody_and_the_device_counts(
    deployment: Deployment, post: Post, users: Users, user: str
) -> None:
    flags = sent(deployment, post, (event(user_identifier=user, hwid=device) for device in DEVICES))
    assert flags == [{Flag.PLACEHOLDER_ID}] * 3
    assert users() == 3
    sent(deployment, post, [event(user_identifier=user)])
    assert users() == 3


@pytest.mark.parametrize("device", [ZERO, "To be filled by O.E.M.", "Default string"])
def test_a_placeholder_device_is_no_device(deployment: Deployment, post: Post, users: Users, device: str) -> None:
    names = ("jane", "john", "jim")
    flags = sent(deployment, post, (event(user_identifier=name, hwid=device) for name in names))
    flags += sent(deployment, post, [event(hwid=device) for _ in names])
    assert flags == [{Flag.PLACEHOLDER_ID}] * 6
    assert users() == 3


def test_the_default_of_the_published_client_is_nobody_and_nothing_is_wrong_with_it(
    deployment: Deployment, post: Post, users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies: list[bytes] = []

    def urlopen(request: urllib.request.Request, **_: object) -> BytesIO:
        assert isinstance(request.data, bytes)
        bodies.append(request.data)
        return BytesIO(b"{}")

    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    client = ReoProductUsageLogger(
        "key", "https://telemetry.example/api/product/usage", activity_type="primary", source="PRODUCT_CLOUD",
        product_id="acme-cli", user_id="anonymous", user_id_type="ANONYMOUS", blocking=True,
    )  # fmt: skip
    client.log_usage()
    (body,) = bodies
    answer = post("/api/product/usage", body.decode())
    assert answer.body["status"] == "success"
    assert users() == 0
    (record,) = stream_batch(deployment)["Records"]
    assert record["dynamodb"]["NewImage"].keys().isdisjoint({"f", "e", "u", "h"})
    assert record["dynamodb"]["Keys"]["p"]["S"].startswith("A")


def test_placeholders_make_no_partition_that_all_share(deployment: Deployment, post: Post) -> None:
    """And a replay still finds its record."""
    events = [event(user_identifier="null", event_id=f"e{number}") for number in range(20)]
    events += [event(user_identifier="null", hwid=device, event_id="e") for device in DEVICES]
    for status in ("stored", "duplicate"):
        answer = post("/api/v1/telemetry", json.dumps(events)).body
        assert {result["status"] for result in answer["results"]} == {status}
    partitions = {each["dynamodb"]["Keys"]["p"]["S"] for each in stream_batch(deployment)["Records"]}
    assert len(partitions) > 10
    assert {partition[0] for partition in partitions} == {"A", "D"}


@pytest.mark.parametrize("device", [ZERO, "Default string", "none"])
def test_nobody_who_paid_becomes_a_pirate(deployment: Deployment, users: Users, device: str) -> None:
    issue(deployment)
    licensing = Client(load_function("licensing"), {"x-api-key": deployment.keys[Environment.PRODUCTION]})
    codes = [
        licensing.post(f"/v1/{action}", {"license_key": KEY, "identifier": device}).body["response"]["code"]
        for action in ("verify", "activate", "verify")
    ]
    assert codes == [202, 300, 200]
    mine = event(license_key=KEY, hwid=device, user_identifier="jane")
    assert sent(deployment, start_ingest(deployment), [mine]) == [{Flag.PLACEHOLDER_ID}]
    assert users() == 1


def test_records_of_placeholders_are_found_by_their_flag_and_shown_as_sent(deployment: Deployment, post: Post) -> None:
    analytics = Client(load_function("analytics"), bearer(deployment.staff_key()), query={"environment": "production"})

    def found(**query: str) -> tuple[int, Any]:
        answer = analytics.get("/api/v1/analytics/records", query)
        return answer.status, answer.body

    sent(deployment, post, [event(user_identifier="NULL", hwid=ZERO), event(user_identifier="ju\u0308rgen", hwid="H")])
    for field, nobody in (("user", "null"), ("user", "\u200b"), ("hwid", ZERO)):
        status, body = found(**{field: nobody})
        assert (status, body["errors"][0]["field"]) == (422, field)
    (row,) = found(flag="PLACEHOLDER_ID")[1]["items"]
    assert (row["user"], row["hwid"], row["flags"]) == ("NULL", ZERO, ["PLACEHOLDER_ID"])
    for query in ({"user": "\u200bjürgen"}, {"user": "ju\u0308rgen\ufeff"}, {"hwid": "\u200bH"}):
        (row,) = found(**query)[1]["items"]
        assert row["user"] == "jürgen"


# ── products


def test_any_product_is_registered_and_its_users_count(deployment: Deployment, users: Users) -> None:
    staff = bearer(deployment.staff_key())
    admin, post = Client(load_function("admin"), staff, "/api/v1/admin/products"), start_ingest(deployment)

    def ask(method: str, path: str, body: object = None, **more: str) -> tuple[int, Any]:
        answer = admin.request(method, path, body, None, more)
        return answer.status, answer.body

    for product in PRODUCTS:
        assert ask("POST", "", {"id": product, "name": "A product"})[0] == 201
        # what API Gateway makes of an id that is encoded once, and twice
        for path in (f"/{product}", f"/{quote(product, safe='')}"):
            status, body = ask("GET", path)
            assert (status, body["id"]) == (200, product)
        assert ask("PATCH", f"/{product}", {"name": f"{product}!"}, **{"if-match": '"1"'})[1]["name"] == f"{product}!"
        assert ask("POST", "", {"id": product, "name": "Again"})[0] == 409
        assert sent(deployment, post, [event(product_id=product, user_identifier=f"user of {product}")]) == [set()]
    analytics = Client(load_function("analytics"), staff, "/api/v1/analytics/", {"environment": "production"})

    def shown(route: str, product: str) -> Any:  # noqa: ANN401
        return analytics.get(route, {"product": product}).body

    for product in PRODUCTS:
        (row,) = shown("records", product)["items"]
        assert (row["product"], row["user"]) == (product, f"user of {product}")
    others = ["reowebapp", "v1.2", "My  App", "*", "~unknown", "x" * 65]
    assert sent(deployment, post, (event(product_id=each) for each in others)) == [{Flag.UNKNOWN_PRODUCT}] * len(others)
    assert {product: users(product) for product in PRODUCTS} == dict.fromkeys(PRODUCTS, 1)
    assert {product: shown("overview", product)["stats"]["recent_activity"] for product in PRODUCTS} == dict.fromkeys(
        PRODUCTS, 1
    )
    for wrong in ("", " a", "a ", "*", "~a", "a\nb", "\x7f", "ü" * 33):
        assert ask("POST", "", {"id": wrong, "name": "No"})[0] == 422
    assert ask("GET", "/no such")[0] == 404


def test_a_product_counts_for_the_very_next_event(deployment: Deployment, post: Post, users: Users) -> None:
    """Whatever the container has just been told of it."""
    others = [event(product_id="new"), event(product_id="newer")]
    assert sent(deployment, post, others) == [{Flag.UNKNOWN_PRODUCT}] * 2
    deployment.products.put(Product("new", "New"))
    assert sent(deployment, post, [event(product_id="new", user_identifier="jane"), others[1]]) == [
        set(),
        {Flag.UNKNOWN_PRODUCT},
    ]
    assert users("new") == 1


def test_the_keys_own_product_counts_at_once(deployment: Deployment, post: Post, users: Users) -> None:
    headers = {"x-api-key": deployment.key(product_id="of-key")}
    body = json.dumps(event(product_id=None, user_identifier="jane"))
    assert post("/api/v1/telemetry", body, headers).body["is_flagged"]
    deployment.products.put(Product("of-key", "New"))
    assert not post("/api/v1/telemetry", body, headers).body["is_flagged"]
    assert users("of-key") == 1


def test_names_nobody_knows_cost_one_request(deployment: Deployment, post: Post) -> None:
    known = [event(license_key="nobody's", hwid="h")]
    unknown = [event(product_id=f"p{number}", license_key="nobody's") for number in range(40)]
    sent(deployment, post, known)
    figures = []
    for events in (known, unknown):
        with counted_calls() as calls:
            post("/api/v1/telemetry", json.dumps(events))
        figures.append([call for call in calls if call.endswith("registry")])
    assert [len(calls) for calls in figures] == [1, 2]  # the licence, to be sure; and the names
