"""What a tracker of runs has to hold of each network, taken from the study's frames."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from studies.results.recorded import RecordedStudy

LAYER_MEASURES = ("grad_l2", "delta_rms", "update_ratio", "dead_fraction")


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A network: its curves by measure and epoch, and its final scores."""

    phase: str
    cell: int
    params: Mapping[str, object]
    curves: Mapping[str, Mapping[int, float]]
    scores: Mapping[str, float]


def expected_networks(study: RecordedStudy) -> dict[tuple[int, int], Expected]:
    """Return what is recorded of each network by trial and block."""
    epochs, layers = study.epochs(), study.gradients()
    found = {}
    for row in study.replicates().to_dict("records"):
        key = (row["trial_number"], row["replicate"])
        curves: dict[str, dict[int, float]] = {}
        for epoch in _of(epochs, key):
            for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate"):
                curves.setdefault(name, {})[epoch["epoch"]] = epoch[name]
        for layer in _of(layers, key):
            for name in LAYER_MEASURES:
                if not math.isnan(layer[name]):
                    curves.setdefault(f"{name}/layer_{layer['layer']}", {})[layer["epoch"]] = layer[name]
        names = ("val_loss", "val_accuracy", "test_loss", "test_accuracy")
        found[row["trial_number"], row["block"]] = Expected(
            phase=row["phase"],
            cell=row["cell"],
            params={"depth": row["depth"], "learning_rate": row["learning_rate"]},
            curves=curves,
            scores={f"final/{name}": row[name] for name in names if not math.isnan(row[name])},
        )
    return found


def _of(frame: pd.DataFrame, key: tuple[int, int]) -> list[dict[str, Any]]:
    mine = frame[(frame["trial_number"] == key[0]) & (frame["replicate"] == key[1])]
    return [{str(name): value for name, value in row.items()} for row in mine.to_dict("records")]
