import pytest

from showrunner.media.pacing import LEAD_IN, LEAD_OUT, PAUSE_SCALE, TEMPO, Line, fit, natural_pauses


def script(count=40, seconds=6.0):
    return [
        Line(f"Part {index // 10}", "Ada" if index % 3 else "Ben", f"line {index}", seconds) for index in range(count)
    ]


def length_of(lines, pacing):
    return (sum(line.seconds for line in lines) + sum(pacing.pauses) + pacing.lead_out) / pacing.tempo


def test_pauses_grow_from_the_same_speaker_to_another_to_a_new_section():
    lines = [Line("A", "Ada", "1", 1), Line("A", "Ada", "2", 1), Line("A", "Ben", "3", 1), Line("B", "Ben", "4", 1)]

    lead_in, same, other, section = natural_pauses(lines)

    assert lead_in == LEAD_IN
    assert same < other < section


def test_pauses_vary_a_little_and_always_in_the_same_way():
    first, second = natural_pauses(script()), natural_pauses(script())

    assert first == second
    assert len(set(first)) > 35


@pytest.mark.parametrize("factor", [0.97, 1.0, 1.03])
def test_a_script_of_about_the_right_length_is_fitted_by_pauses_alone(factor):
    lines = script()
    natural = sum(natural_pauses(lines)) + LEAD_OUT + 240

    pacing = fit(lines, natural * factor)

    assert pacing.tempo == 1.0
    assert pacing.seconds == pytest.approx(natural * factor, rel=0.011)


@pytest.mark.parametrize("factor", [0.94, 1.08])
def test_a_script_a_little_off_is_fitted_by_tempo_too(factor):
    lines = script()
    target = (sum(natural_pauses(lines)) + LEAD_OUT + 240) * factor

    pacing = fit(lines, target)

    assert pacing.tempo != 1.0
    assert pacing.seconds == pytest.approx(target, rel=0.001)


@pytest.mark.parametrize(
    ("target", "scale", "tempo"), [(60, PAUSE_SCALE[0], TEMPO[1]), (6000, PAUSE_SCALE[1], TEMPO[0])]
)
def test_a_script_far_off_is_never_hurried_or_dragged_beyond_what_is_natural(target, scale, tempo):
    lines = script()

    pacing = fit(lines, target)

    assert pacing.tempo == tempo
    assert sum(pacing.pauses[1:]) == pytest.approx(scale * sum(natural_pauses(lines)[1:]))


@pytest.mark.parametrize("target", [200, 250, 262, 270, 400])
def test_the_told_length_is_that_of_lines_pauses_and_tempo(target):
    lines = script()

    pacing = fit(lines, target)

    assert pacing.seconds == pytest.approx(length_of(lines, pacing))


def test_one_line_has_no_pause_to_scale():
    pacing = fit([Line("A", "Ada", "Hello", 10.0)], 10.5)

    assert pacing.pauses == (LEAD_IN,)
    assert pacing.seconds == pytest.approx(10.67, abs=0.01)
