"""Training loops as users write them, and data for them."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch import nn

from tests.trainables.small import ASSIGNMENT, trial_spec
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.metrics import Direction, Metric
from trainables.data.dataset import Dataset
from trainables.data.splits import split_blocks
from trainables.data.stack_data import StackData
from trainables.trials.trial_spec import TrialSpec
from trainables.user_code.loop import LoopData, Part
from trainables.watch import watch

RMSE = Metric(name="rmse", direction=Direction.MIN, unit="points", failure=80.0, primary=True)
R2 = Metric(name="r2", direction=Direction.MAX, failure=0.0)

Row = dict[str, Any]


@cache
def diabetes() -> Dataset:
    """Return scikit-learn's diabetes data: the progression of 442 patients, from 10 measurements."""
    inputs, targets = load_diabetes(return_X_y=True)
    return Dataset(
        name="diabetes",
        about="progression of a disease after a year",
        licence="BSD-3-Clause",
        inputs=inputs.astype(np.float32),
        targets=targets,
        classes=(),
        groups=np.arange(inputs.shape[1]),
    )


@cache
def regression_data() -> StackData:
    """Return it on the CPU, for the blocks of the small assignment."""
    splits = split_blocks(diabetes(), seed=0, blocks=ASSIGNMENT.blocks)
    return StackData.make(
        diabetes(), [splits[None, block] for block in ASSIGNMENT.blocks], torch.device("cpu")
    )


def regression_task(**changes: Any) -> TrialSpec:
    """Return a small assignment with the metrics of a regression."""
    return trial_spec(objective="val_rmse", metrics=(RMSE, R2), model="own", **changes)


def scores(name: str, truth: Any, found: Any) -> Row:
    """Return both metrics of one part."""
    residual = float(np.mean((truth - found) ** 2))
    return {f"{name}_rmse": residual**0.5, f"{name}_r2": 1 - residual / float(np.var(truth))}


def closed_form(train: Part, other: Part, *, decay: float) -> Row:
    """Return what ridge regression scores on another part, from its normal equations."""
    design, mean = train.inputs.astype(float), float(train.targets.mean())
    gram = design.T @ design + decay * len(train) * np.eye(design.shape[1])
    weights = np.linalg.solve(gram, design.T @ (train.targets - mean))
    return scores("val", other.targets, other.inputs @ weights + mean)


def descend(hyperparameters: Hyperparameters, data: LoopData, seed: int) -> Iterator[Row]:
    """Ridge regression by gradient descent, from a random start."""
    mean = data.train.targets.mean()
    weights = np.random.default_rng(seed).normal(size=data.train.inputs.shape[1])
    for _ in range(data.epochs):
        for _ in range(100):
            residual = data.train.inputs @ weights + mean - data.train.targets
            slope = data.train.inputs.T @ residual / len(data.train)
            weights -= hyperparameters.learning_rate * (slope + hyperparameters.weight_decay * weights)
        row = scores("val", data.validation.targets, data.validation.inputs @ weights + mean)
        if data.test is not None:
            row |= scores("test", data.test.targets, data.test.inputs @ weights + mean)
        yield row | {"learning_rate": hyperparameters.learning_rate}


class Collator:
    """Puts examples together to a batch of tokens: a token is a place and what stands there."""

    def __call__(self, examples: list[tuple[Any, Any]]) -> dict[str, torch.Tensor]:
        inputs, labels = zip(*examples, strict=True)
        tokens = torch.tensor(np.stack(inputs)).mul(16).round().long()
        return {"input_ids": tokens + 17 * torch.arange(64), "labels": torch.tensor(np.stack(labels))}


class Classifier(nn.Module):
    """A model as a library of pretrained ones has it: it is called by keywords and returns its loss with the logits."""

    def __init__(self, width: int, num_labels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(17 * 64, width)
        self.encoder = nn.Linear(width, width)
        self.activation = nn.ReLU()
        self.dropout = nn.Dropout(0.1)
        self.classifier = nn.Linear(width, num_labels)

    def forward(self, input_ids: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        hidden = self.dropout(self.activation(self.encoder(self.embedding(input_ids).sum(1) / 8)))
        logits = self.classifier(hidden)
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


class Trainer:
    """A training loop with collator, optimizer and warm-up, in the shape that users of such libraries know."""

    def __init__(self, model: nn.Module, collator: Collator, data: LoopData, args: Hyperparameters) -> None:
        self.model, self.collator, self.data, self.args = model, collator, data, args
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=args.learning_rate)
        steps = data.epochs * -(-len(data.train) // args.batch_size)
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: min((step + 1) / (0.1 * steps), (steps - step) / (0.9 * steps))
        )

    def batches(self, part: Part, *, shuffle: bool) -> Iterator[dict[str, torch.Tensor]]:
        examples = list(zip(part.inputs, part.targets, strict=True))
        loader: Any = torch.utils.data.DataLoader(
            examples,  # type: ignore[arg-type]  # a list is a dataset, too
            batch_size=self.args.batch_size,
            shuffle=shuffle,
            collate_fn=self.collator,
        )
        yield from loader

    def train_epoch(self) -> float:
        self.model.train()
        total = 0.0
        for batch in self.batches(self.data.train, shuffle=True):
            self.optimizer.zero_grad()
            loss = self.model(**batch)["loss"]
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()
            self.scheduler.step()
            total += float(loss.detach()) * len(batch["labels"])
        return total / len(self.data.train)

    @torch.no_grad()
    def evaluate(self, part: Part, prefix: str) -> Row:
        self.model.eval()
        loss, right = 0.0, 0
        for batch in self.batches(part, shuffle=False):
            said = self.model(**batch)
            loss += float(said["loss"]) * len(batch["labels"])
            right += int((said["logits"].argmax(-1) == batch["labels"]).sum())
        return {f"{prefix}_loss": loss / len(part), f"{prefix}_accuracy": right / len(part)}


def fine_tune(
    hyperparameters: Hyperparameters, data: LoopData, seed: int, state: Row | None = None
) -> Iterator[Row]:
    """Train a classifier of tokens with the trainer, watch its gradients, and go on from a checkpoint."""
    if state is None:
        torch.manual_seed(seed)
    model = Classifier(hyperparameters.width, len(data.classes))  # type: ignore[arg-type]
    trainer = Trainer(model, Collator(), data, hyperparameters)
    done = 0
    if state is not None:
        done = state["epoch"]
        model.load_state_dict(state["model"])
        trainer.optimizer.load_state_dict(state["optimizer"])
        trainer.scheduler.load_state_dict(state["scheduler"])
    with watch(model, trainer.optimizer, clip_norm=1.0) as watched:
        for epoch in range(done + 1, data.epochs + 1):
            row: Row = {"train_loss": trainer.train_epoch(), **trainer.evaluate(data.validation, "val")}
            if data.test is not None:
                row |= trainer.evaluate(data.test, "test")
            row["learning_rate"] = trainer.scheduler.get_last_lr()[0]
            row["gradients"] = watched.end_epoch()
            row["weights"] = model.state_dict()
            row["checkpoint"] = {
                "epoch": epoch,
                "model": {name: value.clone() for name, value in model.state_dict().items()},
                "optimizer": trainer.optimizer.state_dict(),
                "scheduler": trainer.scheduler.state_dict(),
            }
            yield row
