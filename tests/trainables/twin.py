"""The plain network that a replicate of a stack must equal: torch's own layers, autograd, one seed."""

import copy
import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from trainables.base.hyperparameters import Hyperparameters
from trainables.data.stack_data import StackData
from trainables.training import schedules
from trainables.training.loop import epoch_order
from trainables.training.stack import Stack

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


class Residual(nn.Module):
    """A block whose input is added to its branch."""

    def __init__(self, branch: nn.Module, kind: str, num_blocks: int) -> None:
        """Weigh the branch by 1, by 1/sqrt(num_blocks), or by a learnt factor that starts at 0."""
        super().__init__()
        self.branch = branch
        scale = {"plain": 1.0, "scaled": num_blocks**-0.5, "zero": 0.0}[kind]
        self.factor = nn.Parameter(torch.tensor(scale, dtype=torch.float64), requires_grad=kind == "zero")

    def forward(self, inputs: Tensor) -> Tensor:
        """Return h_l."""
        output: Tensor = inputs + self.factor * self.branch(inputs)
        return output


def plain_network(stack: Stack, replicate: int) -> nn.Sequential:
    """Return torch's own network of the same form, with that replicate's present weights.

    Its children are the hidden blocks, then the output layer.
    """
    hp, data = stack.hyperparameters, stack.data
    widths = (data.inputs.shape[1], *hp.widths)
    blocks: list[nn.Module] = []
    for index, (fan_in, fan_out) in enumerate(pairwise(widths)):
        layers: list[nn.Module] = [nn.Linear(fan_in, fan_out, bias=not hp.batch_norm)]
        if hp.batch_norm:
            layers.append(nn.BatchNorm1d(fan_out))
        block = nn.Sequential(*layers, ACTIVATIONS[hp.activation](), nn.Dropout(hp.dropout))
        has_skip = hp.residual != "none" and index > 0 and fan_in == fan_out
        blocks.append(Residual(block, hp.residual, hp.depth) if has_skip else block)
    network = nn.Sequential(*blocks, nn.Linear(widths[-1], data.num_classes)).to(data.inputs.dtype)
    values = stack.model.state_dict(replicate)
    with torch.no_grad():
        for name, parameter in named_as_in_stack(network).items():
            parameter.copy_(values.pop(name).view_as(parameter))
    assert all("running" in name for name in values)
    return network


def named_as_in_stack(network: nn.Sequential) -> dict[str, Tensor]:
    """Return the network's learnt parameters under the names that the stack gives them."""
    *blocks, output = network.children()
    named = {"output.weight": output.weight, "output.bias": output.bias}
    for index, block in enumerate(blocks):
        if isinstance(block, Residual):
            if block.factor.requires_grad:
                named[f"blocks.{index}.factor"] = block.factor
            block = block.branch
        for layer in block.children():
            if isinstance(layer, nn.BatchNorm1d):
                named |= {f"blocks.{index}.scale": layer.weight, f"blocks.{index}.shift": layer.bias}
            elif isinstance(layer, nn.Linear):
                named[f"blocks.{index}.weight"] = layer.weight
                if layer.bias is not None:
                    named[f"blocks.{index}.bias"] = layer.bias
    return named  # type: ignore[return-value]


def plain_optimizer(network: nn.Module, hp: Hyperparameters) -> torch.optim.Optimizer:
    """Return the stock optimizer over the network's own parameters."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    match hp.optimizer:
        case "sgd":
            return torch.optim.SGD(
                parameters, lr=hp.learning_rate, momentum=hp.momentum, weight_decay=hp.weight_decay
            )
        case "adam":
            return torch.optim.Adam(
                parameters, lr=hp.learning_rate, betas=hp.betas, eps=hp.eps, weight_decay=hp.weight_decay
            )
        case "adamw":
            return torch.optim.AdamW(
                parameters,
                lr=hp.learning_rate,
                betas=hp.betas,
                eps=hp.eps,
                weight_decay=hp.decoupled_weight_decay,
            )
    return torch.optim.RMSprop(
        parameters, lr=hp.learning_rate, alpha=hp.alpha, eps=hp.eps, weight_decay=hp.weight_decay
    )


def plain_scheduler(
    optimizer: torch.optim.Optimizer, hp: Hyperparameters, epochs: int
) -> Callable[[float], None]:
    """Return what is to be called after each epoch with the value of the monitor, NaN included."""
    match hp.schedule:
        case "exponential":
            exponential = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)
            return lambda value: exponential.step()
        case "cosine":
            cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs, eta_min=hp.min_lr)
            return lambda value: cosine.step()
        case "plateau":
            return torch.optim.lr_scheduler.ReduceLROnPlateau(
                optimizer,
                "min" if hp.monitor == "val_loss" else "max",
                factor=0.2,
                patience=schedules.PLATEAU_PATIENCE,
                min_lr=hp.min_lr,
            ).step
    return lambda value: None


def train_plain(
    network: nn.Sequential, hp: Hyperparameters, data: StackData, *, replicate: int, seed: int, epochs: int
) -> list[tuple[float, float, float, float]]:
    """Train as any course does it; return training loss and accuracy, validation loss and accuracy per epoch.

    With patience it stops as Keras does, and either way ends with its best weights.
    """
    optimizer = plain_optimizer(network, hp)
    end_epoch = plain_scheduler(optimizer, hp, epochs)
    criterion = nn.CrossEntropyLoss(label_smoothing=hp.label_smoothing)
    train, validation = data.train[replicate], data.validation[replicate]
    history: list[tuple[float, float, float, float]] = []
    best, best_epoch, best_state = math.nan, 0, network.state_dict()
    for epoch in range(1, epochs + 1):
        network.train()
        total, correct = 0.0, 0
        for rows in torch.split(train[epoch_order(seed, epoch, len(train))], hp.batch_size):
            optimizer.zero_grad()
            logits = network(data.inputs[rows])
            loss = criterion(logits, data.targets[rows])
            loss.backward()
            if hp.clip_norm is not None:
                nn.utils.clip_grad_norm_(network.parameters(), hp.clip_norm)
            optimizer.step()
            total += float(loss.detach()) * len(rows)
            correct += int((logits.argmax(1) == data.targets[rows]).sum())
        scores = plain_scores(network, data, validation)
        history.append((total / len(train), correct / len(train), *scores))
        value = scores[0] if hp.monitor == "val_loss" else scores[1]
        end_epoch(value)
        if epoch == 1 or (value < best if hp.monitor == "val_loss" else value > best):
            best, best_epoch, best_state = value, epoch, copy.deepcopy(network.state_dict())
        elif hp.patience is not None and epoch - best_epoch == hp.patience:
            break
    if hp.patience is not None:
        network.load_state_dict(best_state)
    return history


@torch.no_grad()
def plain_scores(network: nn.Module, data: StackData, rows: Tensor) -> tuple[float, float]:
    """Return log-loss and accuracy over `rows`."""
    network.eval()
    logits = network(data.inputs[rows])
    loss = nn.functional.cross_entropy(logits, data.targets[rows])
    return float(loss), float((logits.argmax(1) == data.targets[rows]).double().mean())
