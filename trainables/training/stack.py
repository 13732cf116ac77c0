"""A stack of replicates in training: the networks, their optimizer, and their seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from trainables import models
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.mask_generator import RandomWords
from trainables.base.seeds import derive_seed
from trainables.data.augmentation import Augmentation, augmentation_of
from trainables.data.stack_data import StackData
from trainables.models.mlp import MLP
from trainables.networks.module_stack import BuildModule, stack_modules
from trainables.networks.parameters import FlatParameters
from trainables.networks.stack_model import StackModel
from trainables.training.captured_step import CapturedStep
from trainables.training.compiled_step import CompiledStep
from trainables.training.early_stopping import EarlyStopping
from trainables.training.schedules import Schedule
from trainables.training.training_step import TrainingStep


@dataclass(kw_only=True)
class Stack:
    """Networks side by side, one for each replicate, and everything needed to train them.

    `epoch` counts the epochs trained so far; `gradient_norms` are those of the last steps, (steps, replicates), if
    they were measured. `schedule` holds each replicate's learning rate, `stopping` which replicates have stopped early
    (None without early stopping). Everything that training changes is in a checkpoint. Gradients are measured with
    `precise_norms` unless the initialisation, measured first, shows that float32 is enough.
    """

    model: StackModel
    optimizer: torch.optim.Optimizer
    step: TrainingStep
    hyperparameters: Hyperparameters
    data: StackData
    seeds: tuple[int, ...]
    mask_seed: int
    generator: torch.Generator
    diverged: list[bool]
    schedule: Schedule
    stopping: EarlyStopping | None
    epoch: int = 0
    gradient_norms: NDArray[np.float64] | None = None
    precise_norms: bool = True

    @classmethod
    def make(
        cls,
        model: str,
        hyperparameters: Hyperparameters,
        data: StackData,
        *,
        seeds: Sequence[int],
        part: range | None = None,
        build: BuildModule | None = None,
    ) -> "Stack":
        """Build one network for each seed; each replicate has its own split, initialisation and order of examples.

        They compute in the precision of the inputs. With `part` only these replicates are built, with the same numbers
        as in the whole stack. With `build` the networks are what it returns, and `model` is only a name.
        """
        part = range(len(seeds)) if part is None else part
        data, own = data.part(part), tuple(seeds)[part.start : part.stop]
        device = data.inputs.device
        generator = torch.Generator(device=device)
        init_seeds = [derive_seed(seed, "init") for seed in own]
        words = RandomWords(generator, first=part.start, whole=len(seeds))
        built: StackModel
        build = build or models.plain_build(model)
        if build is not None:
            built = stack_modules(build, hyperparameters, data, init_seeds=init_seeds, words=words)
        else:
            built = models.build(
                model,
                hyperparameters,
                num_features=data.num_features,
                num_classes=data.num_classes,
                init_seeds=init_seeds,
                words=words,
                device=device,
                dtype=data.inputs.dtype,
            )
        optimizer = build_optimizer(hyperparameters, built.parameters)
        augmentation, patience = augmentation_of(hyperparameters, data, words), hyperparameters.patience
        return cls(
            model=built,
            optimizer=optimizer,
            step=build_step(built, optimizer, hyperparameters, data, augmentation, generator=generator),
            hyperparameters=hyperparameters,
            data=data,
            seeds=own,
            mask_seed=seeds[0],
            generator=generator,
            diverged=[False] * len(own),
            schedule=Schedule(hyperparameters, len(own)),
            stopping=None
            if patience is None
            else EarlyStopping(built, monitor=hyperparameters.monitor, patience=patience),
        )

    @property
    def trains(self) -> list[bool]:
        """Whether each replicate still trains, that is, has not stopped early."""
        return [True] * len(self.seeds) if self.stopping is None else self.stopping.trains


def build_step(
    model: StackModel,
    optimizer: torch.optim.Optimizer,
    hyperparameters: Hyperparameters,
    data: StackData,
    augmentation: Augmentation | None = None,
    *,
    generator: torch.Generator,
) -> TrainingStep:
    """Return a compiled step where the model has compiled networks, a captured one on a GPU, where launching kernels
    takes longer than running them, else a plain one.
    """
    given = model, optimizer, hyperparameters, data, augmentation
    if isinstance(model, MLP) and model.compiled is not None:
        return CompiledStep(model, model.compiled, *given[1:], generator=generator)
    return (
        CapturedStep(*given, generator=generator)
        if data.inputs.device.type == "cuda" and model.is_capturable
        else TrainingStep(*given)
    )


def build_optimizer(hyperparameters: Hyperparameters, parameters: FlatParameters) -> torch.optim.Optimizer:
    """Return the optimizer that `hyperparameters` name; raise ValueError for an unknown name."""
    hp = hyperparameters
    flat = parameters.values
    flat.grad = parameters.gradients
    # A CUDA graph can capture an update only if the step counter is on the device, too.
    capturable = flat.device.type == "cuda"
    match hp.optimizer:
        case "sgd":
            return torch.optim.SGD(
                [flat], lr=hp.learning_rate, momentum=hp.momentum, weight_decay=hp.weight_decay, fused=True
            )
        case "adam" | "adamw":
            kind, decay = (
                (torch.optim.Adam, hp.weight_decay)
                if hp.optimizer == "adam"
                else (torch.optim.AdamW, hp.decoupled_weight_decay)
            )
            return kind(
                [flat],
                lr=hp.learning_rate,
                betas=hp.betas,
                eps=hp.eps,
                weight_decay=decay,
                fused=True,
                capturable=capturable,
            )
        case "rmsprop":
            return torch.optim.RMSprop(
                [flat],
                lr=hp.learning_rate,
                alpha=hp.alpha,
                eps=hp.eps,
                weight_decay=hp.weight_decay,
                capturable=capturable,
            )
    raise ValueError(f"unknown optimizer {hp.optimizer!r} (choices: sgd, adam, rmsprop, adamw)")
