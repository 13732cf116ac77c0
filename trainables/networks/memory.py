"""Memory: how much a trial took, how to tell that it ran out, and how large a stack a worker may begin with."""

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
"""What a RuntimeError says when there is no memory left."""


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether memory ran out, on a GPU or on the host.

    >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("shapes differ"))
    (True, False)
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in WORDS)


def make_room() -> None:
    """Free what nobody refers to any more, also to others who share the GPU."""
    gc.collect()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()


def forget_peak(device: torch.device) -> None:
    """Begin to watch for the most memory that is taken, which is done on a GPU only."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> PeakMemory | None:
    """Return the most that was taken since `forget_peak`; None on a CPU. It does not make the host wait."""
    if device.type != "cuda":
        return None
    properties = torch.cuda.get_device_properties(device)
    return PeakMemory(
        allocated_bytes=torch.cuda.max_memory_allocated(device),
        total_bytes=properties.total_memory,
        gpu=properties.name,
    )


def num_values(hyperparameters: Hyperparameters, num_features: int) -> int:
    """Return how many numbers training one network of dense layers keeps, about: enough to tell which needs more."""
    hp = hyperparameters
    widths = (num_features, *hp.widths)
    weights = sum(into * out for into, out in zip(widths, hp.widths, strict=False))
    return weights + hp.batch_size * sum(widths)


class MemoryLimits:
    """What a worker has learnt about the largest stacks that fit into its memory."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._known: dict[int, int] = {}
        self._at_most: int | None = None

    def at_most(self, replicates: int) -> "MemoryLimits":
        """Return the same limits for a trial that begins with no more replicates in a stack, whatever its size."""
        limits = MemoryLimits()
        limits._known, limits._at_most = self._known, replicates
        return limits

    def note(self, num_values: int, replicates: int) -> None:
        """Note that of networks of this size a stack holds `replicates`, and not twice as many."""
        self._known[num_values] = min(replicates, self._known.get(num_values, replicates))

    def most(self, num_values: int) -> int | None:
        """Return with how many replicates in a stack to begin for networks of this size; None: with all."""
        fitting = [most for known, most in self._known.items() if known <= num_values]
        if self._at_most is not None:
            fitting.append(self._at_most)
        return min(fitting, default=None)
