from hypothesis import HealthCheck, Phase, settings

from tests.chaos.machine import walk
from tests.rigs.engine import Stage

SHORT = settings(
    max_examples=50,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_random_walks_find_no_step_that_differs_from_the_model(rig):
    walk(rig, SHORT)


def test_a_production_whose_last_job_has_failed_is_not_at_100_percent(rig):
    rig.pipeline("single", [Stage("only", max_fails=1)])
    production = rig.start("single", only=1)

    rig.fail(*rig.granted(production, "only"), "invalid_input")

    assert rig.production(production)["status"] == "failed"
    assert rig.production(production)["progress"] == 99
