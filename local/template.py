"""What template.yaml says, in the words of the local runner. The template stays the only place that says it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from local import Json
from local.cloudformation import Resolver, TemplateError, expand_loops, load

ROOT = Path(__file__).resolve().parent.parent
REGION = "us-east-1"
ACCOUNT = "000000000000"
DEFAULT_PATH = "$default"
"""The path of the route that takes what no other does."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: `create` holds the arguments of DynamoDB's CreateTable."""

    name: str
    create: Mapping[str, Any]
    ttl_attribute: str | None


@dataclass(frozen=True, slots=True)
class Function:
    """A function: `name` is its folder's name, `arn` how others refer to it, `timeout` in seconds, `memory` in MB."""

    name: str
    arn: str
    code: Path
    module: str
    handler: str
    environment: Mapping[str, str]
    timeout: int
    memory: int

    @property
    def physical_name(self) -> str:
        """What Lambda calls it."""
        return self.arn.rsplit(":", 1)[1]


@dataclass(frozen=True, slots=True)
class Queue:
    """An SQS queue; functions are given its URL."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Topic:
    """An SNS topic; functions are given its ARN."""

    name: str
    arn: str


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the HTTP API: `method` may be ANY; `path` may end in `{name+}`; `function` is the function's name."""

    method: str
    path: str
    function: str


@dataclass(frozen=True, slots=True)
class Cors:
    """The HTTP API's CorsConfiguration; `max_age` in seconds."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    credentials: bool
    max_age: int | None


@dataclass(frozen=True, slots=True)
class StreamMapping:
    """A table's stream and the function that gets it.

    `patterns` are filters of which one has to match; `tumbling_window` is in seconds.
    """

    table: str
    function: str
    batch_size: int
    patterns: tuple[Mapping[str, Any], ...]
    tumbling_window: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron expression in UTC and the event the function gets."""

    expression: str
    function: str
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Template:
    """Everything the local runner needs to know."""

    stack: str
    tables: tuple[Table, ...]
    functions: tuple[Function, ...]
    routes: tuple[Route, ...]
    cors: Cors | None
    streams: tuple[StreamMapping, ...]
    schedules: tuple[Schedule, ...]
    queues: tuple[Queue, ...]
    topics: tuple[Topic, ...]

    def function(self, name: str) -> Function:
        return next(function for function in self.functions if function.name == name)


def read_template(
    stack: str = "telemetry", parameters: Mapping[str, str] | None = None, path: Path = ROOT / "template.yaml"
) -> Template:
    """Reads the template as a stack of this name would be deployed; raises TemplateError on what it cannot tell."""
    return _Reader(stack, parameters or {}, path).template()


# Resources that mean nothing on one machine.
_IGNORED_RESOURCES = (
    "AWS::CloudWatch::", "AWS::IAM::", "AWS::Logs::", "AWS::SNS::Subscription", "AWS::Serverless::LayerVersion",
)  # fmt: skip

# Resources whose names are written in the template; CloudFormation makes those of the others.
_NAMED = {"AWS::DynamoDB::Table": "TableName", "AWS::SNS::Topic": "TopicName", "AWS::SQS::Queue": "QueueName"}

_TABLE_CREATED = {"AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "StreamSpecification"}
_TABLE_IGNORED = {
    "DeletionProtectionEnabled", "PointInTimeRecoverySpecification", "ResourcePolicy", "SSESpecification", "Tags",
}  # fmt: skip
_FUNCTION_IGNORED = {
    "Architectures", "DeadLetterQueue", "Description", "EphemeralStorage", "Layers", "LoggingConfig", "Policies",
    "ReservedConcurrentExecutions", "Role", "Runtime", "Tags", "Tracing",
}  # fmt: skip
_MAPPING_IGNORED = {
    "DestinationConfig", "MaximumBatchingWindowInSeconds", "MaximumRecordAgeInSeconds", "MaximumRetryAttempts",
    "BisectBatchOnFunctionError",
}  # fmt: skip
_QUEUE_IGNORED = {"MessageRetentionPeriod", "SqsManagedSseEnabled"}
_SCHEDULE_IGNORED = {"Description", "FlexibleTimeWindow", "Name", "State"}
_API_IGNORED = {"AccessLogSettings", "DefaultRouteSettings", "Description", "Name", "Tags"}


class _Properties:
    """A resource's properties; those nobody asked for are an error, so that nothing is silently left out."""

    def __init__(self, owner: str, values: Json, resolver: Resolver, ignored: set[str] | None = None) -> None:
        if not isinstance(values, dict):
            raise TemplateError(f"{owner}: expected properties, got {values!r}")
        self._owner = owner
        self._resolver = resolver
        self._left = {key: value for key, value in values.items() if key not in (ignored or set())}

    def take(self, name: str, default: Json = None) -> Json:
        return self._resolver.resolve(self._left.pop(name, default))

    def need(self, name: str) -> Json:
        if name not in self._left:
            raise TemplateError(f"{self._owner}: {name} is missing")
        return self.take(name)

    def part(self, name: str, ignored: set[str]) -> "_Properties":
        """A nested object, of which what is ignored is not resolved either."""
        return _Properties(f"{self._owner}.{name}", self._left.pop(name, None), self._resolver, ignored)

    def expect(self, name: str, allowed: set[Json]) -> None:
        value = self.take(name)
        if value is not None and value not in allowed:
            raise TemplateError(f"{self._owner}: {name} {value!r} is not understood")

    def done(self) -> None:
        if self._left:
            raise TemplateError(f"{self._owner}: {', '.join(sorted(self._left))} not understood")


class _Reader:
    def __init__(self, stack: str, parameters: Mapping[str, str], path: Path) -> None:
        document = load(path)
        self._stack = stack
        self._root = path.parent
        self._globals = document.get("Globals", {}).get("Function", {})
        references = _references(stack, document.get("Parameters", {}), parameters)
        self._resolver = Resolver(references, {}, document.get("Mappings", {}))
        self._conditions = document.get("Conditions", {})
        resources = expand_loops(document.get("Resources", {}))
        self._resources: dict[str, Json] = {name: made for name, made in resources.items() if self._is_made(name, made)}
        attributes = {}
        for logical_id, resource in self._resources.items():
            name = self._physical_name(logical_id, resource)
            references[logical_id] = name
            if resource["Type"] == "AWS::DynamoDB::Table":
                arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
                attributes[logical_id, "Arn"] = arn
                # The real one ends in the stream's time of birth; this one only has to be the table's.
                attributes[logical_id, "StreamArn"] = f"{arn}/stream"
            elif resource["Type"] == "AWS::Serverless::Function":
                attributes[logical_id, "Arn"] = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
            elif resource["Type"] == "AWS::SQS::Queue":
                references[logical_id] = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
                attributes[logical_id, "QueueName"] = name
            elif resource["Type"] == "AWS::SNS::Topic":
                references[logical_id] = f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}"
        self._resolver = Resolver(references, attributes, document.get("Mappings", {}))

    def _is_made(self, logical_id: str, resource: Json) -> bool:
        if "Condition" not in resource:
            return True
        if resource["Condition"] not in self._conditions:
            raise TemplateError(f"{logical_id}: no such condition: {resource['Condition']}")
        return bool(self._resolver.resolve(self._conditions[resource["Condition"]]))

    def _physical_name(self, logical_id: str, resource: Json) -> str:
        if resource["Type"] in _NAMED:
            properties = _Properties(logical_id, resource.get("Properties"), self._resolver)
            return str(properties.need(_NAMED[resource["Type"]]))
        return f"{self._stack}-{logical_id}"

    def template(self) -> Template:
        tables = [self._table(*item) for item in self._of_type("AWS::DynamoDB::Table")]
        functions = []
        routes = []
        for logical_id, properties in self._of_type("AWS::Serverless::Function"):
            function, of_function = self._function(logical_id, properties)
            functions.append(function)
            routes += of_function
        by_reference = {function.physical_name: function.name for function in functions}
        by_reference |= {function.arn: function.name for function in functions}
        template = Template(
            stack=self._stack,
            tables=tuple(tables),
            functions=tuple(functions),
            routes=tuple(routes),
            cors=next((self._cors(*item) for item in self._of_type("AWS::Serverless::HttpApi")), None),
            streams=tuple(
                self._stream(*item, by_reference) for item in self._of_type("AWS::Lambda::EventSourceMapping")
            ),
            schedules=tuple(self._schedule(*item, by_reference) for item in self._of_type("AWS::Scheduler::Schedule")),
            queues=tuple(self._queue(*item) for item in self._of_type("AWS::SQS::Queue")),
            topics=tuple(self._topic(*item) for item in self._of_type("AWS::SNS::Topic")),
        )
        if self._resources:
            name, resource = next(iter(self._resources.items()))
            raise TemplateError(f"{name}: resource type {resource['Type']} is not understood")
        return template

    def _of_type(self, wanted: str) -> list[tuple[str, Json]]:
        """Takes the resources of a type out of those still to be read."""
        for logical_id, resource in list(self._resources.items()):
            if resource["Type"].startswith(_IGNORED_RESOURCES):
                del self._resources[logical_id]
        found = [(name, resource) for name, resource in self._resources.items() if resource["Type"] == wanted]
        for logical_id, _ in found:
            del self._resources[logical_id]
        return [(name, resource.get("Properties", {})) for name, resource in found]

    def _table(self, owner: str, values: Json) -> Table:
        properties = _Properties(owner, values, self._resolver, _TABLE_IGNORED)
        name = properties.need("TableName")
        create = {"TableName": name}
        for key in sorted(_TABLE_CREATED):
            value = properties.take(key)
            if value is not None:
                create[key] = value
        if "StreamSpecification" in create:
            create["StreamSpecification"] = {"StreamEnabled": True, **create["StreamSpecification"]}
        ttl = properties.take("TimeToLiveSpecification", {})
        properties.done()
        return Table(name, MappingProxyType(create), ttl["AttributeName"] if ttl.get("Enabled") else None)

    def _function(self, owner: str, values: Json) -> tuple[Function, list[Route]]:
        merged = {**self._globals, **values}
        variables = {
            **self._globals.get("Environment", {}).get("Variables", {}),
            **values.get("Environment", {}).get("Variables", {}),
        }
        merged.pop("Environment", None)
        properties = _Properties(owner, merged, self._resolver, _FUNCTION_IGNORED)
        code = self._root / properties.need("CodeUri")
        module, _, handler = properties.need("Handler").rpartition(".")
        function = Function(
            name=code.name,
            arn=self._resolver.resolve({"Fn::GetAtt": [owner, "Arn"]}),
            code=code,
            module=module,
            handler=handler,
            environment=MappingProxyType({key: str(self._resolver.resolve(var)) for key, var in variables.items()}),
            timeout=int(properties.take("Timeout", 3)),
            memory=int(properties.take("MemorySize", 128)),
        )
        routes = [
            self._route(f"{owner}.{name}", event, function.name)
            for name, event in properties.take("Events", {}).items()
        ]
        properties.done()
        return function, routes

    def _route(self, owner: str, event: Json, function: str) -> Route:
        if event.get("Type") != "HttpApi":
            raise TemplateError(f"{owner}: event type {event.get('Type')!r} is not understood")
        properties = _Properties(owner, event.get("Properties", {}), self._resolver, {"ApiId"})
        properties.expect("PayloadFormatVersion", {"2.0"})
        # without path and method SAM makes it the route of last resort
        route = Route(properties.take("Method", "ANY").upper(), properties.take("Path", DEFAULT_PATH), function)
        properties.done()
        return route

    def _cors(self, owner: str, values: Json) -> Cors | None:
        api = _Properties(owner, values, self._resolver, _API_IGNORED)
        configuration = api.take("CorsConfiguration")
        api.done()
        if configuration is None:
            return None
        properties = _Properties(f"{owner}.CorsConfiguration", configuration, self._resolver)
        cors = Cors(
            origins=tuple(properties.take("AllowOrigins", [])),
            methods=tuple(properties.take("AllowMethods", [])),
            headers=tuple(properties.take("AllowHeaders", [])),
            exposed=tuple(properties.take("ExposeHeaders", [])),
            credentials=bool(properties.take("AllowCredentials", default=False)),
            max_age=properties.take("MaxAge"),
        )
        properties.done()
        return cors

    def _stream(self, owner: str, values: Json, functions: Mapping[str, str]) -> StreamMapping:
        properties = _Properties(owner, values, self._resolver, _MAPPING_IGNORED)
        properties.expect("StartingPosition", {"TRIM_HORIZON"})
        properties.expect("ParallelizationFactor", {1})
        source = str(properties.need("EventSourceArn"))
        filters = properties.take("FilterCriteria", {}).get("Filters", [])
        mapping = StreamMapping(
            table=source.removesuffix("/stream").rsplit("/", 1)[1],
            function=_target(owner, properties.need("FunctionName"), functions),
            batch_size=int(properties.take("BatchSize", 100)),
            patterns=tuple(json.loads(item["Pattern"]) for item in filters),
            tumbling_window=int(properties.need("TumblingWindowInSeconds")),
        )
        properties.done()
        return mapping

    def _schedule(self, owner: str, values: Json, functions: Mapping[str, str]) -> Schedule:
        properties = _Properties(owner, values, self._resolver, _SCHEDULE_IGNORED)
        properties.expect("ScheduleExpressionTimezone", {"UTC"})
        target = properties.part("Target", {"RoleArn", "RetryPolicy", "DeadLetterConfig"})
        schedule = Schedule(
            expression=properties.need("ScheduleExpression"),
            function=_target(owner, target.need("Arn"), functions),
            event=json.loads(target.take("Input", "{}")),
        )
        target.done()
        properties.done()
        return schedule

    def _queue(self, owner: str, values: Json) -> Queue:
        properties = _Properties(owner, values, self._resolver, _QUEUE_IGNORED)
        queue = Queue(properties.need("QueueName"), self._resolver.resolve({"Ref": owner}))
        properties.done()
        return queue

    def _topic(self, owner: str, values: Json) -> Topic:
        properties = _Properties(owner, values, self._resolver)
        topic = Topic(properties.need("TopicName"), self._resolver.resolve({"Ref": owner}))
        properties.done()
        return topic


def _references(stack: str, declared: Json, given: Mapping[str, str]) -> dict[str, Json]:
    unknown = given.keys() - declared.keys()
    if unknown:
        raise TemplateError(f"no such parameter: {', '.join(sorted(unknown))}")
    references = {
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": "aws",
        "AWS::Region": REGION,
        "AWS::StackName": stack,
        "AWS::URLSuffix": "amazonaws.com",
    }
    for name, parameter in declared.items():
        value = given.get(name, parameter.get("Default"))
        if value is None:
            raise TemplateError(f"parameter {name} has no value")
        references[name] = str(value)
    return references


def _target(owner: str, reference: str, functions: Mapping[str, str]) -> str:
    try:
        return functions[reference]
    except KeyError:
        raise TemplateError(f"{owner}: {reference} is no function of this template") from None
