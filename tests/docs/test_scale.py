"""docs/scale.md says what its script computes, and the script computes what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import scale
from tests.rigs.sam import Sam


def test_the_page_holds_what_the_script_prints():
    shown = scale.PAGE.read_text().split(scale.BEGIN)[1].split(scale.END)[0]

    assert shown.strip() == scale.tables(1_000_000).strip(), "run benchmarks/scale.py --write"


def test_functions_at_once_are_arrivals_times_seconds():
    speak = next(stage for stage in scale.STAGES if stage.name == "speak_line")
    slow = replace(speak, seconds=10.0, memory_mb=scale.FULL_CORE_MB)

    found = scale.concurrency(slow, jobs_per_second=65)

    assert found == pytest.approx(60 * (10.0 * scale.SLOWER + scale.OVERHEAD_SECONDS))


def test_memory_and_places_are_the_templates():
    sam = Sam()

    assert {stage.name: stage.memory_mb for stage in scale.STAGES} == {
        stage.name: sam.functions[stage.name]["MemorySize"] for stage in scale.STAGES
    }
    assert (sam.parameters["StageConcurrency"]["Default"], sam.parameters["SpeechConcurrency"]["Default"]) == (5, 20)


def test_what_gives_first_comes_first():
    found = [jobs for jobs, _, _ in scale.ceilings()]

    assert found == sorted(found)
    assert found[0] > 1_000_000 / scale.PEAK


def test_the_smallest_compute_that_holds_the_clients_and_is_half_idle_is_chosen():
    assert scale.compute_for(clients=399, cores=0.1) == "Small"
    assert scale.compute_for(clients=401, cores=0.1) == "Medium"
    assert scale.compute_for(clients=10, cores=1.5) == "XL"


def test_prices_are_those_that_the_database_starts_with():
    assert scale.price("polly", "neural", "character") == 0.00001216
    with pytest.raises(SystemExit, match="no price"):
        scale.price("polly", "unknown", "character")
