"""A recorded study from Python: tidy frames, and an error that lists what there is."""

import pytest

import studies
from studies.base.errors import UsageError
from studies.database.rows import StudyRow


def test_frames_hold_what_is_recorded(url: str, complete: StudyRow) -> None:
    study = studies.load_study(complete.name)
    trials, replicates = study.trials(), study.replicates()
    assert set(trials["phase"]) == {"search", "confirm"}
    assert len(replicates) > len(trials)
    assert set(study.epochs()["trial_number"]) <= set(trials["trial_number"])
    assert len(replicates.merge(trials, on="trial_number")) == len(replicates)
    assert {"layer", "grad_l2", "delta_rms", "update_ratio"} <= set(study.gradients().columns)


def test_a_wrong_name_lists_the_right_ones(url: str, complete: StudyRow) -> None:
    with pytest.raises(UsageError, match=complete.name):
        studies.load_study("nothing-like-it")


def test_no_storage_is_told_and_not_made(url: str) -> None:
    with pytest.raises(UsageError):
        studies.load_study("x", storage=url.replace("studies.db", "none.db"))
