"""A small assignment on the digits, for tests of what a worker does."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from trainables.base.hyperparameters import Hyperparameters
from trainables.base.records import EpochRecord
from trainables.data.dataset import Dataset
from trainables.data.splits import Split, split_blocks
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


def values(record: EpochRecord) -> tuple[float | None, ...]:
    """Return the scores of an epoch."""
    return record.train_loss, record.train_accuracy, record.val_loss, record.val_accuracy


def splits_of(dataset: Dataset, blocks: Sequence[int]) -> list[Split]:
    """Return a dataset's splits of these blocks."""
    return list(split_blocks(dataset, seed=0, blocks=blocks).values())
