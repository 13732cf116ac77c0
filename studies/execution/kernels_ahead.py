"""Compiling the kernels of training while Ray starts, on a machine that has not compiled them yet."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import trainables
from trainables.kernels import cache

PROGRAM = """
import sys
sys.path.append(sys.argv[1])
from trainables.training.kernel_cache import make_ready
make_ready()
"""
"""Finds the package where this process has it, without giving way to modules of the current folder."""


@contextmanager
def compiling_ahead(model: str, telling: Callable[[str], None]) -> Iterator[None]:
    """Compile for `model` in a process of its own meanwhile, unless that was done before or the kernels are off.

    Workers that start earlier wait for it. If it fails, they compile for themselves and tell what is wrong.
    """
    if model not in cache.MODELS or cache.is_off() or cache.is_filled():
        yield
        return
    # Imported here, because only training needs it.
    from studies.cluster.cluster import environment_without_secrets

    telling("compiling what trains networks, once for this machine (10 to 30 s)")
    parent = Path(trainables.__file__).parents[1]
    words = [sys.executable, "-P", "-c", PROGRAM, str(parent)]
    with subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment_without_secrets(),
    ) as process:
        try:
            yield
        finally:
            process.terminate()
