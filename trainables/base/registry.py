"""Finds the modules of a package by their file names, so that adding a dataset or model is adding one file."""

import difflib
import importlib
import pkgutil
from types import ModuleType


def module_names(package: ModuleType) -> tuple[str, ...]:
    """Return the names of the modules in `package`, in alphabetical order."""
    return tuple(sorted(found.name for found in pkgutil.iter_modules(package.__path__)))


def find_module(package: ModuleType, name: str, kind: str) -> ModuleType:
    """Import and return the module called `name`; raise ValueError that lists the names if there is none."""
    names = module_names(package)
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"unknown {kind} {name!r}{hint} (choices: {', '.join(names)})")
    return importlib.import_module(f"{package.__name__}.{name}")
