"""A folder with files named like the modules that Studies, Ray and their workers import: whoever imports one fails."""

import subprocess
import sys
from pathlib import Path

from studies.user_files.loader import NOT_LOCAL

OF_RAY = {"colorama", "google", "msgpack", "setproctitle", "typing_extensions", "yaml"}
FOLDERS = {"trainables", "reports", "ray"}
"""These are folders, as they mostly are."""


def shadow(folder: Path, *, spared: set[str]) -> None:
    """Make a file or a folder of each name in `folder` but those that are `spared`."""
    for name in sorted((NOT_LOCAL | OF_RAY) - spared):
        path = folder / name / "__init__.py" if name in FOLDERS else folder / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"raise SystemExit('{name} of the current folder was imported')\n")


def imported_by_python_itself() -> set[str]:
    """Return what `python -m` imports before any module of ours: nobody can help it."""
    said = subprocess.run(
        [sys.executable, "-c", "import runpy, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in said.stdout.split()}
