"""Small modules that are exported in tests: trained a little on real digits, and of every form that Studies has."""

from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from trainables import datasets
from trainables.base.hyperparameters import Hyperparameters
from trainables.data.splits import split_block
from trainables.models.cnn import build_module
from trainables.use.exported.records import Examples, Subject


class Residual(nn.Module):
    """A block whose input is added to its branch, times a learnt factor."""

    def __init__(self, branch: nn.Module) -> None:
        """Start with a factor of one half."""
        super().__init__()
        self.branch, self.factor = branch, nn.Parameter(torch.tensor(0.5))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return h_l."""
        output: Tensor = inputs + self.factor * self.branch(inputs)
        return output


class Preprocessed(nn.Module):
    """Scaling, filling of missing values, logarithm and length as a module for tables and texts has them."""

    def __init__(self, network: nn.Module) -> None:
        """Take means and fills that missing values need."""
        super().__init__()
        self.network = network
        self.mean = nn.Parameter(torch.linspace(-0.1, 0.1, 64), requires_grad=False)
        self.fill = nn.Parameter(torch.linspace(0, 1, 64), requires_grad=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits for inputs that may miss values."""
        values = torch.where(torch.isnan(inputs), self.fill, inputs - self.mean)
        values = torch.where(values > 0, 1 + torch.log(values.clamp(min=1e-3)), torch.zeros_like(values))
        length = torch.linalg.vector_norm(values, dim=1, keepdim=True)
        values = torch.where(length > 1e-6, values / length, torch.zeros_like(values))
        logits: Tensor = self.network(values)
        return logits


def mlp(batch_norm: bool = True) -> nn.Sequential:
    """Return a plain network of two hidden layers for digits."""
    layers: list[nn.Module] = []
    for before, after in ((64, 32), (32, 32)):
        layers += [nn.Linear(before, after, bias=not batch_norm)]
        layers += [nn.BatchNorm1d(after)] if batch_norm else []
        layers += [nn.ReLU(), nn.Dropout(0.1)]
    return nn.Sequential(*layers, nn.Linear(32, 10))


def _residual() -> nn.Module:
    branch = nn.Sequential(nn.Linear(32, 32, bias=False), nn.BatchNorm1d(32), nn.ReLU())
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), Residual(branch), nn.Linear(32, 10))


def _cnn() -> nn.Module:
    return build_module(Hyperparameters(depth=2, width=8, batch_norm=True, dropout=0.2), (8, 8), 10)


FORMS = {
    "mlp": mlp,
    "without_norm": lambda: mlp(batch_norm=False),
    "residual": _residual,
    "preprocessed": lambda: Preprocessed(mlp()),
    "cnn": _cnn,
}


@cache
def subject(form: str, *, temperature: float = 1.0) -> Subject:
    """Return a module of this form with real test and validation examples, trained for some epochs."""
    data = datasets.load("digits")
    split = split_block(data.targets, seed=0, block=0)
    inputs = data.inputs.reshape(-1, 8, 8) if form == "cnn" else data.inputs.copy()
    if form == "preprocessed":
        inputs[np.arange(0, len(inputs), 3), np.arange(0, len(inputs), 3) % 64] = np.nan
    with torch.random.fork_rng():
        torch.manual_seed(1)
        module = FORMS[form]()
        _train(module, torch.from_numpy(inputs[split.train]), torch.from_numpy(data.targets[split.train]))
    return Subject(
        module=module.eval(),
        study="digits_study",
        classes=data.classes,
        kind="image" if form == "cnn" else "table",
        feature_names=() if form == "cnn" else tuple(f"pixel {number}" for number in range(64)),
        temperature=temperature,
        test=Examples(inputs=inputs[split.test], targets=data.targets[split.test]),
        validation=Examples(inputs=inputs[split.validation], targets=data.targets[split.validation]),
    )


def _train(module: nn.Module, inputs: Tensor, targets: Tensor) -> None:
    optimizer = torch.optim.Adam(module.parameters(), lr=3e-3)
    for _ in range(8):
        for rows in torch.split(torch.randperm(len(inputs)), 64):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(module(inputs[rows]), targets[rows])
            torch.autograd.backward(loss)
            optimizer.step()
