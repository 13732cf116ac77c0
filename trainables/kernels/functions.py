"""Exponential, hyperbolic tangent and logistic function that a compiler can vectorize.

In float32 they are those of the Cephes library (Moshier, expf and tanhf), within about 2 units in the last place; in
float64 they are the C library's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trainables.kernels.compiling import HAS_NUMBA, contracted_kernel

if HAS_NUMBA:
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic, overload

    F32 = np.float32
    LOG2_E, LN2_HIGH, LN2_LOW = F32(1.44269504088896341), F32(0.693359375), F32(-2.12194440e-4)
    E0, E1, E2 = F32(1.9875691500e-4), F32(1.3981999507e-3), F32(8.3334519073e-3)
    E3, E4, E5 = F32(4.1665795894e-2), F32(1.6666665459e-1), F32(5.0000001201e-1)
    T0, T1, T2 = F32(-5.70498872745e-3), F32(2.06390887954e-2), F32(-5.37397155531e-2)
    T3, T4 = F32(1.33314422036e-1), F32(-3.33332819422e-1)
    HIGHEST, LOWEST, HALF, ONE, TWO = F32(88.0), F32(-87.0), F32(0.5), F32(1), F32(2)
    NEAR = F32(0.625)

    def _build_cast(typing: Any, bits: Any) -> Any:
        """Return the float32 that has these bits, given as an int32."""

        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], ir.FloatType())

        return types.float32(types.int32), build

    _float_of_bits: Any = intrinsic(_build_cast)

    @contracted_kernel
    def _exp32(x: Any) -> Any:
        within = min(max(x, LOWEST), HIGHEST)
        power = np.floor(within * LOG2_E + HALF)
        rest = within - power * LN2_HIGH - power * LN2_LOW
        series = ((((E0 * rest + E1) * rest + E2) * rest + E3) * rest + E4) * rest + E5
        value = series * rest * rest + rest + ONE
        value = value * _float_of_bits(np.int32(np.int32(np.int32(power) + np.int32(127)) << np.int32(23)))
        return value if x == x else x

    @contracted_kernel
    def _tanh32(x: Any) -> Any:
        size = abs(x)
        square = x * x
        near = ((((T0 * square + T1) * square + T2) * square + T3) * square + T4) * square * x + x
        far = ONE - TWO / (_exp32(size + size) + ONE)
        far = far if x > F32(0) else -far
        value = near if size < NEAR else far
        return value if x == x else x

    @contracted_kernel
    def _sigmoid32(x: Any) -> Any:
        return ONE / (ONE + _exp32(-x))


def exp(x: Any) -> Any:
    """Return e^x; in float32 x is limited to -87..88."""
    raise NotImplementedError("compiled only")


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent of x."""
    raise NotImplementedError("compiled only")


def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + e^-x)."""
    raise NotImplementedError("compiled only")


if HAS_NUMBA:
    # numba compares the parameters of an implementation with those here, annotations included.
    @overload(exp)
    def _exp(x):  # type: ignore[no-untyped-def]
        return (lambda x: _exp32(x)) if x == types.float32 else (lambda x: math.exp(x))

    @overload(tanh)
    def _tanh(x):  # type: ignore[no-untyped-def]
        return (lambda x: _tanh32(x)) if x == types.float32 else (lambda x: math.tanh(x))

    @overload(sigmoid)
    def _sigmoid(x):  # type: ignore[no-untyped-def]
        return (lambda x: _sigmoid32(x)) if x == types.float32 else (lambda x: 1 / (1 + math.exp(-x)))
