from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from local.cloudformation import TemplateError
from local.template import REGION, ROOT, Cors, Queue, Route, Schedule, StreamMapping, Topic, _Reader, read_template
from telemetry.settings import TableNames

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
    assert Route("GET", "/api/v1/analytics/{proxy+}", "analytics") in template.routes
    assert template.cors is not None
    assert template.cors.origins == ("*",)
    pattern = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"g": {"S": [{"exists": True}]}}}}
    for environment in ENVIRONMENTS:
        table = f"telemetry-records-{environment}"
        mapping = next(stream for stream in template.streams if stream.table == table)
        assert mapping == StreamMapping(table, "rollup", 1000, (pattern,), 900)
        assert Schedule("cron(30 * * * ? *)", "close_day", {"environment": environment}) in template.schedules


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
    given = {"FAILURE_QUEUE_URL": url, "ALERT_TOPIC_ARN": arn}
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


def test_alarms_on_aws_metrics_watch_what_there_is() -> None:
    template = read_template("stack")
    functions = {function.physical_name for function in template.functions}
    indexes = {
        (table.name, index["IndexName"])
        for table in template.tables
        for index in table.create.get("GlobalSecondaryIndexes", [])
    }
    seen = set()
    for name, alarm in alarms().items():
        namespace, metric, dimensions = watched(alarm)
        seen.add((namespace, metric))
        if namespace == "AWS/Lambda":
            assert dimensions.keys() == {"FunctionName"}, name
            assert dimensions["FunctionName"] in functions, name
        elif namespace == "AWS/DynamoDB":
            assert dimensions.keys() == {"TableName", "GlobalSecondaryIndexName"}, name
            assert (dimensions["TableName"], dimensions["GlobalSecondaryIndexName"]) in indexes, name
        elif namespace == "AWS/SQS":
            assert dimensions == {"QueueName": template.queues[0].name}, name
    assert {metric for namespace, metric in seen if namespace.startswith("AWS/")} == {
        "IteratorAge",
        "Errors",
        "WriteThrottleEvents",
        "ApproximateNumberOfMessagesVisible",
    }


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
    ours = [watched(alarm) for alarm in alarms().values()]
    assert {
        (namespace, metric, frozenset(dimensions.items()))
        for namespace, metric, dimensions in ours
        if not namespace.startswith("AWS/")
    } == expected


def test_every_alarm_tells_the_topic_and_says_what_missing_data_means() -> None:
    (topic,) = read_template("stack").topics
    found = alarms()
    assert len(found) == 4 + 4 * len(ENVIRONMENTS)
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
    from telemetry.storage import audit, customers, idempotency, licenses, registry, retention, sessions

    attribute = next(table for table in read_template("s").tables if table.name == "s-registry").ttl_attribute
    assert attribute == "expires_at"
    models = [
        licenses.LicenseItem, licenses.ActivationItem, registry.ProductItem, registry.ApiKeyItem,
        registry.ApiKeyPointer, customers.CustomerItem, audit.AuditItem, retention.RetentionItem,
    ]  # fmt: skip
    assert not [model for model in models if attribute in model.get_attributes()]
    passing = [idempotency.IdempotencyItem, sessions.SessionItem, sessions.AttemptsItem]
    assert all(attribute in model.get_attributes() for model in passing)


def test_the_index_of_records_lists_all_but_the_body() -> None:
    from telemetry.storage.records import ByReceived, RecordItem

    create = next(table.create for table in read_template("s").tables if table.name == "s-records-production")
    (index,) = create["GlobalSecondaryIndexes"]
    projected = index["Projection"]["NonKeyAttributes"]
    assert projected == ByReceived.Meta.projection.non_key_attributes
    keys = {key["AttributeName"] for key in (*create["KeySchema"], *index["KeySchema"])}
    names = {attribute.attr_name for attribute in RecordItem.get_attributes().values()}
    assert set(projected) == names - keys - {"b"}
