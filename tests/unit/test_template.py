import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from local.cloudformation import TemplateError, expand_loops, load
from local.payloads import Router
from local.template import REGION, ROOT, Cors, Queue, Route, Schedule, StreamMapping, Topic, _Reader, read_template
from telemetry.settings import TableNames
from telemetry.web.routes import PATHS

ENVIRONMENTS = ("production", "staging", "development")

MINIMAL = """
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
  HelloFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/hello
      Handler: app.handler
      Environment:
        Variables: {WHERE: !Sub "${AWS::Region}/${!Literal}/${HelloFunction.Arn}"}
      Events:
        Hello: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: get, Path: "/hello/{name}"}}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(text)
    return path


def test_reads_the_tables_settings_names() -> None:
    template = read_template("some-stack")
    names = TableNames("some-stack")
    expected = {names.registry, *map(names.records, ENVIRONMENTS), *map(names.aggregates, ENVIRONMENTS)}  # type: ignore[arg-type]
    assert {table.name for table in template.tables} == expected
    records = next(table for table in template.tables if table.name == "some-stack-records-staging")
    assert records.create["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert records.ttl_attribute == "x"
    assert "ResourcePolicy" not in records.create


def test_reads_functions_with_merged_globals() -> None:
    template = read_template("some-stack", {"RetentionDays": "7"})
    rollup = template.function("rollup")
    assert (rollup.module, rollup.handler, rollup.code) == ("app", "handler", ROOT / "functions" / "rollup")
    assert rollup.timeout == 300
    assert rollup.environment["TABLE_PREFIX"] == "some-stack"
    assert rollup.environment["RETENTION_DAYS"] == "7"


def test_reads_wiring() -> None:
    template = read_template()
    assert Route("POST", "/api/v1/telemetry", "ingest") in template.routes
    assert Route("ANY", "/rest/{proxy+}", "reports") in template.routes
    assert Route("ANY", "/api/v1/reports/{proxy+}", "reports") in template.routes
    assert Route("ANY", "/api/v1/admin/{proxy+}", "admin") in template.routes
    assert Route("ANY", "/api/v1/analytics/{proxy+}", "analytics") in template.routes
    assert Route("ANY", "$default", "unknown_route") in template.routes
    assert template.cors is not None
    assert template.cors.origins == ("*",)
    pattern = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"g": {"S": [{"exists": True}]}}}}
    for environment in ENVIRONMENTS:
        table = f"telemetry-records-{environment}"
        mapping = next(stream for stream in template.streams if stream.table == table)
        assert mapping == StreamMapping(table, "rollup", 1000, (pattern,), 900)
        assert Schedule("cron(30 * * * ? *)", "close_day", {"environment": environment}) in template.schedules
        assert Schedule("cron(50 * * * ? *)", "close_usage", {"environment": environment}) in template.schedules


def test_reads_a_minimal_template(tmp_path: Path) -> None:
    template = read_template("s", path=written(tmp_path, MINIMAL))
    arn = f"arn:aws:lambda:{REGION}:000000000000:function:s-HelloFunction"
    assert template.routes == (Route("GET", "/hello/{name}", "hello"),)
    assert template.functions[0].environment == {"WHERE": f"{REGION}/${{Literal}}/{arn}"}
    assert template.cors is None


def test_reads_the_queue_and_the_topic_rollup_is_given() -> None:
    template = read_template("some-stack")
    url = f"https://sqs.{REGION}.amazonaws.com/000000000000/some-stack-rollup-failures"
    arn = f"arn:aws:sns:{REGION}:000000000000:some-stack-alerts"
    assert template.queues == (Queue("some-stack-rollup-failures", url),)
    assert template.topics == (Topic("some-stack-alerts", arn),)
    given = {"FAILURE_QUEUE_URL": url, "ALERT_TOPIC_ARN": arn, "NETWORK_FILE": ""}
    assert dict(template.function("rollup").environment) == {**template.function("ingest").environment, **given}


CONDITIONAL = """
Parameters:
  Name: {Type: String, Default: ""}
Conditions:
  Named: !Not [!Equals [!Ref Name, ""]]
Resources:
  Maybe:
    Type: AWS::SQS::Queue
    Condition: Named
    Properties: {QueueName: !Ref Name}
"""


@pytest.mark.parametrize(("given", "made"), [({}, []), ({"Name": ""}, []), ({"Name": "q"}, ["q"])])
def test_makes_resources_on_their_condition(tmp_path: Path, given: dict[str, str], made: list[str]) -> None:
    template = read_template(parameters=given, path=written(tmp_path, CONDITIONAL))
    assert [queue.name for queue in template.queues] == made


def test_an_unknown_condition_is_an_error(tmp_path: Path) -> None:
    text = CONDITIONAL.replace("Condition: Named", "Condition: Nobody")
    with pytest.raises(TemplateError, match="Maybe: no such condition: Nobody"):
        read_template(path=written(tmp_path, text))


def alarms() -> dict[str, dict[str, Any]]:
    """The properties of every alarm, by logical id, as in a stack called `stack`."""
    reader = _Reader("stack", {}, ROOT / "template.yaml")
    found = {name: made for name, made in reader._resources.items() if made["Type"] == "AWS::CloudWatch::Alarm"}
    return {name: reader._resolver.resolve(made["Properties"]) for name, made in found.items()}


def watched(alarm: dict[str, Any]) -> tuple[str, str, dict[str, str]]:
    """The namespace, name and dimensions of an alarm's metric, also where it is part of an expression."""
    metric = next((each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each), alarm)
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}
    return metric["Namespace"], metric["MetricName"], dimensions


# What AWS emits by itself, with the dimensions that it has there alone:
# docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
# docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
# docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
# docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
AWS_METRICS = {
    ("AWS/ApiGateway", "5xx"): {"ApiId"},
    ("AWS/Lambda", "IteratorAge"): {"FunctionName"},
    ("AWS/Lambda", "Errors"): {"FunctionName"},
    ("AWS/Lambda", "Throttles"): {"FunctionName"},
    ("AWS/DynamoDB", "WriteThrottleEvents"): {"TableName", "GlobalSecondaryIndexName"},
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): {"QueueName"},
}


def test_alarms_on_aws_metrics_watch_what_there_is() -> None:
    template = read_template("stack")
    resources = expand_loops(load(ROOT / "template.yaml")["Resources"])
    apis = {f"stack-{name}" for name, made in resources.items() if made["Type"] == "AWS::Serverless::HttpApi"}
    functions = {function.physical_name for function in template.functions}
    indexes = {
        (table.name, index["IndexName"])
        for table in template.tables
        for index in table.create.get("GlobalSecondaryIndexes", [])
    }
    seen = set()
    for name, alarm in alarms().items():
        namespace, metric, dimensions = watched(alarm)
        if not namespace.startswith("AWS/"):
            continue
        seen.add((namespace, metric))
        assert dimensions.keys() == AWS_METRICS[namespace, metric], name
        if namespace == "AWS/ApiGateway":
            assert dimensions["ApiId"] in apis, name
        elif namespace == "AWS/Lambda":
            assert dimensions["FunctionName"] in functions, name
        elif namespace == "AWS/DynamoDB":
            assert (dimensions["TableName"], dimensions["GlobalSecondaryIndexName"]) in indexes, name
        elif namespace == "AWS/SQS":
            assert dimensions == {"QueueName": template.queues[0].name}, name
    assert seen == AWS_METRICS.keys()


def test_the_main_job_rings() -> None:
    by_metric: dict[tuple[str, str], set[str]] = {}
    for alarm in alarms().values():
        namespace, metric, dimensions = watched(alarm)
        by_metric.setdefault((namespace, metric), set()).add(dimensions.get("FunctionName", ""))
    assert by_metric["AWS/ApiGateway", "5xx"]
    for metric in ("Errors", "Throttles"):
        assert by_metric["AWS/Lambda", metric] >= {"stack-IngestFunction", "stack-ReportsFunction"}
    # few callers are enough, whatever the hour, and one throttled moment is not
    failing = alarms()["ApiFailing"]
    assert (failing["Period"], failing["EvaluationPeriods"], failing["DatapointsToAlarm"]) == (300, 12, 3)


def test_alarms_on_our_metrics_watch_what_powertools_emits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in read_template("stack").function("close_day").environment.items():
        monkeypatch.setenv(name, value)
    expected = set()
    for environment in ENVIRONMENTS:
        metrics = Metrics()
        metrics.add_dimension("environment", environment)
        for name in ("DaysBehind", "DaysClosedByDeadline", "ReportsContradicted"):
            metrics.add_metric(name, MetricUnit.Count, 0)
        emitted: dict[str, Any] = dict(metrics.serialize_metric_set())
        metrics.clear_metrics()
        (directive,) = emitted["_aws"]["CloudWatchMetrics"]
        dimensions = frozenset((name, emitted[name]) for name in directive["Dimensions"][0])
        expected |= {(directive["Namespace"], metric["Name"], dimensions) for metric in directive["Metrics"]}
    assert len(expected) == 9
    # by whichever function of the stack: tests/integration/test_metrics.py sees them emitted
    expected |= {("Telemetry", name, frozenset({("service", "stack")})) for name in ("EventsFailed", "StorageFaults")}
    ours = [watched(alarm) for alarm in alarms().values()]
    assert {
        (namespace, metric, frozenset(dimensions.items()))
        for namespace, metric, dimensions in ours
        if not namespace.startswith("AWS/")
    } == expected


def test_every_alarm_tells_the_topic_and_says_what_missing_data_means() -> None:
    (topic,) = read_template("stack").topics
    found = alarms()
    assert len(found) == 12 + 4 * len(ENVIRONMENTS)
    for name, alarm in found.items():
        assert alarm["AlarmActions"] == [topic.arn], name
        assert alarm["AlarmDescription"], name
    breaching = {name for name, alarm in found.items() if alarm["TreatMissingData"] == "breaching"}
    assert breaching == {f"DaysBehind{environment}" for environment in ENVIRONMENTS}


def test_reads_cors(tmp_path: Path) -> None:
    api = "Type: AWS::Serverless::HttpApi\n    Properties:\n      CorsConfiguration: {AllowOrigins: [a], MaxAge: 5}"
    template = read_template(path=written(tmp_path, MINIMAL.replace("Type: AWS::Serverless::HttpApi", api)))
    assert template.cors == Cors(("a",), (), (), (), credentials=False, max_age=5)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("AWS::Serverless::HttpApi", "AWS::Serverless::Api", "resource type AWS::Serverless::Api is not understood"),
        ("Handler: app.handler", "Handler: app.handler\n      Color: red", "HelloFunction: Color not understood"),
        ("Handler: app.handler", "Runtime: python3.13", "HelloFunction: Handler is missing"),
        ('"${AWS::Region}/', '"${Nothing}/', "Ref Nothing is not understood"),
        ("!Sub", "!Join", "Fn::Join"),
        ("Type: HttpApi,", "Type: S3,", "HelloFunction.Hello: event type 'S3' is not understood"),
        ("Method: get,", "Method: get, PayloadFormatVersion: '1.0',", "PayloadFormatVersion '1.0' is not understood"),
    ],
)
def test_names_what_it_does_not_understand(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in MINIMAL
    with pytest.raises(TemplateError, match=message):
        read_template(path=written(tmp_path, MINIMAL.replace(old, new)))


def test_unknown_parameter_is_an_error() -> None:
    with pytest.raises(TemplateError, match="no such parameter: Nope"):
        read_template(parameters={"Nope": "1"})


def test_nothing_that_matters_in_the_registry_can_expire() -> None:
    from telemetry.storage import (
        api_keys,
        audit,
        customers,
        idempotency,
        license_items,
        overrides,
        products,
        retention,
        sessions,
        sign_in_attempts,
    )

    attribute = next(table for table in read_template("s").tables if table.name == "s-registry").ttl_attribute
    assert attribute == "expires_at"
    models = [
        license_items.LicenseItem, license_items.ActivationItem, products.ProductItem, api_keys.ApiKeyItem,
        api_keys.ApiKeyPointer, customers.CustomerItem, audit.AuditItem, retention.RetentionItem,
        overrides.OverridesItem,
    ]  # fmt: skip
    assert not [model for model in models if attribute in model.get_attributes()]
    passing = [idempotency.IdempotencyItem, sessions.SessionItem, sign_in_attempts.SignInAttemptsItem]
    assert all(attribute in model.get_attributes() for model in passing)


def test_the_index_of_records_lists_all_but_the_body() -> None:
    from telemetry.storage.record_item import ByReceived, RecordItem

    create = next(table.create for table in read_template("s").tables if table.name == "s-records-production")
    (index,) = create["GlobalSecondaryIndexes"]
    projected = index["Projection"]["NonKeyAttributes"]
    assert projected == ByReceived.Meta.projection.non_key_attributes
    keys = {key["AttributeName"] for key in (*create["KeySchema"], *index["KeySchema"])}
    names = {attribute.attr_name for attribute in RecordItem.get_attributes().values()}
    assert set(projected) == names - keys - {"b"}


# ── routes


def test_head_is_wherever_get_is() -> None:
    routes = read_template().routes
    for route in routes:
        if route.method == "GET" and "+}" not in route.path:
            assert Route("HEAD", route.path, route.function) in routes


def test_no_route_ends_in_a_slash() -> None:
    """API Gateway would ignore it."""
    assert [route for route in read_template().routes if route.path.endswith("/")] == [
        Route("GET", "/", "dashboard"),
        Route("HEAD", "/", "dashboard"),
    ]


def test_routes_are_the_paths_that_functions_know() -> None:
    found: dict[str, set[str]] = {}
    for route in read_template().routes:
        if "{" not in route.path and route.path != "$default":
            found.setdefault(route.method, set()).add(route.path)
    assert found == PATHS


def test_more_slashes_reach_the_same_function() -> None:
    routes = read_template().routes
    router = Router(routes)
    sent = [each for each in routes if each.method == "POST" and each.function in {"ingest", "licensing"}]
    exact = [each for each in sent if "{" not in each.path]
    assert len(exact) == 14
    for route in exact:
        for slashes in ("/", "//", "///"):
            found = router.find("POST", route.path + slashes)
            assert found
            assert found[0].function == route.function, route
        # only one function can have what is greedy below a prefix: the one to which most is sent
        found = router.find("POST", "//".join(route.path.rsplit("/", 1)))
        assert found
        assert found[0].function == "ingest", route


def test_no_route_depends_on_whether_path_or_method_is_more_specific() -> None:
    """That is documented nowhere: a greedy ANY below a greedy route of another function names its method, too."""
    greedy = [route for route in read_template().routes if "+}" in route.path]
    for wide in greedy:
        for narrow in greedy:
            is_below = narrow.path.startswith(wide.path.partition("{")[0]) and narrow.path != wide.path
            if is_below and (narrow.method, wide.method) != ("ANY", "ANY") and narrow.method == "ANY":
                assert Route(wide.method, narrow.path, narrow.function) in greedy


# ── what roles and policies may, and do not by mistake


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every IAM statement of the template, with the resource it is written in."""

    def within(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
        if isinstance(value, list):
            for item in value:
                yield from within(item)
        elif isinstance(value, dict):
            if "Effect" in value:
                yield value
            for item in value.values():
                yield from within(item)

    for name, resource in expand_loops(load(ROOT / "template.yaml")["Resources"]).items():
        yield from ((f"{name}.{each.get('Sid')}", each) for each in within(resource))


def actions(statement: dict[str, Any]) -> set[str]:
    return set(statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])


# Actions whose requests carry dynamodb:LeadingKeys (Service Authorization Reference, DynamoDB): not Scan.
WITH_LEADING_KEYS = {
    f"dynamodb:{action}"
    for action in (
        "BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PartiQLDelete",
        "PartiQLInsert", "PartiQLSelect", "PartiQLUpdate", "PutItem", "Query", "UpdateItem",
    )
}  # fmt: skip


def test_no_condition_is_met_by_what_is_absent() -> None:
    found = dict(statements())
    assert len(found) > 35
    qualified = 0
    for name, statement in found.items():
        conditions = statement.get("Condition", {})
        # a bare Null would be YAML's own
        assert all(isinstance(operator, str) for operator in conditions), name
        for operator, tests in conditions.items():
            if operator.startswith("ForAllValues:") and statement["Effect"] == "Allow":
                qualified += 1
                for key in tests:
                    assert conditions.get("Null", {}).get(key) == "false", name
    assert qualified >= 10


def test_no_call_that_is_needed_is_refused_for_what_is_absent() -> None:
    for name, statement in statements():
        for operator, tests in statement.get("Condition", {}).items():
            if "dynamodb:LeadingKeys" in tests:
                assert actions(statement) <= WITH_LEADING_KEYS, name
            if "dynamodb:Select" in tests and statement["Effect"] == "Allow":
                assert operator.endswith("IfExists"), name
            if statement["Effect"] == "Deny":
                # ForAllValues would deny what carries no key, and a plain operator is not for many values
                assert operator.startswith("ForAnyValue:"), name


def test_ingest_cannot_read_a_body() -> None:
    reading = {"BatchGetItem", "GetItem", "PartiQLSelect", "Query", "Scan", "GetRecords", "ExportTableToPointInTime"}
    of_records = [
        statement
        for name, statement in statements()
        if name.startswith("IngestFunction.") and "records" in str(statement["Resource"])
    ]
    assert {action for statement in of_records for action in actions(statement)} == {
        "dynamodb:PartiQLInsert",
        "dynamodb:BatchGetItem",
        "dynamodb:GetItem",
    }
    for statement in of_records:
        if actions(statement) & {f"dynamodb:{action}" for action in reading}:
            assert statement["Condition"] == {
                "ForAllValues:StringEquals": {"dynamodb:Attributes": ["p", "s", "d", "f"]},
                "Null": {"dynamodb:Attributes": "false"},
                "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
            }


def test_what_takes_the_rest_can_only_count() -> None:
    (policy,) = load(ROOT / "template.yaml")["Resources"]["UnknownRouteFunction"]["Properties"]["Policies"]
    assert policy["Statement"] == [
        {
            "Sid": "CountFailedCalls",
            "Effect": "Allow",
            "Action": "dynamodb:UpdateItem",
            "Resource": {"Fn::GetAtt": ["Registry", "Arn"]},
            "Condition": {
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["failed_calls#*"]},
                "Null": {"dynamodb:LeadingKeys": "false"},
            },
        }
    ]


# ── parameters


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        (
            "SecretParameter",
            ["/telemetry/secret", "/s", "/a.b/c-d_e"],
            ["telemetry/secret", "", "/", "//x", "/x/", "/x y", "/" + "x/" * 15 + "x", "arn:aws:ssm:x"],
        ),
        (
            "RecordShards",
            ["8", "999", "8 2027-01-01:16", "8 2027-01-01:16 2027-12-31:4"],
            [
                "0",
                "08",
                "1000",
                "8 2027-13-01:16",
                "8 2027-00-01:1",
                "8 2027-01-32:16",
                "8 2027-01-01:0",
                "8,2027-01-01:9",
            ],
        ),
        ("AlertEmail", ["", "ops@example.org"], ["ops", "@", "ops@example", "a@b.example c@d.example", " "]),
    ],
)
def test_what_parameters_may_say(parameter: str, good: list[str], bad: list[str]) -> None:
    declared = load(ROOT / "template.yaml")["Parameters"][parameter]
    assert declared["ConstraintDescription"]
    pattern = declared["AllowedPattern"]
    assert [text for text in good if not re.search(pattern, text)] == []
    assert [text for text in bad if re.search(pattern, text)] == []
    assert re.search(pattern, declared["Default"])


def test_parameters_are_bounded_and_described() -> None:
    operations = (ROOT / "docs" / "operations.md").read_text()
    for name, declared in load(ROOT / "template.yaml")["Parameters"].items():
        assert declared["Description"], name
        assert f"`{name}`" in operations, name
        assert declared.keys() & {"AllowedValues", "AllowedPattern", "MinValue"}, name
    days = load(ROOT / "template.yaml")["Parameters"]["LogRetentionDays"]
    assert days["Default"] in days["AllowedValues"]


def test_limits_are_off_until_they_are_set() -> None:
    document = load(ROOT / "template.yaml")
    none = {"Ref": "AWS::NoValue"}
    api, ingest = (document["Resources"][name]["Properties"] for name in ("Api", "IngestFunction"))
    limits = {
        "ThrottlingRateLimit": {"Ref": "RequestsPerSecond"},
        "ThrottlingBurstLimit": {"Ref": "RequestBurst"},
    }
    assert api["DefaultRouteSettings"] == {"Fn::If": ["HasRequestLimit", limits, none]}
    reserved = ["HasIngestConcurrency", {"Ref": "IngestConcurrency"}, none]
    assert ingest["ReservedConcurrentExecutions"] == {"Fn::If": reserved}
    limited = {"RequestsPerSecond": "50", "IngestConcurrency": "20"}
    for parameters, made in (({}, [False, False]), (limited, [True, True])):
        reader = _Reader("stack", parameters, ROOT / "template.yaml")
        conditions = [reader._conditions[name] for name in ("HasRequestLimit", "HasIngestConcurrency")]
        assert [reader._resolver.resolve(condition) for condition in conditions] == made


@pytest.mark.parametrize("stage", ["dev", "test", "prod"])
def test_what_becomes_of_tables(stage: str) -> None:
    reader = _Reader("stack", {"Stage": stage}, ROOT / "template.yaml")
    tables = [made for made in reader._resources.values() if made["Type"] == "AWS::DynamoDB::Table"]
    assert len(tables) == 7
    for table in tables:
        policies = [reader._resolver.resolve(table[name]) for name in ("DeletionPolicy", "UpdateReplacePolicy")]
        assert policies == (["RetainExceptOnCreate", "Retain"] if stage == "prod" else ["Delete", "Delete"])


def test_closing_usage_can_tell_a_file_that_is_not_there_from_one_that_it_may_not_read() -> None:
    """To who may not list a bucket S3 denies what is not there: then no copy is missed, and none ever made."""
    resource: Any = load(ROOT / "template.yaml")["Resources"]["KeepNetworkFilesPolicy"]
    allowed: dict[str, str] = {}
    for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            allowed[action] = statement["Resource"]["Fn::Sub"][0]
    bucket = "arn:${AWS::Partition}:s3:::${Bucket}"
    assert allowed == {"s3:GetObject": f"{bucket}/*.mmdb", "s3:PutObject": f"{bucket}/*.mmdb", "s3:ListBucket": bucket}
