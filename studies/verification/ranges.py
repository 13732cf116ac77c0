"""The values that each column may hold: ranges of numbers, and the values of enums."""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from reports.stability.growth import VERDICTS
from studies.base.states import Decision, Outcome, Phase, StudyState, TrialState
from studies.database.frames.raw_rows import Damaged, Rows, Table, damaged_rows
from studies.database.schema import tables


@dataclass(frozen=True, kw_only=True)
class Range:
    """Numbers from `low` to `high`; NULL is allowed if it `may_lack`."""

    low: float = -math.inf
    high: float = math.inf
    is_whole: bool = False
    may_lack: bool = False

    def excludes(self, value: Any) -> bool:
        """Return whether a JSON value or a number is not allowed."""
        if value is None:
            return not self.may_lack
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        is_odd = self.is_whole and value != int(value) if math.isfinite(value) else True
        return is_odd or not self.low <= value <= self.high

    def excluded(self, values: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        """Return for each number whether it is not allowed; NaN stands for NULL."""
        lacks = np.isnan(values)
        outside = ~((values >= self.low) & (values <= self.high)) | np.isinf(values)
        if self.is_whole:
            outside |= np.floor(values) != values
        return np.where(lacks, not self.may_lack, outside)

    @property
    def words(self) -> str:
        """Return the rule as text."""
        ends = f"{_end(self.low, 'below')} to {_end(self.high, 'above')}"
        return f"{'whole ' if self.is_whole else ''}numbers from {ends}"


def _end(value: float, unbounded: str) -> str:
    return f"any {unbounded}" if math.isinf(value) else f"{value:g}"


FINITE: Final = Range(may_lack=True)
FROM_0: Final = Range(low=0, may_lack=True)
SHARE: Final = Range(low=0, high=1, may_lack=True)
COUNT: Final = Range(low=0, is_whole=True)
NUMBER: Final = Range(low=1, is_whole=True)
_OR_NONE: Final = Range(low=1, is_whole=True, may_lack=True)
_KEY: Final = {"trial_number": NUMBER, "replicate": COUNT}
_WRITTEN: Final = {"sequence": NUMBER, "fencing_token": COUNT}

_NUMBERS: Final[Mapping[Table, Mapping[str, Range]]] = {
    tables.trial: {
        **{"number": NUMBER, "cell": _OR_NONE, "rung": _OR_NONE, "epochs": COUNT, "attempt_epochs": COUNT},
        **{"objective": FINITE, "attempt": COUNT, "busy_seconds": Range(low=0)},
    },
    tables.replicate: {**_KEY, "block": COUNT},
    tables.evaluation: _KEY,
    tables.epoch: {**_KEY, **_WRITTEN, "epoch": NUMBER, "learning_rate": FROM_0},
    tables.layer_gradient: {
        **_KEY,
        **{"epoch": COUNT, "layer": NUMBER, "activation_mean": FINITE, "dead_fraction": SHARE},
        **dict.fromkeys(
            (
                "grad_l2",
                "grad_l2_max",
                "grad_rms",
                "delta_rms",
                "weight_rms",
                "update_ratio",
                "activation_std",
            ),
            FROM_0,
        ),
    },
    tables.rung_result: {"trial_number": NUMBER, "epoch": NUMBER, **_WRITTEN, "objective": Range()},
    tables.artifact: {"num_bytes": COUNT, "trial_number": _OR_NONE},
    tables.event: {**_WRITTEN, "trial_number": _OR_NONE},
}
_SCORES: Final = {
    tables.replicate: ("val_loss", "val_accuracy", "test_loss", "test_accuracy"),
    tables.epoch: ("train_loss", "train_accuracy", "val_loss", "val_accuracy"),
}
_WORDS: Final[Mapping[Table, Mapping[str, Collection[str | None]]]] = {
    tables.trial: {"phase": tuple(Phase), "state": tuple(TrialState)},
    tables.replicate: {
        "outcome": tuple(Outcome),
        **dict.fromkeys(("verdict_initial", "verdict_trained"), (None, *VERDICTS)),
    },
    tables.rung_result: {"decision": tuple(Decision)},
}
_NEEDED: Final = {
    tables.trial: ("params",),
    tables.replicate: ("metrics",),
    tables.epoch: ("metrics",),
    tables.event: ("at", "kind", "detail"),
    tables.artifact: ("path", "sha256"),
}


def of_score(name: str, is_classifier: bool) -> Range:
    """Return the range of a score by its name; a study's own metrics may be any numbers.

    >>> of_score("val_accuracy", True).high, of_score("val_accuracy", False).high
    (1, inf)
    """
    if not is_classifier:
        return FINITE
    return FROM_0 if name.endswith("loss") else SHARE


def out_of_range(rows: Rows, *, is_classifier: bool) -> Iterator[Damaged]:
    """Yield every value that its column may not hold."""
    if rows.study["state"] not in tuple(StudyState):
        yield Damaged(table="study", key=f"study {rows.study['name']}", what="state is not a known value")
    for table, frame in rows.by_table.items():
        ranges = dict(_NUMBERS.get(table, {}))
        ranges |= {name: of_score(name, is_classifier) for name in _SCORES.get(table, ())}
        for name, allowed in ranges.items():
            wrong = allowed.excluded(frame[name].to_numpy(dtype=np.float64))
            yield from damaged_rows(table, frame, wrong, partial(_outside, name, allowed))
        for name, words in _WORDS.get(table, {}).items():
            wrong = ~frame[name].isin(words).to_numpy()
            yield from damaged_rows(table, frame, wrong, f"{name} is not a known value")
        for name in _NEEDED.get(table, ()):
            yield from damaged_rows(table, frame, frame[name].isna().to_numpy(), f"{name} is missing")


def _outside(name: str, allowed: Range, row: Mapping[Any, Any]) -> str:
    value = row[name]
    if math.isnan(value):
        return f"{name} is missing"
    return f"{name} is {value:g}, and holds {allowed.words}"
