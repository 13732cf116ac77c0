"""Everything that training changes in a stack, on the host, where it can be divided into parts and joined again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trainables.networks.parameters import join_replicates, take_replicates
from trainables.networks.stack_model import BUFFERS
from trainables.training.early_stopping import Watched
from trainables.training.schedules import Plateau
from trainables.training.stack import Stack

OPTIMIZER, NORMS, KEPT = "optimizer.", "gradient_norms", "kept."


@dataclass(frozen=True, kw_only=True)
class StackState:
    """The state of a stack after `epoch` epochs; `diverged` has an entry for each replicate, and so have
    `plateaus` with that schedule, and `watched` with early stopping. `weight_sizes` are those of a network's
    hidden layers.

    `tensors` are `parameters` and the optimizer's, laid out as in FlatParameters; `buffers` (replicates, ...); with
    early stopping both a second time, prefixed with `kept.`; and `gradient_norms` (steps, replicates) if there are any.
    They share memory with a stack on the host.
    """

    tensors: Mapping[str, Tensor]
    epoch: int
    diverged: Sequence[bool]
    precise_norms: bool
    plateaus: Sequence[Plateau]
    watched: Sequence[Watched]
    weight_sizes: Sequence[int]

    @classmethod
    def of(cls, stack: Stack) -> "StackState":
        """Return the present state of `stack`."""
        # Without momentum SGD's state is None.
        state = stack.optimizer.state[stack.model.parameters.values]
        optimizer = {OPTIMIZER + name: value for name, value in state.items() if value is not None}
        norms = {} if stack.gradient_norms is None else {NORMS: torch.from_numpy(stack.gradient_norms)}
        stopping = stack.stopping
        kept = {} if stopping is None else {KEPT + name: tensor for name, tensor in stopping.kept.items()}
        tensors = {**stack.model.tensors(), **kept, **optimizer, **norms}
        return cls(
            tensors={name: tensor.detach().cpu() for name, tensor in tensors.items()},
            epoch=stack.epoch,
            diverged=list(stack.diverged),
            precise_norms=stack.precise_norms,
            plateaus=list(stack.schedule.plateaus),
            watched=[] if stopping is None else list(stopping.watched),
            weight_sizes=tuple(stack.model.parameters.weight_sizes),
        )

    def copied(self) -> "StackState":
        """Return a copy of the state in its own memory, so that the stack can be freed."""
        return replace(self, tensors={name: tensor.clone() for name, tensor in self.tensors.items()})

    def part(self, replicates: range) -> "StackState":
        """Return the state of some replicates only."""
        count, cut = len(self.diverged), slice(replicates.start, replicates.stop)
        if len(replicates) == count:
            return self

        def take(name: str, tensor: Tensor) -> Tensor:
            match _axis(name, tensor):
                case "flat":
                    return take_replicates(tensor, self.weight_sizes, count, replicates)
                case "first":
                    return tensor[cut]
                case "last":
                    return tensor[:, cut].contiguous()
            return tensor

        return StackState(
            tensors={name: take(name, tensor) for name, tensor in self.tensors.items()},
            epoch=self.epoch,
            diverged=self.diverged[cut],
            precise_norms=self.precise_norms,
            plateaus=self.plateaus[cut],
            watched=self.watched[cut],
            weight_sizes=self.weight_sizes,
        )


def join(parts: Sequence[StackState]) -> StackState:
    """Return the state of a whole stack, joined from those of its parts in order, all after the same epoch."""
    counts = [len(part.diverged) for part in parts]

    def put_together(name: str) -> Tensor:
        tensors = [part.tensors[name] for part in parts]
        match _axis(name, tensors[0]):
            case "flat":
                return join_replicates(tensors, parts[0].weight_sizes, counts)
            case "first":
                return torch.cat(tensors)
            case "last":
                return torch.cat(tensors, dim=1)
        return tensors[0]

    return StackState(
        tensors={name: put_together(name) for name in parts[0].tensors},
        epoch=parts[0].epoch,
        diverged=[diverged for part in parts for diverged in part.diverged],
        precise_norms=any(part.precise_norms for part in parts),
        plateaus=[plateau for part in parts for plateau in part.plateaus],
        watched=[watched for part in parts for watched in part.watched],
        weight_sizes=parts[0].weight_sizes,
    )


def _axis(name: str, tensor: Tensor) -> str:
    """Return which axis of a state's tensor is that of replicates; an optimizer's step counter has none."""
    if not tensor.shape:
        return "none"
    if name == NORMS:
        return "last"
    return "first" if name.removeprefix(KEPT).startswith(BUFFERS) else "flat"
