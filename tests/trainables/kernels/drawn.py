"""Shapes and numbers for tests of kernels, and how far rounding may take their results."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Floats = NDArray[Any]

PRECISIONS = st.sampled_from([np.dtype(np.float32), np.dtype(np.float64)])
UNITS = st.integers(1, 20)
EXAMPLES = st.integers(1, 40)
SEEDS = st.integers(0, 2**32 - 1)


def normal(seed: int, *shape: int, dtype: np.dtype[Any]) -> Floats:
    """Return standard normal numbers."""
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def assert_near(found: Any, exact: Any, dtype: np.dtype[Any], *, size: float = 1.0) -> None:
    """Compare with a result in float64; sums of up to 40 numbers of about `size` are rounded."""
    bound = 40 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(found, exact, rtol=bound, atol=bound * size)
