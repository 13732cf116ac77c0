"""A study whose networks are trained by a user's loop that draws random numbers of every kind in every epoch."""

SOURCE = '''"""Does dropout help a regression? Trained by a loop that draws from torch, NumPy and Python."""

import random

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch import nn

from studies.study import Confirm, Metric, Search, Study


def load():
    inputs, targets = load_diabetes(return_X_y=True)
    return {"inputs": inputs[:200], "targets": targets[:200], "scale": True}


def train(hyperparameters, data, seed, state=None):
    noise = np.random.normal(size=3)
    model = nn.Sequential(
        nn.Linear(10, 8), nn.ReLU(), nn.Dropout(hyperparameters.dropout_rate), nn.Linear(8, 1)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=hyperparameters.learning_rate)
    inputs, targets = torch.tensor(data.train.inputs), torch.tensor(data.train.targets).float()
    examples = torch.utils.data.TensorDataset(inputs, targets)
    batches = torch.utils.data.DataLoader(examples, batch_size=20, shuffle=True)
    start = 0
    if state is not None:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        start = state["epoch"]

    def score(part):
        model.eval()
        found = model(torch.tensor(part.inputs)).detach()[:, 0].numpy() * 100
        model.train()
        return float(np.mean((part.targets - found) ** 2)) ** 0.5

    for epoch in range(start, data.epochs):
        for batch, wanted in batches:
            optimizer.zero_grad()
            nn.functional.mse_loss(model(batch)[:, 0], wanted / 100).backward()
            optimizer.step()
        order = list(range(1000))
        random.shuffle(order)
        row = {
            "val_RMSE": score(data.validation),
            "noise": noise[0],
            "numpy": np.random.permutation(1000)[0] + np.random.normal(),
            "python": order[0] + random.gauss(0, 1),
            "torch": torch.randn(()),
        }
        if data.test is not None:
            row["test_RMSE"] = score(data.test)
        row["checkpoint"] = {
            "epoch": epoch + 1,
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
        }
        yield row


STUDY = Study(
    question="Does dropout help?",
    metrics=(Metric(name="RMSE", direction="min", unit="points", failure=300),),
    hyperparameters={"dropout_rate": 0.1},
    factors={"dropout_rate": (0.0, 0.3)},
    nuisances={"learning_rate": {"low": 0.001, "high": 0.1, "log": True}},
    replicates=2,
    search=Search(trials_per_cell=3, rungs=(2, 6)),
    confirm=Confirm(epochs=6),
)
'''
NUM_MOMENTS = 120
"""About half of what an undisturbed driver goes through."""
