"""A loop of one's own on a real Ray, the replicates of a trial spread over two workers, of which one fails or dies."""

from dataclasses import dataclass, replace

import pandas as pd
import pytest
import torch

from studies.base.states import Phase, TrialState
from studies.cluster.cluster import Cluster
from studies.database.frames import frames
from studies.database.rows import EventRow, TrialRow
from studies.database.store import Store
from studies.definition.parts import Confirm, Metric, Search
from studies.definition.study import Study
from studies.planning.plan import Plan
from studies.planning.planned_trial import PlannedTrial
from studies.planning.resources import Resources
from studies.raytune.conversion import WORKER_LOST
from studies.raytune.experiment import assign
from studies.search.trial_queue import TrialQueue
from tests.studies.raytune.trained import Trained
from trainables.data.dataset import Dataset
from trainables.data.splits import Splits, split_blocks
from trainables.data.stack_data import StackData
from trainables.trials.reporting import train_trial_spec
from trainables.trials.trial_spec import TrialSpec
from trainables.user_code.code import OWN, Source, UserCode

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:ray.*", "ignore::ResourceWarning", "ignore::FutureWarning:ray.*"
)

LOOP = """
import os, pathlib, random, signal

DIED = pathlib.Path({died!r})

def train(hyperparameters, data, seed):
    random.seed(seed)
    for epoch in range(1, data.epochs + 1):
        if data.block == 1 and epoch == 2:
            if hyperparameters.shift == 1:
                raise RuntimeError("block 1 is <broken>")
            if not DIED.exists():
                DIED.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        row = {{"val_error": random.random() + float(data.validation.inputs[0].sum())}}
        yield row if data.test is None else {{**row, "test_error": row["val_error"] + 1}}
"""
"""In cell 1 the worker that trains block 1 is killed once, in cell 2 that replicate fails."""


@dataclass(frozen=True)
class Ended:
    """What is in the storage after the run, and what the whole trial 1 comes to in one worker."""

    trials: dict[int, TrialRow]
    events: list[EventRow]
    epochs: pd.DataFrame
    expected: list[tuple[int, int, float]]


def make_plan(code: UserCode) -> Plan:
    study = Study(
        question="Does a shift matter?",
        dataset="digits",
        model=OWN,
        objective="val_error",
        metrics=(Metric(name="error", direction="min", failure=9.0, primary=True),),
        hyperparameters={"shift": 0},
        factors={"shift": (0, 1)},
        replicates=2,
        search=Search(trials_per_cell=1, rungs=(3,)),
        confirm=Confirm(epochs=3),
    )
    return Plan(name="spread", study=study, dataset_fingerprint="0" * 64, code=code)


def alone(plan: Plan, dataset: Dataset, splits: Splits) -> list[tuple[int, int, float]]:
    """Return replicate, epoch and error of trial 1, trained here."""
    trial = open_trial(plan)
    data = StackData.make(dataset, [splits[None, block] for block in trial.blocks], torch.device("cpu"))
    assert plan.loop is not None
    (report,) = train_trial_spec(trial, data, worker="", loop=plan.loop)
    return [(record.replicate, record.epoch, record.metrics["val_error"]) for record in report.epochs]


def open_trial(plan: Plan) -> TrialSpec:
    trial = TrialQueue(plan).next_trial()
    assert isinstance(trial, PlannedTrial)
    return assign(plan, trial, keeps_models=False)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, digits: Dataset) -> Ended:
    """Train two cells, one search trial each, as if four workers had nothing else to do."""
    folder = tmp_path_factory.mktemp("spread")
    source = Source(path="/elsewhere/loop.py", text=LOOP.format(died=str(folder / "died")).encode())
    plan, splits = make_plan(UserCode(file=source)), split_blocks(digits, seed=0, blocks=range(2))
    with Store.open(f"sqlite:///{folder}/studies.db") as store:
        four = replace(cluster, num_workers=4)
        resources = Resources(workers=4, cpus_per_trial=0.2, dashboard=False)
        trained = Trained(plan, store, folder, four, digits, resources=resources)
        trained.train()
        return Ended(
            trials={trial.number: trial for trial in trained.trials},
            events=list(store.events(trained.id)),
            epochs=frames.epochs(store, trained.id),
            expected=alone(plan, digits, splits),
        )


def test_a_trial_whose_helper_died_is_trained_again_to_the_numbers_of_one_worker(ended: Ended) -> None:
    trial, rows = ended.trials[1], ended.epochs
    assert (trial.state, trial.attempt) == (TrialState.COMPLETE, 2)
    (lost,) = (event for event in ended.events if event.kind == WORKER_LOST)
    assert lost.trial_number == 1
    assert "attempt 1: " in lost.detail
    assert "The actor died" in lost.detail
    assert "\x1b" not in lost.detail
    found = rows[rows["trial_number"] == 1].sort_values(["epoch", "replicate"])
    assert list(zip(found["replicate"], found["epoch"], strict=True)) == [row[:2] for row in ended.expected]
    assert list(found["val_error"]) == pytest.approx([row[2] for row in ended.expected], rel=1e-11)


def test_an_error_elsewhere_is_the_trials_own_with_its_line(ended: Ended) -> None:
    trial = ended.trials[2]
    assert (trial.state, trial.attempt) == (TrialState.FAILED, 1)
    assert 'File "/elsewhere/loop.py", line 11, in train' in str(trial.error)
    assert "RuntimeError: block 1 is <broken>" in str(trial.error)


def test_the_confirm_trial_of_what_went_well_ends_too(ended: Ended) -> None:
    assert [
        (trial.number, trial.state) for trial in ended.trials.values() if trial.phase is Phase.CONFIRM
    ] == [(3, TrialState.COMPLETE)]
