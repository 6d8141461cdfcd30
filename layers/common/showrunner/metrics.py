"""Metrics in CloudWatch's embedded metric format: one log line per job, no call, no agent.

Format: Embedded Metric Format Specification, Amazon CloudWatch User Guide.
"""

from __future__ import annotations

from aws_lambda_powertools.metrics import MetricUnit, single_metric

NAMESPACE = "Showrunner"


def count_job(stage: str, kind: str, seconds: float) -> None:
    """Count one finished attempt of a stage by how it ended, and how long it took."""
    with single_metric(
        name="JobSeconds", unit=MetricUnit.Seconds, value=round(seconds, 3), namespace=NAMESPACE
    ) as line:
        line.add_dimension(name="stage", value=stage)
        line.add_dimension(name="outcome", value=kind)
