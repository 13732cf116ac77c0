"""What a worker reports: at every rung, complete at the last, diverged networks scored as chance."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.trainables.loops import regression_data, regression_task
from tests.trainables.small import train_in_peace, trial_spec
from trainables.base.metrics import classification
from trainables.base.records import EpochRecord, NoteKind, Outcome, ReplicateRecord, TrialReport
from trainables.data.stack_data import StackData
from trainables.training.loop import train_epochs
from trainables.training.trained_epoch import TrainedEpoch
from trainables.trials import reporting, trial_stacks
from trainables.trials.reporting import objective, train_trial_spec

CHANCE = math.log(10)


def reports(data: StackData, **changes: Any) -> list[TrialReport]:
    return list(train_in_peace(trial_spec(**changes), data, worker="here:1"))


def without_times(report: TrialReport) -> TrialReport:
    return replace(report, measuring_seconds=0.0, first_epoch_seconds=None)


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


def test_the_time_that_measuring_took_is_a_part_of_the_busy_time(digits: StackData) -> None:
    for report in reports(digits, layers_at=(0, 1, 3)):
        assert 0 < report.measuring_seconds < report.busy_seconds
    assert [report.measuring_seconds for report in reports(digits, layers_at=())] == [0, 0]


def test_the_first_report_tells_when_the_first_epoch_was_trained(digits: StackData) -> None:
    first, last = reports(digits, layers_at=(0,))
    assert first.first_epoch_seconds is not None
    assert 0 < first.first_epoch_seconds < first.busy_seconds
    assert last.first_epoch_seconds is None


def test_the_objective_is_the_mean_over_replicates_of_the_last_epoch(digits: StackData) -> None:
    *_, last = reports(digits)
    losses = [record.val_loss for record in last.epochs if record.epoch == 3 and record.val_loss is not None]
    assert len(losses) == 3
    assert last.objective == pytest.approx(sum(losses) / 3, rel=1e-12)
    *_, last = reports(digits, objective="val_accuracy")
    accuracies = [record.val_accuracy for record in last.replicates if record.val_accuracy is not None]
    assert last.objective == pytest.approx(sum(accuracies) / 3, rel=1e-12)


def record(outcome: Outcome = Outcome.COMPLETE, **metrics: float) -> ReplicateRecord:
    return ReplicateRecord(replicate=0, block=1, outcome=outcome, metrics=metrics)


def test_an_undefined_score_is_left_out_of_the_mean_and_that_of_a_lost_network_is_a_failures() -> None:
    defined, undefined = record(val_roc_auc=0.9), record(val_roc_auc=math.nan)
    lost = record(Outcome.DIVERGED)

    def auc(*records: ReplicateRecord) -> float:
        return objective("val_roc_auc", records, classification(2))

    assert auc(defined, undefined) == 0.9, "not 0.7, with the score of a guess in the mean"
    assert auc(defined, lost) == pytest.approx(0.7)
    assert auc(defined, undefined, lost) == pytest.approx(0.7)
    assert math.isnan(auc(undefined, undefined))
    assert auc(record(val_roc_auc=0.1), undefined) == 0.5, "no score is worse than a failure's"


def test_a_missing_loss_is_a_failures() -> None:
    assert objective("val_loss", [record()], classification(2)) == math.log(2)


def never_r2(*arguments: Any) -> Iterator[dict[str, float]]:
    """Yield a good primary metric, and no number for the other one."""
    for _ in range(3):
        yield {"val_rmse": 50.0, "val_r2": math.nan}


def test_a_search_trial_without_an_objective_in_any_network_fails_at_the_rung() -> None:
    task = replace(regression_task(), objective="val_r2")
    (only,) = train_trial_spec(task, regression_data(), worker="here:1", loop=never_r2)
    assert (only.epoch, only.epochs) == (0, ())
    assert only.error is not None
    assert only.error.startswith(
        "val_r2 is undefined in every network after epoch 1, so that the trial cannot be ranked"
    )
    assert {each.outcome for each in only.replicates} == {Outcome.FAILED}


def test_a_search_trial_that_loses_its_objective_later_fails_there() -> None:
    def loop(*arguments: Any) -> Iterator[dict[str, float]]:
        for epoch in range(1, 4):
            yield {"val_rmse": 50.0, "val_r2": math.nan if epoch == 3 else 0.5}

    task = replace(regression_task(), objective="val_r2")
    first, last = train_trial_spec(task, regression_data(), worker="here:1", loop=loop)
    assert (first.epoch, first.objective, first.error) == (1, 0.5, None)
    assert (last.epoch, last.error is None) == (1, False)


def test_a_metric_beside_the_objective_may_be_undefined() -> None:
    *_, last = train_trial_spec(regression_task(), regression_data(), worker="here:1", loop=never_r2)
    assert (last.objective, last.error) == (50.0, None)
    assert {each.outcome for each in last.replicates} == {Outcome.COMPLETE}


def test_the_test_part_is_read_at_the_end_and_only_where_asked(digits: StackData) -> None:
    first, last = reports(digits, reads_test=True)
    assert [record.test_loss for record in first.replicates] == [None] * 3
    assert all(0 < (record.test_loss or 0) < CHANCE for record in last.replicates)
    assert all(0.5 < (record.test_accuracy or 0) <= 1 for record in last.replicates)
    assert [record.test_loss for record in reports(digits)[-1].replicates] == [None] * 3


FURTHER = {"top2_accuracy", "macro_f1"}


def further(record: EpochRecord | ReplicateRecord, part: str) -> dict[str, float]:
    return {name: record.metrics[name] for name in record.metrics if name.removeprefix(part) in FURTHER}


def test_further_metrics_come_at_the_rungs_and_of_the_test_part_once(digits: StackData) -> None:
    first, last = reports(digits, layers_at=(), reads_test=True)
    records = [record for report in (first, last) for record in report.epochs]
    assert {record.epoch for record in records if further(record, "val_")} == {1, 3}
    for record in last.replicates:
        (own,) = (each for each in last.epochs if (each.epoch, each.replicate) == (3, record.replicate))
        assert further(own, "val_").keys() == {f"val_{name}" for name in FURTHER}
        assert further(own, "val_") == further(record, "val_")
        assert further(record, "test_").keys() == {f"test_{name}" for name in FURTHER}
        assert (own.val_accuracy or 1) <= own.metrics["val_top2_accuracy"] <= 1
    assert not further(first.replicates[0], "test_")


def test_a_further_metric_can_be_the_objective_between_rungs_too(digits: StackData) -> None:
    told = list(
        train_trial_spec(
            trial_spec(objective="val_macro_f1", layers_at=()), digits, worker="w", seconds_between_reports=0
        )
    )
    assert [report.epoch for report in told] == [1, 2, 3]
    for report in told:
        scores = [each.metrics["val_macro_f1"] for each in report.epochs if each.epoch == report.epoch]
        assert report.objective == pytest.approx(sum(scores) / 3, rel=1e-12)


def test_networks_that_diverge_score_as_chance_and_say_so(digits: StackData) -> None:
    *_, last = reports(digits, optimizer="sgd", learning_rate=1e30, reads_test=True, keeps_models=True)
    assert [record.outcome for record in last.replicates] == [Outcome.DIVERGED] * 3
    assert last.objective == pytest.approx(CHANCE)
    assert last.error is None
    assert all(record.val_loss is None and record.test_loss is None for record in last.replicates)
    assert len(last.models) == len(last.evaluations) == 3


def test_a_slow_trial_reports_between_rungs(digits: StackData) -> None:
    ticks = iter(range(0, 1000, 4))
    slow = train_trial_spec(trial_spec(rungs=(1, 3, 9)), digits, worker="", clock=lambda: next(ticks))
    epochs = [report.epoch for report in slow]
    assert epochs != [1, 3, 9], "nothing came in between"
    assert {1, 3, 9} <= set(epochs)
    assert epochs == sorted(set(epochs))


def test_a_trials_numbers_do_not_depend_on_when_it_reports(digits: StackData) -> None:
    in_one = [record for report in reports(digits, rungs=(3,)) for record in report.epochs]
    in_two = [record for report in reports(digits) for record in report.epochs]
    assert in_one == in_two


class TestCheckpoints:
    """When a checkpoint comes with a report, and how a trial goes on from it."""

    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let every epoch take four seconds."""
        self.now = 0.0

        def train_slowly(*given: Any, **named: Any) -> Iterator[TrainedEpoch]:
            for trained in train_epochs(*given, **named):
                self.now += 4.0 * (trained.epoch > 0)
                yield trained

        monkeypatch.setattr(trial_stacks, "train_epochs", train_slowly)

    def reports(
        self, data: StackData, *, checkpoint: bytes | None = None, **changes: Any
    ) -> list[TrialReport]:
        """Train nine epochs, all of them measured, with a report at least every third."""
        task = trial_spec(**{"rungs": (1, 3, 9), "layers_at": tuple(range(10)), "batch_size": 256, **changes})
        return list(train_trial_spec(task, data, worker="", checkpoint=checkpoint, clock=lambda: self.now))

    def test_it_comes_with_the_report_after_ten_seconds_of_training(self, digits: StackData) -> None:
        reports = self.reports(digits)
        assert [report.epoch for report in reports] == [1, 3, 5, 7, 9]
        assert [report.epoch for report in reports if report.checkpoint is not None] == [3, 7]

    def test_a_short_trial_and_a_trials_end_have_none(self, digits: StackData) -> None:
        assert [report.checkpoint for report in self.reports(digits, rungs=(1, 2))] == [None] * 2
        assert [report.checkpoint for report in self.reports(digits, rungs=(1, 3))] == [None] * 2

    def test_a_large_one_waits_longer(self, digits: StackData, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reporting, "CHECKPOINT_BYTES_PER_SECOND", 1000)
        (first,) = [report for report in self.reports(digits) if report.checkpoint is not None]
        assert first.epoch == 3

    def test_time_between_reports_does_not_count(self, digits: StackData) -> None:
        task = trial_spec(rungs=tuple(range(1, 10)), batch_size=256)
        found = []
        for report in train_trial_spec(task, digits, worker="", clock=lambda: self.now):
            self.now += 1000.0
            found.append((report.epoch, report.busy_seconds, report.checkpoint is not None))
        assert found == [(epoch, 4.0, epoch in (3, 6)) for epoch in range(1, 10)]

    def test_from_it_a_trial_goes_on_to_the_same_numbers(self, digits: StackData) -> None:
        changes: dict[str, Any] = {
            "reads_test": True,
            "keeps_models": True,
            "dropout": 0.3,
            "batch_norm": True,
        }
        whole = self.reports(digits, **changes)
        saved = whole[1].checkpoint
        assert saved is not None
        rest = self.reports(digits, checkpoint=saved, **changes)
        assert [report.epoch for report in rest] == [5, 7, 9]
        records = [record for report in whole for record in report.epochs]
        again = [record for report in rest for record in report.epochs]
        assert again == [record for record in records if record.epoch == 0 or record.epoch > 3]
        assert (rest[-1].objective, rest[-1].replicates) == (whole[-1].objective, whole[-1].replicates)
        assert (rest[-1].models, rest[-1].evaluations) == (whole[-1].models, whole[-1].evaluations)
        assert all(report.notes == () for report in rest)

    def test_without_measures_at_the_initialisation_none_are_made(self, digits: StackData) -> None:
        saved = self.reports(digits, layers_at=())[1].checkpoint
        first, *_ = self.reports(digits, layers_at=(), checkpoint=saved)
        assert {record.epoch for record in first.epochs} == {4, 5}
        assert first.first_epoch_seconds is not None, "it counts for the run, whatever was trained before"

    def test_one_that_cannot_be_used_is_told_and_the_trial_starts_over(self, digits: StackData) -> None:
        whole = self.reports(digits)
        first, *rest = self.reports(digits, checkpoint=b"spoilt")
        assert len(first.notes) == 1
        assert first.notes[0].kind is NoteKind.CHECKPOINT_REFUSED
        assert first.notes[0].text.startswith("started over, because its checkpoint cannot be used: ")
        assert [without_times(report) for report in (replace(first, notes=()), *rest)] == [
            without_times(report) for report in whole
        ]


def test_an_unknown_objective_lists_the_known() -> None:
    record = ReplicateRecord(replicate=0, block=0, outcome=Outcome.COMPLETE, val_loss=1.0)
    with pytest.raises(ValueError, match="val_loss, val_accuracy"):
        objective("loss", [record], classification(10))
