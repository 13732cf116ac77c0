"""Loops that draw random numbers go on from a checkpoint as if nothing had happened, however they are written."""

import itertools
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.trainables.loops import Row, regression_data, regression_task, scores
from tests.trainables.small import train_in_peace
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.records import NoteKind, TrialReport
from trainables.trials.loop_resuming import ResumeMismatch, find_resume_mismatch
from trainables.user_code.loop import Loop, LoopData

State = dict[str, Any] | None


def reports(loop: Loop, checkpoint: bytes | None = None) -> list[TrialReport]:
    """Return all reports of a trial of three epochs, with a checkpoint after the first."""
    task = regression_task()
    return list(
        train_in_peace(
            task,
            regression_data(),
            worker="here:1",
            loop=loop,
            checkpoint=checkpoint,
            seconds_between_checkpoints=0,
        )
    )


def drawn() -> Row:
    """Draw from each of the global generators, by a permutation, a shuffle and a normal number kept for later."""
    order = [1, 2, 3, 4, 5]
    random.shuffle(order)
    return {
        "python": order[0] + random.gauss(0, 1),
        "numpy": float(np.random.permutation(5)[0] + np.random.normal()),
        "torch": float(torch.rand(())),
    }


def row(**numbers: Any) -> Row:
    return {"val_rmse": 1.0, "val_r2": 0.0, **numbers}


class Network:
    """A network with dropout, built anew from random weights, and batches in a random order."""

    def __init__(self, data: LoopData, state: State) -> None:
        self.model = nn.Sequential(nn.Linear(10, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1))
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.01)
        inputs, targets = torch.tensor(data.train.inputs), torch.tensor(data.train.targets).float()
        examples = torch.utils.data.TensorDataset(inputs, targets)
        self.batches = torch.utils.data.DataLoader(examples, batch_size=50, shuffle=True)
        if state is not None:
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])

    def train_epoch(self, data: LoopData) -> Row:
        self.model.train()
        for inputs, targets in self.batches:
            self.optimizer.zero_grad()
            nn.functional.mse_loss(self.model(inputs)[:, 0], targets / 100).backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
        self.model.eval()
        found = self.model(torch.tensor(data.validation.inputs)).detach()[:, 0].numpy() * 100
        return scores("val", data.validation.targets, found)

    def state(self, epoch: int) -> Row:
        return {
            "epoch": epoch,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }


def plain(hyperparameters: Hyperparameters, data: LoopData, seed: int, state: State = None) -> Iterator[Row]:
    """As one writes it: noise and weights first, then the epochs."""
    noise = float(np.random.normal())
    network = Network(data, state)
    start = 0 if state is None else state["epoch"]
    for epoch in range(start, data.epochs):
        yield {
            **network.train_epoch(data),
            **drawn(),
            "noise": noise,
            "checkpoint": network.state(epoch + 1),
        }


def seeding(
    hyperparameters: Hyperparameters, data: LoopData, seed: int, state: State = None
) -> Iterator[Row]:
    """Seeds everything itself, as README's readers have learnt to."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    yield from plain(hyperparameters, data, seed, state)


def often(hyperparameters: Hyperparameters, data: LoopData, seed: int, state: State = None) -> Iterator[Row]:
    """Reads data.epochs for a schedule, draws, begins its epochs, and reads it again in each."""
    total = data.epochs
    network = Network(data, state)
    for epoch in range(0 if state is None else state["epoch"], data.epochs):
        numbers = drawn()
        is_last = epoch + 1 == data.epochs
        yield {
            **network.train_epoch(data),
            **numbers,
            "left": (total - epoch) * (1 + is_last),
            "checkpoint": network.state(epoch + 1),
        }


def counting(
    hyperparameters: Hyperparameters, data: LoopData, seed: int, state: State = None
) -> Iterator[Row]:
    """Counts by itself."""
    network, epoch = Network(data, state), 0 if state is None else state["epoch"]
    while epoch < data.epochs:
        epoch += 1
        yield {**network.train_epoch(data), **drawn(), "checkpoint": network.state(epoch)}


class Fit:
    """A loop that is a method, wrapped by a generator that changes its rows."""

    def __init__(self, data: LoopData, state: State) -> None:
        self.data, self.network = data, Network(data, state)
        self.epoch = 0 if state is None else state["epoch"]

    def rows(self) -> Iterator[Row]:
        for epoch in range(self.epoch, self.data.epochs):
            yield {
                **self.network.train_epoch(self.data),
                **drawn(),
                "checkpoint": self.network.state(epoch + 1),
            }


def wrapped(
    hyperparameters: Hyperparameters, data: LoopData, seed: int, state: State = None
) -> Iterator[Row]:
    for each in Fit(data, state).rows():
        yield {**each, "more": 1.0}


class AnIterator:
    """No generator at all."""

    def __init__(
        self, hyperparameters: Hyperparameters, data: LoopData, seed: int, state: State = None
    ) -> None:
        self.data, self.network = data, Network(data, state)
        self.epochs = iter(range(0 if state is None else state["epoch"], data.epochs))

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        epoch = next(self.epochs)
        return {
            **self.network.train_epoch(self.data),
            **drawn(),
            "checkpoint": self.network.state(epoch + 1),
        }


def without_draws(
    hyperparameters: Hyperparameters, data: LoopData, seed: int, state: State = None
) -> Iterator[Row]:
    """Never reads data.epochs, and draws nothing."""
    for epoch in itertools.count(0 if state is None else state["epoch"]):
        yield row(place=float(epoch), checkpoint={"epoch": epoch + 1})


EXACT: list[Loop] = [plain, seeding, often, counting, wrapped, AnIterator, without_draws]


def early(hyperparameters: Hyperparameters, data: LoopData, seed: int, state: State = None) -> Iterator[Row]:
    """Reads data.epochs before it has drawn what it sets up."""
    total = data.epochs
    network = Network(data, state)
    for epoch in range(0 if state is None else state["epoch"], total):
        yield {**network.train_epoch(data), **drawn(), "checkpoint": network.state(epoch + 1)}


def never(hyperparameters: Hyperparameters, data: LoopData, seed: int, state: State = None) -> Iterator[Row]:
    """Never reads data.epochs."""
    for epoch in itertools.count(0 if state is None else state["epoch"]):
        yield row(**drawn(), checkpoint={"epoch": epoch + 1})


def late(hyperparameters: Hyperparameters, data: LoopData, seed: int, state: State = None) -> Iterator[Row]:
    """Draws between a yield and the next epoch."""
    for epoch in range(0 if state is None else state["epoch"], data.epochs):
        yield row(**drawn(), checkpoint={"epoch": epoch + 1})
        drawn()


def forgetful(
    hyperparameters: Hyperparameters, data: LoopData, seed: int, state: State = None
) -> Iterator[Row]:
    """Has a generator of its own, which its checkpoint lacks."""
    own = np.random.default_rng(seed)
    for epoch in range(0 if state is None else state["epoch"], data.epochs):
        yield row(own=float(own.random()), checkpoint={"epoch": epoch + 1})


def wrong(hyperparameters: Hyperparameters, data: LoopData, seed: int, state: State = None) -> Iterator[Row]:
    """Asks its state for what it never put there."""
    for epoch in range(0 if state is None else state["epochs"], data.epochs):
        yield row(**drawn(), checkpoint={"epoch": epoch + 1})


FLAWED: dict[str, tuple[Loop, str]] = {
    "reads data.epochs early": (early, "its random numbers are not those of a run in one go"),
    "never reads data.epochs": (
        never,
        "read that after everything else is set up, as in `for epoch in range(",
    ),
    "draws after yield": (late, "draw no random number between a yield and the next epoch"),
    "an own generator": (forgetful, "in epoch 2, the one after its checkpoint, own is 0."),
    "a wrong key": (wrong, "from the checkpoint of epoch 1 it raises KeyError: 'epochs' (line "),
}


@pytest.mark.parametrize("loop", EXACT, ids=lambda loop: loop.__name__)
def test_a_loop_goes_on_to_the_same_numbers_bit_for_bit(loop: Loop) -> None:
    whole = reports(loop)
    (rest,) = reports(loop, whole[0].checkpoint)
    assert rest.notes == ()
    assert repr(rest.epochs) == repr(whole[1].epochs)
    assert repr(rest.replicates) == repr(whole[1].replicates)


@pytest.mark.parametrize("kind", FLAWED)
def test_one_that_would_go_on_to_other_numbers_starts_over_and_says_why(kind: str) -> None:
    loop, why = FLAWED[kind]
    whole = reports(loop)
    again = reports(loop, whole[0].checkpoint)
    (note,) = again[0].notes
    assert note.kind is NoteKind.CHECKPOINT_REFUSED
    assert note.text.startswith("started over, because its numbers would be others: ")
    assert why in note.text
    assert [repr(each.epochs) for each in again] == [repr(each.epochs) for each in whole]


def test_one_that_never_comes_to_the_same_numbers_goes_on() -> None:
    generator = np.random.default_rng()

    def unrepeatable(
        hyperparameters: Hyperparameters, data: LoopData, seed: int, state: State = None
    ) -> Iterator[Row]:
        for epoch in range(0 if state is None else state["epoch"], data.epochs):
            yield row(unlike=float(generator.random()), checkpoint={"epoch": epoch + 1})

    mismatch = find_resume_mismatch(unrepeatable, regression_task(), regression_data())
    assert isinstance(mismatch, ResumeMismatch)
    assert not mismatch.is_repeatable
    whole = reports(unrepeatable)
    (rest,) = reports(unrepeatable, whole[0].checkpoint)
    assert (rest.epoch, rest.notes) == (3, ())


def test_it_is_tried_on_all_examples_where_few_do_not_serve() -> None:
    seen = list[int]()

    def demanding(
        hyperparameters: Hyperparameters, data: LoopData, seed: int, state: State = None
    ) -> Iterator[Row]:
        seen.append(len(data.train))
        if len(data.train) < 250:
            raise ValueError("too few")
        yield from plain(hyperparameters, data, seed, state)

    assert find_resume_mismatch(demanding, regression_task(), regression_data()) is None
    assert seen == [132, 264, 264]


def test_the_seed_is_one_that_every_library_takes() -> None:
    seeds = list[int]()

    def loop(hyperparameters: Hyperparameters, data: LoopData, seed: int) -> Iterator[Row]:
        np.random.seed(seed)
        seeds.append(seed)
        for _ in range(data.epochs):
            yield row()

    task = regression_task(seeds=(2**63 - 1, 2**32, 7))
    list(train_in_peace(task, regression_data(), worker="here:1", loop=loop))
    assert seeds == [2**32 - 1, 0, 7]


def test_the_loop_that_is_tried_draws_from_generators_of_its_own() -> None:
    def states() -> list[str]:
        return [repr(random.getstate()), repr(np.random.get_state()), repr(torch.get_rng_state().tolist())]

    before = states()
    assert find_resume_mismatch(plain, regression_task(), regression_data()) is None
    assert states() == before
