"""What the kernels of a perceptron are handed: where its numbers lie, how it computes, and room to work in."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
"""float32 or float64; one call has one of them throughout."""


class Column(IntEnum):
    """Columns of the table of hidden layers; a place of -1 means that a layer has no such parameter."""

    WEIGHT = 0
    """Where the weights of all replicates begin among the values."""
    INPUTS = 1
    UNITS = 2
    SHIFT = 3
    """Where the bias, or the shift of a batch norm, begins in the rest of a replicate's values."""
    SCALE = 4
    FACTOR = 5
    """Where the learnt factor of a skip is."""
    HAS_SKIP = 6
    UNITS_BEFORE = 7
    """Number of hidden units in the layers before this one."""


# Plain integers, because compiled code looks up an enumeration's members one by one.
WEIGHT, INPUTS, UNITS, SHIFT, SCALE, FACTOR, HAS_SKIP, UNITS_BEFORE = map(int, Column)
RELU, TANH, SIGMOID = range(3)
ACTIVATIONS = {"relu": RELU, "tanh": TANH, "sigmoid": SIGMOID}
GRADIENTS, DELTAS, WEIGHTS, UPDATES = range(4)
"""Rows of `Measures.squares`."""
ALL_KEPT = 1 << 16
"""`Form.kept` without dropout."""


class Networks(NamedTuple):
    """The values and gradients of a stack, laid out as in FlatParameters, and the running statistics of batch norms.

    The running statistics of a layer begin at `UNITS_BEFORE` x replicates, replicate by replicate.
    """

    values: Floats
    gradients: Floats
    hidden: NDArray[np.int64]
    """One row for each hidden layer, one column for each `Column`."""
    running_mean: Floats
    running_variance: Floats
    replicates: int
    rest_start: int
    """Where the rest of the first replicate's values begins; each replicate has `num_rest` of them."""
    num_rest: int
    output_weight: int
    output_bias: int
    classes: int


class Form(NamedTuple):
    """How the networks compute. Real numbers have the type of their values."""

    activation: int
    batch_norm: bool
    skip_factor: Any
    """Of the branch, where a block has a skip with a fixed factor."""
    kept: int
    """An activation is kept where 16 random bits are below this; 65,536 without dropout."""
    smoothing: Any
    kept_scale: Any
    """What kept activations are multiplied by."""
    norm_eps: Any
    norm_momentum: Any


class Batches(NamedTuple):
    """The examples of some steps: `rows` of inputs and targets, (replicates, examples), in the order of training."""

    inputs: Floats
    """(rows, features)"""
    targets: NDArray[np.int64]
    """(replicates, examples)"""
    rows: NDArray[np.int64]
    ends: NDArray[np.int64]
    """Where each step's examples end."""
    is_scaled: bool
    mean: Floats
    factor: Floats
    """What an input is scaled by, (replicates, features)."""


class Measures(NamedTuple):
    """What is measured in the steps. With `stride` 0 nothing is."""

    stride: int
    """Every so many steps the norms of signals, weights and updates are measured; those of gradients at each."""
    moment_stride: int
    saturates: bool
    is_unipolar: bool
    squares: NDArray[np.float64]
    """Sums of squares, (measured, steps, parts, replicates); the last part is all but the hidden weights."""
    moments: NDArray[np.float64]
    """Sum of each h_l and of its squares, (measured steps, layers, 2, replicates)."""
    responses: Floats
    """The sum of each hidden unit's responses, or their least saturation, as `UNITS_BEFORE` numbers them."""


class Scratch(NamedTuple):
    """Room for one network in training, used by one thread."""

    inputs: Floats
    outputs: Floats
    slopes: Floats
    normalised: Floats
    branches: Floats
    inverse_std: Floats
    delta: Floats
    delta_before: Floats
    delta_within: Floats
    logits: Floats
    columns: Floats
    best: NDArray[np.int64]
    words: NDArray[np.uint32]
    halves: NDArray[np.uint16]
    """`words`, seen as 16-bit integers."""


def scratch(networks: Networks, form: Form, *, features: int, examples: int) -> Scratch:
    """Return room for batches of at most `examples`."""
    dtype, hidden = networks.values.dtype, networks.hidden
    widest, units = int(hidden[:, UNITS].max()), int(hidden[:, UNITS].sum())
    learnt = bool((hidden[:, FACTOR] >= 0).any())
    words = np.empty(4 * -(-widest * examples // 8) if form.kept < ALL_KEPT else 0, np.uint32)

    def room(*shape: int) -> Floats:
        return np.empty(shape, dtype)

    return Scratch(
        inputs=room(examples * features),
        outputs=room(units * examples),
        slopes=room(units * examples),
        normalised=room(units * examples if form.batch_norm else 0),
        branches=room(units * examples if learnt else 0),
        inverse_std=room(units if form.batch_norm else 0),
        delta=room(widest * examples),
        delta_before=room(widest * examples),
        delta_within=room(widest * examples),
        logits=room(networks.classes * examples),
        columns=room(2, examples),
        best=np.empty(examples, np.int64),
        words=words,
        halves=words.view(np.uint16),
    )
