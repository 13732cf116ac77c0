"""Makes models/best, the model that a study leaves: its weights, how it is used, and how well it does."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from reports.inputs.inputs import ReportInputs
from reports.pages.atomic_files import PARTIAL
from reports.results import examined
from reports.results.best import best_configuration, describe, nothing_to_take, spread
from reports.wording.words import number
from studies.base.states import Outcome
from studies.database.copying import artifacts_of
from studies.database.results import Artifact
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.planning.plan import Plan
from studies.results.report_inputs import Findings, explaining_contradictions
from studies.run_log import provenance
from studies.storage.artifacts import BEST, write_artifact
from studies.storage.paths import below
from trainables.user_code.code import OWN

if TYPE_CHECKING:
    from trainables.data.dataset import Dataset
    from trainables.data.splits import Splits
    from trainables.use.making import MadeModel
    from trainables.use.saved_model import ModelConfig

MISSING: Final = "models_missing"
FOLDER: Final = Path("models") / BEST


def keep_best_model(
    store: Store,
    study: StudyRow,
    plan: Plan,
    folder: Path,
    *,
    findings: Findings,
    dataset: "Dataset",
    splits: "Splits",
    copy: Callable[[], None] = lambda: None,
) -> None:
    """Make `folder`/models/best of the configuration that the report calls best, unless it is there already.

    The network is the median replicate by its validation loss, which says nothing of luck on the test part. How it does
    is recorded as an event. Nothing is made where no network has learned anything, or none is kept, as of a user's own
    training loop; if files are missing or damaged, an event is recorded. `copy` copies the files to where others look
    for them, before they are recorded.
    """
    inputs = findings.inputs
    with explaining_contradictions(study.name):
        best = best_configuration(inputs, findings.results)
    if best is None or best["trial_number"] is None:
        return
    blocks = _blocks_at_best(store, study, folder, best["trial_number"])
    if not blocks or nothing_to_take(best):
        return
    block = median_block(inputs.replicates[inputs.replicates["trial_number"] == best["trial_number"]])
    if block is None or f"block-{block}.safetensors" not in blocks or _is_made(folder, best, block, inputs):
        return
    made = make(plan, inputs, best, block=block, blocks=blocks, dataset=dataset, splits=splits)
    artifacts = write_model(folder / FOLDER, made.files)
    copy()
    trial_number, replicate = best["trial_number"], _replicate_of(inputs, best["trial_number"], block)
    with store.together(study.id):
        for artifact in artifacts:
            if artifact.path not in blocks:  # which are those of their trial
                path = (FOLDER / artifact.path).as_posix()
                store.add_artifact(study.id, replace(artifact, path=path))
        store.add_event(study.id, examined.KIND, trial_number, json.dumps(made.examined, sort_keys=True))
        shown = {each["row"]: each for name in ("samples", "mistakes") for each in made.examined[name]}
        store.add_samples(study.id, trial_number, replicate, [shown[row] for row in sorted(shown)])


def _replicate_of(inputs: ReportInputs, trial_number: int, block: int) -> int:
    rows = inputs.replicates[inputs.replicates["trial_number"] == trial_number]
    return int(rows.loc[rows["block"] == block, "replicate"].iloc[0])


def write_model(folder: Path, files: Mapping[str, bytes]) -> list[Artifact]:
    """Write a model folder's files and return them, with paths below `folder`.

    The manifest is removed first and written last, so that half of a folder is no model. What a killed run left of a
    file is removed.
    """
    from trainables.use.saved_model import MANIFEST

    (folder / MANIFEST).unlink(missing_ok=True)
    for left in folder.glob(f".*{PARTIAL}"):
        left.unlink(missing_ok=True)
    names = [*(name for name in files if name != MANIFEST), MANIFEST]
    return [write_artifact(folder, Path(name), files[name]) for name in names]


def median_block(replicates: pd.DataFrame) -> int | None:
    """Return the block of the replicate with the lower median of validation losses among those that are complete."""
    sound = replicates[(replicates["outcome"] == Outcome.COMPLETE) & replicates["val_loss"].notna()]
    if sound.empty:
        return None
    ordered = sound.sort_values(["val_loss", "block"], kind="stable")
    return int(ordered["block"].iloc[(len(ordered) - 1) // 2])


def make(
    plan: Plan,
    inputs: ReportInputs,
    best: Mapping[str, Any],
    *,
    block: int,
    blocks: Mapping[str, bytes],
    dataset: "Dataset",
    splits: "Splits",
) -> "MadeModel":
    """Return the files of the model of one block's network, and its evaluation."""
    from trainables.base.hyperparameters import Hyperparameters
    from trainables.use.making import make_model

    hyperparameters = Hyperparameters.from_dict(
        plan.hyperparameters(best["params"]), own=plan.study.hyperparameters
    )
    rows = inputs.replicates[inputs.replicates["trial_number"] == best["trial_number"]]
    mine = rows[rows["block"] == block].iloc[0]
    config = _config(plan, best, asdict(hyperparameters), dataset, block=block, num=len(rows))
    split = splits[hyperparameters.train_size, block]
    return make_model(
        config,
        kept=blocks[f"block-{block}.safetensors"],
        blocks=blocks,
        dataset=dataset,
        split=split,
        code=plan.code if plan.study.model == OWN else None,
        training=_training(plan, asdict(hyperparameters), mine, inputs, split),
        card=_card(inputs, best, mine, dataset),
    )


def _config(
    plan: Plan,
    best: Mapping[str, Any],
    hyperparameters: Mapping[str, Any],
    dataset: "Dataset",
    *,
    block: int,
    num: int,
) -> "ModelConfig":
    from trainables.use.saved_model import ModelConfig

    return ModelConfig(
        study=plan.name,
        model=plan.study.model,
        hyperparameters=hyperparameters,
        input_shape=dataset.shape or (dataset.num_features,),
        classes=dataset.classes,
        dataset=dataset.name,
        trial=best["trial_number"],
        block=block,
        chosen=f"the median of {num} replicates by validation loss (block {block}), not the luckiest",
        versions=provenance.versions(),
    )


def _training(
    plan: Plan, hyperparameters: Mapping[str, Any], mine: pd.Series, inputs: ReportInputs, split: Any
) -> dict[str, Any]:
    """Return what training_config.json says."""
    trial = inputs.trials[inputs.trials["number"] == mine["trial_number"]].iloc[0]
    own = hyperparameters.get("own", {})
    return {
        "study": plan.name,
        "seed": plan.seed,
        "plan_hash": plan.hash,
        "model": plan.study.model,
        "dataset": plan.study.dataset,
        "dataset_sha256": plan.dataset_fingerprint,
        "trial": int(mine["trial_number"]),
        "block": int(mine["block"]),
        "epochs": int(trial["epochs"]),
        **({"best_epoch": int(mine["best_epoch"])} if pd.notna(mine.get("best_epoch")) else {}),
        "examples": {name: len(getattr(split, name)) for name in ("train", "validation", "test")},
        **{name: value for name, value in hyperparameters.items() if name != "own"},
        **own,
        "scores": {
            name: float(mine[name])
            for name in ("val_loss", "val_accuracy", "test_loss", "test_accuracy")
            if pd.notna(mine[name])
        },
    }


def _card(
    inputs: ReportInputs, best: Mapping[str, Any], mine: pd.Series, dataset: "Dataset"
) -> dict[str, Any]:
    error = {"test_error": best["test_error"], "test_error_interval": best["test_error_interval"]}
    return {
        "question": inputs.question,
        "configuration": describe(best["params"]),
        "about": dataset.about,
        "licence": dataset.licence,
        "scores": [
            ["test log-loss, nats", number(mine["test_loss"]), spread(best, "test_loss")],
            ["test error, %", number(100 * (1 - mine["test_accuracy"]), 1), spread(error, "test_error", 100)],
        ],
        "limits": _limits(best, dataset),
    }


def _limits(best: Mapping[str, Any], dataset: "Dataset") -> Sequence[str]:
    parts = "an official test set" if dataset.official_test is not None else "a random part of the same data"
    return (
        f"The scores are of {parts}: other sources, times or devices may differ. `studies monitor` compares new inputs "
        "with what it was trained on.",
        "The configuration was chosen among the study's by validation loss, so its score keeps a small optimism.",
        "The folder holds examples of the data (examples.safetensors, and in reference.safetensors rows of tables and "
        "arrays, or measures of images and texts): hand it on only as you would the data.",
        f"It always answers with one of its {dataset.num_classes} classes, whatever it is given, and its confidence is "
        "no probability of being right unless it is calibrated.",
    )


def _blocks_at_best(store: Store, study: StudyRow, folder: Path, trial_number: int) -> dict[str, bytes]:
    """Return the best configuration's weights by file name, read from models/best; empty if one is missing.

    In a study without cells the best is known only after all are confirmed, so its files are copied there from those of
    its trial; with cells it is known before, and its trial writes there itself. An event tells what is missing.
    """
    blocks = {}
    for artifact in artifacts_of(store, study.id, trial_number):
        source, path = Path(artifact.path), below(folder, artifact.path)
        data = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(data).hexdigest() != artifact.sha256:
            detail = f"{artifact.path} is not what was written there; models/{BEST} is not complete"
            store.add_event(study.id, MISSING, trial_number, detail)
            return {}
        blocks[source.name] = data
        if source.parent.name != BEST:
            _copy(store, study, folder, artifact, data, trial_number)
    return blocks


def _copy(
    store: Store, study: StudyRow, folder: Path, artifact: Artifact, data: bytes, trial_number: int
) -> None:
    source = Path(artifact.path)
    copied = source.parent.with_name(BEST) / source.name
    there = below(folder, copied.as_posix())
    if there.is_file() and there.read_bytes() == data:
        return
    store.add_artifact(study.id, write_artifact(folder, copied, data), trial_number)


def _is_made(folder: Path, best: Mapping[str, Any], block: int, inputs: ReportInputs) -> bool:
    """Return whether the folder holds the model of this network, sound, and its evaluation is recorded."""
    from trainables.base.errors import ModelError
    from trainables.use.saved_model import ModelFolder

    recorded = inputs.events[inputs.events["kind"] == examined.KIND]
    if recorded.empty or recorded["trial_number"].iloc[-1] != best["trial_number"]:
        return False
    try:
        config = ModelFolder.open(folder / FOLDER).config
    except ModelError:
        return False
    return (config.trial, config.block) == (best["trial_number"], block)
