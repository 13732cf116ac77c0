"""The public names of Python, as docs/public.md and docs/api/ list them, and the examples in their docstrings."""

import doctest
import importlib
import inspect
import re
from types import ModuleType
from typing import Any

import studies
from tests.readme import PAGES, ROOT

RETURNED = (
    "studies.execution.session.Result",
    "studies.results.recorded.RecordedStudy",
    "trainables.use.model.Model",
)
"""The classes of what public functions return."""
IDENTIFIERS = [
    line.removeprefix("::: ").strip()
    for page in sorted((ROOT / "docs" / "api").glob("*.md"))
    for line in page.read_text(encoding="utf-8").splitlines()
    if line.startswith("::: ")
]
"""What the pages of the Python API document, by dotted name."""


def public_names() -> list[str]:
    """Return every function and class that docs/public.md names, and what they return, by dotted name."""
    table = [line for line in PAGES["docs/public.md"].splitlines() if line.startswith("| `")]
    spans = [span for line in table for span in re.findall(r"`([A-Za-z_.]+)`", line.split(" | ")[0])]
    dotted = [f"studies.{span}" if span in studies.__all__ else span for span in spans]
    return [*dict.fromkeys(name for name in dotted if callable(_found(name))), *RETURNED]


def find(name: str) -> Any:
    """Return what a dotted name stands for; raise LookupError where nothing bears it."""
    found = _found(name)
    if found is None:
        raise LookupError(f"{name} is documented, and nothing is called that")
    return found


def _found(name: str) -> Any:
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:]:
            found = getattr(found, part, None)
        return None if isinstance(found, ModuleType) else found
    return None


def without_example(name: str) -> list[str]:
    """Return which of a public name and its own public methods have no example.

    A method has one where its docstring or its class's calls it.
    """
    found = find(name)
    if not inspect.isclass(found):
        return [] if ">>>" in (inspect.getdoc(found) or "") else [name]
    said = found.__doc__ or ""
    missing = [] if ">>>" in said else [name]
    for method, value in vars(found).items():
        if inspect.isfunction(value) and not method.startswith("_"):
            is_shown = ">>>" in (value.__doc__ or "") or f".{method}(" in said
            missing += [] if is_shown else [f"{name}.{method}"]
    return missing


def examples() -> list[doctest.DocTest]:
    """Return the examples of all documented names and of their methods, each once; globals of its module are there."""
    documented = {id(found): (name, found) for name in IDENTIFIERS if callable(found := find(name))}
    finder, tests = doctest.DocTestFinder(), []
    for name, found in documented.values():
        module = inspect.getmodule(found)
        tests += finder.find(found, name, module=module, globs=dict(vars(module)))
    return [test for test in tests if test.examples]
