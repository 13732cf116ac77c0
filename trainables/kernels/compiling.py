"""How kernels are compiled: by numba where it is installed, cached on disk, without the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from trainables.kernels import cache

try:
    import numba
except ImportError:  # there is none for this Python or processor: torch's own operations do the work
    numba = None  # type: ignore[assignment]

F = TypeVar("F", bound=Callable[..., Any])

HAS_NUMBA = numba is not None
"""Whether kernels can be compiled at all."""

REORDERED = {"reassoc", "contract", "nsz"}
"""What a compiler may do for speed: sum in another order, fuse a product with a sum, and ignore the sign of 0. NaN and
infinity keep their meaning."""


def are_on() -> bool:
    """Return whether kernels are used."""
    return HAS_NUMBA and not cache.is_off()


def kernel(function: F) -> F:
    """Compile `function` at its first call, with sums in any order."""
    return _compiled(function, fastmath=REORDERED, no_cfunc_wrapper=True)


def inner_kernel(function: F) -> F:
    """Compile a function that other kernels call; from Python it can be called as `function.py_func`.

    It becomes a part of its callers. Called by name, it would be one version of the machine code in the process that
    compiles, and another, rounded otherwise, where its caller is loaded from the cache.
    """
    return _compiled(
        function, fastmath=REORDERED, no_cfunc_wrapper=True, no_cpython_wrapper=True, forceinline=True
    )


def contracted_kernel(function: F) -> F:
    """Compile a function that other kernels call, as a part of them; its operations keep their order."""
    return _compiled(
        function, fastmath={"contract"}, no_cfunc_wrapper=True, no_cpython_wrapper=True, forceinline=True
    )


def _compiled(function: F, **options: Any) -> F:
    if numba is None:
        return function
    options |= {"nogil": True, "error_model": "numpy"}
    folder = cache.folder()
    if folder is None:  # each process compiles anew
        return cast(F, numba.njit(**options)(function))
    config: Any = numba.config
    before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
    try:
        return cast(F, numba.njit(cache=True, **options)(function))
    finally:
        config.CACHE_DIR = before
