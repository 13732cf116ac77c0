"""The line to beat: paired over blocks, gated like any contrast, and shown wherever a reader looks for it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from scipy import stats

from reports.claims.line_to_beat import LineToBeat, line_to_beat
from reports.inputs.inputs import ReportInputs
from reports.pages.json_report import json_report
from reports.pages.page import write_report
from reports.results.best import best_configuration
from reports.results.results import compute
from reports.statistics.gates import Gate
from tests.reports.lined import with_line
from tests.reports.sample import sample_inputs, sample_tuning

FACTORS = {"batch_norm": (False, True), "dropout": (0.1, 0.5)}


def line_of(inputs: ReportInputs) -> LineToBeat:
    results = compute(inputs)
    line = line_to_beat(inputs, results, best_configuration(inputs, results))
    assert line is not None
    return line


@pytest.fixture(scope="module")
def inputs() -> ReportInputs:
    """A small study of ten blocks."""
    return sample_inputs(FACTORS, rates=3)


@pytest.mark.parametrize(
    ("better_by", "words", "gate"),
    [
        (0.1, "is higher by 0.09", Gate.MEANINGFUL),
        (-0.1, "is lower by 0.10", Gate.MEANINGFUL),
        (0.0, "is practically equal (within ±0.02", Gate.EQUIVALENT),
    ],
)
def test_the_difference_is_paired_over_blocks(
    inputs: ReportInputs, better_by: float, words: str, gate: Gate
) -> None:
    given = with_line(inputs, better_by=better_by)
    line = line_of(given)
    assert line.said is not None
    assert line.contrast is not None
    assert line.said.gate == gate
    assert words in line.said.text
    assert "At the best cell, against the line to beat, the test log-loss after 18 epochs" in line.said.text
    assert "with the network" in line.said.text
    assert given.linear_models is not None
    results = compute(given)
    best = best_configuration(given, results)
    assert best is not None
    networks = results.rows[results.rows["trial_number"].isin(best["trial_numbers"])].set_index("block")
    differences = networks["test_loss"] - given.linear_models.set_index("block")["test_loss"]
    assert line.contrast["estimate"] == pytest.approx(differences.mean())
    low, high = stats.ttest_1samp(differences, 0).confidence_interval()
    assert (line.contrast["ci_low"], line.contrast["ci_high"]) == pytest.approx((low, high))


def test_with_three_blocks_it_only_points() -> None:
    line = line_of(with_line(sample_inputs(FACTORS, rates=3, num_blocks=3), better_by=0.1))
    assert line.said is not None
    assert line.said.gate == Gate.INDICATED
    assert "points to" in line.said.text


def test_claims_are_withheld_until_the_study_is_complete() -> None:
    line = line_of(with_line(sample_inputs(FACTORS, rates=3, state="running"), better_by=0.1))
    assert line.said is None
    assert line.to_dict()["test_accuracy"] == pytest.approx(0.88)


def test_a_model_of_another_share_of_the_data_is_not_held_against_it(inputs: ReportInputs) -> None:
    given = with_line(inputs, better_by=0.1, size=0.5)
    results = compute(given)
    assert line_to_beat(given, results, best_configuration(given, results)) is None
    plan = {**inputs.plan, "fixed": {**inputs.plan["fixed"], "train_size": 0.5}}
    assert line_of(replace(given, plan=plan)).to_dict()["num_blocks"] == 10


def test_where_a_block_lacks_its_linear_model_nothing_is_claimed(inputs: ReportInputs) -> None:
    given = with_line(inputs, better_by=0.1)
    assert given.linear_models is not None
    fewer = replace(given, linear_models=given.linear_models[:6])
    line = line_of(fewer)
    assert line.contrast is not None
    assert line.contrast["num_blocks"] == 6
    assert line.contrast["gate"] == Gate.UNRESOLVED


def test_a_study_without_cells_holds_its_best_found_against_it() -> None:
    given = with_line(sample_tuning(budget=12), better_by=0.1)
    line = line_of(given)
    assert line.said is not None
    assert line.said.text.startswith("Against the line to beat, the test log-loss after 18 epochs is higher")
    assert line.said.text in json_report(given, compute(given))["notes"][1]


def test_a_study_without_one_has_none(inputs: ReportInputs) -> None:
    report = json_report(inputs, compute(inputs))
    assert report["baseline"] is None
    assert "line to beat" not in json.dumps(report)


def test_the_report_shows_it_where_a_reader_looks(inputs: ReportInputs, tmp_path: Path) -> None:
    given = with_line(inputs, better_by=0.1)
    page = write_report(given, tmp_path).read_text()
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["answer"][0]["sentence"].startswith(
        "At the best cell, against the line to beat, the test log-loss"
    )
    assert report["baseline"]["sentence"] in report["notes"][1]
    assert len(report["baseline"]["blocks"]) == 10
    assert "for comparison: logistic regression, test" in page
    assert "Dashed, for comparison: logistic regression on the same features" in page
    assert "C chosen by validation log-loss" in page
    assert "logistic regression" in (tmp_path / "figures" / "isolation.svg").read_text()
