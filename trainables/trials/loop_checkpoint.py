"""The checkpoint of a trial with a user's own training loop: the states that its replicates yielded, as bytes."""

import io
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from trainables.trials.checkpoint import CheckpointError, opened, sealed
from trainables.trials.trial_spec import TrialSpec

LOOP = "loop."
NO_STACK: Mapping[str, Any] = {"precise_norms": False, "plateaus": [], "watched": []}
"""The facts about a stack in a checkpoint, which a loop does not have."""


def save(states: Sequence[Any], trial_spec: TrialSpec, *, epoch: int) -> bytes:
    """Return the states of all replicates after `epoch`; raise ValueError if one is not plain data.

    Plain data are tensors, numbers, texts, and lists and dicts of these, which can be loaded without running code.
    """
    tensors = {f"{LOOP}{number}": _packed(state) for number, state in enumerate(states)}
    diverged = [bool(state["diverged"]) for state in states]
    facts = {"epoch": epoch, "diverged": diverged, **NO_STACK}
    return sealed(tensors, facts, trial_spec)


def load(data: bytes, trial_spec: TrialSpec) -> tuple[list[Any], int]:
    """Return the states of all replicates and the epoch after which they were saved; raise CheckpointError."""
    tensors, facts = opened(data, trial_spec)
    try:
        states = [_unpacked(tensors[f"{LOOP}{number}"]) for number in range(len(trial_spec.seeds))]
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError) as error:
        raise CheckpointError(f"the checkpoint is damaged: {type(error).__name__}: {error}") from error
    return states, int(facts["epoch"])


def _packed(state: Any) -> torch.Tensor:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    packed = torch.frombuffer(bytearray(buffer.getvalue()), dtype=torch.uint8)
    try:
        _unpacked(packed)
    except pickle.UnpicklingError as error:
        raise ValueError(
            "train() must yield as checkpoint what can be loaded without running code: tensors, numbers, texts, and "
            f"lists and dicts of these ({str(error).splitlines()[0]})"
        ) from error
    return packed


def _unpacked(packed: torch.Tensor) -> Any:
    return torch.load(io.BytesIO(packed.numpy().tobytes()), map_location="cpu", weights_only=True)
