"""The Tune trainable without Ray: what it returns, keeps and leaves behind from one assignment to the next."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from ray._raylet import raise_sys_exit_with_custom_error_message  # type: ignore[attr-defined]

from tests.trainables.small import trial_spec
from trainables import datasets
from trainables.base.records import Outcome
from trainables.data.splits import split_blocks
from trainables.training.loop import train
from trainables.training.stack import Stack
from trainables.trial import StackTrial
from trainables.trials.checkpoint import CheckpointRef, save
from trainables.trials.trial_spec import TrialSpec
from trainables.user_code.code import Source, UserCode


@pytest.fixture
def trial() -> Iterator[StackTrial]:
    """A worker's trainable; the threads and the treatment of subnormal numbers are put back afterwards."""
    threads = torch.get_num_threads()
    dataset = datasets.load("digits")
    splits = split_blocks(dataset, seed=0, blocks=range(3), sizes=(None, 0.5))
    made = object.__new__(StackTrial)  # Tune's own constructor wants a session
    made.setup({"trial_spec": trial_spec()}, dataset=dataset, splits=splits, threads=1)
    yield made
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


def steps(trial: StackTrial) -> list[dict[str, Any]]:
    results = [trial.step()]
    while not results[-1]["done"]:
        results.append(trial.step())
    return results


def content(results: list[dict[str, Any]]) -> list[Any]:
    return [(r["epoch"], r["objective"], r["report"].epochs, r["report"].replicates) for r in results]


def test_a_step_ends_at_a_rung_and_the_last_is_done(trial: StackTrial) -> None:
    results = steps(trial)
    assert [(result["epoch"], result["done"]) for result in results] == [(1, False), (3, True)]
    assert all(result["objective"] == result["report"].objective for result in results)


def test_nothing_of_one_trial_spec_reaches_the_next(trial: StackTrial) -> None:
    fresh = content(steps(trial))
    other = trial_spec(number=8, depth=3, optimizer="sgd", dropout=0.5, seeds=(5, 6, 7))
    assert trial.reset_config({"trial_spec": other})
    assert content(steps(trial)) != fresh
    assert trial.reset_config({"trial_spec": trial_spec()})
    trial.step()  # stopped half-way, as ASHA does
    assert trial.reset_config({"trial_spec": trial_spec()})
    assert content(steps(trial)) == fresh


def test_a_trial_with_a_checkpoint_goes_on_after_it_and_the_next_begins_at_its_start(
    trial: StackTrial,
) -> None:
    whole = steps(trial)
    task = trial_spec()
    data = trial._stack_data(task)
    stack = Stack.make(task.model, task.hyperparameters, data, seeds=task.seeds)
    list(train(stack, epochs=1, layers_at=task.layers_at))
    trial.reset_config({"trial_spec": task, "checkpoint": CheckpointRef(1, save(stack, task))})
    (last,) = steps(trial)
    assert last["report"].replicates == whole[-1]["report"].replicates
    trial.reset_config({"trial_spec": task})
    assert content(steps(trial)) == content(whole)


FILE = b"""
from torch import nn

class Net(nn.Linear):
    def forward(self, inputs):
        if self.training and self.fails:
            raise RuntimeError("no more")
        return super().forward(inputs.flatten(1))

def build(hyperparameters, input_shape, num_classes):
    made = Net(64, num_classes)
    made.fails = hyperparameters.fails
    return made
"""


def test_networks_of_a_users_own_are_built_from_their_source_and_fail_with_its_line(
    trial: StackTrial,
) -> None:
    code = UserCode(file=Source(path="/elsewhere/mine.py", text=FILE))
    given: dict[str, Any] = {"dataset": trial._dataset, "splits": trial._splits, "threads": 1, "code": code}
    trial.setup({"trial_spec": trial_spec(model="own", own={"fails": False})}, **given)
    results = steps(trial)
    assert [result["report"].error for result in results] == [None, None]
    assert results[-1]["objective"] < results[0]["objective"]
    trial.reset_config({"trial_spec": trial_spec(model="own", own={"fails": True})})
    (failed,) = steps(trial)
    assert 'File "/elsewhere/mine.py", line 7, in forward' in failed["report"].error
    assert 'raise RuntimeError("no more")' in failed["report"].error
    trial.reset_config({"trial_spec": trial_spec()})
    assert steps(trial)[-1]["report"].error is None


def test_a_smaller_training_part_is_trained_on(trial: StackTrial) -> None:
    whole = content(steps(trial))
    trial.reset_config({"trial_spec": trial_spec(train_size=0.5)})
    assert content(steps(trial)) != whole


def test_a_trials_own_error_is_its_last_report(trial: StackTrial) -> None:
    wrong: TrialSpec = trial_spec(optimizer="adagrad")
    trial.reset_config({"trial_spec": wrong})
    (result,) = steps(trial)
    report = result["report"]
    assert "Traceback" in report.error
    assert "adagrad" in report.error
    assert [record.outcome for record in report.replicates] == [Outcome.FAILED] * 3
    assert (report.epochs, report.models, report.epoch) == ((), (), 0)
    trial.reset_config({"trial_spec": trial_spec()})
    assert [result["epoch"] for result in steps(trial)] == [1, 3], "the worker goes on"


EXITS = {
    "import sys; sys.exit()": "SystemExit",
    "import sys; sys.exit('enough')": "SystemExit: enough",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "raise GeneratorExit": "GeneratorExit",
    "import asyncio; raise asyncio.CancelledError": "CancelledError",
}


@pytest.mark.parametrize("how", EXITS)
def test_what_would_end_the_process_is_the_trials_own_error_with_its_line(
    trial: StackTrial, how: str
) -> None:
    source = (
        f"def train(hyperparameters, data, seed):\n    yield dict(val_loss=1, val_accuracy=0)\n    {how}\n"
    )
    trial._code = UserCode(file=Source(path="exits.py", text=source.encode()))
    trial.reset_config({"trial_spec": trial_spec(model="own")})
    first, last = steps(trial)
    assert (first["epoch"], last["epoch"], last["done"]) == (1, 1, True)
    words = str(last["report"].error).splitlines()
    assert words[0].startswith("Traceback")
    assert words[-1] == f"exits.py:3: {EXITS[how]}, which would end the worker; raise an error instead"
    assert {record.outcome for record in last["report"].replicates} == {Outcome.FAILED}


def test_ray_may_end_the_process(trial: StackTrial, monkeypatch: pytest.MonkeyPatch) -> None:
    def update_a_signal(*_: Any, **__: Any) -> None:
        raise_sys_exit_with_custom_error_message("The process receives a SIGTERM.")

    monkeypatch.setattr("trainables.trials.reporting.train_trial_spec", update_a_signal)
    with pytest.raises(SystemExit):
        trial.step()
