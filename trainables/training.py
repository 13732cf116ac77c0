"""The training loop: a stack of replicates, epoch by epoch."""

import math
import time
from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainables import models
from trainables.augmentation import augmentation_of
from trainables.captured_step import build_step
from trainables.evaluation import cross_entropy, evaluate
from trainables.gradients import GradientRecorder
from trainables.hyperparameters import Hyperparameters
from trainables.module_stack import BuildModule, stack_modules
from trainables.norm_series import Measured, are_safe
from trainables.optimizers import build_optimizer
from trainables.random_words import RandomWords
from trainables.records import EpochRecord
from trainables.schedules import Schedule
from trainables.scoring import Tally
from trainables.seeds import derive_seed
from trainables.stack_data import StackData
from trainables.stack_model import StackModel
from trainables.trained_epoch import IN_ORDER, Scores, TrainedEpoch, scores_of
from trainables.training_step import TrainingStep

NUM_INITIAL_BATCHES = 4
"""Batches over which gradients are measured before the first step."""

MIN_INITIAL_BATCH = 64
"""Examples that such a batch has at least, or as many as there are."""


@dataclass(kw_only=True)
class Stack:
    """A stack of replicates in training: the networks, what updates them, and the seeds that drive them.

    `epoch` counts the epochs trained so far; `gradient_norms` are those of its last steps, (steps, replicates), if
    it was measured. `schedule` knows each replicate's learning rate. What training changes is all in a checkpoint.
    Gradients are measured with `precise_norms` unless the initialisation, measured first, shows that there is no need.
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
        """Build the networks, one for each seed; a replicate's split, initialisation and order are its own.

        They compute in the inputs' precision. With `part` only these replicates are built, and they come to the same
        numbers as in the whole stack. With `build` they are what it returns, and `model` is only a name.
        """
        part = range(len(seeds)) if part is None else part
        data, own = data.part(part), tuple(seeds)[part.start : part.stop]
        device = data.inputs.device
        generator = torch.Generator(device=device)
        init_seeds = [derive_seed(seed, "init") for seed in own]
        words = RandomWords(generator, first=part.start, whole=len(seeds))
        built: StackModel
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
        augmentation = augmentation_of(hyperparameters, data, words)
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
        )


def epoch_order(seed: int, epoch: int, num_examples: int) -> Tensor:
    """Return the order in which one replicate sees its training examples in `epoch` (1, 2, ...)."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "order", epoch))
    return torch.randperm(num_examples, generator=generator)


def train(stack: Stack, *, epochs: int, layers_at: Collection[int] = ()) -> Iterator[list[EpochRecord]]:
    """Train `stack` up to `epochs` and yield, for each epoch, one record for each replicate, as `train_epochs` does."""
    return (trained.records() for trained in train_epochs(stack, epochs=epochs, layers_at=layers_at))


@torch.no_grad()
def train_epochs(
    stack: Stack, *, epochs: int, layers_at: Collection[int] = (), scored_at: Container[int] = ()
) -> Iterator[TrainedEpoch]:
    """Train `stack` up to `epochs`, by which a cosine ends, and yield what each epoch left behind.

    After the epochs in `scored_at` the further metrics are taken on the validation part, too. Layers are measured in
    the epochs named in `layers_at`; where 0 is among them, the first thing that a stack before its first epoch yields
    is the initialisation. A replicate whose loss is not finite is marked in `stack.diverged` and its losses are None
    from then on; the others are not disturbed. A last batch of a single example is left out.
    """
    if stack.epoch == 0 and 0 in layers_at:
        yield _measure_initialisation(stack)
    recorder: GradientRecorder | None = None
    for epoch in range(stack.epoch + 1, epochs + 1):
        batches = _batches(stack, epoch)
        if epoch not in layers_at:
            recorder = None
        elif recorder is None:
            recorder = GradientRecorder(
                stack.model,
                num_steps=len(batches),
                precise=stack.precise_norms,
                earlier=stack.gradient_norms,
            )
        rates = stack.schedule.rates(epoch, epochs)
        stack.step.rates.set(rates)
        trained = _train_epoch(stack, epoch, batches, recorder, rates, further=epoch in scored_at)
        stack.schedule.hear([scores.monitored(stack.hyperparameters.monitor) for scores in trained.scores])
        stack.epoch, stack.gradient_norms = epoch, None if recorder is None else recorder.earlier
        yield trained


def _train_epoch(
    stack: Stack,
    epoch: int,
    batches: Sequence[Tensor],
    recorder: GradientRecorder | None,
    rates: Sequence[float],
    *,
    further: bool,
) -> TrainedEpoch:
    data = stack.data
    stack.generator.manual_seed(derive_seed(stack.mask_seed, "dropout", epoch))
    sums = run_steps(stack, batches, recorder)
    num_seen = sum(rows.shape[1] for rows in batches)
    tally = Tally.of(data) if further else None
    scores = [*(sums / num_seen), *evaluate(stack.model, data, data.validation, tally)]
    more = {} if tally is None else tally.values()
    return TrainedEpoch(
        epoch=epoch,
        scores=_scores(stack, torch.stack([*scores, *more.values()]), list(more)),
        learning_rates=rates,
        measured=None if recorder is None else recorder.end_epoch(clip_norm=stack.hyperparameters.clip_norm),
    )


def run_steps(stack: Stack, batches: Sequence[Tensor], recorder: GradientRecorder | None = None) -> Tensor:
    """Train on `batches`, each the rows of shape (replicates, batch size), without making the host wait.

    Returns each replicate's summed loss and number of correct answers, shape (2, replicates).
    """
    step = stack.step
    step.sums.zero_()
    stack.model.is_measured = recorder is not None
    for rows in batches:
        step.backward(rows)
        if recorder is not None:
            recorder.after_backward()
        step.update()
        if recorder is not None:
            recorder.after_update()
    return step.sums.clone()


def _batches(stack: Stack, epoch: int) -> list[Tensor]:
    """Return the rows of each batch of the epoch, shapes (replicates, batch size)."""
    train = stack.data.train
    order = torch.stack([epoch_order(seed, epoch, train.shape[1]) for seed in stack.seeds])
    shuffled = train.gather(1, order.to(train.device))
    batches = list(torch.split(shuffled, stack.hyperparameters.batch_size, dim=1))
    if len(batches) > 1 and batches[-1].shape[1] == 1:
        # Batch norm is undefined for a single example.
        batches.pop()
    return batches


def _measure_initialisation(stack: Stack) -> TrainedEpoch:
    """Measure gradients in training mode before any step, leaving running statistics as they are.

    Inputs are as the steps will see them, augmentation included. What is measured then decides how precise the norms
    have to be in training.
    """
    started = time.perf_counter()
    data, model, smoothing = stack.data, stack.model, stack.hyperparameters.label_smoothing
    size = min(max(MIN_INITIAL_BATCH, stack.hyperparameters.batch_size), data.train.shape[1])
    num_batches = min(NUM_INITIAL_BATCHES, data.train.shape[1] // size)
    order = torch.stack([epoch_order(seed, 0, data.train.shape[1]) for seed in stack.seeds])
    rows = data.train.gather(1, order.to(data.train.device))
    recorder = GradientRecorder(model, num_steps=num_batches)
    model.is_measured = True
    loss_sum = data.inputs.new_zeros(len(stack.seeds))
    stack.generator.manual_seed(derive_seed(stack.mask_seed, "dropout", 0))
    model.track_statistics(False)
    for part in torch.split(rows[:, : num_batches * size], size, dim=1):
        logits = model.forward(stack.step.gather(part), training=True)
        losses, gradient = cross_entropy(logits, data.targets[part], label_smoothing=smoothing)
        model.backward(gradient)
        recorder.after_backward()
        recorder.after_measure()
        loss_sum += losses
    model.track_statistics(True)
    measured = recorder.end_epoch()
    stack.precise_norms = not are_safe(measured.norms[[Measured.GRADIENTS, Measured.DELTAS], :, :-1])
    losses_at_start = (loss_sum / (num_batches * size)).tolist()
    return TrainedEpoch(
        epoch=0,
        scores=[Scores(train_loss=loss if math.isfinite(loss) else None) for loss in losses_at_start],
        learning_rates=None,
        measured=replace(measured, seconds=time.perf_counter() - started),
    )


def _scores(stack: Stack, values: Tensor, further: Sequence[str]) -> list[Scores]:
    """Return each replicate's scores as `scores_of` does, and mark those that diverged."""
    finite = values[: len(IN_ORDER)].isfinite().all(0).tolist()
    stack.diverged = [before or not now for before, now in zip(stack.diverged, finite, strict=True)]
    return scores_of(values, further, stack.diverged)
