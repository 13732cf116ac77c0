"""Rows of a dataset as a saved module takes them, and those that are kept with a model.

What is exported is compared on these, on any machine, without the data.
"""

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from trainables.use.evaluation import sample_of
from trainables.use.exported.records import Examples

if TYPE_CHECKING:
    from trainables.data.dataset import Dataset
    from trainables.data.splits import Split
    from trainables.use.preprocessing import Preprocessing

FILE: Final = "examples.safetensors"

MAX_ROWS: Final = 1000
"""Examples of the validation part, and as many of the test part."""

MAX_VALUES: Final = 2_000_000
"""Numbers of each part: 8 MB of float32, or 2 MB of a text's counts."""

PARTS: Final = ("validation", "test")

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


def draw_examples(
    dataset: "Dataset", preprocessing: "Preprocessing", split: "Split", *, seed: int
) -> dict[str, Examples]:
    """Return a random sample of both parts, at least two examples of each, as the module takes them."""
    most = max(2, min(MAX_ROWS, MAX_VALUES // preprocessing.num_features))
    drawn = {}
    for part in PARTS:
        rows = getattr(split, part)
        rows = rows[sample_of(len(rows), seed=seed, most=most)]
        drawn[part] = Examples(
            inputs=features_of(dataset, preprocessing, rows), targets=dataset.targets[rows]
        )
    return drawn


def to_bytes(examples: dict[str, Examples], *, are_counts: bool) -> bytes:
    """Return the file; with `are_counts` inputs are whole numbers up to 255, kept in a byte each."""
    from safetensors.numpy import save

    kind = np.uint8 if are_counts else np.float32
    tensors: dict[str, NDArray[np.generic]] = {}
    for part, each in examples.items():
        tensors[f"{part}_inputs"] = each.inputs.astype(kind)
        tensors[f"{part}_targets"] = each.targets
    return bytes(save(tensors))


def from_bytes(content: bytes) -> dict[str, Examples]:
    """Return the examples in a file."""
    from safetensors.numpy import load

    tensors = load(content)
    return {
        part: Examples(
            inputs=tensors[f"{part}_inputs"].astype(np.float32), targets=tensors[f"{part}_targets"]
        )
        for part in PARTS
    }
