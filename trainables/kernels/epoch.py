"""Whole epochs of training and evaluation of multilayer perceptrons, network after network.

A product is BLAS's, by way of `numpy.dot`. Between products a network's signals stay in a core's own cache.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainables.kernels.compiling import inner_kernel, kernel
from trainables.kernels.layout import (
    ALL_KEPT,
    DELTAS,
    FACTOR,
    GRADIENTS,
    HAS_SKIP,
    INPUTS,
    SCALE,
    SHIFT,
    UNITS,
    UNITS_BEFORE,
    UPDATES,
    WEIGHT,
    WEIGHTS,
    Batches,
    Floats,
    Form,
    Measures,
    Networks,
    Scratch,
)
from trainables.kernels.philox import fill_words
from trainables.kernels.signals import (
    add_bias,
    add_skip,
    add_to,
    back_to_bias,
    back_to_norm,
    copy,
    drop,
    gather,
    loss_and_gradient,
    moments,
    normalise,
    normalise_by_running,
    note_responses,
    respond,
    sum_of_products,
    sum_of_squares,
    sum_rows,
    tile,
)
from trainables.kernels.updates import Optimizer, update


@kernel
def train_steps(
    networks: Networks,
    form: Form,
    optimizer: Optimizer,
    batches: Batches,
    measures: Measures,
    scratch: Scratch,
    trains: NDArray[np.bool_],
    sums: NDArray[np.float64],
    key: Any,
    first_place: int,
    first_step: int,
    updates_before: int,
    clip_norm: float,
    only_measure: bool,
    start: int,
    stop: int,
) -> None:
    """Train the replicates `start` to `stop` that train, each through all steps; add loss and hits to `sums`.

    Dropout's masks depend on `key`, the step's number within its epoch, which starts at `first_step`, the layer, and
    the network's place in the whole stack, which starts at `first_place`. `updates_before` counts the updates made
    earlier. A `clip_norm` of 0 means no clipping. With `only_measure` neither weights nor running statistics change.
    """
    hidden, depth = networks.hidden, networks.hidden.shape[0]
    kind = networks.values.dtype.type
    measured = measures.stride > 0
    momentum = kind(0) if only_measure else form.norm_momentum
    for replicate in range(start, stop):
        if not trains[replicate]:
            continue
        rest_start = networks.rest_start + replicate * networks.num_rest
        rest = networks.values[rest_start : rest_start + networks.num_rest]
        rest_gradient = networks.gradients[rest_start : rest_start + networks.num_rest]
        place = np.uint32(first_place + replicate)
        begin = 0
        for number in range(len(batches.ends)):
            end, step = batches.ends[number], first_step + number
            sampled = measured and step % measures.stride == 0
            examples = end - begin
            inputs = _gathered(batches, replicate, begin, end, scratch.inputs)

            # Forward.
            before = tile(scratch.outputs, 0, 0, 0)
            for layer in range(depth):
                units, fan_in = hidden[layer, UNITS], hidden[layer, INPUTS]
                first, shift, scale = hidden[layer, UNITS_BEFORE], hidden[layer, SHIFT], hidden[layer, SCALE]
                running = first * networks.replicates + replicate * units
                signal = tile(scratch.outputs, first * examples, units, examples)
                weight = tile(
                    networks.values, hidden[layer, WEIGHT] + replicate * units * fan_in, units, fan_in
                )
                if layer == 0:
                    np.dot(weight, inputs.T, signal)
                else:
                    np.dot(weight, before, signal)
                if form.batch_norm:
                    normalise(
                        signal,
                        tile(scratch.normalised, first * examples, units, examples),
                        scratch.inverse_std[first : first + units],
                        rest[scale : scale + units],
                        rest[shift : shift + units],
                        networks.running_mean[running : running + units],
                        networks.running_variance[running : running + units],
                        form.norm_eps,
                        momentum,
                    )
                else:
                    add_bias(signal, rest[shift : shift + units])
                flat = signal.reshape(-1)
                slopes = scratch.slopes[first * examples : (first + units) * examples]
                respond(form.activation, flat, slopes)
                has_skip = hidden[layer, HAS_SKIP] == 1
                # A unit that passes its input on is not dead, so its output is its response.
                by_output = has_skip and not measures.saturates
                if measured and not by_output:
                    responses = measures.responses[running : running + units]
                    note_responses(signal, responses, measures.saturates, measures.is_unipolar)
                if form.kept < ALL_KEPT:
                    words = scratch.words[: 4 * ((flat.size + 7) // 8)]
                    fill_words(words, key[0], key[1], np.uint32(layer), np.uint32(step), place)
                    drop(flat, slopes, scratch.halves, form.kept, form.kept_scale)
                if has_skip:
                    factor = form.skip_factor
                    if hidden[layer, FACTOR] >= 0:
                        factor = rest[hidden[layer, FACTOR]]
                        copy(flat, scratch.branches[first * examples : (first + units) * examples])
                    add_skip(flat, before.reshape(-1), factor)
                    if measured and by_output:
                        responses = measures.responses[running : running + units]
                        note_responses(signal, responses, False, False)
                if measured and step % measures.moment_stride == 0:
                    total, squares = moments(flat)
                    measures.moments[step // measures.moment_stride, layer, 0, replicate] = total
                    measures.moments[step // measures.moment_stride, layer, 1, replicate] = squares
                before = signal
            last = before.shape[0]
            logits = tile(scratch.logits, 0, networks.classes, examples)
            weight = tile(rest, networks.output_weight, networks.classes, last)
            np.dot(weight, before, logits)
            add_bias(logits, rest[networks.output_bias : networks.output_bias + networks.classes])

            loss, correct = loss_and_gradient(
                logits, batches.targets[replicate, begin:end], form.smoothing, scratch.columns, scratch.best
            )
            sums[0, replicate] += loss
            sums[1, replicate] += correct

            # Backward.
            np.dot(logits, before.T, tile(rest_gradient, networks.output_weight, networks.classes, last))
            sum_rows(logits, rest_gradient[networks.output_bias : networks.output_bias + networks.classes])
            delta_room, before_room = scratch.delta, scratch.delta_before
            np.dot(weight.T, logits, tile(delta_room, 0, last, examples))
            for back in range(depth):
                layer = depth - 1 - back
                units, fan_in = hidden[layer, UNITS], hidden[layer, INPUTS]
                first, shift, scale = hidden[layer, UNITS_BEFORE], hidden[layer, SHIFT], hidden[layer, SCALE]
                delta = tile(delta_room, 0, units, examples)
                if sampled:
                    measures.squares[DELTAS, step, layer, replicate] = sum_of_squares(delta.reshape(-1))
                factor = kind(1)
                has_skip = hidden[layer, HAS_SKIP] == 1
                if has_skip:
                    factor = form.skip_factor
                    at = hidden[layer, FACTOR]
                    if at >= 0:
                        factor = rest[at]
                        branch = scratch.branches[first * examples : (first + units) * examples]
                        rest_gradient[at] = sum_of_products(delta.reshape(-1), branch)
                slope = tile(scratch.slopes, first * examples, units, examples)
                within = tile(scratch.delta_within, 0, units, examples)
                shift_gradient = rest_gradient[shift : shift + units]
                if form.batch_norm:
                    back_to_norm(
                        delta,
                        slope,
                        factor,
                        within,
                        tile(scratch.normalised, first * examples, units, examples),
                        scratch.inverse_std[first : first + units],
                        rest[scale : scale + units],
                        rest_gradient[scale : scale + units],
                        shift_gradient,
                    )
                else:
                    back_to_bias(delta, slope, factor, within, shift_gradient)
                weights_start = hidden[layer, WEIGHT] + replicate * units * fan_in
                weight_gradient = tile(networks.gradients, weights_start, units, fan_in)
                if layer == 0:
                    np.dot(within, inputs, weight_gradient)
                else:
                    before = tile(
                        scratch.outputs, hidden[layer - 1, UNITS_BEFORE] * examples, fan_in, examples
                    )
                    np.dot(within, before.T, weight_gradient)
                    delta_before = tile(before_room, 0, fan_in, examples)
                    np.dot(tile(networks.values, weights_start, units, fan_in).T, within, delta_before)
                    if has_skip:
                        add_to(delta_before.reshape(-1), delta.reshape(-1))
                    delta_room, before_room = before_room, delta_room
                if measured:
                    measures.squares[GRADIENTS, step, layer, replicate] = sum_of_squares(
                        weight_gradient.reshape(-1)
                    )
            if measured:
                measures.squares[GRADIENTS, step, depth, replicate] = sum_of_squares(rest_gradient)

            # Update.
            clip = 1.0
            if clip_norm > 0:
                norm = math.sqrt(_gradient_square(networks.gradients, hidden, replicate, rest_gradient))
                clip = min(1.0, clip_norm / (norm + 1e-6))
            # The last part is all that is no hidden weight.
            for layer in range(depth + 1):
                part_start, part_end = rest_start, rest_start + networks.num_rest
                if layer < depth:
                    count = hidden[layer, UNITS] * hidden[layer, INPUTS]
                    part_start = hidden[layer, WEIGHT] + replicate * count
                    part_end = part_start + count
                values = networks.values[part_start:part_end]
                if only_measure:
                    size, change = (sum_of_squares(values), math.nan) if sampled else (math.nan, math.nan)
                else:
                    size, change = update(
                        optimizer.kind,
                        values,
                        networks.gradients[part_start:part_end],
                        optimizer.first[part_start:part_end],
                        optimizer.second[part_start:part_end],
                        clip,
                        optimizer.rates[replicate],
                        optimizer.momentum,
                        optimizer.decay,
                        optimizer.eps,
                        optimizer.weight_decay,
                        updates_before + number + 1,
                        sampled,
                    )
                if sampled and layer < depth:
                    measures.squares[WEIGHTS, step, layer, replicate] = size
                    measures.squares[UPDATES, step, layer, replicate] = change
            begin = end


@inner_kernel
def _gathered(batches: Batches, replicate: int, begin: int, end: int, room: Floats) -> Floats:
    """Return the inputs of a replicate's examples from `begin` to `end`, (examples, features), copied to `room`."""
    inputs = tile(room, 0, end - begin, batches.inputs.shape[1])
    gather(
        batches.inputs,
        batches.rows[replicate, begin:end],
        batches.mean[replicate],
        batches.factor[replicate],
        batches.is_scaled,
        inputs,
    )
    return inputs


@inner_kernel
def _gradient_square(
    gradients: Floats, hidden: NDArray[np.int64], replicate: int, rest_gradient: Floats
) -> float:
    """Return the square of the norm of one network's whole gradient."""
    total = sum_of_squares(rest_gradient)
    for layer in range(hidden.shape[0]):
        count = hidden[layer, UNITS] * hidden[layer, INPUTS]
        start = hidden[layer, WEIGHT] + replicate * count
        total += sum_of_squares(gradients[start : start + count])
    return total


@kernel
def evaluate(
    networks: Networks,
    form: Form,
    batches: Batches,
    scratch: Scratch,
    logits: Floats,
    start: int,
    stop: int,
) -> None:
    """Write the logits (replicates, classes, examples) of some replicates, in evaluation mode."""
    hidden = networks.hidden
    for replicate in range(start, stop):
        rest_start = networks.rest_start + replicate * networks.num_rest
        rest = networks.values[rest_start : rest_start + networks.num_rest]
        begin = 0
        for end in batches.ends:
            examples = end - begin
            inputs = _gathered(batches, replicate, begin, end, scratch.inputs)
            before = tile(scratch.outputs, 0, 0, 0)
            for layer in range(hidden.shape[0]):
                units, fan_in = hidden[layer, UNITS], hidden[layer, INPUTS]
                first, shift, scale = hidden[layer, UNITS_BEFORE], hidden[layer, SHIFT], hidden[layer, SCALE]
                signal = tile(scratch.outputs, first * examples, units, examples)
                weights_start = hidden[layer, WEIGHT] + replicate * units * fan_in
                weight = tile(networks.values, weights_start, units, fan_in)
                if layer == 0:
                    np.dot(weight, inputs.T, signal)
                else:
                    np.dot(weight, before, signal)
                if form.batch_norm:
                    running = first * networks.replicates + replicate * units
                    normalise_by_running(
                        signal,
                        rest[scale : scale + units],
                        rest[shift : shift + units],
                        networks.running_mean[running : running + units],
                        networks.running_variance[running : running + units],
                        form.norm_eps,
                    )
                else:
                    add_bias(signal, rest[shift : shift + units])
                flat = signal.reshape(-1)
                respond(form.activation, flat, scratch.slopes[: flat.size])
                if hidden[layer, HAS_SKIP] == 1:
                    factor = form.skip_factor
                    if hidden[layer, FACTOR] >= 0:
                        factor = rest[hidden[layer, FACTOR]]
                    add_skip(flat, before.reshape(-1), factor)
                before = signal
            made = tile(scratch.logits, 0, networks.classes, examples)
            np.dot(tile(rest, networks.output_weight, networks.classes, before.shape[0]), before, made)
            add_bias(made, rest[networks.output_bias : networks.output_bias + networks.classes])
            for label in range(networks.classes):
                copy(made[label], logits[replicate, label, begin:end])
            begin = end
