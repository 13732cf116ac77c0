"""The floor: how long the bare matrix products of a network's epoch take on one core."""

import math
import statistics
import time
from collections.abc import Callable, Iterable

import torch

from tests.benchmarks.contenders.networks import Levels
from tests.benchmarks.measuring.matrix_products import MatrixProducts

REPEATS = 20


def floor_seconds(cells: Iterable[Levels], *, replicates: int, repeats: int = REPEATS) -> float:
    """Return the seconds that the products of one epoch of one network take, in the mean over `cells`.

    They are computed for a stack of `replicates` on one thread; the least processor time of some repeats counts.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    depths = [cell["depth"] for cell in cells]
    seconds = {depth: _seconds(depth, replicates, repeats) for depth in set(depths)}
    torch.set_num_threads(threads)
    return statistics.fmean(seconds[depth] for depth in depths) / replicates


def _seconds(depth: int, replicates: int, repeats: int) -> float:
    return least_seconds(MatrixProducts(depth=depth, replicates=replicates).run_epoch, repeats)


def least_seconds(work: Callable[[], object], repeats: int, *, enough_seconds: float = math.inf) -> float:
    """Return the least processor time of some repeats, after one for warmth.

    Once `enough_seconds` have passed on the clock, no more repeats than one are needed.
    """
    began, times = time.perf_counter(), list[float]()
    work()
    while len(times) < repeats and (not times or time.perf_counter() - began < enough_seconds):
        started = time.thread_time()
        work()
        times.append(time.thread_time() - started)
    return min(times)
