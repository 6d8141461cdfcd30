"""A SAM template as plain data: loops expanded, globals merged, every reference written as `LogicalId.Attribute`.

`Ref` of a resource becomes its logical id, so that a bucket policy reads `MediaBucket.Arn/*`. Optional parameters are
given a value, so that what depends on them is there to be checked.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Any

from local.intrinsics import Resolver, expand_loops, load_yaml

ROOT = Path(__file__).parents[2]

PSEUDO = {
    "AWS::AccountId": "account",
    "AWS::Partition": "aws",
    "AWS::Region": "region",
    "AWS::StackName": "stack",
    "AWS::URLSuffix": "amazonaws.com",
}
OPTIONAL = {
    "AlarmTopicArn": "topic",
    "BeatovenSecretName": "beatoven",
    "BedrockModelArns": ["model"],
    "JwtKeySecretName": "jwt",
    "OperatorKeySecretName": "operator",
    "ElevenLabsSecretName": "elevenlabs",
    "MubertSecretName": "mubert",
    "GeminiApiKeySecretName": "gemini",
    "LeonardoApiKeySecretName": "leonardo",
    "StabilityModelArns": ["stability-model"],
    "OpenAiApiKeySecretName": "openai",
    "PublicBaseUrl": "https://media.example",
    "SupabaseUrl": "https://project.supabase.example",
}

Properties = dict[str, Any]


class Sam:
    def __init__(self, path: Path = ROOT / "template.yaml") -> None:
        template = load_yaml(path.read_text())
        self.parameters: Properties = template["Parameters"]
        defaults = {name: parameter.get("Default") for name, parameter in self.parameters.items()}
        resolver = Resolver(template, defaults | OPTIONAL | PSEUDO, self._reference)
        expanded = expand_loops(template["Resources"], resolver)
        self.globals: Properties = resolver.resolve(template["Globals"]["Function"], "Globals")
        self.resources: dict[str, Properties] = {
            name: resolver.resolve(_with_plain_names(resource), name) for name, resource in expanded.items()
        }

    def of_type(self, kind: str) -> dict[str, Properties]:
        """Properties by logical id; `kind` without its `AWS::`."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == f"AWS::{kind}"
        }

    @cached_property
    def functions(self) -> dict[str, Properties]:
        """Functions by folder name, with what `Globals` gives them and their logical id as `LogicalId`."""
        found = {}
        for name, own in self.of_type("Serverless::Function").items():
            variables = [part.get("Environment", {}).get("Variables", {}) for part in (self.globals, own)]
            merged = {**self.globals, **own, "LogicalId": name, "Variables": variables[0] | variables[1]}
            merged["Layers"] = [*self.globals["Layers"], *own.get("Layers", [])]
            merged["LoggingConfig"] = self.globals["LoggingConfig"] | own.get("LoggingConfig", {})
            found[Path(own["CodeUri"]).name] = merged
        return found

    def events(self, kind: str) -> dict[str, list[Properties]]:
        """Properties of events of one kind, by the folder name of their function."""
        return {
            folder: [event["Properties"] for event in function.get("Events", {}).values() if event["Type"] == kind]
            for folder, function in self.functions.items()
        }

    def alarms(self, metric: str, dimension: str, value: str) -> list[Properties]:
        return [
            alarm
            for alarm in self.of_type("CloudWatch::Alarm").values()
            if alarm["MetricName"] == metric and alarm["Dimensions"] == [{"Name": dimension, "Value": value}]
        ]

    def _reference(self, name: str, attribute: str | None) -> str:
        return f"{name}.{attribute}" if attribute else name


def stages() -> set[str]:
    """The stages that the migrations give all kinds of production."""
    rows = re.compile(r"\('\w+', '(\w+)', \d+, '\{")
    return {
        stage for file in (ROOT / "supabase" / "migrations").glob("*.sql") for stage in rows.findall(file.read_text())
    }


def as_list(value: Any) -> list[Any]:
    """IAM lets a list of one be written as the one."""
    return value if isinstance(value, list) else [value]


def _with_plain_names(node: Any) -> Any:
    """A `Fn::Sub` that a loop left nothing to substitute in is the text itself: it may name a resource."""
    if isinstance(node, list):
        return [_with_plain_names(item) for item in node]
    if not isinstance(node, dict):
        return node
    if list(node) == ["Fn::Sub"] and isinstance(node["Fn::Sub"], str) and "${" not in node["Fn::Sub"]:
        return node["Fn::Sub"]
    return {key: _with_plain_names(value) for key, value in node.items()}
