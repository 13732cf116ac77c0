"""Poor records give a whole report that claims nothing of what they leave open, and says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from reports.inputs.inputs import ReportInputs
from reports.pages.json_report import json_report
from reports.results.results import compute
from tests.reports.sample import sample_inputs

FACTORS = {"depth": (3, 5, 7), "batch_norm": (False, True)}
CLAIMS = {"DIRECTION", "MEANINGFUL", "EQUIVALENT", "INTERACTION"}


@pytest.fixture(scope="module")
def inputs() -> ReportInputs:
    return sample_inputs(FACTORS, rates=2)


def report_of(inputs: ReportInputs) -> dict[str, Any]:
    return json_report(inputs, compute(inputs))


def gates(report: Mapping[str, Any], family: str) -> set[str | None]:
    return {row["gate"] for row in report[family] if row["sentence"]}


def confirmed(inputs: ReportInputs) -> Any:
    return inputs.replicates["phase"] == "confirm"


def test_one_block(inputs: ReportInputs) -> None:
    kept = inputs.replicates["replicate"] == 1
    one = replace(
        inputs,
        plan={**inputs.plan, "replicates": 1},
        replicates=inputs.replicates[kept],
        epochs=inputs.epochs[inputs.epochs["replicate"] == 1],
        gradients=inputs.gradients[inputs.gradients["replicate"] == 1],
    )
    report = report_of(one)
    assert gates(report, "at_best") | gates(report, "contrasts") == {"UNRESOLVED"}
    assert all("one block gives" in row["sentence"] for row in report["at_best"])
    assert all(row["simultaneous_low"] is None for row in report["at_best"])


def test_all_blocks_equal(inputs: ReportInputs) -> None:
    rows = inputs.replicates
    scores = ["test_loss", "test_accuracy", "val_loss", "val_accuracy"]
    alike = rows.assign(**{name: rows.groupby("trial_number")[name].transform("first") for name in scores})
    report = report_of(replace(inputs, replicates=alike))
    assert not CLAIMS & (gates(report, "at_best") | gates(report, "contrasts"))
    assert any(
        "in each of ten blocks, which leaves no spread" in row["sentence"] for row in report["at_best"]
    )


def test_two_blocks_missing_in_one_cell(inputs: ReportInputs) -> None:
    whole = report_of(inputs)
    best = [row["best_a"] for row in whole["at_best"]] + [row["best_b"] for row in whole["at_best"]]
    rows = inputs.replicates
    cell = next(
        each
        for each in rows[confirmed(inputs)][[*FACTORS]].drop_duplicates().to_dict("records")
        if each not in best
    )
    gone = (
        confirmed(inputs)
        & (rows[list(cell)] == list(cell.values())).all(axis=1)
        & rows["replicate"].isin([1, 2])
    )
    assert gone.sum() == 2
    lacking = replace(inputs, replicates=rows.assign(test_loss=rows["test_loss"].mask(gone)))
    # A network without a score scores as a failure: nothing is dropped, and every block is still compared.
    report = report_of(lacking)
    assert {row["num_blocks"] for row in report["contrasts"]} == {10}


def test_a_level_whose_cells_all_failed(inputs: ReportInputs) -> None:
    lost = set(inputs.trials.loc[inputs.trials["depth"] == 7, "number"])
    is_search = inputs.trials["phase"] == "search"
    trials = inputs.trials.assign(
        state=inputs.trials["state"].mask(inputs.trials["number"].isin(lost) & is_search, "failed"),
        objective=inputs.trials["objective"].mask(inputs.trials["number"].isin(lost) & is_search),
    )
    gone = set(inputs.trials.loc[~is_search & (inputs.trials["depth"] == 7), "number"])
    failed = inputs.replicates["trial_number"].isin(lost)
    inputs = replace(
        inputs,
        replicates=inputs.replicates.assign(outcome=inputs.replicates["outcome"].mask(failed, "failed")),
    )
    kept = replace(
        inputs,
        trials=trials[~trials["number"].isin(gone)],
        **{
            name: getattr(inputs, name)[~getattr(inputs, name)["trial_number"].isin(gone)]
            for name in ("replicates", "epochs", "gradients")
        },
    )
    report = report_of(kept)
    by_pair = {
        (row["factor"], row["level_b"]): row for row in report["at_best"] if row["outcome"] == "test_loss"
    }
    assert by_pair["depth", 7]["gate"] == "UNRESOLVED"
    assert "every trial of the search failed with seven hidden layers" in by_pair["depth", 7]["sentence"]
    assert {row["num_hypotheses"] for row in by_pair.values()} == {3}
    averages = [row for row in report["contrasts"] if row["sentence"]]
    assert {row["gate"] for row in averages} == {"UNRESOLVED"}
    assert all(
        "cells are missing" in row["sentence"] or "no block has both" in row["sentence"] for row in averages
    )


def test_without_a_smallest_effect_nothing_is_meaningful_or_practically_equal(inputs: ReportInputs) -> None:
    metric = {"name": "loss", "direction": "min", "unit": "nats", "failure": 2.3, "smallest_effect": None}
    own = replace(inputs, plan={**inputs.plan, "objective": "val_loss", "metrics": [metric]})
    report = report_of(own)
    found = gates(report, "at_best") | gates(report, "contrasts")
    assert found <= {"DIRECTION", "UNRESOLVED", "INTERACTION", "BOUNDARY"}
    assert {row["outcome"] for row in report["at_best"]} == {"test_loss"}
    assert "names no smallest effect" in report["notes"][0]


def test_the_shares_are_in_the_report_and_add_up(inputs: ReportInputs) -> None:
    shares = report_of(inputs)["error_shares"]
    assert shares.pop("total") == pytest.approx(0.05)
    assert sum(shares.values()) == pytest.approx(0.05)
