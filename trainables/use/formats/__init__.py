"""Formats that a trained module is exported to, one file each; a format is called as its file, with - for _.

A file defines `export()`, which writes one file into a folder and returns how it compares with the module.
"""

import sys
from pathlib import Path
from typing import cast

from trainables.base import registry
from trainables.use.exported.records import Exported, Subject


def names() -> tuple[str, ...]:
    """Return the names of all formats."""
    return tuple(name.replace("_", "-") for name in registry.module_names(sys.modules[__name__]))


def check(name: str) -> None:
    """Raise ValueError that lists the formats if there is none called `name`."""
    if name not in names():
        raise ValueError(f"unknown model format {name!r} (choices: {', '.join(names())})")


def export(name: str, subject: Subject, folder: Path) -> Exported:
    """Write `subject` into `folder` in the format called `name`, and return how it compares with the module.

    The folder is made if there is none. A file stands there whole or not at all; an earlier one is replaced. Raises
    ValueError that lists the formats if there is none of that name, and ExportError if a package is missing, the module
    cannot be expressed, or the file computes something else.
    """
    check(name)
    module = registry.find_module(sys.modules[__name__], name.replace("-", "_"), "model format")
    return cast(Exported, module.export(subject, folder))
