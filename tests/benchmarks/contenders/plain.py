"""A network as one writes it for a single run: torch.nn.Sequential and a stock optimizer."""

from typing import Any

import torch
from torch import Tensor, nn

from tests.benchmarks.contenders.networks import WIDTH
from trainables import datasets
from trainables.data.splits import split_block

Parts = tuple[Tensor, Tensor, Tensor, Tensor]
"""Inputs and targets of the training part, then of the validation part."""


def load_parts() -> Parts:
    """Return the training and validation part of the digits, split as the first block of a study."""
    digits = datasets.load("digits")
    split = split_block(digits.targets, seed=0, block=0)
    inputs, targets = torch.from_numpy(digits.inputs), torch.from_numpy(digits.targets)
    return inputs[split.train], targets[split.train], inputs[split.validation], targets[split.validation]


def build_network(config: dict[str, Any]) -> nn.Sequential:
    """Return a perceptron of `config["depth"]` hidden layers: Linear, batch norm if wanted, ReLU, Dropout."""
    layers: list[nn.Module] = []
    width = 64  # pixels
    for _ in range(config["depth"]):
        layers.append(nn.Linear(width, WIDTH, bias=not config["batch_norm"]))
        if config["batch_norm"]:
            layers.append(nn.BatchNorm1d(WIDTH))
        layers += [nn.ReLU(), nn.Dropout(config["dropout"])]
        width = WIDTH
    return nn.Sequential(*layers, nn.Linear(width, 10))


def build_optimizer(config: dict[str, Any], network: nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer that `config` names, with its defaults."""
    rate = config["learning_rate"]
    match config["optimizer"]:
        case "sgd":
            return torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9)
        case "adam":
            return torch.optim.Adam(network.parameters(), lr=rate)
    return torch.optim.RMSprop(network.parameters(), lr=rate)


def suggest(trial: Any) -> dict[str, Any]:
    """Have Optuna fill in a configuration, as a define-by-run search space; the rates' range goes by the optimizer."""
    optimizer = trial.suggest_categorical("optimizer", ["sgd", "adam", "rmsprop"])
    low, high = (3e-3, 0.5) if optimizer == "sgd" else (3e-4, 3e-2)
    return {
        "optimizer": optimizer,
        "depth": trial.suggest_categorical("depth", [3, 5, 7]),
        "dropout": trial.suggest_categorical("dropout", [0.1, 0.3, 0.5]),
        "batch_norm": trial.suggest_categorical("batch_norm", [False, True]),
        "learning_rate": trial.suggest_float("learning_rate", low, high, log=True),
    }
