"""Optuna alone, in two processes on a shared journal file, as its tutorial on parallel runs leads to.

The loop is plain torch on tensors that are in memory: no DataLoader, no number fetched from within an epoch, one
thread a process. Successive halving prunes at the rungs of the study.
"""

import argparse
import json
import multiprocessing
import tempfile
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from multiprocessing.synchronize import Barrier
from typing import Any

import optuna
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from torch import nn

from tests.benchmarks.contenders.networks import BATCH_SIZE, EPOCHS, FIRST_RUNG, REDUCTION_FACTOR, WORKERS
from tests.benchmarks.contenders.outcome import Outcome
from tests.benchmarks.contenders.plain import Parts, build_network, build_optimizer, load_parts, suggest

STUDY_NAME = "digits"
BEGUN = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)


def objective(trial: optuna.Trial, parts: Parts) -> float:
    """Train one network; return its last validation loss."""
    inputs, targets, val_inputs, val_targets = parts
    config = suggest(trial)
    network = build_network(config)
    optimizer = build_optimizer(config, network)
    criterion = nn.CrossEntropyLoss()
    val_loss = float("inf")
    for epoch in range(1, EPOCHS + 1):
        network.train()
        for rows in torch.split(torch.randperm(len(inputs)), BATCH_SIZE):
            optimizer.zero_grad()
            loss = criterion(network(inputs[rows]), targets[rows])
            loss.backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            val_loss = criterion(network(val_inputs), val_targets).item()
        trial.report(val_loss, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return val_loss


def work(journal: str, num_trials: int, seed: int, ready: Barrier | threading.Barrier) -> None:
    """Take trials from the shared study until there are `num_trials` in all, once every process is `ready`."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.load_study(
        study_name=STUDY_NAME,
        storage=_storage(journal),
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.SuccessiveHalvingPruner(
            min_resource=FIRST_RUNG, reduction_factor=REDUCTION_FACTOR
        ),
    )
    parts = load_parts()
    ready.wait()
    study.optimize(
        lambda trial: objective(trial, parts),
        callbacks=[optuna.study.MaxTrialsCallback(num_trials, states=BEGUN)],
    )


def search(cells: Sequence[Mapping[str, Any]], *, seed: int, folder: str) -> Outcome:
    """Train one network for each cell in two processes; Optuna chooses its rate."""
    journal = f"{folder}/journal.log"
    study = create(journal, cells)
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(WORKERS)
    workers = [
        context.Process(target=work, args=(journal, len(cells), seed + number, ready))
        for number in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0, "a process of Optuna's failed"
    print("best:", study.best_params)
    return outcome(study)


def create(journal: str, cells: Sequence[Mapping[str, Any]]) -> optuna.Study:
    """Create the shared study and queue its cells, so that every contender trains the same."""
    study = optuna.create_study(study_name=STUDY_NAME, storage=_storage(journal), direction="minimize")
    for cell in cells:
        study.enqueue_trial(dict(cell))
    return study


def outcome(study: optuna.Study) -> Outcome:
    """Return what the trials came to."""
    return Outcome.of_trials(
        (len(trial.intermediate_values), _seconds(trial.datetime_start), _seconds(trial.datetime_complete))
        for trial in study.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED))
    )


def _storage(journal: str) -> JournalStorage:
    return JournalStorage(JournalFileBackend(journal))


def _seconds(moment: datetime | None) -> float:
    assert moment is not None
    return moment.timestamp()


def main() -> None:
    """Search over the cells given, one trial for each, and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=json.loads, required=True, help="a JSON list of factor levels")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        search(options.cells, seed=options.seed, folder=folder).print()


if __name__ == "__main__":
    main()
