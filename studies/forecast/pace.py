"""How fast workers train, and what a further look takes by that."""

from collections.abc import Sequence

from studies.database.rows import TrialRow
from studies.planning.plan import Plan
from studies.planning.trial_numbers import Numbering

BUSY_SHARE = 0.9
"""Share of the time between first and last trial in which a worker trains."""


def look_seconds(plan: Plan, trials: Sequence[TrialRow], *, networks: int, num_workers: int) -> float:
    """Return the predicted seconds of a further look with so many networks, by the pace of the trials so far.

    0 where no pace was recorded: nothing speaks against the look then.
    """
    numbering = Numbering.of(plan)
    epochs = sum(trial.epochs * plan.num_replicates(numbering.look(trial.number)) for trial in trials)
    if epochs == 0:
        return 0.0
    pace = sum(trial.busy_seconds for trial in trials) / epochs
    return networks * plan.study.confirm.epochs * pace / (num_workers * BUSY_SHARE)
