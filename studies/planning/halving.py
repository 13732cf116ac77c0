"""How many trials asynchronous successive halving (ASHA) is expected to keep at its rungs."""

from collections.abc import Sequence

import numpy as np


def expected_survivors(num_trials: float, reduction_factor: int) -> float:
    """Return the mean number of trials that go on past a rung when `num_trials` reach it in random order.

    Ray's AsyncHyperBandScheduler keeps a trial if it is no worse than the (1 - 1/eta) quantile, interpolated, of
    those before it, and always keeps the first. After n others a new value is equally likely in each of the n + 1
    gaps between them, and so it goes on with probability (1 + (n - 1)/eta) / (n + 1); the sum over n has the form
    below, with the harmonic number as digamma, so that a mean number of trials can be given as well. This is exact
    for values spread evenly; where most losses are close and a few are large, slightly more are kept.

    >>> round(expected_survivors(6, reduction_factor=3), 2)
    3.15
    """
    from scipy.special import digamma  # here, because a typo in a command should not wait for it

    harmonic = float(digamma(num_trials + 1)) + np.euler_gamma
    return 1 + (num_trials - 1) / reduction_factor + (1 - 2 / reduction_factor) * (harmonic - 1)


def expected_epochs(num_trials: int, rungs: Sequence[int], reduction_factor: int) -> float:
    """Return the mean number of epochs that one ASHA over `num_trials` trains, summed over its trials.

    >>> round(expected_epochs(6, (6, 18), reduction_factor=3), 1)  # 6 x 6 + 3.15 x 12
    73.8
    """
    epochs, trials, trained = 0.0, float(num_trials), 0
    for rung in rungs:
        epochs += trials * (rung - trained)
        trials, trained = expected_survivors(trials, reduction_factor), rung
    return epochs
