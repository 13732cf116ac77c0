"""A replicate that improves no more stops by itself, gets its best weights back and disturbs nobody."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.trainables.rounding import SAME
from tests.trainables.small import train_in_peace, trial_spec, values
from tests.trainables.twin import named_as_in_stack, plain_network, plain_scores, train_plain
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.records import EpochRecord, Outcome, TrialReport
from trainables.data.stack_data import StackData
from trainables.training import schedules
from trainables.training.early_stopping import NO_SCORES, Watched
from trainables.training.evaluation import evaluate
from trainables.training.loop import train, train_epochs
from trainables.training.stack import Stack
from trainables.training.trained_epoch import Scores
from trainables.training.training_step import Recorder
from trainables.trials.artifact import from_bytes

pytestmark = pytest.mark.numeric

SEEDS = (11, 12, 13)
EPOCHS = 12
WILD: dict[str, Any] = {
    "depth": 2,
    "width": 16,
    "batch_norm": True,
    "optimizer": "adam",
    "learning_rate": 0.05,
    "batch_size": 32,
}


@pytest.fixture
def data(digits: StackData) -> StackData:
    """A part of the digits, in double precision so that a plain twin stops at the same epochs."""
    return dataclasses.replace(
        digits,
        inputs=digits.inputs.double(),
        train=digits.train[:, :200],
        validation=digits.validation[:, :60],
        test=digits.test[:, :60],
    )


def make(data: StackData, **changes: Any) -> Stack:
    return Stack.make("mlp", Hyperparameters(**{**WILD, "patience": 2, **changes}), data, seeds=SEEDS)


def by_replicate(history: list[list[EpochRecord]]) -> list[list[EpochRecord]]:
    return [
        [record for epoch in history for record in epoch if record.replicate == r] for r in range(len(SEEDS))
    ]


def weights(stack: Stack, replicate: int) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in stack.model.state_dict(replicate).items()}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"monitor": "val_accuracy"},
        {"optimizer": "sgd", "learning_rate": 0.5},
        {"optimizer": "rmsprop", "learning_rate": 0.03, "patience": 3},
        {"optimizer": "adamw", "patience": 1, "batch_norm": False},
        {"schedule": "plateau", "min_lr": 1e-3, "patience": 3},
        {"schedule": "cosine", "clip_norm": 0.5, "patience": 3},
    ],
    ids=lambda changes: "-".join(changes) or "adam",
)
def test_each_replicate_equals_a_plain_network_that_stops_by_itself(
    data: StackData, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    monkeypatch.setattr(schedules, "PLATEAU_PATIENCE", 0)
    stack = make(data, **changes)
    twins = [plain_network(stack, replicate) for replicate in range(len(SEEDS))]
    found = by_replicate(list(train(stack, epochs=EPOCHS)))
    tests = [scores.tolist() for scores in evaluate(stack.model, data, data.test)]
    for replicate, (twin, seed) in enumerate(zip(twins, SEEDS, strict=True)):
        plain = train_plain(twin, stack.hyperparameters, data, replicate=replicate, seed=seed, epochs=EPOCHS)
        assert [record.epoch for record in found[replicate]] == list(range(1, len(plain) + 1))
        for record, expected in zip(found[replicate], plain, strict=True):
            assert values(record) == pytest.approx(expected, rel=SAME)
        kept = weights(stack, replicate)
        for name, parameter in named_as_in_stack(twin).items():
            torch.testing.assert_close(kept[name].view_as(parameter), parameter, rtol=1e-6, atol=1e-9)
        scores = plain_scores(twin, data, data.test[replicate])
        assert (tests[0][replicate], tests[1][replicate]) == pytest.approx(scores, rel=1e-6)
    assert min(map(len, found)) < EPOCHS, "none stopped"


def test_replicates_stop_at_epochs_of_their_own(data: StackData) -> None:
    stack = make(data)
    lengths = list(map(len, by_replicate(list(train(stack, epochs=EPOCHS)))))
    assert stack.stopping is not None
    assert [watched.stopped_epoch for watched in stack.stopping.watched] == lengths
    assert len(set(lengths)) > 1


def test_up_to_its_end_a_replicate_comes_to_the_numbers_that_it_has_without_stopping(data: StackData) -> None:
    whole = by_replicate(
        list(train(make(data, patience=None, dropout=0.3), epochs=EPOCHS, layers_at=range(13)))
    )
    stopped = by_replicate(list(train(make(data, dropout=0.3), epochs=EPOCHS, layers_at=range(13))))
    for long, short in zip(whole, stopped, strict=True):
        assert short == long[: len(short)]
    assert sum(map(len, stopped)) < sum(map(len, whole))


def test_a_stopped_replicate_stays_bit_for_bit_what_it_was_in_its_best_epoch(data: StackData) -> None:
    stack, history = make(data), dict[int, list[dict[str, Tensor]]]()
    unstopped = make(data, patience=None)
    for _ in train(unstopped, epochs=EPOCHS):
        history[unstopped.epoch] = [weights(unstopped, replicate) for replicate in range(len(SEEDS))]
    for trained in train_epochs(stack, epochs=EPOCHS):
        assert stack.stopping is not None
        for replicate, watched in enumerate(stack.stopping.watched):
            if watched.stopped_epoch is None and trained.epoch < EPOCHS:
                assert trained.standing[replicate] == trained.scores[replicate]
                continue
            assert watched.best_epoch is not None
            assert trained.standing[replicate] == watched.best
            best = history[watched.best_epoch][replicate]
            assert all(torch.equal(tensor, best[name]) for name, tensor in weights(stack, replicate).items())


def test_one_that_comes_to_the_last_epoch_gets_its_best_weights_too(data: StackData) -> None:
    stack = make(data, patience=100)
    history = by_replicate(list(train(stack, epochs=EPOCHS)))
    losses = [[record.val_loss or math.inf for record in of_one] for of_one in history]
    validation, _ = evaluate(stack.model, data, data.validation)
    assert validation.tolist() == pytest.approx([min(of_one) for of_one in losses], rel=1e-12)
    assert any(min(of_one) < of_one[-1] for of_one in losses), "the last epoch was the best everywhere"
    assert stack.stopping is not None
    assert [watched.stopped_epoch for watched in stack.stopping.watched] == [None] * 3


def test_when_all_have_stopped_nothing_is_trained_any_more(data: StackData) -> None:
    stack = make(data, patience=1)
    lengths, num_steps = [0, 0, 0], 0
    run = stack.step.run

    def count(batches: Sequence[Tensor], recorder: Recorder | None = None) -> None:
        nonlocal num_steps
        num_steps += len(batches)
        run(batches, recorder)

    stack.step.run = count  # type: ignore[method-assign]
    for epoch in train(stack, epochs=40):
        for record in epoch:
            lengths[record.replicate] = record.epoch
    assert stack.epoch == 40
    assert max(lengths) < 40
    assert num_steps == max(lengths) * math.ceil(200 / 32)


def test_one_that_diverged_stops_at_once_and_stays_diverged(data: StackData) -> None:
    healthy = by_replicate(list(train(make(data), epochs=EPOCHS)))
    stack = make(data)
    stack.model.parameters.value("blocks.1.weight")[1].fill_(math.nan)
    history = by_replicate(list(train(stack, epochs=EPOCHS, layers_at=(1,))))
    assert [values(record) for record in history[1]] == [(None,) * 4]
    assert [[values(r) for r in history[k]] for k in (0, 2)] == [
        [values(r) for r in healthy[k]] for k in (0, 2)
    ]
    assert stack.diverged == [False, True, False]
    assert stack.stopping is not None
    assert stack.stopping.watched[1] == Watched(stopped_epoch=1)


def test_what_a_resting_replicate_does_meanwhile_does_not_make_it_diverge(data: StackData) -> None:
    stack, num_disturbed = make(data), 0
    for _ in train(stack, epochs=EPOCHS):
        assert all(tensor.isfinite().all() for r in range(3) for tensor in weights(stack, r).values())
        if any(stack.trains):
            for replicate, trains in enumerate(stack.trains):
                if not trains:
                    stack.model.parameters.value("blocks.0.weight")[replicate].fill_(math.inf)
                    num_disturbed += 1
    assert num_disturbed
    assert stack.diverged == [False] * 3


class TestReports:
    """What a worker tells of networks that stop early."""

    def reports(self, data: StackData, **changes: Any) -> list[TrialReport]:
        options: dict[str, Any] = {**WILD, "patience": 1, "rungs": (1, 4, 16), "layers_at": (0, 1, 4, 16)}
        task = trial_spec(**{**options, "reads_test": True, "keeps_models": True, **changes})
        return list(train_in_peace(task, data, worker=""))

    def test_every_rung_is_reported_with_the_best_weights_scores(self, data: StackData) -> None:
        reports = self.reports(data)
        assert [report.epoch for report in reports] == [1, 4, 16]
        records = [record for report in reports for record in report.epochs if record.epoch > 0]
        for replicate in reports[-1].replicates:
            own = [record for record in records if record.replicate == replicate.replicate]
            best = min(own, key=lambda record: record.val_loss or math.inf)
            assert replicate.metrics["best_epoch"] == best.epoch
            assert replicate.metrics["stopped_epoch"] == best.epoch + 1 == own[-1].epoch < 16
            assert (replicate.val_loss, replicate.val_accuracy) == (best.val_loss, best.val_accuracy)
            assert replicate.metrics["val_macro_f1"] == best.metrics["val_macro_f1"]
        losses = [replicate.val_loss or math.inf for replicate in reports[-1].replicates]
        assert reports[-1].objective == pytest.approx(sum(losses) / 3, rel=1e-12)

    def test_the_test_part_is_read_with_the_weights_that_are_kept(self, data: StackData) -> None:
        last = self.reports(data)[-1]
        stack = Stack.make("mlp", Hyperparameters(**WILD), data, seeds=(11, 12, 13))
        for replicate, model in enumerate(last.models):
            network = plain_network(stack, replicate)
            kept = from_bytes(model)
            with torch.no_grad():
                for name, parameter in named_as_in_stack(network).items():
                    parameter.copy_(kept[name].view_as(parameter))
                for index, block in enumerate(list(network.children())[:-1]):
                    for layer in block.children():
                        if isinstance(layer, nn.BatchNorm1d):
                            assert layer.running_mean is not None
                            assert layer.running_var is not None
                            layer.running_mean.copy_(kept[f"blocks.{index}.running_mean"].view(-1))
                            layer.running_var.copy_(kept[f"blocks.{index}.running_variance"].view(-1))
            scores = plain_scores(network, data, data.test[replicate])
            record = last.replicates[replicate]
            assert (record.test_loss, record.test_accuracy) == pytest.approx(scores, rel=1e-6)

    def test_networks_that_diverge_end_the_trial(self, data: StackData) -> None:
        reports = self.reports(data, optimizer="sgd", learning_rate=1e30)
        assert [report.epoch for report in reports] == [1, 4, 16]
        assert [record.outcome for record in reports[-1].replicates] == [Outcome.DIVERGED] * 3
        assert max(record.epoch for report in reports for record in report.epochs) < 4
        assert all("best_epoch" not in record.metrics for record in reports[-1].replicates)

    def test_modules_of_ones_own_stop_early_too(self, digits: StackData) -> None:
        def build(hp: Hyperparameters, shape: tuple[int, ...], num_classes: int) -> nn.Module:
            return nn.Sequential(
                nn.Flatten(), nn.Linear(64, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, num_classes)
            )

        data = dataclasses.replace(digits, train=digits.train[:, :200], validation=digits.validation[:, :60])
        task = trial_spec(**WILD, patience=1, rungs=(1, 16), keeps_models=True, layers_at=(16,))
        *_, last = train_in_peace(task, data, worker="", build=build)
        for replicate, model in zip(last.replicates, last.models, strict=True):
            network = build(task.hyperparameters, (8, 8), 10)
            network.load_state_dict(from_bytes(model))
            loss, _ = plain_scores(network, data, data.validation[replicate.replicate])
            assert replicate.metrics["stopped_epoch"] < 16
            assert replicate.val_loss == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy"])
def test_only_better_than_the_best_is_an_improvement(monitor: str) -> None:
    better, same, worse = (0.4, 0.5, 0.6) if monitor == "val_loss" else (0.6, 0.5, 0.4)
    watched = Watched()
    for epoch, value in enumerate([same, same, better, worse, same, better], start=1):
        assert watched.stopped_epoch is None
        watched = watched.after(
            epoch, Scores(val_loss=value, val_accuracy=value), monitor=monitor, patience=3
        )
    assert (watched.best_epoch, watched.stopped_epoch) == (3, 6)
    assert watched.after(7, NO_SCORES, monitor=monitor, patience=3) == Watched(stopped_epoch=7)
