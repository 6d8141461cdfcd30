import pytest

from tests.chaos.races import RACES, prepare


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_each_race_has_one_winner(rig, race):
    prepare(rig)

    race(rig)

    assert rig.violations() == {}
