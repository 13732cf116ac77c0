"""Training loops of one's own: cells, blocks and reports as for a stack, each replicate in a world of its own."""

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.trainables.loops import (
    Classifier,
    Collator,
    Row,
    Trainer,
    closed_form,
    descend,
    fine_tune,
    regression_data,
    regression_task,
)
from tests.trainables.small import ASSIGNMENT, train_in_peace, trial_spec
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.records import NoteKind, Outcome, TrialReport
from trainables.data.stack_data import StackData
from trainables.trials.artifact import from_bytes, metadata_of
from trainables.user_code.loop import Loop, LoopData, LoopError

FINE = {"depth": 1, "model": "own", "batch_size": 200, "rungs": (1, 2), "layers_at": (0, 1, 2)}


def reports(loop: Loop, data: StackData | None = None, **options: Any) -> list[TrialReport]:
    """Return all reports of a regression's trial."""
    named = {
        name: options.pop(name) for name in ("checkpoint", "seconds_between_checkpoints") if name in options
    }
    task = options.pop("task", None) or regression_task(**options)
    return list(train_in_peace(task, data or regression_data(), worker="here:1", loop=loop, **named))


def told(report: TrialReport) -> list[Any]:
    """Return the scores that a report tells; a watch that begins anew has other moments of the activations."""
    return [replace(record, layers=(), metrics={}) for record in report.epochs] + list(report.replicates)


RIDGE: dict[str, Any] = {"learning_rate": 0.3, "weight_decay": 0.1}


class TestRegression:
    def test_descent_comes_to_the_closed_form_in_every_block(self) -> None:
        *_, last = reports(descend, **RIDGE, reads_test=True)
        for number, record in enumerate(last.replicates):
            data = LoopData(regression_data(), number, block=number, epochs=3)
            expected = closed_form(data.train, data.validation, decay=0.1)
            found = {name: record.metrics[name] for name in expected}
            assert found == pytest.approx(expected, rel=0.005)
            assert 40 < record.metrics["test_rmse"] < 75
        blocks = [record.metrics["val_rmse"] for record in last.replicates]
        assert len(set(blocks)) == 3, "each block has its own parts"

    def test_it_reports_at_rungs_with_an_epoch_for_each_replicate(self) -> None:
        first, last = reports(descend, **RIDGE)
        assert [(r.epoch, r.replicate) for r in first.epochs] == [(1, 0), (1, 1), (1, 2)]
        assert [(r.epoch, r.replicate) for r in last.epochs] == [(e, r) for e in (2, 3) for r in (0, 1, 2)]
        scores = [record.metrics["val_rmse"] for record in last.replicates]
        assert last.objective == pytest.approx(sum(scores) / 3, rel=1e-12)
        assert last.epochs[-1].metrics["val_rmse"] == scores[-1]
        assert (last.epochs[0].learning_rate, last.epochs[0].val_loss) == (0.3, None)

    def test_the_test_part_is_handed_out_once_at_the_end_of_the_confirm_phase(self) -> None:
        seen: list[tuple[int, bool]] = []

        def spying(hyperparameters: Hyperparameters, data: LoopData, seed: int) -> Iterator[Row]:
            for epoch, row in enumerate(descend(hyperparameters, data, seed), start=1):
                seen.append((epoch, data.test is not None))
                yield row

        reports(spying, **RIDGE)
        assert not any(handed for _, handed in seen)
        seen.clear()
        first, last = reports(spying, **RIDGE, reads_test=True)
        assert {epoch for epoch, handed in seen if handed} == {3}
        assert not [
            name for each in (first, last) for r in each.epochs for name in r.metrics if "test" in name
        ]
        assert all("test_r2" in record.metrics for record in last.replicates)

    def test_one_that_is_not_finite_diverged_and_the_others_go_on(self) -> None:
        def failing(hyperparameters: Hyperparameters, data: LoopData, seed: int) -> Iterator[Row]:
            for row in descend(hyperparameters, data, seed):
                yield row | ({"val_rmse": math.nan} if data.block == 1 else {})

        first, last = reports(failing, **RIDGE)
        assert [record.outcome for record in last.replicates] == [
            Outcome.COMPLETE,
            Outcome.DIVERGED,
            Outcome.COMPLETE,
        ]
        scores = [record.metrics.get("val_rmse", 80.0) for record in last.replicates]
        assert last.objective == pytest.approx(sum(scores) / 3)
        assert [record.metrics for record in (*first.epochs, *last.epochs) if record.replicate == 1] == [
            {}
        ] * 3

    def test_no_score_is_worse_than_a_failure(self) -> None:
        def bad(hyperparameters: Hyperparameters, data: LoopData, seed: int) -> Iterator[Row]:
            for row in descend(hyperparameters, data, seed):
                yield row | {"val_rmse": 1e6}

        assert reports(bad, **RIDGE)[-1].objective == 80.0


MISTAKES: dict[str, tuple[Any, str]] = {
    "a number": (0.5, "must yield a dict of metrics an epoch; in epoch 1 it yielded 0.5"),
    "nothing of the kind": (
        {"val_mse": 1.0},
        "must yield val_rmse and val_r2 in epoch 1 (each epoch has it); it yielded",
    ),
    "a test score": (
        {"val_rmse": 1.0, "val_r2": 0.0, "test_rmse": 1.0},
        "yielded test_rmse in epoch 1, where data.test is None",
    ),
    "a text": ({"val_rmse": "low", "val_r2": 0.0}, "must yield numbers; val_rmse in epoch 1 is 'low'"),
    "several numbers": (
        {"val_rmse": torch.ones(2), "val_r2": 0.0},
        "must yield numbers; val_rmse in epoch 1",
    ),
    "an odd name": ({"val rmse": 1.0}, "must name its metrics as one names a variable"),
    "other weights": (
        {"val_rmse": 1.0, "val_r2": 0.0, "weights": {"w": torch.ones(1), "b": 1.0}},
        "must yield as weights what model.state_dict() returns, tensors or arrays by name; got {'b': 1.0}",
    ),
    "other gradients": (
        {"val_rmse": 1.0, "val_r2": 0.0, "gradients": [1]},
        "gradients must be what end_epoch()",
    ),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_in_what_is_yielded_is_told(kind: str) -> None:
    yielded, message = MISTAKES[kind]

    def loop(hyperparameters: Hyperparameters, data: LoopData, seed: int) -> Iterator[Any]:
        yield yielded

    with pytest.raises(LoopError) as caught:
        reports(loop)
    assert message in str(caught.value)


def test_a_loop_that_ends_early_or_is_no_generator_or_forgets_the_test_part_is_told() -> None:
    def short(hyperparameters: Hyperparameters, data: LoopData, seed: int) -> Iterator[Row]:
        yield {"val_rmse": 1.0, "val_r2": 0.0}

    with pytest.raises(
        LoopError, match=r"ended after 1 of 3 epochs, and must yield .* yields its last scores again"
    ):
        reports(short)
    with pytest.raises(LoopError, match="must be a generator"):
        reports(lambda hyperparameters, data, seed: [{}])  # type: ignore[arg-type,return-value]

    def forgetful(hyperparameters: Hyperparameters, data: LoopData, seed: int) -> Iterator[Row]:
        for _ in range(data.epochs):
            yield {"val_rmse": 1.0, "val_r2": 0.0}

    with pytest.raises(
        LoopError, match=r"must yield test_rmse and test_r2 in epoch 3 \(data.test is there now"
    ):
        reports(forgetful, reads_test=True)


def test_global_random_numbers_are_each_replicates_own_and_left_as_they_were() -> None:
    drawn: dict[int, list[tuple[float, float, float]]] = {}

    def drawing(hyperparameters: Hyperparameters, data: LoopData, seed: int) -> Iterator[Row]:
        for _ in range(data.epochs):
            numbers = (random.random(), float(np.random.rand()), float(torch.rand(())))
            drawn.setdefault(data.block, []).append(numbers)
            yield {"val_rmse": 1.0, "val_r2": 0.0}

    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # type: ignore[index]
    reports(drawing)
    together = {block: list(numbers) for block, numbers in drawn.items()}
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # type: ignore[index]
    assert before == after
    assert len({numbers for each in together.values() for numbers in each}) == 9, "no stream is shared"
    drawn.clear()
    data = regression_data()
    alone = replace(data, train=data.train[1:2], validation=data.validation[1:2], test=data.test[1:2])
    reports(drawing, replace(alone, scaling=None), blocks=(1,), seeds=(ASSIGNMENT.seeds[1],))
    assert drawn[1] == together[1]


class TestFineTuning:
    task = trial_spec(**FINE, width=12, reads_test=True)  # type: ignore[arg-type]

    def reports(self, data: StackData, **options: Any) -> list[TrialReport]:
        return reports(fine_tune, data, task=self.task, **options)

    def test_a_trainer_learns_and_its_scores_have_the_columns_of_a_classifier(
        self, digits: StackData
    ) -> None:
        first, last = self.reports(digits)
        for record in last.replicates:
            assert record.val_loss is not None
            assert record.test_loss is not None
            assert 0 < record.test_loss < 2.35
            assert record.metrics == {}
        assert all(0 < (record.train_loss or 0) < 3 for record in (*first.epochs, *last.epochs))
        assert last.objective == pytest.approx(sum(r.val_loss or 9 for r in last.replicates) / 3)

    def test_its_last_weights_are_kept_where_they_are_asked_for(self, digits: StackData) -> None:
        assert self.reports(digits)[-1].models == ()
        first, last = reports(fine_tune, digits, task=replace(self.task, keeps_models=True))
        assert (first.models, len(last.models)) == ((), 3)
        network = Classifier(12, 10)
        for number, model in enumerate(last.models):
            network.load_state_dict(from_bytes(model))
            data = LoopData(digits, number, block=number, epochs=2)
            trainer = Trainer(network, Collator(), data, self.task.hyperparameters)
            assert trainer.evaluate(data.validation, "val")["val_loss"] == pytest.approx(
                last.replicates[number].val_loss, rel=1e-6
            )
            assert metadata_of(model)["hyperparameters"]["width"] == 12

    def test_its_gradients_are_watched_where_layers_are_measured(self, digits: StackData) -> None:
        first, _ = self.reports(digits)
        assert [layer.layer for layer in first.epochs[0].layers] == [1, 2], "embedding and encoder"
        assert first.epochs[0].layers[0].grad_l2 > 0
        task = replace(self.task, layers_at=())
        none = reports(fine_tune, digits, task=task)
        assert not [record for report in none for record in report.epochs if record.layers]

    def test_from_a_checkpoint_it_goes_on_to_the_same_numbers(self, digits: StackData) -> None:
        whole = self.reports(digits, seconds_between_checkpoints=0)
        assert whole[0].checkpoint is not None
        assert whole[-1].checkpoint is None
        (rest,) = self.reports(digits, checkpoint=whole[0].checkpoint)
        assert told(rest) == told(whole[1])

    def test_a_damaged_checkpoint_is_told_and_the_trial_starts_over(self, digits: StackData) -> None:
        whole = self.reports(digits)
        first, last = self.reports(digits, checkpoint=b"spoilt")
        assert [note.kind for note in first.notes] == [NoteKind.CHECKPOINT_REFUSED]
        assert [told(first), told(last)] == [told(report) for report in whole]


def test_a_loop_without_a_state_makes_no_checkpoint_and_is_started_over() -> None:
    whole = reports(descend, **RIDGE, seconds_between_checkpoints=0)
    assert [report.checkpoint for report in whole] == [None, None]
    again = reports(descend, **RIDGE, checkpoint=b"of an earlier version")
    assert [told(report) for report in again] == [told(report) for report in whole]


def test_a_checkpoint_that_would_run_code_is_refused() -> None:
    def loop(hyperparameters: Hyperparameters, data: LoopData, seed: int, state: Any = None) -> Iterator[Row]:
        while True:
            yield {"val_rmse": 1.0, "val_r2": 0.0, "checkpoint": {"what": Hyperparameters()}}

    with pytest.raises(ValueError, match="must yield as checkpoint what can be loaded without running code"):
        reports(loop, seconds_between_checkpoints=0)
