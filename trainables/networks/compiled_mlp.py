"""A stack of multilayer perceptrons in compiled kernels, which train and evaluate network after network on a CPU.

A network's parameters, signals and moments fit into a core's own cache, where those of a whole stack do not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy.linalg.cython_blas
import torch
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController
from torch import Tensor

from trainables.base.hyperparameters import Hyperparameters
from trainables.kernels import epoch
from trainables.kernels.layout import (
    ACTIVATIONS,
    ALL_KEPT,
    Batches,
    Column,
    Floats,
    Form,
    Measures,
    Networks,
    Scratch,
    scratch,
)
from trainables.kernels.updates import Optimizer
from trainables.networks.layers import BatchNorm
from trainables.networks.parameters import FlatParameters
from trainables.networks.residual import FixedSkip, Skip

EVALUATED = 128
"""Examples of one network evaluated at a time, so that their signals stay in the cache."""


@dataclass(frozen=True, kw_only=True)
class Steps:
    """What the steps of a call have in common: a seed for masks, the number of the first step within its epoch, the
    number of updates made before, the bound of a gradient's norm, and whether weights change at all.
    """

    seed: int
    first: int = 0
    updates_before: int = 0
    clip_norm: float | None = None
    only_measure: bool = False


class CompiledMLP:
    """The networks of a stack as kernels see them; they share memory with the parameters and the batch norms."""

    def __init__(
        self,
        parameters: FlatParameters,
        norms: Sequence[BatchNorm | None],
        skips: Sequence[Skip | None],
        hyperparameters: Hyperparameters,
        *,
        num_features: int,
        num_classes: int,
        first_place: int,
    ) -> None:
        """Take the stack's memory; `norms` and `skips` are its hidden layers', None where a layer has none.

        `first_place` is the first network's place in the whole stack.
        """
        hp = hyperparameters
        self._first_place, self._num_features = first_place, num_features
        values = parameters.values.numpy()
        number = values.dtype.type
        mean, variance = _join_statistics(norms, parameters.values)
        places = parameters.places_in_rest()
        self._networks = Networks(
            values=values,
            gradients=parameters.gradients.numpy(),
            hidden=_table(parameters, skips, hp, num_features, places),
            running_mean=mean.numpy(),
            running_variance=variance.numpy(),
            replicates=parameters.replicates,
            rest_start=parameters.replicates * sum(parameters.weight_sizes),
            num_rest=parameters.num_rest,
            output_weight=places["output.weight"],
            output_bias=places["output.bias"],
            classes=num_classes,
        )
        kept = round((1 - hp.dropout) * ALL_KEPT)
        self._form = Form(
            activation=ACTIVATIONS[hp.activation],
            batch_norm=hp.batch_norm,
            skip_factor=number(next((skip.factor for skip in skips if isinstance(skip, FixedSkip)), 1.0)),
            kept=kept,
            kept_scale=number(ALL_KEPT / max(kept, 1)),
            smoothing=number(hp.label_smoothing),
            norm_eps=number(BatchNorm.eps),
            norm_momentum=number(BatchNorm.momentum),
        )
        self._scratch: dict[int, list[Scratch]] = {}

    def train(
        self,
        batches: Batches,
        optimizer: Optimizer,
        measures: Measures,
        steps: Steps,
        *,
        trains: NDArray[np.bool_],
        sums: NDArray[np.float64],
    ) -> None:
        """Pass all batches through the networks that train; add each one's loss and right predictions to `sums`."""
        most = int(np.diff(batches.ends, prepend=0).max())
        key = np.uint32(steps.seed & 0xFFFFFFFF), np.uint32(steps.seed >> 32 & 0xFFFFFFFF)

        def work(room: Scratch, start: int, stop: int) -> None:
            epoch.train_steps(
                self._networks,
                self._form,
                optimizer,
                batches,
                measures,
                room,
                trains,
                sums,
                key,
                self._first_place,
                steps.first,
                steps.updates_before,
                float(steps.clip_norm or 0.0),
                steps.only_measure,
                start,
                stop,
            )

        self._share_out(work, most)

    def logits(self, inputs: Tensor) -> Tensor:
        """Return logits (replicates, classes, examples) for inputs (replicates, examples, features), evaluating."""
        replicates, examples = inputs.shape[:2]
        made = inputs.new_empty(replicates, self._networks.classes, examples)
        batches = gathered(inputs, [*range(EVALUATED, examples, EVALUATED), examples])

        def work(room: Scratch, start: int, stop: int) -> None:
            epoch.evaluate(self._networks, self._form, batches, room, made.numpy(), start, stop)

        self._share_out(work, min(EVALUATED, examples))
        return made

    def _share_out(self, work: Callable[[Scratch, int, int], None], examples: int) -> None:
        """Divide the replicates over as many threads as torch has, each with room for batches of `examples`."""
        replicates = self._networks.replicates
        count = min(torch.get_num_threads(), replicates)
        rooms = self._scratch.setdefault(examples, [])
        while len(rooms) < count:
            rooms.append(scratch(self._networks, self._form, features=self._num_features, examples=examples))
        ends = [replicates * part // count for part in range(count + 1)]
        # A product is small: were BLAS to divide it over threads of its own, they would mostly wait for each other.
        with _blas().limit(limits=1):
            if count == 1:
                work(rooms[0], 0, replicates)
                return
            with ThreadPoolExecutor(count) as pool:
                list(pool.map(work, rooms[:count], ends[:-1], ends[1:]))


@functools.cache
def _blas() -> ThreadpoolController:
    """Return the control over the threads of the BLAS that `numpy.dot` calls in compiled code, which is SciPy's."""
    assert scipy.linalg.cython_blas, "only what is loaded can be controlled"
    return ThreadpoolController().select(user_api="blas")


def gathered(inputs: Tensor, ends: Sequence[int], targets: Tensor | None = None) -> Batches:
    """Return batches of inputs (replicates, examples, features) as a network takes them, which end at `ends`."""
    replicates, examples, features = inputs.shape
    values = inputs.reshape(-1, features).numpy()
    none: Floats = np.zeros((replicates, 0), values.dtype)
    return Batches(
        inputs=values,
        targets=np.zeros((replicates, 0), np.int64) if targets is None else targets.numpy(),
        rows=np.arange(replicates * examples).reshape(replicates, examples),
        ends=np.array(ends, np.int64),
        is_scaled=False,
        mean=none,
        factor=none,
    )


def _join_statistics(norms: Sequence[BatchNorm | None], like: Tensor) -> tuple[Tensor, Tensor]:
    """Move the running statistics of all batch norms into two tensors, of which theirs become views."""
    own = [norm for norm in norms if norm is not None]
    if not own:
        return like.new_empty(0), like.new_empty(0)
    mean = torch.cat([norm.running_mean.flatten() for norm in own])
    variance = torch.cat([norm.running_variance.flatten() for norm in own])
    sizes = [norm.scale.numel() for norm in own]
    for norm, means, variances in zip(
        own, torch.split(mean, sizes), torch.split(variance, sizes), strict=True
    ):
        norm.running_mean, norm.running_variance = means.view_as(norm.scale), variances.view_as(norm.scale)
    return mean, variance


def _table(
    parameters: FlatParameters,
    skips: Sequence[Skip | None],
    hp: Hyperparameters,
    num_features: int,
    places: dict[str, int],
) -> NDArray[np.int64]:
    """Return the table of hidden layers, a column for each `Column`."""
    rows = np.full((hp.depth, len(Column)), -1, np.int64)
    widths = (num_features, *hp.widths)
    start = 0
    for layer, size in enumerate(parameters.weight_sizes):
        name = f"blocks.{layer}"
        found = {
            Column.WEIGHT: start,
            Column.INPUTS: widths[layer],
            Column.UNITS: widths[layer + 1],
            Column.SHIFT: places[f"{name}.shift" if hp.batch_norm else f"{name}.bias"],
            Column.SCALE: places.get(f"{name}.scale", -1),
            Column.FACTOR: places.get(f"{name}.factor", -1),
            Column.HAS_SKIP: int(skips[layer] is not None),
            Column.UNITS_BEFORE: sum(hp.widths[:layer]),
        }
        for column, value in found.items():
            rows[layer, column] = value
        start += parameters.replicates * size
    return rows
