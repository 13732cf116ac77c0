"""A trial's epochs come back from their rows as they were reported, and are judged as before."""

import dataclasses
import math

import pytest

from studies.database.frames.histories import epoch_records
from studies.database.results import TrialResult
from studies.database.store import Store
from studies.definition.parts import Thresholds
from studies.diagnosis.verdict_accumulator import VerdictAccumulator
from tests.studies.database import recorded
from tests.trainables.conftest import load_digits
from tests.trainables.small import trial_spec
from trainables.base.records import EpochRecord
from trainables.training.loop import train
from trainables.training.stack import Stack


def test_what_was_reported_comes_back_by_epoch_and_replicate(store: Store) -> None:
    study = recorded.new_study(store)
    for number in (1, 2):
        recorded.add_trial(store, study, number)
        recorded.start(store, study, number)
    store.record_result(study.id, 1, recorded.at_rung(3, range(4)))
    store.record_result(study.id, 2, recorded.at_rung(1, range(2), shift=0.5))
    reported = recorded.epoch_records((1, 2, 3))
    assert epoch_records(store, study.id, 1) == sorted(reported, key=lambda r: (r.epoch, r.replicate))
    assert epoch_records(store, study.id, 2) == recorded.epoch_records((1,), shift=0.5)
    assert epoch_records(store, study.id, 3) == epoch_records(store, study.id + 1, 1) == []


def test_what_is_not_finite_comes_back_as_no_number(store: Store) -> None:
    study = recorded.new_study(store)
    recorded.add_trial(store, study)
    recorded.start(store, study)
    (whole,) = recorded.epoch_records((1,), num_replicates=1, num_layers=1)
    layer = dataclasses.replace(whole.layers[0], grad_l2=math.inf, delta_rms=math.nan, update_ratio=math.inf)
    odd = dataclasses.replace(whole, val_loss=None, metrics={"spike_rate": math.nan}, layers=(layer,))
    store.record_result(study.id, 1, TrialResult(epoch=1, busy_seconds=1.0, epochs=[odd]))
    (found,) = epoch_records(store, study.id, 1)
    assert found.val_loss is None
    assert math.isnan(found.metrics["spike_rate"])
    assert math.isnan(found.layers[0].grad_l2)
    assert math.isnan(found.layers[0].delta_rms)
    assert found.layers[0].update_ratio is None
    assert found.layers[0].grad_rms == layer.grad_rms


def trained_records(learning_rate: float) -> list[EpochRecord]:
    """Return what three networks say of themselves in three epochs, all measured."""
    task = trial_spec(depth=3, optimizer="sgd", learning_rate=learning_rate, batch_size=256)
    stack = Stack.make(task.model, task.hyperparameters, load_digits(), seeds=task.seeds)
    return [record for records in train(stack, epochs=3, layers_at=range(4)) for record in records]


@pytest.mark.parametrize("learning_rate", [0.05, 30.0, 1e6])
def test_verdicts_are_those_of_one_who_heard_it_all(store: Store, learning_rate: float) -> None:
    """As after a restart: the initialisation is measured again, and the rest is told by the rows."""
    reported = trained_records(learning_rate)
    witness, latecomer = VerdictAccumulator(Thresholds(), 10), VerdictAccumulator(Thresholds(), 10)
    witness.update(1, reported)
    study = recorded.new_study(store)
    recorded.add_trial(store, study)
    recorded.start(store, study)
    store.record_result(study.id, 1, TrialResult(epoch=3, busy_seconds=1.0, epochs=reported))
    latecomer.update(1, epoch_records(store, study.id, 1))
    latecomer.update(1, [record for record in reported if record.epoch == 0])
    assert latecomer.judge(1, trained=True) == witness.judge(1, trained=True)
