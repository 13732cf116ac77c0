"""Stock torch optimizers over a stack's flat parameters: their updates are elementwise, so replicates never mix."""

import torch

from trainables.base.hyperparameters import Hyperparameters
from trainables.networks.parameters import FlatParameters


def build_optimizer(hyperparameters: Hyperparameters, parameters: FlatParameters) -> torch.optim.Optimizer:
    """Return the optimizer that `hyperparameters` name; raise ValueError for an unknown name."""
    hp = hyperparameters
    flat = parameters.values
    flat.grad = parameters.gradients
    # A CUDA graph can hold an update only if the count of steps lives on the device, too.
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
