"""A small assignment on the digits, for tests of what a worker does."""

import math
from dataclasses import replace
from functools import partial
from typing import Any

from trainables.base.hyperparameters import Hyperparameters
from trainables.trials.reporting import train_trial_spec
from trainables.trials.trial_spec import TrialSpec

train_in_peace = partial(train_trial_spec, seconds_between_reports=math.inf)
"""Train and report at rungs alone, however slow the machine is at the moment."""

ASSIGNMENT = TrialSpec(
    number=7,
    model="mlp",
    objective="val_loss",
    hyperparameters=Hyperparameters(depth=2, width=16, learning_rate=0.01),
    blocks=(0, 1, 2),
    seeds=(11, 12, 13),
    rungs=(1, 3),
    layers_at=(0, 1, 3),
)


def trial_spec(*, number: int = 7, **changes: Any) -> TrialSpec:
    """Return the assignment with other hyperparameters, or with other fields where they bear a field's name."""
    fields = {name: changes.pop(name) for name in list(changes) if name in TrialSpec.__dataclass_fields__}
    hyperparameters = replace(ASSIGNMENT.hyperparameters, **changes)
    return replace(ASSIGNMENT, number=number, **({"hyperparameters": hyperparameters} | fields))
