"""How many trials ASHA lets pass, against Ray's own bracket fed with losses in random order."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial
from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler

from studies.planning.plan import expected_epochs, expected_survivors

_NOTHING = cast(TuneController, None)  # the scheduler asks nothing of its controller


def kept_by_ray(losses: Iterable[float], eta: int) -> int:
    scheduler = AsyncHyperBandScheduler(
        time_attr="epoch", metric="loss", mode="min", grace_period=1, max_t=eta, reduction_factor=eta
    )
    kept = 0
    for number, loss in enumerate(losses):
        trial = SimpleNamespace(trial_id=str(number))
        scheduler.on_trial_add(_NOTHING, cast(Trial, trial))
        decision = scheduler.on_trial_result(_NOTHING, cast(Trial, trial), {"epoch": 1, "loss": loss})
        kept += decision == TrialScheduler.CONTINUE
    return kept


@pytest.mark.parametrize(("num_trials", "eta"), [(1, 3), (2, 3), (6, 3), (9, 2), (16, 4)])
def test_it_is_the_mean_of_what_ray_keeps(num_trials: int, eta: int) -> None:
    rng = np.random.default_rng(20)
    kept = [kept_by_ray(rng.random(num_trials), eta) for _ in range(800)]
    margin = 4 * np.std(kept) / np.sqrt(len(kept)) + 1e-9
    assert abs(np.mean(kept) - expected_survivors(num_trials, eta)) < margin


def test_six_trials_at_eta_3_keep_between_3_and_3_point_3() -> None:
    assert expected_survivors(6, reduction_factor=3) == pytest.approx(3.15)
    # Losses with a long tail, as rates near the end of their range give, keep slightly more.
    rng = np.random.default_rng(21)
    kept = [kept_by_ray(rng.lognormal(sigma=1.5, size=6), 3) for _ in range(2000)]
    assert np.mean(kept) == pytest.approx(3.3, abs=0.08)


def test_several_rungs_follow_ray_where_each_rung_orders_anew() -> None:
    rng = np.random.default_rng(22)
    trained = []
    for _ in range(400):
        first = kept_by_ray(rng.random(27), 3)
        second = kept_by_ray(rng.random(first), 3)
        trained.append(27 * 3 + first * 6 + second * 18)
    assert expected_epochs(27, (3, 9, 27), reduction_factor=3) == pytest.approx(np.mean(trained), rel=0.03)


@given(st.integers(1, 500), st.integers(2, 10))
def test_the_closed_form_is_the_sum_over_arrivals(num_trials: int, eta: int) -> None:
    arrivals = [1.0] + [(1 + (before - 1) / eta) / (before + 1) for before in range(1, num_trials)]
    assert expected_survivors(num_trials, eta) == pytest.approx(sum(arrivals))
