"""Made-up networks: what a worker would report of an assignment, the same each time and in no time at all."""

import json
import math
from collections.abc import Generator, Mapping
from types import SimpleNamespace
from typing import Any

from reports.inputs.inputs import ReportInputs
from studies.planning.plan import Plan
from tests.reports.examined import examined
from trainables.base.records import EpochRecord, LayerRecord, Outcome, ReplicateRecord, TrialReport
from trainables.trials.trial_spec import TrialSpec


def loss(trial_spec: TrialSpec, replicate: int, epoch: int) -> float:
    """A made-up loss in nats: best at a rate of 0.01, better with epochs, never twice the same."""
    hp = trial_spec.hyperparameters
    distance = math.log10(hp.learning_rate) + 2
    return (
        0.1 + distance**2 / (2 + epoch) + 0.01 * hp.depth + 0.001 * ((7 * trial_spec.blocks[replicate]) % 5)
    )


def reports(trial_spec: TrialSpec) -> Generator[TrialReport, None, None]:
    """Yield a report after each epoch, as a trial does whose epochs take long."""
    for epoch in range(1, trial_spec.epochs + 1):
        last = epoch == trial_spec.epochs
        measured = (0, 1) if epoch == 1 else (epoch,)
        replicates = range(len(trial_spec.blocks))
        yield TrialReport(
            epoch=epoch,
            objective=math.fsum(loss(trial_spec, each, epoch) for each in replicates) / len(replicates),
            epochs=tuple(_epoch(trial_spec, each, at) for at in measured for each in replicates),
            replicates=tuple(_replicate(trial_spec, each, epoch, last) for each in replicates),
            busy_seconds=0.01,
            worker="light:1",
            models=tuple(b"weights of %d" % each for each in replicates)
            if last and trial_spec.keeps_models
            else (),
        )


def _epoch(trial_spec: TrialSpec, replicate: int, epoch: int) -> EpochRecord:
    depth = trial_spec.hyperparameters.depth if epoch in trial_spec.layers_at else 0
    layers = tuple(_layer(number, epoch) for number in range(1, depth + 1))
    metrics = {"num_nonfinite": 0.0, "clip_fraction": 0.0, "spike_rate": 0.0} if layers else {}
    value = loss(trial_spec, replicate, epoch)
    if epoch == 0:
        return EpochRecord(replicate=replicate, epoch=0, train_loss=value, metrics=metrics, layers=layers)
    return EpochRecord(
        replicate=replicate,
        epoch=epoch,
        train_loss=value,
        train_accuracy=0.5,
        val_loss=value,
        val_accuracy=0.5,
        learning_rate=trial_spec.hyperparameters.learning_rate,
        metrics=metrics,
        layers=layers,
    )


def _layer(number: int, epoch: int) -> LayerRecord:
    return LayerRecord(
        layer=number,
        grad_l2=1.0,
        grad_l2_max=1.0,
        grad_rms=0.1,
        delta_rms=0.1 * number,
        weight_rms=0.1,
        update_ratio=None if epoch == 0 else 1e-3,
        activation_mean=0.0,
        activation_std=1.0,
        dead_fraction=0.0,
    )


def _replicate(trial_spec: TrialSpec, replicate: int, epoch: int, last: bool) -> ReplicateRecord:
    value = loss(trial_spec, replicate, epoch)
    hp, block = trial_spec.hyperparameters, trial_spec.blocks[replicate]
    # Chance that differs from cell to cell, so that differences between them have a spread.
    luck = 0.002 * ((block + 1) * (2 * hp.depth + 3 + int(100 * hp.dropout)) ** 2 % 7)
    is_tested = last and trial_spec.reads_test
    return ReplicateRecord(
        replicate=replicate,
        block=block,
        outcome=Outcome.COMPLETE,
        val_loss=value,
        val_accuracy=0.5,
        test_loss=value + luck if is_tested else None,
        test_accuracy=0.5 if is_tested else None,
        metrics={"holdout_loss": value + luck / 2, "holdout_accuracy": 0.5}
        if is_tested and trial_spec.scores_holdout
        else {},
    )


def made_model(
    plan: Plan,
    inputs: ReportInputs,
    best: Mapping[str, Any],
    *,
    block: int,
    blocks: Mapping[str, bytes],
    **_: Any,
) -> Any:
    """Return a model folder that nobody uses, in the place of what is computed from weights."""
    from trainables.use.preprocessing import Preprocessing
    from trainables.use.saved_model import CONFIG, MANIFEST, PREPROCESSING, ModelConfig, manifest, to_json

    config = ModelConfig(
        study=plan.name,
        model=plan.study.model,
        hyperparameters={},
        input_shape=(64,),
        classes=("no", "yes"),
        dataset=plan.study.dataset,
        trial=best["trial_number"],
        block=block,
        chosen="made up",
    )
    record = {**examined(inputs, "table"), "block": block, "trial_number": best["trial_number"]}
    files = {
        **blocks,
        CONFIG: to_json(config.to_dict()),
        PREPROCESSING: to_json(Preprocessing(kind="array", shape=(64,)).to_dict()),
        "evaluation.json": json.dumps(record).encode(),
    }
    return SimpleNamespace(files={**files, MANIFEST: manifest(files)}, examined=record)
