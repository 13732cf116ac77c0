"""Learning rates are those of torch's own schedulers, for each replicate by itself."""

import dataclasses
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.trainables.rounding import SAME
from tests.trainables.twin import plain_network, plain_scheduler, train_plain
from trainables.base.hyperparameters import Hyperparameters
from trainables.data.stack_data import StackData
from trainables.training import schedules
from trainables.training.loop import train
from trainables.training.schedules import Schedule
from trainables.training.stack import Stack
from trainables.training.trained_epoch import Scores

pytestmark = pytest.mark.numeric

SEEDS = (11, 12, 13)
RATES = {"sgd": 0.3, "adam": 0.02, "rmsprop": 0.01, "adamw": 0.02}
EPOCHS = 10


@pytest.fixture
def data(digits: StackData) -> StackData:
    """A part of the digits, in double precision so that a rate that is a little off shows."""
    return dataclasses.replace(
        digits,
        inputs=digits.inputs.double(),
        train=digits.train[:, :150],
        validation=digits.validation[:, :60],
    )


def torchs_rates(hp: Hyperparameters, values: list[float]) -> list[float]:
    """Return the rate of each epoch by torch's scheduler, which hears `values` after them."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=hp.learning_rate)
    scheduler, rates = plain_scheduler(optimizer, hp, len(values)), []
    for value in values:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler(value)
    return rates


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": "constant"},
        {"schedule": "exponential"},
        {"schedule": "cosine"},
        {"schedule": "cosine", "min_lr": 0.004},
    ],
    ids=str,
)
@pytest.mark.parametrize("epochs", [1, 2, 18, 100])
def test_rates_that_all_share_are_torchs(changes: dict[str, Any], epochs: int) -> None:
    hp = Hyperparameters(learning_rate=0.01, **changes)
    found = [Schedule(hp, 2).rates(epoch, epochs) for epoch in range(1, epochs + 1)]
    assert [rates[0] for rates in found] == pytest.approx(torchs_rates(hp, [1.0] * epochs), rel=1e-9)
    assert all(rates[0] == rates[1] for rates in found)


@given(
    values=st.lists(st.sampled_from([0.3, 0.29999, 0.2, 0.5, 1.0, float("nan")]), max_size=60),
    monitor=st.sampled_from(["val_loss", "val_accuracy"]),
    min_lr=st.sampled_from([0.0, 1e-3, 0.01]),
)
def test_rates_on_a_plateau_are_torchs(values: list[float], monitor: str, min_lr: float) -> None:
    hp = Hyperparameters(learning_rate=0.01, schedule="plateau", monitor=monitor, min_lr=min_lr)
    schedule, found = Schedule(hp, 2), []
    for value in values:
        found.append(schedule.rates(1, 1))
        is_number = value == value
        known = value if is_number else None
        schedule.update([Scores(val_loss=known, val_accuracy=known), Scores(val_loss=0.5, val_accuracy=0.5)])
    assert [rates[0] for rates in found] == torchs_rates(hp, values)
    assert [rates[1] for rates in found] == torchs_rates(hp, [0.5] * len(values)), "its own"


def test_a_plateau_takes_effect_after_more_than_five_epochs_and_again() -> None:
    schedule, found = Schedule(Hyperparameters(learning_rate=1.0, schedule="plateau"), 1), []
    for _ in range(15):
        found += schedule.rates(1, 15)
        schedule.update([Scores(val_loss=0.5)])
    assert found == pytest.approx([1.0] * 7 + [0.2] * 6 + [0.04] * 2)


@pytest.mark.parametrize("schedule", ["exponential", "plateau", "cosine"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adamw"])
def test_replicates_equal_plain_networks_under_torchs_schedulers(
    data: StackData, monkeypatch: pytest.MonkeyPatch, optimizer: str, schedule: str
) -> None:
    monkeypatch.setattr(schedules, "PLATEAU_PATIENCE", 0)
    hp = Hyperparameters(
        depth=2,
        width=16,
        optimizer=optimizer,
        learning_rate=RATES[optimizer],
        weight_decay=0.0 if optimizer == "adamw" else 0.01,
        decoupled_weight_decay=0.5,
        clip_norm=1.0,
        schedule=schedule,
        min_lr=1e-3,
        batch_norm=schedule == "plateau",
        monitor="val_accuracy",
    )
    stack = Stack.make("mlp", hp, data, seeds=SEEDS)
    twins = [plain_network(stack, replicate) for replicate in range(len(SEEDS))]
    history = list(train(stack, epochs=EPOCHS))
    for replicate, (twin, seed) in enumerate(zip(twins, SEEDS, strict=True)):
        plain = train_plain(twin, hp, data, replicate=replicate, seed=seed, epochs=EPOCHS)
        for epoch, expected in zip(history, plain, strict=True):
            record = epoch[replicate]
            found = record.train_loss, record.train_accuracy, record.val_loss, record.val_accuracy
            assert found == pytest.approx(expected, rel=SAME)
    if schedule == "plateau":
        assert any(len({record.learning_rate for record in epoch}) > 1 for epoch in history), "all the same"


def test_records_name_the_rate_of_their_epoch(data: StackData) -> None:
    stack = Stack.make("mlp", Hyperparameters(learning_rate=0.01, schedule="exponential"), data, seeds=SEEDS)
    history = list(train(stack, epochs=3, layers_at=(0,)))
    assert [[record.learning_rate for record in epoch] for epoch in history] == [
        [None] * 3,
        [0.01] * 3,
        [0.01 * 0.95] * 3,
        [0.01 * 0.95**2] * 3,
    ]


def test_a_replicate_whose_rate_falls_leaves_the_others_as_they_were(data: StackData) -> None:
    hp = Hyperparameters(depth=2, width=16, optimizer="adam", schedule="plateau", dropout=0.3)
    undisturbed, stack = (Stack.make("mlp", hp, data, seeds=SEEDS) for _ in range(2))
    stack.schedule.plateaus[1] = dataclasses.replace(stack.schedule.plateaus[1], rate=1e-5)
    for whole, cut in zip(train(undisturbed, epochs=2), train(stack, epochs=2), strict=True):
        assert [cut[0], cut[2]] == [whole[0], whole[2]]
        assert cut[1].train_loss != whole[1].train_loss


def test_an_unknown_schedule_lists_the_known() -> None:
    with pytest.raises(
        ValueError, match=r"unknown schedule 'linear' .*constant, exponential, plateau, cosine"
    ):
        Schedule(Hyperparameters(schedule="linear"), 1)
