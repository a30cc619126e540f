from pathlib import Path

import pytest

from local.cloudformation import TemplateError
from local.template import REGION, ROOT, Cors, Route, Schedule, StreamMapping, read_template
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
    assert Route("ANY", "/api/v1/admin/{proxy+}", "admin") in template.routes
    assert template.cors is not None
    assert template.cors.origins == ("*",)
    pattern = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"g": {"S": [{"exists": True}]}}}}
    for environment in ENVIRONMENTS:
        table = f"telemetry-records-{environment}"
        mapping = next(stream for stream in template.streams if stream.table == table)
        assert mapping == StreamMapping(table, "rollup", 1000, (pattern,))
        assert Schedule("cron(30 * * * ? *)", "close_day", {"environment": environment}) in template.schedules


def test_reads_a_minimal_template(tmp_path: Path) -> None:
    template = read_template("s", path=written(tmp_path, MINIMAL))
    arn = f"arn:aws:lambda:{REGION}:000000000000:function:s-HelloFunction"
    assert template.routes == (Route("GET", "/hello/{name}", "hello"),)
    assert template.functions[0].environment == {"WHERE": f"{REGION}/${{Literal}}/{arn}"}
    assert template.cors is None


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


def test_nothing_in_the_registry_but_idempotency_keys_can_expire() -> None:
    from telemetry.storage import audit, customers, idempotency, licenses, registry, retention

    attribute = next(table for table in read_template("s").tables if table.name == "s-registry").ttl_attribute
    assert attribute == "expires_at"
    models = [
        licenses.LicenseItem, licenses.ActivationItem, registry.ProductItem, registry.ApiKeyItem,
        registry.ApiKeyPointer, customers.CustomerItem, audit.AuditItem, retention.RetentionItem,
    ]  # fmt: skip
    assert not [model for model in models if attribute in model.get_attributes()]
    assert attribute in idempotency.IdempotencyItem.get_attributes()


def test_the_index_of_records_lists_all_but_the_body() -> None:
    from telemetry.storage.records import ByReceived, RecordItem

    create = next(table.create for table in read_template("s").tables if table.name == "s-records-production")
    (index,) = create["GlobalSecondaryIndexes"]
    projected = index["Projection"]["NonKeyAttributes"]
    assert projected == ByReceived.Meta.projection.non_key_attributes
    keys = {key["AttributeName"] for key in (*create["KeySchema"], *index["KeySchema"])}
    names = {attribute.attr_name for attribute in RecordItem.get_attributes().values()}
    assert set(projected) == names - keys - {"b"}
