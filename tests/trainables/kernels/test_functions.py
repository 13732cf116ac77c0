"""exp, tanh and the logistic function are right to a few last bits, wherever in the range of floats they are called."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.trainables.kernels import called
from tests.trainables.kernels.drawn import Floats
from trainables.kernels import compiling

pytestmark = [
    pytest.mark.numeric,
    pytest.mark.skipif(not compiling.HAS_NUMBA, reason="nothing can be compiled"),
]

ULPS = 3
TINY = float(np.finfo(np.float32).tiny)
BOUND = 87.0
"""e^-x and e^x are float32s for x up to here, and no subnormal ones."""


def exact(x: Floats) -> dict[str, Floats]:
    wide = x.astype(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        return {"exp": np.exp(wide), "tanh": np.tanh(wide), "sigmoid": 1 / (1 + np.exp(-wide))}


def computed(x: Floats) -> dict[str, Floats]:
    found = {name: np.full_like(x, np.nan) for name in ("exp", "tanh", "sigmoid")}
    called.apply(x, found["exp"], found["tanh"], found["sigmoid"])
    return found


def ulps(found: Floats, expected: Floats) -> Any:
    """Return the largest error in units of the last place of the right number."""
    units = np.spacing(np.maximum(np.abs(expected).astype(found.dtype), TINY))
    return np.max(np.abs(found.astype(np.float64) - expected) / units.astype(np.float64))


def assert_right(x: Floats) -> None:
    found, right = computed(x), exact(x)
    assert ulps(found["tanh"], right["tanh"]) <= ULPS
    within = np.abs(x) <= BOUND
    for name in ("exp", "sigmoid"):
        assert not within.any() or ulps(found[name][within], right[name][within]) <= ULPS


@given(value=st.floats(allow_nan=False, allow_infinity=False, width=32), count=st.integers(1, 19))
@example(value=1e-30, count=1)
@example(value=1e-45, count=8)
@example(value=-0.625, count=3)
@example(value=0.62499994, count=8)
@example(value=88.0, count=16)
def test_in_float32_they_are_right_to_three_units_in_the_last_place(value: float, count: int) -> None:
    assert_right(np.full(count, value, np.float32))


def test_so_they_are_all_over_the_range() -> None:
    generator = np.random.default_rng(0)
    sizes = np.exp(generator.uniform(np.log(1e-38), np.log(BOUND), 200_000))
    assert_right((sizes * generator.choice([-1, 1], sizes.size)).astype(np.float32))
    assert_right(np.linspace(-BOUND, BOUND, 200_001, dtype=np.float32))


@given(value=st.floats(allow_nan=False))
@example(value=710.0)
@example(value=-746.0)
def test_in_float64_they_are_the_c_librarys(value: float) -> None:
    x = np.array([value])
    with np.errstate(all="ignore"):
        for name, expected in exact(x).items():
            np.testing.assert_allclose(computed(x)[name], expected, rtol=1e-15, atol=1e-323)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_tiny_is_its_own_tangent(dtype: Any) -> None:
    x = np.array([1e-30, -1e-30, 1e-45, 0.0, 1e-8], dtype)
    np.testing.assert_array_equal(computed(x)["tanh"], x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_stays_nan_in_every_place(dtype: Any) -> None:
    for count in (1, 4, 17):
        for place in range(count):
            x = np.ones(count, dtype)
            x[place] = np.nan
            for values in computed(x).values():
                np.testing.assert_array_equal(np.isnan(values), np.isnan(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_out_they_are_at_their_limits(dtype: Any) -> None:
    found = computed(np.array([np.inf, 1e30, -1e30, -np.inf], dtype))
    np.testing.assert_array_equal(found["tanh"], [1, 1, -1, -1])
    np.testing.assert_array_equal(found["sigmoid"][:2], [1, 1])
    # In float32 the argument is limited, which leaves a number that changes no sum it is added to.
    assert (found["sigmoid"][2:] < TINY).all()
    assert (found["sigmoid"][2:] >= 0).all()
    assert (found["exp"][2:] <= 1.7e-38).all()
    assert (found["exp"][2:] >= 0).all()
    assert (found["exp"][:2] > 1.6e38).all()


def test_beyond_its_limit_the_float32_exponential_stays_where_it_was() -> None:
    x = np.array([-87, -88, -200, 88, 89, 200], np.float32)
    found = computed(x)["exp"]
    np.testing.assert_array_equal(found, found[[0, 0, 0, 3, 3, 3]])
    assert ulps(found[[0, 3]], np.exp([-87.0, 88.0])) <= ULPS


def test_they_never_fall_where_they_must_rise() -> None:
    x = np.linspace(-20, 20, 100_001, dtype=np.float32)
    found = computed(x)
    assert (np.abs(found["tanh"]) <= 1).all()
    assert (found["sigmoid"] <= 1).all()
    np.testing.assert_array_equal(found["tanh"], -found["tanh"][::-1])
    for values in found.values():
        steps = np.diff(values)
        assert (steps >= -ULPS * np.spacing(np.abs(values[1:]))).all()
