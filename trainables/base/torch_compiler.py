"""Keeps torch's compiler out of processes that compile nothing: its import takes a second, and tens of MB."""

import inspect
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer

METHODS = ("add_param_group", "state_dict", "load_state_dict", "zero_grad")
"""Methods of every optimizer at whose first call torch imports its compiler, to tell it not to compile them."""
_INSTEAD = "__dynamo_disable"
"""The attribute of a method in which torch (`torch._compile`) keeps what it calls in its place."""


def leave_out_compiler() -> None:
    """Let optimizers be made and used without an import of torch's compiler.

    Where it is imported later, as by `torch.compile` in a user's own code, it is told then. A torch that marks its
    methods otherwise stays as it is.
    """
    for name in METHODS:
        method = getattr(getattr(Optimizer, name, None), "__wrapped__", None)
        if method is not None and not hasattr(method, _INSTEAD):
            setattr(method, _INSTEAD, _until_imported(method))


def step_of(optimizer: Optimizer) -> Callable[[], None]:
    """Return the optimizer's step without what torch wraps around it: hooks, a profiler's mark, and its compiler.

    Around each step torch imports its compiler to tell it where to cut a graph; nobody compiles this one.
    """
    step = inspect.unwrap(type(optimizer).step)

    def update() -> None:
        with torch.no_grad():
            step(optimizer)

    return update


def _until_imported(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return what calls `method` as it is or, once torch's compiler has been imported, so that it is not compiled."""

    def call(*given: Any, **named: Any) -> Any:
        disable = getattr(sys.modules.get("torch._dynamo"), "disable", None)
        if disable is None:
            return method(*given, **named)
        setattr(method, _INSTEAD, disable(method, True, wrapping=False))
        return getattr(method, _INSTEAD)(*given, **named)

    return call
