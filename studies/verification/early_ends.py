"""After which epoch each network should have stopped early, by what was recorded of it."""

import math
from typing import Any, cast

from studies.verification.record import Record
from trainables.training.stopping_rule import stopping_epoch

Key = tuple[int, int]
"""The number of a trial, and that of its replicate."""


def early_ends(record: Record) -> dict[Key, int]:
    """Return the epoch after which a network stops, by its trial's patience and monitor; none that trains on."""
    rules = {
        number: rule
        for number, trial in record.by_number.items()
        if (rule := _rule(record, trial["params"])) is not None
    }
    rows = record.rows.epochs
    rows = rows[rows["trial_number"].isin(rules)].sort_values("epoch")
    ends = {}
    for key, own in rows.groupby(["trial_number", "replicate"]):
        number, replicate = map(int, cast(Key, key))
        patience, monitor = rules[number]
        values = [value if math.isfinite(value) else None for value in own[monitor].astype(float)]
        end = stopping_epoch(values, monitor=monitor, patience=patience)
        if end is not None:
            ends[number, replicate] = end
    return ends


def _rule(record: Record, params: Any) -> tuple[int, str] | None:
    """Return a trial's patience and monitor, None without early stopping."""
    values = record.plan.hyperparameters(params if isinstance(params, dict) else {})
    patience, monitor = values["patience"], values["monitor"]
    assert isinstance(monitor, str)
    return (patience, monitor) if isinstance(patience, int) else None
