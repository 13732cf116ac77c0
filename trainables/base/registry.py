"""Finds the modules of a package by their file names, so that adding a dataset or model is adding one file."""

import ast
import difflib
import importlib
import importlib.util
import pkgutil
from importlib.abc import InspectLoader
from types import ModuleType


def module_names(package: ModuleType) -> tuple[str, ...]:
    """Return the names of the modules in `package`, in alphabetical order."""
    return tuple(sorted(found.name for found in pkgutil.iter_modules(package.__path__)))


def find_module(package: ModuleType, name: str, kind: str) -> ModuleType:
    """Import and return the module called `name`; raise ValueError that lists the names if there is none."""
    _check(package, name, kind)
    return importlib.import_module(f"{package.__name__}.{name}")


def defines(package: ModuleType, name: str, kind: str, function: str) -> bool:
    """Return whether the module called `name` has a function, by its source: it need not be imported.

    Raises ValueError as `find_module`.
    """
    _check(package, name, kind)
    found = importlib.util.find_spec(f"{package.__name__}.{name}")
    assert isinstance(found and found.loader, InspectLoader)
    source = found.loader.get_source(found.name)  # type: ignore[union-attr]
    return any(
        isinstance(each, ast.FunctionDef) and each.name == function for each in ast.parse(source or "").body
    )


def _check(package: ModuleType, name: str, kind: str) -> None:
    names = module_names(package)
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"unknown {kind} {name!r}{hint} (choices: {', '.join(names)})")
