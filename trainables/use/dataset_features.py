"""Rows of a dataset as a saved module takes them."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from trainables.data.dataset import Dataset
    from trainables.use.preprocessing import Preprocessing

Rows = NDArray[np.int64]


def features_of(dataset: "Dataset", preprocessing: "Preprocessing", rows: Rows) -> NDArray[np.float32]:
    """Return rows of a dataset as the module takes them, (rows, *shape): raw numbers, or counts of its terms."""
    if dataset.texts is None:
        return dataset.inputs[rows].reshape(len(rows), *preprocessing.shape)
    texts = dataset.texts
    place = {term: index for index, term in enumerate(preprocessing.terms)}
    feature = np.array([place.get(term, -1) for term in texts.terms])
    entries, lengths = texts.entries(rows), np.diff(texts.starts)[rows]
    row, column = np.repeat(np.arange(len(rows)), lengths), feature[texts.columns[entries]]
    counts = np.zeros((len(rows), len(preprocessing.terms)), np.float32)
    known = column >= 0
    counts[row[known], column[known]] = texts.counts[entries][known]
    return counts
