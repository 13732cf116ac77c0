"""How memory that ran out is told from other errors, and what a worker learns from it."""

import numpy as np
import pytest
import torch

from trainables.base.hyperparameters import Hyperparameters
from trainables.networks.memory import MemoryLimits, forget_peak, is_out_of_memory, num_values, peak_memory

MUCH = 2**55


def test_allocations_that_really_fail_are_told() -> None:
    with pytest.raises(RuntimeError) as in_torch:
        torch.empty(MUCH)
    assert is_out_of_memory(in_torch.value)
    with pytest.raises(MemoryError) as in_numpy:
        np.ones(MUCH)
    assert is_out_of_memory(in_numpy.value)


@pytest.mark.parametrize(
    "text",
    ["CUDA error: out of memory", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"],
)
def test_so_are_those_of_a_gpu(text: str) -> None:
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    assert is_out_of_memory(RuntimeError(text))


def test_other_errors_are_not() -> None:
    with pytest.raises(RuntimeError) as wrong:
        torch.bmm(torch.ones(1, 2, 3), torch.ones(1, 2, 3))
    assert not is_out_of_memory(wrong.value)
    assert not is_out_of_memory(ValueError("out of memory"))


def test_on_a_cpu_no_peak_is_told() -> None:
    forget_peak(torch.device("cpu"))
    assert peak_memory(torch.device("cpu")) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_peak_is_that_since_the_last_trial() -> None:
    device = torch.device("cuda")
    large = torch.empty(2**26, device=device)
    del large
    forget_peak(device)
    kept = torch.empty(2**20, device=device)
    peak = peak_memory(device)
    assert peak is not None
    assert kept.numel() * 4 <= peak.allocated_bytes < 2**26
    assert peak.total_bytes > peak.allocated_bytes
    assert peak.gpu


def test_a_network_is_larger_in_any_dimension() -> None:
    small = num_values(Hyperparameters(depth=3, width=16, batch_size=64), 64)
    assert small == 64 * 16 + 2 * 16 * 16 + 64 * (64 + 3 * 16)
    for larger in ({"depth": 4}, {"width": 17}, {"width": (16, 16, 17)}, {"batch_size": 65}):
        options = {"depth": 3, "width": 16, "batch_size": 64, **larger}
        assert num_values(Hyperparameters(**options), 64) > small  # type: ignore[arg-type]


def test_what_is_known_of_a_network_holds_for_larger_ones() -> None:
    limits = MemoryLimits()
    assert limits.most(1000) is None
    limits.note(1000, 8)
    limits.note(2000, 3)
    limits.note(2000, 5)
    assert [limits.most(size) for size in (999, 1000, 1999, 2000, 9999)] == [None, 8, 8, 3, 3]


def test_a_trial_may_begin_smaller_than_what_is_known_to_fit() -> None:
    limits = MemoryLimits()
    smaller = limits.at_most(3)
    assert (smaller.most(10), limits.most(10)) == (3, None)
    smaller.note(10, 2)
    assert (smaller.most(10), limits.most(10), limits.most(5)) == (2, 2, None), (
        "what is learnt is learnt for all"
    )
