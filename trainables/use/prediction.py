"""Predicts the examples of a file chunk by chunk, in bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trainables.use.input_files import InputFile
from trainables.use.model import Model

PREDICTION, PROBABILITY = "prediction", "probability"

MAX_NOTES: Final = 20


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """Predictions of examples in a row, as a table, and what was decided about their inputs.

    `table` has `row` (from 1) or, of images, `file`; `prediction`, a class; `probability`, that of the prediction; and
    `probability_CLASS` for each class.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]


def predict_file(model: Model, file: InputFile) -> Iterator[Predicted]:
    """Yield predictions of a file's examples in order; raise InputError, with row and column, for unusable ones."""
    told: set[str] = set()
    for rows in file.chunks(model.preprocessing):
        notes: list[str] = []
        probabilities = model.probabilities(rows.examples, first_row=rows.first_row, notes=notes)
        new = tuple(note for note in notes if note not in told)[: max(0, MAX_NOTES - len(told))]
        told.update(new)
        yield Predicted(table=_table(model, probabilities, rows.names, rows.first_row), notes=new)


def _table(
    model: Model, probabilities: NDArray[np.float64], names: tuple[str, ...], first_row: int
) -> pd.DataFrame:
    best = probabilities.argmax(1)
    numbers = range(first_row, first_row + len(best))
    return pd.DataFrame(
        {
            **({"file": list(names)} if names else {"row": numbers}),
            PREDICTION: model.classes_[best],
            PROBABILITY: probabilities[np.arange(len(best)), best],
            **{
                f"{PROBABILITY}_{name}": probabilities[:, place]
                for place, name in enumerate(model.config.classes)
            },
        }
    )
