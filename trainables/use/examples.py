"""Real examples that are kept with a model: what is exported is compared on them, on any machine, without the data."""

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from trainables.use.dataset_features import features_of
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
