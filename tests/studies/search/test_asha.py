"""ASHA in groups equals a naive reading of the algorithm, asks at every rung and never mixes groups."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler

from studies.base.states import Decision
from studies.planning.plan import expected_survivors
from studies.search.asha import Asha


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


class Ray:
    """Ray's scheduler, asked as it asks to be."""

    def __init__(self, *, rungs: tuple[int, ...], eta: int, mode: str) -> None:
        self._scheduler = AsyncHyperBandScheduler(
            time_attr="epoch",
            metric="objective",
            mode=mode,
            grace_period=rungs[0],
            # Half an epoch more than the last rung: Ray counts rungs by a quotient of logarithms, and
            # log(243)/log(3) falls just short of 5.
            max_t=rungs[-1] + 0.5,  # type: ignore[arg-type]
            reduction_factor=eta,
        )

    def decide(self, *, number: int, epoch: int, objective: float) -> Decision:
        trial: Any = SimpleNamespace(trial_id=str(number))
        controller: Any = None
        self._scheduler.on_trial_add(controller, trial)
        result = {"epoch": epoch, "objective": objective}
        action = self._scheduler.on_trial_result(controller, trial, result)
        return Decision.STOP if action == TrialScheduler.STOP else Decision.CONTINUE


@pytest.mark.filterwarnings("ignore:All-NaN slice encountered:RuntimeWarning")
@given(
    data=st.data(), eta=st.integers(2, 5), num_rungs=st.integers(2, 4), mode=st.sampled_from(["min", "max"])
)
def test_decides_as_ray_does_to_the_last_bit(
    data: st.DataObject, eta: int, num_rungs: int, mode: str
) -> None:
    rungs = tuple(2 * eta**k for k in range(num_rungs))
    # A few values again and again, so that some meet the cutoff exactly, and any others.
    objectives = st.sampled_from([0.1, 0.2, 0.3, 1 / 3]) | st.floats(0, 3) | st.just(math.nan)
    asha, ray = Asha(rungs=rungs, reduction_factor=eta, mode=mode), Ray(rungs=rungs, eta=eta, mode=mode)
    rung_of: dict[int, int] = {}
    for number in data.draw(st.lists(st.integers(1, 25), max_size=60)):
        place = rung_of.get(number, 0)
        if place >= num_rungs - 1:
            continue
        objective = data.draw(objectives)
        decision = asha.decide(None, number=number, epoch=rungs[place], objective=objective)
        assert decision is ray.decide(number=number, epoch=rungs[place], objective=objective)
        # One that is stopped may still be run again, after its worker was lost, and come to the same rung.
        rung_of[number] = place + (decision is Decision.CONTINUE)


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
