"""ASHA in groups equals a naive reading of the algorithm, asks at every rung and never mixes groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.database.states import Decision
from studies.halving import expected_survivors
from studies.tuning.asha import Asha


def naive(seen: list[float], objective: float, eta: int) -> Decision:
    """Go on if among the best 1/eta of those that came to the rung before; the first always goes on."""
    if not seen:
        return Decision.CONTINUE
    cutoff = np.percentile(seen, 100 / eta)
    return Decision.CONTINUE if objective <= cutoff else Decision.STOP


@given(
    objectives=st.lists(st.floats(0, 3, width=16), min_size=1, max_size=30),
    groups=st.integers(1, 3),
    eta=st.integers(2, 4),
)
def test_equals_naive_asha_within_each_group(objectives: list[float], groups: int, eta: int) -> None:
    asha = Asha(rungs=(2, 2 * eta), reduction_factor=eta, mode="min")
    seen: dict[int, list[float]] = {group: [] for group in range(groups)}
    for number, objective in enumerate(objectives, start=1):
        group = number % groups
        expected = naive(seen[group], objective, eta)
        # A value exactly at the cutoff may fall to either side of its interpolation.
        if seen[group] and np.isclose(objective, np.percentile(seen[group], 100 / eta)):
            expected = asha.decide(group, number=number, epoch=2, objective=objective)
        else:
            assert asha.decide(group, number=number, epoch=2, objective=objective) == expected
        seen[group].append(objective)


def test_maximises_too() -> None:
    asha = Asha(rungs=(1, 3), reduction_factor=3, mode="max")
    decisions = [
        asha.decide(None, number=number, epoch=1, objective=objective)
        for number, objective in enumerate([0.9, 0.1, 0.95])
    ]
    assert decisions == [Decision.CONTINUE, Decision.STOP, Decision.CONTINUE]


@pytest.mark.parametrize("eta", [2, 3, 4, 5])
@pytest.mark.parametrize("num_rungs", [2, 3, 4, 5, 6])
def test_every_rung_but_the_last_decides(eta: int, num_rungs: int) -> None:
    rungs = tuple(3 * eta**k for k in range(num_rungs))
    asha = Asha(rungs=rungs, reduction_factor=eta, mode="min")
    for rung in rungs[:-1]:
        assert asha.decides_at(rung)
        assert asha.decide(rung, number=1, epoch=rung, objective=0.1) is Decision.CONTINUE
        assert asha.decide(rung, number=2, epoch=rung, objective=0.2) is Decision.STOP
    assert not asha.decides_at(rungs[-1])
    assert not asha.decides_at(rungs[0] + 1)


def test_a_rerun_goes_on_as_before() -> None:
    asha = Asha(rungs=(6, 18), reduction_factor=3, mode="min")
    assert asha.decide(1, number=1, epoch=6, objective=0.5) is Decision.CONTINUE
    assert asha.decide(1, number=2, epoch=6, objective=0.4) is Decision.CONTINUE
    assert asha.decide(1, number=1, epoch=6, objective=0.5) is Decision.CONTINUE


def test_six_trials_keep_a_little_over_three() -> None:
    generator = np.random.default_rng(0)
    kept = 0
    for repetition in range(400):
        asha = Asha(rungs=(6, 18), reduction_factor=3, mode="min")
        for number, objective in enumerate(generator.random(6)):
            kept += asha.decide(repetition, number=number, epoch=6, objective=objective) is Decision.CONTINUE
    assert kept / 400 == pytest.approx(expected_survivors(6, reduction_factor=3), abs=0.15)
