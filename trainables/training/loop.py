"""The training loop: a stack of replicates, epoch by epoch."""

import math
import time
from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from trainables.base.records import EpochRecord
from trainables.base.seeds import derive_seed
from trainables.gradients.gradient_norms import SPIKE_WINDOW, Measured, are_safe
from trainables.training.early_stopping import EarlyStopping
from trainables.training.evaluation import Tally, evaluate
from trainables.training.stack import Stack
from trainables.training.trained_epoch import IN_ORDER, Scores, TrainedEpoch, scores_of
from trainables.training.training_step import Recorder

NUM_INITIAL_BATCHES = 4
"""Number of batches on which gradients are measured before the first step."""

MIN_INITIAL_BATCH = 64
"""Least number of examples in such a batch, or as many as there are."""


def train(stack: Stack, *, epochs: int, layers_at: Collection[int] = ()) -> Iterator[list[EpochRecord]]:
    """Train `stack` up to `epochs` as `train_epochs` does; yield the records of each epoch's trained replicates."""
    return (trained.records() for trained in train_epochs(stack, epochs=epochs, layers_at=layers_at))


@torch.no_grad()
def train_epochs(
    stack: Stack, *, epochs: int, layers_at: Collection[int] = (), scored_at: Container[int] = ()
) -> Iterator[TrainedEpoch]:
    """Train `stack` up to `epochs`, at which a cosine schedule ends, and yield the results of each epoch.

    After the epochs in `scored_at` the further metrics are computed on the validation part, too. Layers are measured in
    the epochs in `layers_at`; if 0 is among them, a stack before its first epoch yields the initialisation first. A
    replicate whose loss is not finite is marked in `stack.diverged` and its losses are None from then on; the others
    are not affected. A last batch with a single example is left out.
    With early stopping a replicate is frozen with its best weights from the epoch on in which it stops; one that does
    not stop gets them after the last epoch. Once all have stopped, nothing is trained any more.
    """
    if stack.epoch == 0 and 0 in layers_at:
        yield _measure_initialisation(stack)
    recorder: Recorder | None = None
    for epoch in range(stack.epoch + 1, epochs + 1):
        batches = batches_of(stack.data.train, stack.seeds, epoch, stack.hyperparameters.batch_size)
        if stack.stopping is not None and not any(stack.trains):
            yield _rest(stack, stack.stopping, epoch, num_steps=len(batches) if epoch in layers_at else None)
            continue
        if epoch not in layers_at:
            recorder = None
        elif recorder is None:
            recorder = stack.step.recorder(
                len(batches), precise=stack.precise_norms, earlier=stack.gradient_norms
            )
        trained = _train_epoch(stack, epoch, epochs, batches, recorder, further=epoch in scored_at)
        stack.epoch, stack.gradient_norms = epoch, None if recorder is None else recorder.earlier
        yield trained


def _train_epoch(
    stack: Stack,
    epoch: int,
    epochs: int,
    batches: Sequence[Tensor],
    recorder: Recorder | None,
    *,
    further: bool,
) -> TrainedEpoch:
    data, rates = stack.data, stack.schedule.rates(epoch, epochs)
    stack.step.rates.set(rates, stack.trains)
    stack.generator.manual_seed(derive_seed(stack.mask_seed, "dropout", epoch))
    sums = run_steps(stack, batches, recorder)
    num_seen = sum(rows.shape[1] for rows in batches)
    tally = Tally.of(data) if further else None
    values = [*(sums / num_seen), *evaluate(stack.model, data, data.validation, tally)]
    more = {} if tally is None else tally.values()
    scores = _scores(stack, torch.stack([*values, *more.values()]), list(more))
    stack.schedule.update(scores)
    standing = [own for own in scores if own is not None]
    if stack.stopping is not None:
        standing = stack.stopping.update(epoch, scores, is_last=epoch == epochs)
    return TrainedEpoch(
        epoch=epoch,
        scores=scores,
        standing=standing,
        learning_rates=rates,
        measured=None if recorder is None else recorder.end_epoch(clip_norm=stack.hyperparameters.clip_norm),
    )


def run_steps(stack: Stack, batches: Sequence[Tensor], recorder: Recorder | None = None) -> Tensor:
    """Train on `batches`, each holding rows of shape (replicates, batch size), without synchronizing with the device.

    Returns each replicate's summed loss and number of correct predictions, shape (2, replicates).
    """
    stack.step.sums.zero_()
    stack.step.run(batches, recorder)
    return stack.step.sums.clone()


def _measure_initialisation(stack: Stack) -> TrainedEpoch:
    """Measure gradients in training mode before any step, without changing running statistics.

    Inputs are as in the training steps, including augmentation. The result decides how precise norms must be in
    training.
    """
    started = time.perf_counter()
    data = stack.data
    size = min(max(MIN_INITIAL_BATCH, stack.hyperparameters.batch_size), data.train.shape[1])
    num_batches = min(NUM_INITIAL_BATCHES, data.train.shape[1] // size)
    rows = shuffled(data.train, stack.seeds, 0)
    recorder = stack.step.recorder(num_batches)
    stack.generator.manual_seed(derive_seed(stack.mask_seed, "dropout", 0))
    stack.step.sums.zero_()
    stack.step.measure(torch.split(rows[:, : num_batches * size], size, dim=1), recorder)
    measured = recorder.end_epoch()
    stack.precise_norms = not are_safe(measured.norms[[Measured.GRADIENTS, Measured.DELTAS], :, :-1])
    at_start = (stack.step.sums[0] / (num_batches * size)).tolist()
    scores = [Scores(train_loss=loss if math.isfinite(loss) else None) for loss in at_start]
    return TrainedEpoch(
        epoch=0,
        scores=scores,
        standing=scores,
        learning_rates=None,
        measured=replace(measured, seconds=time.perf_counter() - started),
    )


def _rest(stack: Stack, stopping: EarlyStopping, epoch: int, *, num_steps: int | None) -> TrainedEpoch:
    """Return an epoch in which no replicate trains; with layers it would have been measured at `num_steps` steps."""
    stack.epoch, stack.gradient_norms = epoch, None
    if num_steps is not None:
        # These norms are joined with those of other parts of the trial, which may still train.
        stack.gradient_norms = np.full((min(num_steps, SPIKE_WINDOW), len(stack.seeds)), np.nan)
    return TrainedEpoch(
        epoch=epoch,
        scores=[None] * len(stack.seeds),
        standing=stopping.scores,
        learning_rates=None,
        measured=None,
    )


def _scores(stack: Stack, values: Tensor, further: Sequence[str]) -> list[Scores | None]:
    """Return the scores of each replicate that trains, by `scores_of`, and mark those that diverged."""
    finite, trains = values[: len(IN_ORDER)].isfinite().all(0).tolist(), stack.trains
    stack.diverged = [
        before or (training and not now)
        for before, training, now in zip(stack.diverged, trains, finite, strict=True)
    ]
    found = scores_of(values, further, stack.diverged)
    return [own if training else None for own, training in zip(found, trains, strict=True)]


def epoch_order(seed: int, epoch: int, num_examples: int) -> Tensor:
    """Return the order of one replicate's training examples in `epoch` (1, 2, ...)."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "order", epoch))
    return torch.randperm(num_examples, generator=generator)


def shuffled(train: Tensor, seeds: Sequence[int], epoch: int) -> Tensor:
    """Return each replicate's rows of `train`, shape (replicates, examples), in the order of the epoch."""
    order = torch.stack([epoch_order(seed, epoch, train.shape[1]) for seed in seeds])
    return train.gather(1, order.to(train.device))


def batches_of(train: Tensor, seeds: Sequence[int], epoch: int, batch_size: int) -> list[Tensor]:
    """Return the rows of each batch of the epoch, shapes (replicates, batch size)."""
    batches = list(torch.split(shuffled(train, seeds, epoch), batch_size, dim=1))
    if len(batches) > 1 and batches[-1].shape[1] == 1:
        # Batch norm is undefined for a single example.
        batches.pop()
    return batches
