import psycopg
import pytest

from tests.chaos import races
from tests.chaos.faults import FAULTS, Fault

BY_NAME = {fault.name: fault for fault in FAULTS}
CAUGHT_BY_A_RACE = {
    "attempt fence of complete removed": races.zombie_against_its_successor,
    "organization lock removed": races.two_claims_of_the_last_place,
    "limits change under a claim": races.claim_against_a_lowered_limit,
    "slot unique index dropped": races.no_two_jobs_share_a_place,
    "provider lock removed": races.two_claims_of_the_last_place_at_a_provider,
    "half-open breaker lets everybody through": races.two_probes_of_a_provider,
    "production lock before advance removed": races.joining_stages,
    "limits locked in any order": races.turns_that_cross,
    "claim of a turn waits": races.turn_against_who_holds_its_next_job,
}


def test_every_fault_can_still_be_planted(rig):
    planted = []
    for fault in FAULTS:
        with rig.owner.transaction(force_rollback=True):
            fault.plant(rig.owner)
            planted.append(fault.name)

    assert len(planted) >= 20
    assert len(planted) == len(set(planted))


def test_a_fault_whose_text_has_gone_is_an_error(rig):
    gone = Fault("gone", "claim", "a text that is not there", "")

    with pytest.raises(ValueError, match="does not have the text once"):
        gone.plant(rig.owner)


@pytest.mark.parametrize("name", CAUGHT_BY_A_RACE)
def test_a_race_notices_the_fault(rig, name):
    BY_NAME[name].plant(rig.owner)
    races.prepare(rig)

    with pytest.raises((AssertionError, psycopg.Error)):
        CAUGHT_BY_A_RACE[name](rig)
