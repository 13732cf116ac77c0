"""Memory of trials: peaks, out-of-memory errors, and the largest stack that a worker may start with."""

import gc

import torch

from trainables.base.hyperparameters import Hyperparameters
from trainables.base.records import PeakMemory

WORDS = (
    "can't allocate memory",  # torch's allocator on a CPU
    "not enough memory",  # the same on Windows
    "out of memory",  # CUDA's own errors, where torch has no class for them
    "ALLOC_FAILED",  # cuBLAS and cuDNN
)
"""Texts in a RuntimeError that mean that memory has run out."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory ran out, on a GPU or on the host.

    >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("shapes differ"))
    (True, False)
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in WORDS)


def make_room() -> None:
    """Free memory that is no longer referenced, also for other processes on the GPU."""
    gc.collect()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()


def forget_peak(device: torch.device) -> None:
    """Reset the peak of GPU memory; does nothing on a CPU."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> PeakMemory | None:
    """Return the peak since `forget_peak`, None on a CPU; does not synchronize with the GPU."""
    if device.type != "cuda":
        return None
    properties = torch.cuda.get_device_properties(device)
    return PeakMemory(
        allocated_bytes=torch.cuda.max_memory_allocated(device),
        total_bytes=properties.total_memory,
        gpu=properties.name,
    )


def num_values(hyperparameters: Hyperparameters, num_features: int) -> int:
    """Return about how many numbers are kept to train one network of dense layers, to compare networks' memory."""
    hp = hyperparameters
    widths = (num_features, *hp.widths)
    weights = sum(into * out for into, out in zip(widths, hp.widths, strict=False))
    return weights + hp.batch_size * sum(widths)


class MemoryLimits:
    """The largest stacks that fit into a worker's memory, as learnt so far."""

    def __init__(self) -> None:
        """Start without knowledge."""
        self._known: dict[int, int] = {}
        self._at_most: int | None = None

    def at_most(self, replicates: int) -> "MemoryLimits":
        """Return these limits with at most `replicates` in any stack, for one trial."""
        limits = MemoryLimits()
        limits._known, limits._at_most = self._known, replicates
        return limits

    def note(self, num_values: int, replicates: int) -> None:
        """Record that a stack holds `replicates` networks of this size, but not twice as many."""
        self._known[num_values] = min(replicates, self._known.get(num_values, replicates))

    def most(self, num_values: int) -> int | None:
        """Return the number of replicates to start a stack with for networks of this size; None: all."""
        fitting = [most for known, most in self._known.items() if known <= num_values]
        if self._at_most is not None:
            fitting.append(self._at_most)
        return min(fitting, default=None)
