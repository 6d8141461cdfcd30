"""What the template promises of every function."""

from __future__ import annotations

import ast
from collections import Counter

from showrunner.settings import Settings
from tests.rigs.sam import ROOT, Sam, stages

# What libraries themselves read; every other variable is a field of Settings.
OF_LIBRARIES = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "OPENBLAS_NUM_THREADS"}


def test_every_folder_of_functions_is_declared_and_nothing_else_is(sam: Sam) -> None:
    folders = {path.name for path in (ROOT / "functions").iterdir() if any(path.glob("*.py"))}

    assert set(sam.functions) == folders
    assert all(function["CodeUri"] == f"functions/{folder}/" for folder, function in sam.functions.items())


def test_every_handler_is_in_the_module_named_like_its_folder(sam: Sam) -> None:
    for folder, function in sam.functions.items():
        module = ast.parse((ROOT / "functions" / folder / f"{folder}.py").read_text())
        defined = {node.name for node in module.body if isinstance(node, ast.FunctionDef)}
        assigned = {
            target.id
            for node in module.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }

        assert function["Handler"] == f"{folder}.lambda_handler"
        assert "lambda_handler" in defined | assigned, folder


def test_no_two_functions_have_a_module_of_one_name() -> None:
    modules = Counter(path.name for path in (ROOT / "functions").glob("*/*.py"))

    assert [name for name, times in modules.items() if times > 1] == []


def test_every_stage_has_a_function_fed_by_its_queue(sam: Sam) -> None:
    fed = {
        folder: [sam.of_type("SQS::Queue")[event["Queue"].removesuffix(".Arn")]["QueueName"] for event in events]
        for folder, events in sam.events("SQS").items()
        if events
    }

    assert fed == {stage: [f"stack-{stage.replace('_', '-')}"] for stage in stages()}


def test_every_variable_is_a_setting(sam: Sam) -> None:
    settings = {name.upper() for name in Settings.model_fields}

    for folder, function in sam.functions.items():
        assert set(function["Variables"]) - OF_LIBRARIES <= settings, folder


def test_every_function_is_told_where_its_database_bucket_and_queues_are(sam: Sam) -> None:
    queues = "https://sqs.region.amazonaws.com/account/stack-"

    for folder, function in sam.functions.items():
        variables = function["Variables"]
        assert variables["DATABASE_SECRET"] == sam.parameters["DatabaseSecretName"]["Default"], folder
        assert variables["BUCKET"] == "MediaBucket", folder
        assert variables["QUEUE_URL_PREFIX"] == queues, folder


def test_numpy_does_its_products_in_one_thread(sam: Sam) -> None:
    for folder, function in sam.functions.items():
        assert function["Variables"]["OPENBLAS_NUM_THREADS"] == "1", folder


def test_every_parameter_is_used(sam: Sam) -> None:
    text = (ROOT / "template.yaml").read_text()

    unused = [name for name in sam.parameters if f"!Ref {name}" not in text and f"${{{name}}}" not in text]

    assert unused == []


def test_every_function_runs_on_python_3_13_on_arm_with_a_stated_timeout_and_memory(sam: Sam) -> None:
    for folder, function in sam.functions.items():
        assert function["Runtime"] == "python3.13", folder
        assert function["Architectures"] == ["arm64"], folder
        assert 1 <= function["Timeout"] <= 900, folder
        assert 128 <= function["MemorySize"] <= 3008, folder
        assert function["Tracing"] == "Active", folder


def test_the_http_function_answers_before_the_gateway_gives_up(sam: Sam) -> None:
    gateway_seconds = 30

    assert sam.functions["api"]["Timeout"] < gateway_seconds


def test_functions_that_wake_other_functions_may_do_so_more_than_sixteen_times(sam: Sam) -> None:
    wakers = stages() | {"sweep_jobs", "schedule_episodes"}

    assert wakers <= set(sam.functions)
    assert {folder for folder, function in sam.functions.items() if function.get("RecursiveLoop") == "Allow"} == wakers


def test_every_function_logs_as_json_into_a_group_of_its_own_that_forgets(sam: Sam) -> None:
    groups = sam.of_type("Logs::LogGroup")
    used = [function["LoggingConfig"]["LogGroup"] for function in sam.functions.values()]

    assert len(set(used)) == len(sam.functions)
    assert all(function["LoggingConfig"]["LogFormat"] == "JSON" for function in sam.functions.values())
    assert all(group["RetentionInDays"] == sam.parameters["LogRetentionDays"]["Default"] for group in groups.values())
    assert set(used) <= set(groups)


def test_errors_and_throttles_of_every_function_alarm(sam: Sam) -> None:
    for folder, function in sam.functions.items():
        for metric in ("Errors", "Throttles"):
            [alarm] = sam.alarms(metric, "FunctionName", function["LogicalId"])
            assert alarm["AlarmActions"] == ["topic"], (folder, metric)
            assert alarm["Threshold"] == 1, (folder, metric)
            assert alarm["TreatMissingData"] == "notBreaching", (folder, metric)
