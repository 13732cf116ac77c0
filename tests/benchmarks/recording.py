"""What does recording gradients cost? `python -m tests.benchmarks.recording [PAIRS]` prints it for every shape.

A stack of ten replicates (width 64, batch 64, digits) is trained with recording on and off in alternating pairs, on
one thread and with the memory settings of a worker. Times are the thread's own, so that other processes weigh less.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Collection
from itertools import product

import torch

from trainables import datasets
from trainables.hyperparameters import Hyperparameters
from trainables.splits import split_block
from trainables.training import Stack, StackData, train

REPLICATES = 10
EPOCHS = 4
SHAPES = tuple(product((3, 5, 7), (False, True), (0.0, 0.3)))
"""Depth, batch norm, dropout."""


def seconds(hp: Hyperparameters, data: StackData, layers_at: Collection[int]) -> float:
    """Return the processor time of a short training."""
    stack = Stack.make("mlp", hp, data, seeds=range(REPLICATES))
    started = time.thread_time()
    for _ in train(stack, epochs=EPOCHS, layers_at=layers_at):
        pass
    return time.thread_time() - started


def measure(hp: Hyperparameters, data: StackData, num_pairs: int) -> tuple[float, float, float]:
    """Return the microseconds of a step without recording, and the ratio by the fastest runs and by the median."""
    recorded = range(1, EPOCHS + 1)
    seconds(hp, data, recorded)
    pairs = [(seconds(hp, data, ()), seconds(hp, data, recorded)) for _ in range(num_pairs)]
    off, on = (min(times) for times in zip(*pairs, strict=True))
    num_steps = EPOCHS * -(-data.train.shape[1] // hp.batch_size)
    return 1e6 * off / num_steps, on / off, statistics.median(b / a for a, b in pairs)


def main() -> None:
    """Print one line for each shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="?", type=int, default=20, help="pairs of trainings for each shape")
    num_pairs = parser.parse_args().pairs
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    dataset = datasets.load("digits")
    splits = [split_block(dataset.targets, seed=0, block=block) for block in range(REPLICATES)]
    data = StackData.make(dataset, splits, torch.device("cpu"))
    print("depth  batch norm  dropout  step without  recording on / off: fastest, median pair")
    for depth, batch_norm, dropout in SHAPES:
        hp = Hyperparameters(depth=depth, batch_norm=batch_norm, dropout=dropout)
        step, fastest, median = measure(hp, data, num_pairs)
        print(
            f"{depth:5}  {batch_norm!s:10}  {dropout:7}  {step:9.0f} µs  {fastest:.3f}  {median:.3f}",
            flush=True,
        )


def _with_the_memory_of_a_worker() -> None:
    """Start again with the settings under which workers run; glibc reads them at a program's start only."""
    from studies.tuning.cluster import ENVIRONMENT

    settings = {name: value for name, value in ENVIRONMENT.items() if name.startswith("MALLOC_")}
    if settings and not settings.items() <= os.environ.items():
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.benchmarks.recording", *sys.argv[1:]],
            {**os.environ, **settings},
        )


if __name__ == "__main__":
    _with_the_memory_of_a_worker()
    main()
