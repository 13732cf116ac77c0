"""Cells as a notebook runs them: their text is known to Python, and what they define is the main module's."""

import linecache
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from types import ModuleType
from typing import Any

_numbers = count()


class Cells:
    """The namespace of a notebook, in which cells are run."""

    def __init__(self) -> None:
        """Start with an empty namespace."""
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.files: list[str] = []

    def run(self, *sources: str) -> "Cells":
        """Run cells one after the other."""
        for source in sources:
            file = f"<ipython-input-{next(_numbers)}-of-a-test>"
            linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
            self.files.append(file)
            exec(compile(source, file, "exec", dont_inherit=True), self.names)
        return self

    def __getitem__(self, name: str) -> Any:
        return self.names[name]


@contextmanager
def notebook() -> Iterator[Cells]:
    """Yield cells whose namespace is the main module's meanwhile."""
    cells, before = Cells(), sys.modules["__main__"]
    main = ModuleType("__main__")
    main.__dict__.update(cells.names)
    cells.names = main.__dict__
    sys.modules["__main__"] = main
    try:
        yield cells
    finally:
        sys.modules["__main__"] = before
        for file in cells.files:
            linecache.cache.pop(file, None)
