"""What functions may touch, and who may touch the bucket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.rigs.sam import Sam, as_list, stages

# Actions for which AWS has no narrower resource than everything.
WITHOUT_ARN = {"polly:SynthesizeSpeech", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def statements(sam: Sam) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement that grants something to a function, with the logical id that holds it."""
    for name, role in sam.of_type("IAM::Role").items():
        for policy in role.get("Policies", []):
            yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])
    for kind in ("IAM::RolePolicy", "IAM::ManagedPolicy"):
        for name, policy in sam.of_type(kind).items():
            yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])


def granted(sam: Sam, folder: str) -> dict[str, set[str]]:
    """Resources by action of one function's role, its own policies and the shared one together."""
    role = sam.functions[folder]["Role"].removesuffix(".Arn")
    own = {name for name, policy in sam.of_type("IAM::RolePolicy").items() if policy["RoleName"] == role}
    holders = {role, *own, *sam.of_type("IAM::Role")[role]["ManagedPolicyArns"]}
    found: dict[str, set[str]] = {}
    for name, statement in statements(sam):
        if name in holders:
            for action in as_list(statement["Action"]):
                found.setdefault(action, set()).update(as_list(statement["Resource"]))
    return found


def test_every_function_has_a_role_of_its_own(sam: Sam) -> None:
    roles = [function["Role"].removesuffix(".Arn") for function in sam.functions.values()]

    assert len(set(roles)) == len(roles)
    assert set(roles) == set(sam.of_type("IAM::Role"))


def test_only_lambda_takes_the_roles(sam: Sam) -> None:
    for name, role in sam.of_type("IAM::Role").items():
        [statement] = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}, name


def test_grants_name_their_resources_except_where_aws_has_no_names(sam: Sam) -> None:
    for name, statement in statements(sam):
        actions = set(as_list(statement["Action"]))
        if "*" in as_list(statement["Resource"]):
            assert actions <= WITHOUT_ARN, name


def test_grants_name_their_actions(sam: Sam) -> None:
    for name, statement in statements(sam):
        assert [action for action in as_list(statement["Action"]) if "*" in action] == [], name


def test_grants_end_in_a_star_only_below_a_prefix_of_the_bucket(sam: Sam) -> None:
    allowed = {f"MediaBucket.Arn/{prefix}/*" for prefix in ("organizations", "drafts", "uploads")} | {"*"}

    starred = {text for _, statement in statements(sam) for text in as_list(statement["Resource"]) if "*" in text}

    assert starred == allowed


def test_a_stage_reads_its_own_queue_and_no_other(sam: Sam) -> None:
    for folder, events in sam.events("SQS").items():
        expected = {event["Queue"] for event in events}
        access = granted(sam, folder)
        for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
            assert access.get(action, set()) == expected, (folder, action)


def test_every_function_may_wake_every_stage(sam: Sam) -> None:
    queues = {event["Queue"] for stage in stages() for event in sam.events("SQS")[stage]}

    for folder in sam.functions:
        assert granted(sam, folder)["sqs:SendMessage"] == queues, folder


def test_every_function_writes_to_its_own_log_group(sam: Sam) -> None:
    for folder, function in sam.functions.items():
        group = function["LoggingConfig"]["LogGroup"]
        assert granted(sam, folder)["logs:PutLogEvents"] == {f"{group}.Arn"}, folder


def test_every_function_may_read_two_secrets_and_those_of_its_own_providers(sam: Sam) -> None:
    own = {
        "api": {"jwt-??????", "operator-??????"},
        "compose_track": {"mubert-??????", "beatoven-??????", "elevenlabs-??????"},
        "paint_image": {"gemini-??????", "leonardo-??????"},
    }

    for folder in sam.functions:
        names = granted(sam, folder)["secretsmanager:GetSecretValue"]
        expected = {"showrunner/database-??????", "openai-??????"} | own.get(folder, set())
        assert {name.rsplit(":", 1)[1] for name in names} == expected, folder


def test_only_the_api_touches_what_has_arrived_and_only_maintain_removes_it(sam: Sam) -> None:
    arrived = "MediaBucket.Arn/uploads/*"

    touching = {
        (folder, action)
        for folder in sam.functions
        for action, resources in granted(sam, folder).items()
        if arrived in resources
    }

    assert touching == {("api", "s3:GetObject"), ("api", "s3:PutObject"), ("maintain", "s3:DeleteObject")}


def test_only_maintain_deletes_files(sam: Sam) -> None:
    deleting = [folder for folder in sam.functions if "s3:DeleteObject" in granted(sam, folder)]

    assert deleting == ["maintain"]


def test_only_stages_that_write_or_paint_invoke_models_and_only_those_named(sam: Sam) -> None:
    models = {
        (folder, action): names
        for folder in sam.functions
        for action, names in granted(sam, folder).items()
        if action.startswith("bedrock:")
    }

    assert models == {
        ("paint_image", "bedrock:InvokeModel"): {"stability-model"},
        ("plan_album", "bedrock:InvokeModel"): {"model"},
        ("write_outline", "bedrock:InvokeModel"): {"model"},
        ("write_script", "bedrock:InvokeModel"): {"model"},
        ("review_episode", "bedrock:InvokeModel"): {"model"},
        ("answer_question", "bedrock:InvokeModelWithResponseStream"): {"model"},
    }


def test_the_bucket_is_closed_to_the_public(sam: Sam) -> None:
    [bucket] = sam.of_type("S3::Bucket").values()

    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_the_bucket_is_encrypted_and_outlives_the_stack(sam: Sam) -> None:
    [(name, bucket)] = sam.of_type("S3::Bucket").items()
    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in ("AES256", "aws:kms")
    assert sam.resources[name]["DeletionPolicy"] == "Retain"
    assert sam.resources[name]["UpdateReplacePolicy"] == "Retain"


def test_the_bucket_refuses_what_is_not_tls(sam: Sam) -> None:
    [policy] = sam.of_type("S3::BucketPolicy").values()
    [statement] = policy["PolicyDocument"]["Statement"]

    assert policy["Bucket"] == "MediaBucket"
    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == "*"
    assert statement["Action"] == "s3:*"
    assert statement["Resource"] == ["MediaBucket.Arn", "MediaBucket.Arn/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": False}}


def test_only_intermediate_results_and_abandoned_uploads_expire(sam: Sam) -> None:
    [bucket] = sam.of_type("S3::Bucket").values()
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}

    assert all(rule["Status"] == "Enabled" for rule in rules.values())
    assert {rule["Prefix"] for rule in rules.values() if "ExpirationInDays" in rule} == {"drafts/", "uploads/"}
    assert rules["drafts"]["ExpirationInDays"] >= 7
    assert rules["uploads"]["ExpirationInDays"] >= 2
    assert rules["abandoned-uploads"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1
