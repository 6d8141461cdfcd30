"""A SAM template read into specs: what resolves, and how a mistake is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.intrinsics import TemplateError
from local.specs import Cors, HttpRoute, Names, Template
from local.template import read_template

PROJECT = Path(__file__).parent.parent / "fixtures" / "laptop"
NAMES = Names("http://127.0.0.1:5000", "http://127.0.0.1:8080")


def fixture_template(**parameters: str) -> Template:
    return read_template(PROJECT / "template.yaml", NAMES, parameters)


def broken(tmp_path: Path, resources: str) -> str:
    """What is said about a template with these resources."""
    path = tmp_path / "template.yaml"
    path.write_text(f"Parameters:\n  Open: {{Type: String}}\nResources:\n{resources}")
    (tmp_path / "code").mkdir()
    with pytest.raises(TemplateError) as caught:
        read_template(path, NAMES)
    return str(caught.value)


def test_a_function_has_the_globals_below_its_own_properties() -> None:
    probe, worker = (fixture_template().functions[name] for name in ("probe", "worker"))

    assert (probe.timeout_seconds, worker.timeout_seconds) == (6, 20)
    assert (probe.memory_mb, worker.reserved_concurrency) == (200, 4)
    assert probe.layers == (PROJECT / "layers" / "shared",)
    assert probe.environment["DAYS"] == worker.environment["DAYS"] == "3"


def test_intrinsic_functions_become_local_values() -> None:
    environment = fixture_template(ExtraName="more").functions["probe"].environment

    assert environment == {
        "BUCKET": "showrunner-mediabucket",
        "QUEUE_URL_PREFIX": "http://127.0.0.1:5000/123456789012/showrunner-",
        "DAYS": "3",
        "ADDRESS": "test-us-east-1",
        "EXTRA": "more",
        "VERBOSE": "true",
        "API": "http://127.0.0.1:8080",
    }


def test_a_condition_decides_about_resources_and_values() -> None:
    without, with_extra = fixture_template(), fixture_template(ExtraName="more")

    assert "EXTRA" not in without.functions["probe"].environment
    assert set(with_extra.queues) - set(without.queues) == {"more"}


def test_a_queue_knows_its_dead_letters_and_feeds_its_function() -> None:
    template = fixture_template(Concurrency="7")

    (source,) = template.event_sources
    assert (source.function, source.batch_size, source.maximum_concurrency) == ("worker", 5, 7)
    assert source.reports_item_failures
    assert source.queue.dead_letter_queue == "showrunner-worker-dead-letters"
    assert source.queue.max_receive_count == 3
    assert source.queue.url == "http://127.0.0.1:5000/123456789012/showrunner-worker"


def test_schedules_that_are_off_are_left_out() -> None:
    schedules = {schedule.name: schedule for schedule in fixture_template().schedules}

    assert set(schedules) == {"Probe.Tick", "Worker.EveryMinute"}
    assert schedules["Probe.Tick"].time_zone == "Europe/London"


def test_the_http_api_has_routes_and_cross_origin_rules() -> None:
    template = fixture_template()

    assert template.routes == (HttpRoute("probe", "ANY", "$default"),)
    assert template.cors == Cors(("https://app.example",), ("GET", "POST"), ("authorization",))


@pytest.mark.parametrize(
    ("resources", "sentence"),
    [
        (
            "  A: {Type: AWS::Serverless::Function, Properties: {CodeUri: nowhere, Handler: a.b}}",
            "A.CodeUri: there is no folder nowhere",
        ),
        (
            "  A: {Type: AWS::Serverless::Function, Properties: {CodeUri: code, Handler: a.b, Timeout: soon}}",
            "A.Timeout: Input should be a valid integer",
        ),
        (
            "  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Nobody}}",
            "A.QueueName: there is no parameter or resource Nobody",
        ),
        (
            "  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Open}}",
            "A.QueueName: parameter Open has no default and was not given",
        ),
        (
            "  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !ImportValue other}}",
            "A.QueueName: 'other' is imported from another stack",
        ),
        (
            "  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Cidr [a, 1, 8]}}",
            "A.QueueName: Fn::Cidr is not supported",
        ),
        (
            "  A: {Type: AWS::Serverless::Function, Properties: {CodeUri: code, Handler: a.b, "
            "Events: {E: {Type: Kinesis}}}}",
            "A.Events.E.Type: Kinesis is not supported",
        ),
        ("  A: [unclosed", "the template is not valid YAML"),
    ],
)
def test_a_mistake_is_reported_with_resource_and_property(tmp_path: Path, resources: str, sentence: str) -> None:
    assert sentence in broken(tmp_path, resources)


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(TemplateError, match=r"Parameters\.Colour: the template has no such parameter"):
        fixture_template(Colour="red")
