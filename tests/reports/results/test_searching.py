"""What the search did: losses at rungs, counts by level, agreement and the budget curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from reports.inputs.inputs import ReportInputs
from reports.results.searching import (
    about_agreement,
    about_curve,
    failed_shares,
    mean_curve,
    rung_losses,
    search_record,
)
from reports.statistics.budget_curve import expected_best
from tests.reports.forbidden_words import forbidden_words, unlisted_numbers
from tests.reports.odd_inputs import SMALL, odd_inputs
from tests.reports.sample import sample_tuning


def test_the_first_rung_is_the_mean_over_networks_capped_at_chance(study: ReportInputs) -> None:
    losses = rung_losses(study)
    first = losses[losses["epoch"] == 6].set_index("trial_number")["val_loss"]
    epochs = study.epochs[(study.epochs["trial_number"] == 1) & (study.epochs["epoch"] == 6)]
    assert first[1] == pytest.approx(epochs["val_loss"].clip(upper=np.log(10)).mean())
    assert set(first.index) == set(study.trials.loc[study.trials["phase"] == "search", "number"])
    assert failed_shares(study).between(0, 1).all()


def test_another_objective_is_expected_to_rise_with_more_trials(study: ReportInputs) -> None:
    scores = study.epochs["val_accuracy"].where(study.epochs["trial_number"] != 1, np.nan)
    other = replace(
        study,
        plan={**study.plan, "objective": "val_macro_f1"},
        epochs=study.epochs.assign(val_macro_f1=scores),
    )
    losses = rung_losses(other)
    first = losses[losses["epoch"] == 6].set_index("trial_number")["val_macro_f1"]
    assert first[1] == pytest.approx(0.1), "what is missing scores as guessing"
    record = search_record(other)
    curve = [row["objective"] for row in record["curve"]]
    assert curve == sorted(curve)
    assert curve[-1] > curve[0]
    assert "come to a validation macro F1 of" in record["sentences"][-1]
    assert not unlisted_numbers(record["sentences"][-1], record["numbers"][-1])


def test_a_trial_has_no_loss_at_a_rung_that_it_did_not_reach(study: ReportInputs) -> None:
    losses = rung_losses(study)
    stopped = study.trials.loc[study.trials["state"] == "pruned", "number"]
    assert set(losses.loc[losses["trial_number"].isin(stopped), "epoch"]) == {6}


def test_levels_count_the_trials_that_reached_each_rung(study: ReportInputs) -> None:
    rows = search_record(study)["by_level"]
    search = study.trials[study.trials["phase"] == "search"]
    for factor in SMALL:
        mine = [row for row in rows if row["factor"] == factor]
        assert sum(row["trials"] for row in mine) == len(search)
        assert sum(row["reached"]["18"] for row in mine) == (search["epochs"] == 18).sum()


def test_the_curve_is_the_mean_over_cells(study: ReportInputs) -> None:
    losses = rung_losses(study)
    first = losses[losses["epoch"] == 6]
    curves = [expected_best(rows["val_loss"]) for _, rows in first.groupby("cell")]
    assert mean_curve(first) == pytest.approx(list(np.mean(curves, axis=0)))
    assert mean_curve(first.iloc[:0]) == []


def test_sentences_list_their_numbers() -> None:
    agreement = pd.DataFrame([{"rung_a": 6, "rung_b": 18, "tau": 0.714, "num_cells": 54, "num_trials": 167}])
    for said in (about_agreement(agreement), about_curve([0.4, 0.31, 0.3], 6)):
        assert said is not None
        assert forbidden_words(said.text) == []
        assert unlisted_numbers(said.text, said.numbers) == []
    assert about_agreement(agreement.assign(tau=np.nan)) is None
    assert about_curve([0.4], 6) is None


def test_without_cells_all_trials_are_one_group() -> None:
    found = search_record(sample_tuning(budget=12, num_blocks=2))
    assert len(found["curve"]) == 12
    assert found["robustness"] == []


@pytest.mark.parametrize(
    "case", ["frames without rows", "interrupted at once", "half of the search", "all alike"]
)
def test_odd_searches_have_a_record(case: str) -> None:
    found = search_record(odd_inputs()[case])
    assert len(found["by_level"]) == 4
    assert all("nan" not in sentence for sentence in found["sentences"])


def test_a_waiting_trial_is_not_begun(study: ReportInputs) -> None:
    trials = study.trials.assign(state=study.trials["state"].where(study.trials["number"] != 1, "waiting"))
    before, after = (search_record(each)["by_level"] for each in (study, replace(study, trials=trials)))
    assert sum(row["trials"] for row in before) - sum(row["trials"] for row in after) == len(SMALL)
