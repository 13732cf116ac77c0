"""Gradient signals at initialisation, as the tests of theory and of verdicts need them."""

import dataclasses
import math

import torch

from trainables.base.hyperparameters import Hyperparameters
from trainables.base.records import EpochRecord, LayerRecord
from trainables.data.stack_data import StackData
from trainables.training.loop import train
from trainables.training.stack import Stack

SEEDS = (1, 2, 3, 4)


def with_replicates(data: StackData, replicates: int) -> StackData:
    """Return the data for another number of replicates, all of them with the first one's rows."""
    rows = {
        part: getattr(data, part)[:1].expand(replicates, -1).contiguous()
        for part in ("train", "validation", "test")
    }
    return dataclasses.replace(data, **rows)


def in_float64(data: StackData) -> StackData:
    """Return the data on which a stack computes in float64."""
    return dataclasses.replace(data, inputs=data.inputs.double())


def make_stack(hp: Hyperparameters, data: StackData) -> Stack:
    """Return a stack of four networks that differ in their weights and order alone."""
    return Stack.make("mlp", hp, with_replicates(data, len(SEEDS)), seeds=SEEDS)


def at_initialisation(hp: Hyperparameters, data: StackData) -> list[EpochRecord]:
    """Return what is measured before the first step."""
    return next(train(make_stack(hp, data), epochs=0, layers_at=[0]))


def growth(layers: tuple[LayerRecord, ...]) -> float:
    """Naive growth per block: exp of minus the slope of ln delta_rms over layers."""
    xs = torch.tensor([float(layer.layer) for layer in layers])
    ys = torch.tensor([math.log(layer.delta_rms) for layer in layers])
    slope = ((xs - xs.mean()) * (ys - ys.mean())).sum() / (xs - xs.mean()).square().sum()
    return math.exp(-float(slope))


def mean_growth(hp: Hyperparameters, data: StackData) -> float:
    """Return the geometric mean over four networks of the growth at initialisation."""
    logs = [math.log(growth(record.layers)) for record in at_initialisation(hp, data)]
    return math.exp(math.fsum(logs) / len(logs))


def mean_weight_ratio(hp: Hyperparameters, data: StackData) -> float:
    """Return the mean ratio of the weight gradients' norms, second hidden layer over last: equal shapes."""
    ratios = [record.layers[1].grad_l2 / record.layers[-1].grad_l2 for record in at_initialisation(hp, data)]
    return math.fsum(ratios) / len(ratios)
