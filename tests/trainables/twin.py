"""The plain network that a replicate of a stack must equal: torch's own layers, autograd, one seed."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from trainables.hyperparameters import Hyperparameters
from trainables.training import Stack, StackData, epoch_order

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def plain_network(stack: Stack, replicate: int) -> nn.Sequential:
    """Return torch's own network of the same form, with that replicate's present weights."""
    hp, data = stack.hyperparameters, stack.data
    widths = (data.inputs.shape[1], *hp.widths)
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers.append(nn.Linear(fan_in, fan_out, bias=not hp.batch_norm))
        if hp.batch_norm:
            layers.append(nn.BatchNorm1d(fan_out))
        layers += [ACTIVATIONS[hp.activation](), nn.Dropout(hp.dropout)]
    network = nn.Sequential(*layers, nn.Linear(widths[-1], data.num_classes))
    state = list(stack.model.state_dict(replicate).items())
    linears = [layer for layer in network if isinstance(layer, nn.Linear)]
    norms = [layer for layer in network if isinstance(layer, nn.BatchNorm1d)]
    values = dict(state)
    with torch.no_grad():
        for index, linear in enumerate(linears):
            name = f"blocks.{index}" if index < len(linears) - 1 else "output"
            linear.weight.copy_(values[f"{name}.weight"])
            if linear.bias is not None:
                linear.bias.copy_(values[f"{name}.bias"])
        for index, norm in enumerate(norms):
            norm.weight.copy_(values[f"blocks.{index}.scale"])
            norm.bias.copy_(values[f"blocks.{index}.shift"])
    return network


def plain_optimizer(network: nn.Module, hp: Hyperparameters) -> torch.optim.Optimizer:
    """Return the stock optimizer over the network's own parameters."""
    parameters = network.parameters()
    match hp.optimizer:
        case "sgd":
            return torch.optim.SGD(
                parameters, lr=hp.learning_rate, momentum=hp.momentum, weight_decay=hp.weight_decay
            )
        case "adam":
            return torch.optim.Adam(
                parameters, lr=hp.learning_rate, betas=hp.betas, eps=hp.eps, weight_decay=hp.weight_decay
            )
    return torch.optim.RMSprop(
        parameters, lr=hp.learning_rate, alpha=hp.alpha, eps=hp.eps, weight_decay=hp.weight_decay
    )


def train_plain(
    network: nn.Sequential, hp: Hyperparameters, data: StackData, *, replicate: int, seed: int, epochs: int
) -> list[tuple[float, float, float, float]]:
    """Train as any course does it; return training loss and accuracy, validation loss and accuracy per epoch."""
    optimizer = plain_optimizer(network, hp)
    criterion = nn.CrossEntropyLoss(label_smoothing=hp.label_smoothing)
    train, validation = data.train[replicate], data.validation[replicate]
    history = []
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
        history.append((total / len(train), correct / len(train), *plain_scores(network, data, validation)))
    return history


@torch.no_grad()
def plain_scores(network: nn.Module, data: StackData, rows: Tensor) -> tuple[float, float]:
    """Return log-loss and accuracy over `rows`."""
    network.eval()
    logits = network(data.inputs[rows])
    loss = nn.functional.cross_entropy(logits, data.targets[rows])
    return float(loss), float((logits.argmax(1) == data.targets[rows]).float().mean())
