"""The values that hyperparameters may take, one file for each group of hyperparameters."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from search_spaces.space import Space, Value

__all__ = ["Space", "Value", "spaces"]


@cache
def spaces() -> Mapping[str, Space]:
    """Return the space of every hyperparameter by name, in the order of their files.

    A module of this package adds a hyperparameter by defining a `Space` at its top level.

    >>> from search_spaces import spaces
    >>> spaces()["dropout"].contains(1)
    False
    """
    found: dict[str, Space] = {}
    for module in pkgutil.iter_modules(__path__):
        contents = vars(importlib.import_module(f"{__name__}.{module.name}"))
        found |= {value.name: value for value in contents.values() if isinstance(value, Space)}
    return MappingProxyType(found)
