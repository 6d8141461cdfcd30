"""What CloudFormation gets once SAM has translated the template: `sam validate` stops before names can collide."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.intrinsics import load_yaml

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


def filled(value: Any, placeholder: str, word: str) -> Any:
    """`value` with `word` for `placeholder` in every text and key, as a round of Fn::ForEach has it."""
    if isinstance(value, dict):
        return {key.replace(placeholder, word): filled(inner, placeholder, word) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, placeholder, word) for inner in value]
    return value.replace(placeholder, word) if isinstance(value, str) else value


def unrolled(resources: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, resource in resources.items():
        if name.startswith("Fn::ForEach::"):
            variable, words, body = resource
            for word in words:
                yield from filled(body, f"${{{variable}}}", word).items()
        else:
            yield name, resource


@pytest.fixture(scope="module")
def resources(module_monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The resources that CloudFormation creates, by logical id."""
    module_monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    template = load_yaml(TEMPLATE.read_text())
    pairs = list(unrolled(template["Resources"]))
    assert len({name for name, _ in pairs}) == len(pairs)
    for _, resource in pairs:
        # sam package puts the address of the upload in place of the folder.
        for folder in {"CodeUri", "ContentUri"} & resource["Properties"].keys():
            resource["Properties"][folder] = "s3://bucket/key"
    plain = {**template, "Transform": "AWS::Serverless-2016-10-31", "Resources": dict(pairs)}
    translated: dict[str, Any] = Translator({}, Parser()).translate(plain, {})
    return translated["Resources"]


@pytest.fixture(scope="module")
def module_monkeypatch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def of_type(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == f"AWS::{kind}"}


def test_every_queue_feeds_its_function_through_a_mapping_of_its_own(resources: dict[str, Any]) -> None:
    mappings = of_type(resources, "Lambda::EventSourceMapping").values()

    fed = {mapping["FunctionName"]["Ref"]: mapping["EventSourceArn"]["Fn::GetAtt"][0] for mapping in mappings}

    assert fed == {function: f"{function}Queue" for function in fed}
    assert set(fed.values()) == {name for name in of_type(resources, "SQS::Queue") if not name.endswith("DeadLetters")}
    assert len(mappings) == len(fed)


def test_every_function_keeps_json_logs_in_its_own_group_and_is_traced(resources: dict[str, Any]) -> None:
    for name, function in of_type(resources, "Lambda::Function").items():
        assert function["LoggingConfig"]["LogGroup"] == {"Ref": f"{name}LogGroup"}
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        assert function["TracingConfig"] == {"Mode": "Active"}


def test_schedules_of_two_stacks_of_one_account_do_not_share_names(resources: dict[str, Any]) -> None:
    schedules = of_type(resources, "Scheduler::Schedule")

    names = [schedule["Name"]["Fn::Sub"] for schedule in schedules.values()]

    assert all(name.startswith("${AWS::StackName}-") for name in names)
    assert len(set(names)) == len(names) > 0


def test_a_scheduler_may_invoke_its_function_and_fill_the_dead_letters_and_nothing_else(
    resources: dict[str, Any],
) -> None:
    for schedule in of_type(resources, "Scheduler::Schedule").values():
        role = resources[schedule["Target"]["RoleArn"]["Fn::GetAtt"][0]]["Properties"]

        statements = [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]

        allowed = {one["Action"]: one["Resource"] for one in statements}
        assert allowed == {
            "lambda:InvokeFunction": schedule["Target"]["Arn"],
            "sqs:SendMessage": schedule["Target"]["DeadLetterConfig"]["Arn"],
        }


def test_no_role_comes_from_sam_with_rights_to_everything(resources: dict[str, Any]) -> None:
    managed = [arn for role in of_type(resources, "IAM::Role").values() for arn in role.get("ManagedPolicyArns", [])]

    assert all(arn == {"Ref": "EveryFunction"} for arn in managed)
