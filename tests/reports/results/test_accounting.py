"""The record adds up at every level, or the rows that do not are named."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pandas as pd
import pytest

from reports.inputs.inputs import ReportInputs
from reports.results.accounting import COUNTS, Accounting, AccountingError, account, copied_trials
from tests.reports.sample import START, sample_tuning


def count(study: ReportInputs, **frames: pd.DataFrame) -> Accounting:
    recorded = {"trials": study.trials, "replicates": study.replicates, "epochs": study.epochs}
    return account(**{**recorded, **frames}, plan=study.plan, created_at=study.created_at)


class TestCounts:
    def test_agree_with_the_frames_and_the_plan(self, study: ReportInputs) -> None:
        found = count(study).overall
        assert found["planned"] == found["started"] == len(study.trials) == 4 * 3 + 4
        assert found["complete"] + found["pruned"] == found["started"]
        assert found["networks"] == len(study.replicates)
        assert found["epochs"] == len(study.epochs)
        assert found["diverged"] == (study.replicates["outcome"] == "diverged").sum()

    def test_levels_and_phases_sum_to_the_whole(self, study: ReportInputs) -> None:
        found = count(study)
        for rows in [found.by_phase, *(rows for _, rows in found.by_level.groupby("factor"))]:
            assert rows[COUNTS].sum().to_dict() == {name: found.overall[name] for name in COUNTS}

    def test_rungs_hold_the_stopped(self, study: ReportInputs) -> None:
        found = count(study)
        assert found.by_rung["rung"].tolist() == [6, 18]
        assert found.by_rung["pruned"].sum() == found.overall["pruned"]

    def test_an_unfinished_study_has_gaps_and_adds_up(self, study: ReportInputs) -> None:
        trials = study.trials.iloc[:7].copy()
        trials["state"] = [*trials["state"][:5], "running", "waiting"]
        trials["epochs"] = [*trials["epochs"][:5], 0, None]
        kept = trials["number"][:5]
        frames = {
            name: frame[frame["trial_number"].isin(kept)]
            for name, frame in (("replicates", study.replicates), ("epochs", study.epochs))
        }
        found = count(study, trials=trials, **frames).overall
        assert (found["missing"], found["waiting"], found["running"], found["started"]) == (9, 1, 1, 6)

    def test_nothing_recorded_yet(self, study: ReportInputs) -> None:
        found = account(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), study.plan)
        assert found.overall["missing"] == found.overall["planned"] == 16
        assert found.overall["networks"] == found.overall["epochs"] == 0

    def test_a_study_without_cells_plans_no_levels(self) -> None:
        study = sample_tuning(budget=9, num_blocks=2)
        plan = {**study.plan, "factors": {"depth": [3, 5, 7]}}
        found = account(study.trials, study.replicates, study.epochs, plan)
        assert found.overall["planned"] == 9 + 3 + 1
        assert found.by_level["planned"].isna().all()
        assert found.by_level["started"].sum() == 13

    def test_retries_and_failures_are_counted(self, study: ReportInputs) -> None:
        trials = study.trials.copy()
        trials.loc[0, "attempt"] = 2
        trials.loc[0, "state"] = "failed"
        lost = study.replicates.assign(
            outcome=study.replicates["outcome"].where(study.replicates["trial_number"] != 1, "failed")
        )
        found = count(study, trials=trials, replicates=lost).overall
        assert (found["retried"], found["failed"]) == (1, 1)

    def test_json_has_no_missing_markers(self) -> None:
        study = sample_tuning(budget=9, num_blocks=2)
        plan = {**study.plan, "factors": {"depth": [3, 5, 7]}}
        found = account(study.trials, study.replicates, study.epochs, plan).to_dict()
        assert json.loads(json.dumps(found))["by_level"][0]["planned"] is None


def test_copied_trials_are_counted_by_their_source(study: ReportInputs) -> None:
    workers = study.trials["worker"].where(study.trials["number"] > 2, "copied from small-study, trial 7")
    assert copied_trials(study.trials.assign(worker=workers)) == {"small-study": 2}
    assert copied_trials(study.trials) == copied_trials(study.trials.iloc[:0]) == {}


def pruned_confirm(study: ReportInputs) -> dict[str, pd.DataFrame]:
    trials = study.trials.copy()
    trials.loc[trials["number"] == 16, "state"] = "pruned"
    return {"trials": trials}


def lost_replicate(study: ReportInputs) -> dict[str, pd.DataFrame]:
    return {"replicates": study.replicates.drop(index=0)}


def lost_epoch(study: ReportInputs) -> dict[str, pd.DataFrame]:
    return {"epochs": study.epochs.drop(index=0)}


def unknown_level(study: ReportInputs) -> dict[str, pd.DataFrame]:
    trials = study.trials.copy()
    trials.loc[0, "depth"] = 9
    return {"trials": trials}


def unknown_state(study: ReportInputs) -> dict[str, pd.DataFrame]:
    trials = study.trials.copy()
    trials.loc[0, "state"] = "lost"
    return {"trials": trials}


def extra_trial(study: ReportInputs) -> dict[str, pd.DataFrame]:
    return {"trials": pd.concat([study.trials, study.trials.iloc[:1].assign(number=99, state="failed")])}


def same_trial_twice(study: ReportInputs) -> dict[str, pd.DataFrame]:
    return {"trials": pd.concat([study.trials, study.trials.iloc[:1]])}


def early_start(study: ReportInputs) -> dict[str, pd.DataFrame]:
    trials = study.trials.copy()
    trials.loc[trials["number"] == 4, "started_at"] = START - timedelta(seconds=1)
    return {"trials": trials}


def waiting_with_rows(study: ReportInputs) -> dict[str, pd.DataFrame]:
    trials = study.trials.copy()
    trials.loc[0, "state"] = "waiting"
    return {"trials": trials}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (pruned_confirm, "trial 16 stopped in the confirm phase"),
        (lost_replicate, "trial 1 should have 3 replicates"),
        (lost_epoch, "epochs recorded for trial 1 are not those"),
        (unknown_level, "depth 9 of trial 1 is not in the plan"),
        (unknown_state, "state lost of trial 1 is none of waiting"),
        (extra_trial, "13 trials in the search phase, 12 planned; cell 1 has 4 trials"),
        (same_trial_twice, "trial 1 stand there more than once"),
        (early_start, "after the start of trial 4"),
        (waiting_with_rows, "replicates are recorded for trial 1, which never started"),
    ],
)
def test_what_does_not_add_up_is_named(
    study: ReportInputs, wrong: Callable[[ReportInputs], dict[str, pd.DataFrame]], message: str
) -> None:
    with pytest.raises(AccountingError, match=message):
        count(study, **wrong(study))


def test_all_mistakes_come_together(study: ReportInputs) -> None:
    with pytest.raises(AccountingError) as caught:
        count(study, **lost_epoch(study), **pruned_confirm(study))
    assert len(caught.value.mistakes) == 3  # the pruned trial's replicates say complete, too


def test_the_error_is_the_users() -> None:
    assert issubclass(AccountingError, ValueError)
