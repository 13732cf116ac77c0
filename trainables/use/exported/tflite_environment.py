"""The environment of its own in which TensorFlow Lite files are made: where it lies, and how it is made.

The converter asks for versions of packages that exclude those that Studies is tested with, so it cannot be an extra.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from trainables.use.exported.errors import ExportError

PACKAGES = (
    "torch==2.13.0",
    "litert-torch==0.10.0",
    "ai-edge-litert==2.3.0",
    "ai-edge-quantizer==0.10.0",
)
"""What is installed, with what these ask for."""

SIZE = "about 1 GB is downloaded; it takes 2.1 GB on disk"

VARIABLE = "STUDIES_CACHE"
MARKER = "complete"
"""A file that is there once everything is installed."""

MAKE = "--make-environment"
"""The flag of `studies export` that makes it."""


def cache_folder() -> Path:
    """Return the folder for what can be made again, from STUDIES_CACHE, else ~/.cache/studies."""
    return Path(os.environ.get(VARIABLE) or "~/.cache/studies").expanduser()


def environment_folder() -> Path:
    """Return where the environment lies; other versions of its packages, or of Python, are another environment."""
    told = " ".join((*PACKAGES, f"python{sys.version_info.major}.{sys.version_info.minor}"))
    return cache_folder() / f"tflite-{hashlib.sha256(told.encode()).hexdigest()[:8]}"


def is_made() -> bool:
    """Return whether the environment is there, whole."""
    return (environment_folder() / MARKER).is_file()


def python_of_environment() -> Path:
    """Return the environment's Python; raise ExportError that says how to make the environment if there is none."""
    if not is_made():
        raise ExportError(
            "TensorFlow Lite files are made in an environment of their own, and there is none",
            f"Add {MAKE} to make it in {environment_folder()} ({SIZE}; {VARIABLE} names another folder).",
        )
    return environment_folder() / "bin" / "python"


def make_environment(tell: Callable[[str], None]) -> None:
    """Make the environment unless it is there; `tell` hears of each step.

    One that is not whole is made again from the beginning. A second process that wants it waits for the first. Raises
    ExportError with pip's own words if it cannot be made.
    """
    folder = environment_folder()
    with _alone(folder):
        if is_made():
            return
        shutil.rmtree(folder, ignore_errors=True)
        tell(f"Making an environment in {folder}: {SIZE}. To be rid of it, delete that folder.")
        try:
            _run([sys.executable, "-m", "venv", str(folder)])
            tell(f"Installing {', '.join(PACKAGES)}: this takes some minutes.")
            pip = [str(folder / "bin" / "python"), "-I", "-m", "pip", "--disable-pip-version-check"]
            _run([*pip, "install", "--quiet", *PACKAGES])
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        (folder / MARKER).touch()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time make the environment."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, encoding="utf-8", errors="replace")
    except subprocess.CalledProcessError as error:
        lines = [line for line in f"{error.stdout}\n{error.stderr}".splitlines() if line.strip()]
        told = [line for line in lines if "ERROR" in line] or lines
        raise ExportError(
            f"the environment for TensorFlow Lite cannot be made ({' '.join(told[-2:]).strip()})",
            "See whether the package index can be reached and the disk has room, then give the same command again.",
        ) from error
