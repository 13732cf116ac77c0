"""Frames: their columns, types and levels, full and empty, from both databases."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from studies.base.errors import StudiesError
from studies.base.states import Outcome, Phase, TrialState
from studies.database.frames import frames
from studies.database.results import Artifact, Evaluation, Verdicts
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.definition.plan_versions import UNTIL_CLEAR
from tests.studies.database.recorded import (
    MOMENT,
    add_trial,
    at_end,
    at_rung,
    epoch_records,
    new_study,
    start,
)
from trainables.base.records import EpochRecord, ReplicateRecord

PARAMS = "depth batch_norm learning_rate"
COLUMNS = {
    "trials": f"number phase cell {PARAMS} state stop_reason rung epochs objective attempt started_at ended_at"
    " busy_seconds error worker",
    "replicates": f"trial_number phase cell {PARAMS} replicate block outcome val_loss val_accuracy test_loss"
    " test_accuracy verdict_initial verdict_trained test_top2_accuracy test_macro_f1 test_roc_auc verdicts",
    "epochs": "trial_number replicate epoch sequence train_loss train_accuracy val_loss val_accuracy learning_rate",
    "gradients": "trial_number replicate epoch layer grad_l2 grad_l2_max grad_rms delta_rms weight_rms"
    " update_ratio activation_mean activation_std dead_fraction",
    "events": "sequence at kind trial_number detail",
    "evaluation": "trial_number replicate confusion calibration",
    "artifacts": "path sha256 num_bytes",
}


@pytest.fixture
def recorded(store: Store, study: StudyRow) -> StudyRow:
    """Return a study with a complete trial, a failed one and one that waits."""
    for number, depth in ((1, 3), (2, 5), (3, 5)):
        params = {"depth": depth, "batch_norm": depth == 3, "learning_rate": 0.01 * number}
        add_trial(store, study, number, cell=number, params=params)
    start(store, study, 1)
    store.record_result(study.id, 1, at_rung(2, [0, 1, 2]))
    evaluations = [
        Evaluation(replicate=1, confusion=[[3, 1], [0, 2]], calibration=[{"low": 0.0, "count": 3}])
    ]
    artifacts = [Artifact(path="models/best/1.pt", sha256="aa", num_bytes=12)]
    store.record_result(study.id, 1, at_end(3, [3], evaluations=evaluations, artifacts=artifacts))
    failed = at_end(0, [], state=TrialState.FAILED, objective=None, error="boom", replicates=[])
    store.record_result(study.id, 2, failed)
    store.add_event(study.id, "interrupted", None, "Ctrl-C")
    return study


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_the_same_full_and_empty(store: Store, recorded: StudyRow, name: str) -> None:
    full = getattr(frames, name)(store, recorded.id)
    empty = getattr(frames, name)(store, new_study(store, "empty").id)
    assert list(full.columns) == list(empty.columns) == COLUMNS[name].split()
    assert (len(full) > 0, len(empty)) == (True, 0)


def test_trials(store: Store, recorded: StudyRow) -> None:
    trials = frames.trials(store, recorded.id)
    assert list(trials["state"]) == ["complete", "failed", "waiting"]
    assert list(trials["depth"]) == [3, 5, 5]
    assert list(trials["batch_norm"]) == [True, False, False]
    assert trials.dtypes[["cell", "depth", "batch_norm", "learning_rate"]].tolist() == [
        "int64",
        "int64",
        "bool",
        "float64",
    ]
    np.testing.assert_array_equal(trials["rung"], [2, np.nan, np.nan])
    assert trials["started_at"].iloc[0] == pd.Timestamp(MOMENT)
    assert trials["started_at"].isna().tolist() == [False, True, True]
    assert trials["error"].isna().tolist() == [True, False, True]
    assert trials["busy_seconds"].tolist() == [5.0, 3.0, 0.0]


def test_replicates_carry_their_trials_levels(store: Store, recorded: StudyRow) -> None:
    replicates = frames.replicates(store, recorded.id)
    assert replicates[["trial_number", "cell", "depth", "replicate", "block"]].to_numpy().tolist() == [
        [1, 1, 3, 1, 1],
        [1, 1, 3, 2, 2],
    ]
    assert set(replicates["outcome"]) == {"complete"}
    assert replicates["test_loss"].isna().all()
    assert replicates["test_loss"].dtype == "float64"
    assert replicates["verdict_trained"].isna().all()


def test_epochs_and_gradients_hold_what_was_measured(store: Store, recorded: StudyRow) -> None:
    records = epoch_records(range(4))
    epochs = frames.epochs(store, recorded.id)
    assert epochs[["trial_number", "replicate", "epoch", "val_loss"]].to_numpy().tolist() == [
        [1, record.replicate, record.epoch, record.val_loss] for record in records if record.epoch > 0
    ]
    gradients = frames.gradients(store, recorded.id)
    columns = ["trial_number", "replicate", "epoch", "layer", "grad_l2", "delta_rms"]
    assert gradients[columns].to_numpy().tolist() == [
        [1, record.replicate, record.epoch, layer.layer, layer.grad_l2, layer.delta_rms]
        for record in records
        for layer in record.layers
    ]
    np.testing.assert_array_equal(gradients["update_ratio"].isna(), gradients["epoch"] == 0)


def test_events_evaluation_and_artifacts(store: Store, recorded: StudyRow) -> None:
    events = frames.events(store, recorded.id)
    assert events[["kind", "detail"]].to_numpy().tolist() == [["interrupted", "Ctrl-C"]]
    assert np.isnan(events["trial_number"].iloc[0])
    evaluation = frames.evaluation(store, recorded.id)
    assert evaluation["confusion"].iloc[0] == [[3, 1], [0, 2]]
    assert evaluation["calibration"].iloc[0] == [{"low": 0.0, "count": 3}]
    assert frames.artifacts(store, recorded.id).to_numpy().tolist() == [["models/best/1.pt", "aa", 12]]


@pytest.mark.parametrize(
    ("levels", "kind"),
    [
        ([1, 2], "int64"),
        ([0.0, 0.5], "float64"),
        ([1, 0.5], "float64"),
        ([True, False], "bool"),
        (["sgd", "adam"], "str"),
        ([None, 0.5], "object"),
        ([(128, 64), 32], "object"),
        ([True, 2], "object"),
    ],
)
def test_levels_come_back_as_they_were_given(store: Store, levels: list[Any], kind: str) -> None:
    study = new_study(store, plan={"factors": {"x": levels}, "nuisances": {}})
    for number, level in enumerate(levels, start=1):
        add_trial(store, study, number, params={"x": level})
    column = frames.trials(store, study.id)["x"]
    assert column.tolist() == levels
    assert [type(each) for each in column.tolist()] == [
        float if kind == "float64" else type(e) for e in levels
    ]
    assert column.dtype == kind


def test_a_study_without_cells_has_none(store: Store, study: StudyRow) -> None:
    add_trial(store, study, 1, cell=None)
    add_trial(store, study, 2, cell=None, phase=Phase.CONFIRM)
    trials = frames.trials(store, study.id)
    assert trials["cell"].isna().all()
    assert trials["cell"].dtype == "float64"
    assert list(trials["phase"]) == ["search", "confirm"]


def test_other_studies_stay_out(store: Store, recorded: StudyRow) -> None:
    other = new_study(store, "other")
    add_trial(store, other)
    store.record_result(other.id, 1, at_end(1, [0, 1]))
    assert len(frames.epochs(store, recorded.id)) == 6
    assert len(frames.replicates(store, recorded.id)) == 2
    assert len(frames.trials(store, other.id)) == 1


def test_a_snapshot_holds_every_frame(store: Store, recorded: StudyRow) -> None:
    read = frames.snapshot(store, recorded.id)
    for name in COLUMNS:
        pd.testing.assert_frame_equal(getattr(read, name), getattr(frames, name)(store, recorded.id))
    assert read.study == store.find_study("depth_study")
    assert frames.as_events(read.events) == store.events(recorded.id)


def test_a_snapshot_of_a_study_that_was_deleted_is_an_error(store: Store, study: StudyRow) -> None:
    store.delete_study(study.id)
    with pytest.raises(StudiesError, match="deleted"):
        frames.snapshot(store, study.id)


def test_verdicts_are_stored_and_their_details_read_for_the_confirm_phase(
    store: Store, study: StudyRow
) -> None:
    details = {"initial": {"verdict": "WATCH", "measures": {"total_growth_high": 12.5}}, "trained": None}
    verdicts = {1: Verdicts(initial="WATCH", trained=None, details=details)}
    for number, phase in ((1, Phase.SEARCH), (2, Phase.CONFIRM)):
        add_trial(store, study, number, phase=phase)
        start(store, study, number)
        store.record_result(study.id, number, at_end(3, [3], verdicts=verdicts))
    replicates = frames.replicates(store, study.id)
    assert replicates["verdict_initial"].tolist()[::2] == ["WATCH", "WATCH"]
    assert replicates["verdict_initial"].isna().tolist() == [False, True, False, True]
    assert replicates["verdict_trained"].isna().all()
    assert replicates["verdicts"].tolist() == [None, None, details, None]


def test_a_score_without_a_column_is_one_in_the_frames_of_a_study_that_is_about_it(store: Store) -> None:
    study = new_study(store, plan={"factors": {}, "nuisances": {}, "objective": "val_macro_f1"})
    add_trial(store, study, 1, phase=Phase.CONFIRM)
    start(store, study, 1)
    scored = ReplicateRecord(
        replicate=0,
        block=0,
        outcome=Outcome.COMPLETE,
        metrics={"val_macro_f1": 0.75, "test_macro_f1": 0.5, "val_top2_accuracy": 1.0},
    )
    diverged = ReplicateRecord(replicate=1, block=1, outcome=Outcome.DIVERGED)
    epochs = [
        EpochRecord(replicate=0, epoch=epoch, metrics={"val_macro_f1": 0.1 * epoch} if epoch > 1 else {})
        for epoch in (1, 2, 3)
    ]
    ending = replace(at_end(3, [3], replicates=[scored, diverged]), epochs=epochs)
    store.record_result(study.id, 1, ending)
    replicates = frames.replicates(store, study.id)
    assert replicates[["val_macro_f1", "test_macro_f1"]].to_numpy() == pytest.approx(
        np.array([[0.75, 0.5], [np.nan, np.nan]]), nan_ok=True
    )
    assert frames.epochs(store, study.id)["val_macro_f1"].tolist() == pytest.approx(
        [np.nan, 0.2, 0.3], nan_ok=True
    )
    assert not {"val_top2_accuracy"} & {*replicates, *frames.epochs(store, study.id)}


def test_scores_of_both_held_out_parts_are_columns_where_a_plan_may_have_them(store: Store) -> None:
    columns = ["holdout_loss", "holdout_accuracy"]
    plan = {"plan_version": UNTIL_CLEAR, "factors": {}, "nuisances": {}, "looks": [1, 2]}
    study = new_study(store, plan=plan)
    scored = ReplicateRecord(
        replicate=0, block=1, outcome=Outcome.COMPLETE, metrics=dict(zip(columns, (0.3, 0.9), strict=True))
    )
    lost = ReplicateRecord(replicate=1, block=2, outcome=Outcome.DIVERGED)
    for number, phase in ((1, Phase.SEARCH), (2, Phase.CONFIRM)):
        add_trial(store, study, number, phase=phase, params={})
        start(store, study, number)
        store.record_result(study.id, number, at_end(3, [3], replicates=[scored, lost]))
    found = frames.replicates(store, study.id)
    assert found[columns].dtypes.tolist() == ["float64", "float64"]
    np.testing.assert_array_equal(found[columns], [[np.nan] * 2, [np.nan] * 2, [0.3, 0.9], [np.nan] * 2])
    for changes in ({"looks": [1]}, {"plan_version": UNTIL_CLEAR - 1}, {"fixed": {"patience": 3}}):
        other = new_study(store, f"without {changes}", plan={**plan, **changes})
        assert not {*columns} & {*frames.replicates(store, other.id)}
