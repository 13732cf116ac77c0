"""A report by metrics that the plan declares, the primary one the better the higher and below 0 as often as not."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from reports.inputs.inputs import ReportInputs
from reports.pages.page import write_report
from reports.pages.trial_page import write_trial_page
from reports.pages.two_studies import write_comparison
from reports.plots.style.axes import tick_text
from reports.results.best import best_configuration
from reports.results.results import compute
from tests.reports.odd_inputs import SMALL, all_diverged, until
from tests.reports.own_metrics import own, own_inputs  # noqa: F401 - the inputs of these tests
from tests.reports.sample import sample_inputs, sample_tuning


def test_what_is_better_the_higher_leads_to_the_same_choices(inputs: ReportInputs) -> None:
    by_loss = sample_inputs(SMALL, num_blocks=10, rates=3)
    mine, theirs = compute(inputs), compute(by_loss)
    assert mine.chosen["trial_number"].tolist() == theirs.chosen["trial_number"].tolist()
    one, two = best_configuration(inputs, mine), best_configuration(by_loss, theirs)
    assert one is not None
    assert two is not None
    assert one["params"] == two["params"]
    assert set(mine.contrasts["outcome"]) == {"test_gain"}
    assert set(mine.error_contrasts["outcome"]) == {"test_error"}


def test_a_failure_scores_what_the_plan_says_and_none_scores_worse(inputs: ReportInputs) -> None:
    rows = compute(own(all_diverged(sample_inputs(SMALL, num_blocks=3, rates=3)))).rows
    assert set(rows["test_gain"]) == {-3.0}
    assert set(rows["failed"]) == {1.0}
    worse = replace(inputs, replicates=inputs.replicates.assign(test_gain=-5.0))
    assert set(compute(worse).rows["test_gain"]) == {-3.0}


def test_the_page_speaks_of_the_metric_in_its_unit(inputs: ReportInputs, tmp_path: Path) -> None:
    page = write_report(inputs, tmp_path).read_text()
    said = re.sub(r"<script.*?</script>|<style.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    for word in ("nats", "log-loss", "Log-loss", "Accuracy", "accuracy", "guessing"):
        assert word not in said, word
    assert "Expected highest validation gain" in said
    report = json.loads((tmp_path / "report.json").read_text())
    curve = [row["objective"] for row in report["search"]["curve"]]
    assert curve == sorted(curve)
    networks = report["lottery"]["networks"]
    assert networks[0]["mean"] == min(each["mean"] for each in networks), "the other sign, the lowest first"
    sentences = [row["sentence"] for row in report["contrasts"] if row["sentence"]]
    assert any(" dB" in sentence for sentence in sentences)
    assert all("smallest effect" not in sentence for sentence in sentences), "the plan names none"


@pytest.mark.parametrize("num_trials", [0, 5, 14])
def test_an_unfinished_study_has_a_report(inputs: ReportInputs, tmp_path: Path, num_trials: int) -> None:
    assert write_report(until(inputs, num_trials), tmp_path).is_file()


def test_without_cells_and_beside_another_study(inputs: ReportInputs, tmp_path: Path) -> None:
    tuning = own(sample_tuning())
    said = write_report(tuning, tmp_path / "tuning").read_text()
    assert "configuration with the highest validation gain" in said
    assert write_trial_page(tuning, 1, tmp_path).is_file()
    assert "test gain, dB" in write_comparison(inputs, tuning, tmp_path / "two").read_text()


def test_ticks_below_zero_are_written() -> None:
    assert tick_text(-0.47) == "−0.47"
    assert tick_text(0.0) == "0"
