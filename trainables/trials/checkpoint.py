"""The whole state of a stack in training as bytes, from which training continues with the same numbers."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, final

import torch
from safetensors import SafetensorError
from torch import Tensor

from trainables.base.errors import TrainableError
from trainables.training.early_stopping import Watched
from trainables.training.schedules import Plateau
from trainables.training.stack import Stack
from trainables.training.stack_state import KEPT, NORMS, OPTIMIZER, StackState
from trainables.training.trained_epoch import Scores
from trainables.trials.artifact import from_bytes, metadata_of, to_bytes
from trainables.trials.trial_spec import TrialSpec

DECIDING = ("model", "hyperparameters", "blocks", "seeds", "layers_at")
"""Fields of a trial's specification that decide its networks and records; a checkpoint fits only equal ones."""
SPEC = "assignment"
"""The entry of a checkpoint that holds them, as version 0.1.0 named it."""


class CheckpointError(TrainableError, ValueError):
    """A checkpoint is damaged, or belongs to another trial."""


@final
class CheckpointRef:
    """A checkpoint sent to a worker, which continues after `epoch`.

    Tune copies a configuration several times, prints it, and keeps it to the end of a run: this object is copied by
    reference, printed as one line, and can be emptied on arrival.
    """

    def __init__(self, epoch: int, data: bytes | None) -> None:
        """Hold `data`."""
        self.epoch, self.data = epoch, data

    def empty(self) -> None:
        """Free the data."""
        self.data = None

    def __deepcopy__(self, memo: object) -> "CheckpointRef":
        return self

    def __repr__(self) -> str:
        return f"checkpoint after epoch {self.epoch}"


def save(stack: Stack, trial_spec: TrialSpec) -> bytes:
    """Return the state after `stack.epoch` epochs as safetensors; equal states give equal bytes."""
    return save_state(StackState.of(stack), trial_spec)


def save_state(state: StackState, trial_spec: TrialSpec) -> bytes:
    """Return a state of the trial's whole stack as `save` does."""
    facts = {
        "epoch": state.epoch,
        "diverged": state.diverged,
        "precise_norms": state.precise_norms,
        "plateaus": [asdict(plateau) for plateau in state.plateaus],
        "watched": [asdict(watched) for watched in state.watched],
    }
    return sealed(state.tensors, facts, trial_spec)


def sealed(tensors: Mapping[str, Tensor], facts: Mapping[str, Any], trial_spec: TrialSpec) -> bytes:
    """Return tensors and facts with the trial's deciding fields and a SHA-256 over everything."""
    facts = {SPEC: _deciding(trial_spec), **facts}
    return to_bytes(tensors, {**facts, "sha256": _digest(tensors, facts)})


def check(data: bytes, trial_spec: TrialSpec) -> int:
    """Return the epoch after which a checkpoint was made.

    Raises CheckpointError if it is damaged, or does not belong to the trial.
    """
    return int(opened(data, trial_spec)[1]["epoch"])


def restore(stack: Stack, data: bytes, trial_spec: TrialSpec, *, part: range | None = None) -> None:
    """Set `stack`, just made, to the state of a checkpoint; raise CheckpointError without changing it otherwise.

    `part` says which replicates of the trial the stack holds (None: all).
    """
    put_back(stack, _state(opened(data, trial_spec), stack, part))


def put_back(stack: Stack, state: StackState) -> None:
    """Set `stack`, just made, to `state`; raise CheckpointError without changing it if that does not fit."""
    own, optimizer = stack.model.tensors(), _part(state.tensors, OPTIMIZER)
    if stack.stopping is not None:
        own |= {KEPT + name: tensor for name, tensor in stack.stopping.kept.items()}
    _check_layout(own, {name: state.tensors[name] for name in own if name in state.tensors})
    _check_layout(dict.fromkeys(optimizer, stack.model.parameters.values), optimizer)
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(state.tensors[name])
    before = stack.optimizer.state_dict()
    stack.optimizer.load_state_dict({**before, "state": {0: optimizer} if optimizer else {}})
    stack.gradient_norms = state.tensors[NORMS].numpy().copy() if NORMS in state.tensors else None
    stack.diverged, stack.epoch = list(state.diverged), state.epoch
    stack.precise_norms, stack.schedule.plateaus = state.precise_norms, list(state.plateaus)
    if stack.stopping is not None:
        stack.stopping.watched = list(state.watched)


def _state(opened: tuple[dict[str, Tensor], dict[str, Any]], stack: Stack, part: range | None) -> StackState:
    tensors, facts = opened
    whole = StackState(
        tensors=tensors,
        epoch=int(facts["epoch"]),
        diverged=facts["diverged"],
        precise_norms=facts["precise_norms"],
        plateaus=facts["plateaus"],
        watched=facts["watched"],
        weight_sizes=tuple(stack.model.parameters.weight_sizes),
    )
    if part is None:
        return whole
    try:
        return whole.part(part)
    except (RuntimeError, IndexError) as error:
        raise CheckpointError(
            f"the checkpoint is not of {len(whole.diverged)} such networks: {error}"
        ) from error


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    # Copies, because memory that a file was read into is not aligned like torch's own.
    return {
        name.removeprefix(prefix): tensor.clone()
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def _check_layout(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """Raise CheckpointError unless every tensor has its type and shape; a step counter may have no shape."""
    for name, tensor in expected.items():
        form = _form(found[name]) if name in found else "missing"
        if form != _form(tensor) and not (name == "step" and not found[name].shape):
            raise CheckpointError(f"{name} must be {_form(tensor)} in the checkpoint; it is {form}")


def _form(tensor: Tensor) -> str:
    return f"{tensor.dtype}{list(tensor.shape)}"


def _deciding(trial_spec: TrialSpec) -> dict[str, Any]:
    """Return the trial's deciding fields as JSON data."""
    deciding = {name: getattr(trial_spec, name) for name in DECIDING}
    plain: dict[str, Any] = json.loads(json.dumps(deciding, default=vars))
    return plain


def opened(data: bytes, trial_spec: TrialSpec) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return a checkpoint's tensors and facts; raise CheckpointError if it is damaged or of another trial."""
    try:
        tensors, facts = from_bytes(data), metadata_of(data)
        if facts.pop("sha256") != _digest(tensors, facts):
            raise CheckpointError("the checkpoint is damaged: its content has another SHA-256 than it states")
        _check_facts(facts, trial_spec)
        facts["precise_norms"] = bool(facts["precise_norms"])
        facts["plateaus"] = [Plateau(**plateau) for plateau in facts["plateaus"]]
        facts["watched"] = [
            Watched(**{**watched, "best": Scores(**watched["best"])}) for watched in facts["watched"]
        ]
    except CheckpointError:
        raise
    except (SafetensorError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"the checkpoint is damaged: {type(error).__name__}: {error}") from error
    return tensors, facts


def _check_facts(facts: Mapping[str, Any], trial_spec: TrialSpec) -> None:
    own = _deciding(trial_spec)
    differing = [name for name in DECIDING if facts[SPEC][name] != own[name]]
    if differing:
        raise CheckpointError(f"the checkpoint was made for another trial: {', '.join(differing)} differ")
    if not 0 < facts["epoch"] < trial_spec.epochs or len(facts["diverged"]) != len(trial_spec.seeds):
        raise CheckpointError(
            f"the checkpoint must be of an epoch in 1..{trial_spec.epochs - 1} and of {len(trial_spec.seeds)} "
            f"replicates; it is of {facts['epoch']} and of {len(facts['diverged'])}"
        )


def _digest(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> str:
    """Return the SHA-256 over every tensor's name, type, shape and bytes, and over the facts."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
