"""Where compiled kernels are kept, so that a machine compiles them once.

Imports nothing beyond the standard library: whether anything has to be compiled is known without numba.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
MODELS = ("mlp",)
"""Models that are trained by kernels."""
OFF = "STUDIES_NO_KERNELS"
"""An environment variable; if it is set, nothing is compiled and torch's own operations do all work."""


def is_off() -> bool:
    """Return whether kernels are not used: they are switched off, or numba is not installed."""
    return bool(os.environ.get(OFF)) or find_spec("numba") is None


@functools.cache
def folder() -> Path | None:
    """Return the folder for code compiled from just these sources, None if none can be written.

    It lies beside the sources, as Python's own compiled code does, or in the user's cache where those are read-only; or
    in NUMBA_CACHE_DIR if that is set.
    """
    name = f"kernels-{_digest()}"
    for parent in _parents():
        path = parent / name
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                return path
        except OSError:
            continue
    return None


def _parents() -> Iterator[Path]:
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        yield Path(chosen)
        return
    yield HERE / "__pycache__"
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        yield (Path(base) if base else Path.home() / ".cache") / "studies"
    except RuntimeError:  # the user has no home
        return


def _digest() -> str:
    """Return a name for the sources and the versions that decide what they are compiled to.

    numba itself looks at one function's own file only, and would keep code of which a callee has changed.
    """
    digest = hashlib.sha256(repr([sys.version_info[:2], *map(_version, ("numba", "llvmlite"))]).encode())
    for source in sorted(HERE.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _mark() -> Path | None:
    """Return the file that says that this processor's kernels are there."""
    path = folder()
    if path is None:
        return None
    # numba compiles for another processor if these name one.
    asked = [os.environ.get(name, "") for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")]
    processor = hashlib.sha256(repr([platform.machine(), _flags(), asked]).encode()).hexdigest()[:12]
    return path / f"compiled-{processor}"


def _flags() -> str:
    """Return what tells processors of one machine type apart, where the system says."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    told = ("model name", "flags", "Features", "CPU part")
    return "".join(dict.fromkeys(line for line in lines if line.startswith(told)))


def is_filled() -> bool:
    """Return whether kernels for this processor have been compiled and kept."""
    mark = _mark()
    return mark is not None and mark.exists()


@contextmanager
def filling() -> Iterator[None]:
    """Let one process at a time compile; on a normal end the cache counts as filled.

    Another process waits, and then finds what the first one has compiled. Where locks are unknown each compiles.
    """
    mark = _mark()
    if mark is None or mark.exists():
        yield
        return
    with _lock(mark.with_suffix(".lock")):
        yield
        mark.touch()


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # not a POSIX system
        yield
        return
    with path.open("wb") as file:
        # Released by the system when the process ends, however it ends.
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
