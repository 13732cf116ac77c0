"""A model for tests of watching: made-up rows, and probabilities that one column gives."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.trainables.use.monitoring.rows import sample


class WatchedModel:
    """Two classes, `no` and `yes`; the taller, the likelier `yes`."""

    kind = "table"
    classes_: Sequence[Any] = ("no", "yes")

    def probabilities(self, X: NDArray[np.float32], *, first_row: int = 1) -> NDArray[np.float64]:  # noqa: N803
        """Return probabilities of both."""
        yes = 1 / (1 + np.exp(-(X[:, 1].astype(float) - 170) / 10))
        return np.stack([1 - yes, yes], axis=1)

    def encode(self, X: NDArray[np.float32], *, first_row: int = 1) -> NDArray[np.float32]:  # noqa: N803
        """Return the rows."""
        return X


def batches(num: int, seed: int, size: int = 100, *, labelled: bool = True, **changes: Any) -> Iterator[Any]:
    """Yield rows in batches, with the names of their classes if `labelled`."""
    features, _, targets = sample(num, seed, **changes)
    for first in range(0, num, size):
        part = slice(first, first + size)
        names = ["yes" if target else "no" for target in targets[part]]
        yield features[part], names if labelled else None
