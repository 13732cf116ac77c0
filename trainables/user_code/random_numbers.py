"""Separate states of the global random generators for code that draws from them, as training loops do."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from trainables.base.seeds import seed_for_libraries


class UserRandom:
    """The states of Python's, NumPy's and torch's global generators as one training loop left them."""

    def __init__(self, seed: int) -> None:
        """Start with all of them seeded."""
        with generators_kept():
            random.seed(seed)
            np.random.seed(seed_for_libraries(seed))
            torch.manual_seed(seed)
            self._state = _states()

    @contextmanager
    def active(self) -> Iterator[None]:
        """Switch the global generators to these states inside the context, and restore them afterwards."""
        with generators_kept():
            _set(self._state)
            try:
                yield
            finally:
                self._state = _states()

    def state(self) -> dict[str, Any]:
        """Return the states as plain data for torch.save."""
        python, numpy, cpu, gpus = self._state
        kind, keys, place, has_gauss, gauss = numpy
        numpy_state = [
            kind,
            torch.from_numpy(keys.astype(np.int64)),
            int(place),
            int(has_gauss),
            float(gauss),
        ]
        return {"python": python, "numpy": numpy_state, "torch": cpu, "gpus": gpus}

    @staticmethod
    def is_same(state: dict[str, Any], other: dict[str, Any]) -> bool:
        """Return whether two states give the same random numbers."""
        (kind, keys, *rest), (other_kind, other_keys, *other_rest) = state["numpy"], other["numpy"]
        return (
            state["python"] == other["python"]
            and (kind, *rest) == (other_kind, *other_rest)
            and torch.equal(keys, other_keys)
            and torch.equal(state["torch"], other["torch"])
            and len(state["gpus"]) == len(other["gpus"])
            and all(map(torch.equal, state["gpus"], other["gpus"]))
        )

    @staticmethod
    def restore(state: dict[str, Any]) -> None:
        """Set the global generators to `state`; states of GPUs that this machine does not have are ignored."""
        kind, keys, *rest = state["numpy"]
        _set(
            (
                state["python"],
                (kind, keys.numpy().astype(np.uint32), *rest),
                state["torch"],
                state["gpus"][: torch.cuda.device_count()],
            )
        )


@contextmanager
def generators_kept() -> Iterator[None]:
    """Restore the global generators at the end of the context."""
    before = _states()
    try:
        yield
    finally:
        _set(before)


def _states() -> tuple[Any, Any, torch.Tensor, list[torch.Tensor]]:
    gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    return random.getstate(), np.random.get_state(), torch.get_rng_state(), gpus


def _set(states: tuple[Any, Any, torch.Tensor, list[torch.Tensor]]) -> None:
    python, numpy, cpu, gpus = states
    random.setstate(python)
    np.random.set_state(numpy)
    torch.set_rng_state(cpu)
    for number, gpu in enumerate(gpus):
        torch.cuda.set_rng_state(gpu, number)
