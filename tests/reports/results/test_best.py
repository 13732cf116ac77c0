"""The best configuration: chosen in the search, scored in the confirm phase, said without a claim."""

from dataclasses import replace

import numpy as np
import pytest

from reports.inputs.inputs import ReportInputs
from reports.pages.json_report import json_report
from reports.results.best import (
    best_configuration,
    confirmed_configurations,
    describe,
    found,
    left_out,
    spread,
)
from reports.results.results import compute
from reports.wording.words import level_phrase
from tests.reports.odd_inputs import all_diverged, until
from tests.reports.sample import sample_tuning


@pytest.fixture(scope="module")
def tuning() -> ReportInputs:
    return sample_tuning()


def test_it_is_the_cell_whose_search_trial_was_lowest_with_the_scores_of_the_confirm_phase(
    inputs: ReportInputs,
) -> None:
    best = best_configuration(inputs, compute(inputs))
    search = inputs.trials[(inputs.trials["phase"] == "search") & (inputs.trials["state"] == "complete")]
    lowest = search.sort_values("objective").iloc[0]
    assert best is not None
    assert best["cell"] == lowest["cell"]
    assert best["params"]["learning_rate"] == lowest["learning_rate"]
    rows = inputs.replicates[inputs.replicates["trial_number"] == best["trial_number"]]
    assert set(rows["phase"]) == {"confirm"}
    assert best["test_loss"] == pytest.approx(rows["test_loss"].mean())
    assert best["test_accuracy"] == pytest.approx(rows["test_accuracy"].mean())


def test_where_accuracy_is_the_objective_the_highest_wins(inputs: ReportInputs) -> None:
    plan = {**inputs.plan, "objective": "val_accuracy"}
    accuracy = inputs.trials.assign(objective=1 - inputs.trials["objective"] / 10)
    other = replace(inputs, plan=plan, trials=accuracy)
    one, two = best_configuration(inputs, compute(inputs)), best_configuration(other, compute(other))
    assert one is not None
    assert two is not None
    assert one["params"] == two["params"]
    assert "lowest validation error" in found(other, two, [])


def test_without_cells_the_objective_says_which_is_best(tuning: ReportInputs) -> None:
    """By macro F1 the confirmed configuration with the highest loss is made to win."""
    confirm = tuning.trials[(tuning.trials["phase"] == "confirm")]["number"]
    by_loss = tuning.replicates[tuning.replicates["trial_number"].isin(confirm)].groupby("trial_number")
    last = by_loss["val_loss"].mean().iloc[:3].idxmax()
    f1 = np.where(tuning.replicates["trial_number"] == last, 0.9, 0.5)
    other = replace(
        tuning,
        plan={**tuning.plan, "objective": "val_macro_f1"},
        replicates=tuning.replicates.assign(val_macro_f1=f1, test_macro_f1=f1),
        epochs=tuning.epochs.assign(val_macro_f1=0.5),
    )
    best = best_configuration(other, compute(other))
    assert best is not None
    assert best["trial_number"] == last
    assert best["val_objective_lowered"] == pytest.approx(0.1)


def test_before_the_confirm_phase_it_has_no_scores_and_before_the_search_it_is_none(
    inputs: ReportInputs,
) -> None:
    searched = until(inputs, 12)
    best = best_configuration(searched, compute(searched))
    assert best is not None
    assert best["test_loss"] is None
    assert "not confirmed yet" in found(searched, best, [])
    nothing = until(inputs, 0)
    assert best_configuration(nothing, compute(nothing)) is None
    assert found(nothing, None, []).startswith("Nothing has been found yet")


def test_nothing_is_recommended_where_every_network_was_lost(inputs: ReportInputs) -> None:
    lost = all_diverged(inputs)
    best = best_configuration(lost, compute(lost))
    assert best is not None
    assert found(lost, best, []).startswith("Nothing to take away")
    assert "no better than guessing" in found(lost, best, [])
    scores = ("val_loss", "test_loss", "val_error", "test_error", "val_accuracy", "test_accuracy")
    assert {name: best[name] for name in scores} == dict.fromkeys(scores)
    assert best["num_failed"] == best["num_blocks"] == 3


def test_a_report_of_lost_networks_prints_no_default_as_if_it_were_measured(inputs: ReportInputs) -> None:
    """What guessing scores stands nowhere but where it is said to be that."""
    lost = all_diverged(inputs)
    results = compute(lost)
    report = json_report(lost, results)
    texts = [
        *report["analysis"],
        *report["notes"],
        report["found"],
        *(each["sentence"] for each in report["answer"]),
    ]
    for default in ("2.303", "90.0", "0.100", "levelled off", "±0.000"):
        assert all(default not in text for text in texts), default
    assert any(
        "every network compared diverged, failed or did no better than guessing" in text for text in texts
    )
    assert (report["lottery"], report["variation"], report["evaluation"]) == (None, None, None)
    assert report["search"]["curve"] == []
    assert {report["best"]["objective"], *(each["objective"] for each in report["chosen"])} == {None}


def test_of_lost_networks_that_maximise_a_metric_nothing_is_told_either(inputs: ReportInputs) -> None:
    metrics = [{"name": "r2", "direction": "max", "unit": "", "failure": 0.0, "smallest_effect": 0.1}]
    plan = {**inputs.plan, "metrics": metrics, "objective": "val_r2", "model": "own"}
    columns = dict.fromkeys(("val_r2", "test_r2"), np.nan)
    lost = all_diverged(inputs)
    own = replace(
        lost,
        plan=plan,
        trials=lost.trials.assign(objective=0.0),
        replicates=lost.replicates.assign(**columns),
        epochs=lost.epochs.assign(val_r2=np.nan),
    )
    report = json_report(own, compute(own))
    assert (report["best"]["val_r2"], report["best"]["test_r2"]) == (None, None)
    assert "no better than a failure" in report["found"]
    told = " ".join(
        [
            *report["analysis"],
            *report["notes"],
            report["found"],
            *(each["sentence"] for each in report["answer"]),
        ]
    )
    for word in ("nats", "log-loss", "guessing", "networks of your own"):
        assert word not in told
    assert "models of your own" in told


def test_a_level_whose_search_failed_altogether_is_named(inputs: ReportInputs) -> None:
    assert left_out(inputs, compute(inputs)) == ""
    factor, levels = next(iter(inputs.factors.items()))
    lost = inputs.trials[inputs.trials[factor] == levels[0]]["number"]
    kept = replace(
        inputs,
        trials=inputs.trials[~inputs.trials["number"].isin(lost)],
        replicates=inputs.replicates[~inputs.replicates["trial_number"].isin(lost)],
        epochs=inputs.epochs[~inputs.epochs["trial_number"].isin(lost)],
    )
    said = left_out(kept, compute(kept))
    assert said.startswith(f"Nothing is compared with {level_phrase(factor, levels[0])}: every trial")


def test_without_cells_the_lowest_confirmed_configuration_wins_and_the_default_cannot() -> None:
    tuning = sample_tuning(budget=12, num_blocks=3)
    results = compute(tuning)
    confirmed = confirmed_configurations(tuning, results)
    assert [each["is_default"] for each in confirmed] == [False, False, False, True]
    best = best_configuration(tuning, results)
    assert best is not None
    assert best["val_loss"] == min(each["val_loss"] for each in confirmed[:3])


def test_a_configuration_and_a_score_read_well() -> None:
    params = {"depth": 3, "dropout": 0.1, "batch_norm": True, "optimizer": "adam", "learning_rate": 0.00421}
    assert describe(params) == "depth 3, dropout 0.1, batch norm on, Adam, learning rate 0.0042"
    score = {"x": 0.10234, "x_interval": [0.0961, 0.1083]}
    assert spread(score, "x") == "0.102 [0.096, 0.108]"
    assert spread(score, "x", 100) == "10.2 [9.6, 10.8]"
    assert spread({"x": 0.5, "x_interval": [None, None]}, "x") == "0.500"
    assert spread({"x": None, "x_interval": None}, "x") == "–"
