from hypothesis import HealthCheck, settings

from tests.chaos.machine import walk

SHORT = settings(
    max_examples=25,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_random_walks_find_no_step_that_differs_from_the_model(rig):
    walk(rig, SHORT)
