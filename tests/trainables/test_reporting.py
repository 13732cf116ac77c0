"""What a worker reports: at every rung, complete at the last, diverged networks scored as chance."""

import math
from typing import Any

import pytest

from tests.trainables.small import assignment
from trainables.records import Outcome, ReplicateRecord, TrialReport
from trainables.reporting import objective, train_assignment
from trainables.training import StackData

CHANCE = math.log(10)


def reports(data: StackData, **changes: Any) -> list[TrialReport]:
    return list(train_assignment(assignment(**changes), data, worker="here:1"))


def test_a_report_comes_at_each_rung_with_all_epochs_since_the_last(digits: StackData) -> None:
    first, last = reports(digits)
    assert [first.epoch, last.epoch] == [1, 3]
    assert [(r.epoch, r.replicate) for r in first.epochs] == [(e, r) for e in (0, 1) for r in (0, 1, 2)]
    assert [(r.epoch, r.replicate) for r in last.epochs] == [(e, r) for e in (2, 3) for r in (0, 1, 2)]
    assert [record.outcome for record in last.replicates] == [Outcome.COMPLETE] * 3
    assert (last.worker, last.error, last.models, last.evaluations) == ("here:1", None, (), ())


def test_layers_come_with_the_epochs_that_ask_for_them(digits: StackData) -> None:
    records = [record for report in reports(digits, layers_at=(0, 2)) for record in report.epochs]
    assert {record.epoch for record in records if record.layers} == {0, 2}
    assert all([layer.layer for layer in record.layers] == [1, 2] for record in records if record.layers)
    assert all(record.val_loss is None for record in records if record.epoch == 0)


def test_the_objective_is_the_mean_over_replicates_of_the_last_epoch(digits: StackData) -> None:
    *_, last = reports(digits)
    losses = [record.val_loss for record in last.epochs if record.epoch == 3 and record.val_loss is not None]
    assert len(losses) == 3
    assert last.objective == pytest.approx(sum(losses) / 3, rel=1e-12)
    *_, last = reports(digits, objective="val_accuracy")
    accuracies = [record.val_accuracy for record in last.replicates if record.val_accuracy is not None]
    assert last.objective == pytest.approx(sum(accuracies) / 3, rel=1e-12)


def test_the_test_part_is_read_at_the_end_and_only_where_asked(digits: StackData) -> None:
    first, last = reports(digits, reads_test=True)
    assert [record.test_loss for record in first.replicates] == [None] * 3
    assert all(0 < (record.test_loss or 0) < CHANCE for record in last.replicates)
    assert all(0.5 < (record.test_accuracy or 0) <= 1 for record in last.replicates)
    assert [record.test_loss for record in reports(digits)[-1].replicates] == [None] * 3


def test_networks_that_diverge_score_as_chance_and_say_so(digits: StackData) -> None:
    *_, last = reports(digits, optimizer="sgd", learning_rate=1e30, reads_test=True, keeps_models=True)
    assert [record.outcome for record in last.replicates] == [Outcome.DIVERGED] * 3
    assert last.objective == pytest.approx(CHANCE)
    assert last.error is None
    assert all(record.val_loss is None and record.test_loss is None for record in last.replicates)
    assert len(last.models) == len(last.evaluations) == 3


def test_a_slow_trial_reports_between_rungs(digits: StackData) -> None:
    ticks = iter(range(0, 1000, 4))
    slow = train_assignment(assignment(rungs=(1, 3, 9)), digits, worker="", clock=lambda: next(ticks))
    epochs = [report.epoch for report in slow]
    assert epochs != [1, 3, 9], "nothing came in between"
    assert {1, 3, 9} <= set(epochs)
    assert epochs == sorted(set(epochs))


def test_a_trials_numbers_do_not_depend_on_when_it_reports(digits: StackData) -> None:
    in_one = [record for report in reports(digits, rungs=(3,)) for record in report.epochs]
    in_two = [record for report in reports(digits) for record in report.epochs]
    assert in_one == in_two


def test_an_unknown_objective_lists_the_known() -> None:
    record = ReplicateRecord(replicate=0, block=0, outcome=Outcome.COMPLETE, val_loss=1.0)
    with pytest.raises(ValueError, match="val_loss, val_accuracy"):
        objective("loss", [record], 10)
