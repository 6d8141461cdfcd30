"""Reads a SAM template into the specs that the laptop edition runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal

from local.intrinsics import NO_VALUE, Resolver, TemplateError, expand_loops, load_yaml
from local.specs import BucketSpec, Cors, EventSource, FunctionSpec, HttpRoute, Names, QueueSpec, Schedule, Template

FUNCTION = "AWS::Serverless::Function"
LAYER = "AWS::Serverless::LayerVersion"
HTTP_API = "AWS::Serverless::HttpApi"
QUEUE = "AWS::SQS::Queue"
BUCKET = "AWS::S3::Bucket"
SECRET = "AWS::SecretsManager::Secret"


class _Properties(BaseModel):
    """The properties of a resource or event that matter here; all others stay unread."""

    model_config = ConfigDict(frozen=True, alias_generator=AliasGenerator(alias=to_pascal), coerce_numbers_to_str=True)


class _Environment(_Properties):
    variables: dict[str, str | bool] = {}


class _Function(_Properties):
    code_uri: str
    handler: str
    function_name: str | None = None
    timeout: int = 3
    memory_size: int = 128
    environment: _Environment = _Environment()
    layers: list[str] = []
    reserved_concurrent_executions: int | None = None


class _Redrive(BaseModel):
    target: str = Field(alias="deadLetterTargetArn")
    maximum: int = Field(alias="maxReceiveCount")


class _Queue(_Properties):
    visibility_timeout: int = 30
    delay_seconds: int = 0
    redrive_policy: _Redrive | None = None


class _Layer(_Properties):
    content_uri: str


class _Scaling(_Properties):
    maximum_concurrency: int | None = None


class _SqsEvent(_Properties):
    queue: str
    batch_size: int = 10
    enabled: bool = True
    function_response_types: list[str] = []
    scaling_config: _Scaling = _Scaling()


class _ScheduleEvent(_Properties):
    schedule_expression: str
    schedule_expression_timezone: str = "UTC"
    input: str | dict[str, Any] | None = None
    state: Literal["ENABLED", "DISABLED"] = "ENABLED"


class _HttpEvent(_Properties):
    path: str = "$default"
    method: str = "ANY"


class _Cors(_Properties):
    allow_origins: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age: int | None = None
    allow_credentials: bool = False


class _HttpApi(_Properties):
    cors_configuration: _Cors | bool | None = None


M = TypeVar("M", bound=_Properties)


def read_template(path: Path, names: Names, parameters: Mapping[str, str] | None = None) -> Template:
    """The template at `path` with `parameters` over its defaults. Raises TemplateError naming resource and property."""
    return _Reader(path, names, parameters or {}).read()


class _Reader:
    def __init__(self, path: Path, names: Names, parameters: Mapping[str, str]) -> None:
        self._root = path.resolve().parent
        self._names = names
        self._template = load_yaml(path.read_text(encoding="utf-8"))
        self._resolver = Resolver(self._template, self._values(parameters), self._attribute)
        self._globals: Mapping[str, Any] = (self._template.get("Globals") or {}).get("Function") or {}
        self._resources = {
            name: resource
            for name, resource in expand_loops(self._template.get("Resources") or {}, self._resolver).items()
            if "Condition" not in resource or self._resolver.holds(resource["Condition"], name)
        }

    def read(self) -> Template:
        queues = {name: self._queue(name) for name in self._of_type(QUEUE)}
        by_arn = {queue.arn: queue for queue in queues.values()}
        functions = {name: self._function(name) for name in self._of_type(FUNCTION)}
        folders = [function.name for function in functions.values()]
        for name, function in functions.items():
            if folders.count(function.name) > 1:
                raise TemplateError(f"{name}.CodeUri: another function has a folder named {function.name} too")
        sources: list[EventSource] = []
        schedules: list[Schedule] = []
        routes: list[HttpRoute] = []
        for name, function in functions.items():
            for event, kind, properties in self._events(name):
                where = f"{name}.Events.{event}"
                if kind == "SQS":
                    sources.extend(self._event_source(function.name, properties, by_arn, where))
                elif kind in ("Schedule", "ScheduleV2"):
                    schedules.extend(self._schedule(f"{name}.{event}", function.name, properties, where))
                elif kind == "HttpApi":
                    route = self._parse(_HttpEvent, properties, where)
                    routes.append(HttpRoute(function.name, route.method.upper(), route.path))
                else:
                    raise TemplateError(f"{where}.Type: {kind} is not supported by the laptop edition")
        return Template(
            functions={function.name: function for function in functions.values()},
            queues={queue.name: queue for queue in queues.values()},
            buckets=tuple(BucketSpec(self._bucket_name(name)) for name in self._of_type(BUCKET)),
            event_sources=tuple(sources),
            schedules=tuple(schedules),
            routes=tuple(routes),
            cors=self._cors(),
        )

    # --- resources --------------------------------------------------------------------------------------------------

    def _function(self, name: str) -> FunctionSpec:
        properties = self._properties(name)
        merged = {**self._globals, **properties}
        merged["Layers"] = [*self._globals.get("Layers", []), *properties.get("Layers", [])]
        variables = [(part.get("Environment") or {}).get("Variables") or {} for part in (self._globals, properties)]
        merged["Environment"] = {"Variables": {**variables[0], **variables[1]}}
        function = self._parse(_Function, merged, name)
        folder = self._folder(function.code_uri, f"{name}.CodeUri")
        layers = {self._layer_arn(layer): layer for layer in self._of_type(LAYER)}
        function_name = function.function_name or f"{self._names.stack}-{name}"
        return FunctionSpec(
            name=folder.name,
            function_name=function_name,
            arn=self._names.arn("lambda", f"function:{function_name}"),
            folder=folder,
            handler=function.handler,
            timeout_seconds=function.timeout,
            memory_mb=function.memory_size,
            environment={key: self._text(value) for key, value in function.environment.variables.items()},
            # A layer given by ARN belongs to someone else; its packages are installed on the laptop.
            layers=tuple(self._layer_folder(layers[arn]) for arn in function.layers if arn in layers),
            reserved_concurrency=function.reserved_concurrent_executions,
        )

    def _layer_folder(self, name: str) -> Path:
        folder = self._folder(self._parse(_Layer, self._properties(name), name).content_uri, f"{name}.ContentUri")
        return folder / "python" if (folder / "python").is_dir() else folder

    def _queue(self, name: str) -> QueueSpec:
        queue = self._parse(_Queue, self._properties(name), name)
        own = self._queue_name(name)
        redrive = queue.redrive_policy
        return QueueSpec(
            name=own,
            arn=self._names.arn("sqs", own),
            url=self._names.queue_url(own),
            visibility_seconds=queue.visibility_timeout,
            delay_seconds=queue.delay_seconds,
            dead_letter_queue=redrive.target.rsplit(":", 1)[-1] if redrive else None,
            max_receive_count=redrive.maximum if redrive else None,
        )

    def _cors(self) -> Cors | None:
        for name in self._of_type(HTTP_API):
            cors = self._parse(_HttpApi, self._properties(name), name).cors_configuration
            if cors is True:
                return Cors(origins=("*",), methods=("*",), headers=("*",))
            if isinstance(cors, _Cors):
                return Cors(
                    origins=cors.allow_origins,
                    methods=cors.allow_methods,
                    headers=cors.allow_headers,
                    exposed_headers=cors.expose_headers,
                    max_age_seconds=cors.max_age,
                    credentials=cors.allow_credentials,
                )
        return None

    # --- events -----------------------------------------------------------------------------------------------------

    def _events(self, name: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        for event, body in (self._properties(name).get("Events") or {}).items():
            resolved = self._resolver.resolve({"Fn::If": body["Fn::If"]}, name) if "Fn::If" in body else body
            if resolved is not NO_VALUE:
                yield event, resolved["Type"], resolved.get("Properties") or {}

    def _event_source(
        self, function: str, properties: Mapping[str, Any], queues: Mapping[str, QueueSpec], where: str
    ) -> Iterator[EventSource]:
        event = self._parse(_SqsEvent, properties, where)
        if event.queue not in queues:
            raise TemplateError(f"{where}.Queue: {event.queue} is not a queue of this template")
        if event.enabled:
            yield EventSource(
                function=function,
                queue=queues[event.queue],
                batch_size=event.batch_size,
                maximum_concurrency=event.scaling_config.maximum_concurrency,
                reports_item_failures="ReportBatchItemFailures" in event.function_response_types,
            )

    def _schedule(self, name: str, function: str, properties: Mapping[str, Any], where: str) -> Iterator[Schedule]:
        # The older event type `Schedule` says `Schedule` and `Enabled` where the newer one has longer words.
        older = {"ScheduleExpression": properties["Schedule"]} if "Schedule" in properties else {}
        event = self._parse(_ScheduleEvent, {**properties, **older}, where)
        if event.state == "ENABLED" and properties.get("Enabled", True):
            yield Schedule(
                name=name,
                function=function,
                expression=event.schedule_expression,
                time_zone=event.schedule_expression_timezone,
                input=json.dumps(event.input) if isinstance(event.input, dict) else event.input,
            )

    # --- names ------------------------------------------------------------------------------------------------------

    def _values(self, given: Mapping[str, str]) -> dict[str, object]:
        declared: Mapping[str, Any] = self._template.get("Parameters") or {}
        for name in given:
            if name not in declared:
                raise TemplateError(f"Parameters.{name}: the template has no such parameter")
        values: dict[str, object] = {}
        for name, parameter in declared.items():
            if name in given or "Default" in parameter:
                value = given.get(name, parameter.get("Default"))
                is_list = str(parameter.get("Type", "")).startswith(("List<", "CommaDelimitedList"))
                values[name] = str(value).split(",") if is_list else value
        return {
            **values,
            "AWS::Region": self._names.region,
            "AWS::AccountId": self._names.account,
            "AWS::StackName": self._names.stack,
            "AWS::StackId": self._names.arn("cloudformation", f"stack/{self._names.stack}/laptop"),
            "AWS::Partition": self._names.partition,
            "AWS::URLSuffix": "amazonaws.com",
        }

    def _attribute(self, name: str, attribute: str | None) -> object:
        """`Ref` (attribute None) or `GetAtt` of a resource. Raises LookupError with a sentence."""
        kind = self._resources[name]["Type"] if name in self._resources else None
        value: object = None
        if kind == QUEUE:
            own = self._queue_name(name)
            urls = self._names.queue_url(own)
            value = {None: urls, "QueueUrl": urls, "QueueName": own, "Arn": self._names.arn("sqs", own)}.get(attribute)
        elif kind == BUCKET:
            bucket = self._bucket_name(name)
            value = {None: bucket, "Arn": f"arn:{self._names.partition}:s3:::{bucket}"}.get(attribute)
        elif kind == FUNCTION:
            own = self._resolver.resolve(self._properties(name).get("FunctionName"), name)
            own = own or f"{self._names.stack}-{name}"
            value = {None: own, "Arn": self._names.arn("lambda", f"function:{own}")}.get(attribute)
        elif kind == LAYER:
            value = {None: self._layer_arn(name), "LayerVersionArn": self._layer_arn(name)}.get(attribute)
        elif kind == HTTP_API:
            value = {None: name.lower(), "ApiEndpoint": self._names.api_url}.get(attribute)
        elif kind == SECRET and attribute in (None, "Id"):
            value = self._names.arn("secretsmanager", f"secret:{name}")
        if value is None:
            raise LookupError(self._unknown(name, kind, attribute))
        return value

    def _unknown(self, name: str, kind: str | None, attribute: str | None) -> str:
        if kind is not None:
            return f"{attribute or 'Ref'} of {name} ({kind}) has no value on a laptop"
        if name in (self._template.get("Parameters") or {}):
            return f"parameter {name} has no default and was not given"
        return f"there is no parameter or resource {name}"

    def _queue_name(self, name: str) -> str:
        given = self._resolver.resolve(self._properties(name).get("QueueName"), f"{name}.QueueName")
        return str(given or f"{self._names.stack}-{name}")

    def _bucket_name(self, name: str) -> str:
        given = self._resolver.resolve(self._properties(name).get("BucketName"), f"{name}.BucketName")
        return str(given or f"{self._names.stack}-{name}".lower())

    def _layer_arn(self, name: str) -> str:
        return self._names.arn("lambda", f"layer:{name}:1")

    # --- reading ----------------------------------------------------------------------------------------------------

    def _of_type(self, kind: str) -> Iterator[str]:
        return (name for name, resource in self._resources.items() if resource["Type"] == kind)

    def _properties(self, name: str) -> Mapping[str, Any]:
        return self._resources[name].get("Properties") or {}

    def _parse(self, model: type[M], properties: Mapping[str, Any], where: str) -> M:
        read = {field.alias for field in model.model_fields.values()}
        resolved = {
            key: self._resolver.resolve(value, f"{where}.{key}") for key, value in properties.items() if key in read
        }
        try:
            return model.model_validate({key: value for key, value in resolved.items() if value is not NO_VALUE})
        except ValidationError as error:
            first = error.errors()[0]
            at = ".".join(str(part) for part in first["loc"])
            raise TemplateError(f"{where}.{at}: {first['msg']}") from error

    def _folder(self, uri: str, where: str) -> Path:
        folder = (self._root / uri).resolve()
        if not folder.is_dir():
            raise TemplateError(f"{where}: there is no folder {uri}")
        return folder

    def _text(self, value: str | bool) -> str:
        """CloudFormation writes booleans as `true` and `false`; the address of SQS is that of this laptop's."""
        if isinstance(value, bool):
            return str(value).lower()
        return value.replace(f"https://sqs.{self._names.region}.amazonaws.com", self._names.endpoint_url)
