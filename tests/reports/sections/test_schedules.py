"""The report tells how learning rates fell, and which networks stopped early."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports.inputs.inputs import ReportInputs
from reports.pages.trial_page import write_trial_page
from reports.plots.style.theme import Theme
from reports.sections.parts.section import ReportContext
from reports.sections.training import rates_in_words, schedule_figure, training
from tests.reports.odd_inputs import SMALL
from tests.reports.sample import sample_inputs
from tests.reports.sections.contexts import report_context_of

STOPPED, BEST, LAST = 9, 7, 18


@pytest.fixture(scope="module")
def plain() -> ReportInputs:
    return sample_inputs(SMALL, num_blocks=3, rates=3)


@pytest.fixture(scope="module")
def stopping(plain: ReportInputs) -> ReportInputs:
    """The first replicate of every trial that comes so far stops after epoch 9, the others not at all; rates fall."""
    reached = plain.replicates["trial_number"].map(plain.trials.set_index("number")["epochs"])
    well = ~plain.replicates["outcome"].isin(["diverged", "failed"])
    stops = (
        (plain.replicates["replicate"] == plain.replicates["replicate"].min()) & (reached > STOPPED) & well
    )
    replicates = plain.replicates.assign(
        best_epoch=np.where(well, BEST, np.nan), stopped_epoch=np.where(stops, STOPPED, np.nan)
    )
    networks = pd.MultiIndex.from_frame(replicates.loc[stops, ["trial_number", "replicate"]])
    of_stopped = pd.MultiIndex.from_frame(plain.epochs[["trial_number", "replicate"]]).isin(networks)
    epochs = plain.epochs[~of_stopped | (plain.epochs["epoch"] <= STOPPED)]
    gradients = plain.gradients
    measured = pd.MultiIndex.from_frame(gradients[["trial_number", "replicate"]]).isin(networks)
    fixed = {**plain.plan["fixed"], "patience": 2, "schedule": "exponential"}
    return replace(
        plain,
        plan={**plain.plan, "fixed": fixed},
        replicates=replicates,
        epochs=epochs.assign(learning_rate=0.01 * 0.95 ** (epochs["epoch"] - 1)),
        gradients=gradients[~measured | (gradients["epoch"] <= STOPPED)],
    )


@pytest.fixture(scope="module")
def report_context(stopping: ReportInputs) -> ReportContext:
    return report_context_of(stopping)


def test_without_either_the_report_says_so_and_shows_neither(plain: ReportInputs) -> None:
    section = training(report_context_of(plain))
    assert (
        section.context["rate"] == "Each network kept its learning rate through all 18 epochs: no schedule."
    )
    assert section.context["schedules"] == []
    assert section.context["early"] is None


def test_a_schedule_is_named_and_drawn(report_context: ReportContext) -> None:
    assert rates_in_words(report_context).startswith(
        "Learning rates followed a schedule (times 0.95 after each epoch): in a network's last epoch the median rate"
    )
    figure = schedule_figure(report_context)
    assert figure is not None
    assert list(figure.data["median"]) == pytest.approx([0.95**epoch for epoch in range(LAST)])
    assert list(figure.data["num"])[:: LAST - 1] == [
        len(report_context.results.rows),
        int(0.67 * len(report_context.results.rows)),
    ]


def test_schedules_that_are_compared_have_a_line_each(stopping: ReportInputs) -> None:
    factor = next(name for name, levels in stopping.factors.items() if len(levels) == 2)
    levels = dict(zip(stopping.factors[factor], ("constant", "cosine"), strict=True))
    named = {
        name: getattr(stopping, name).assign(schedule=getattr(stopping, name)[factor].map(levels))
        for name in ("trials", "replicates")
    }
    factors = {**stopping.factors, "schedule": ("constant", "cosine")}
    rates = stopping.epochs["trial_number"].map(named["trials"].set_index("number")["schedule"])
    epochs = stopping.epochs.assign(
        learning_rate=np.where(rates == "cosine", stopping.epochs["learning_rate"], 0.01)
    )
    inputs = replace(stopping, factors=factors, epochs=epochs, **named)
    rows = report_context_of(stopping).results.rows
    rows = rows.assign(schedule=rows[factor].map(levels))
    base = report_context_of(stopping)
    compared = replace(base, inputs=inputs, theme=Theme.of(factors), results=replace(base.results, rows=rows))
    figure = schedule_figure(compared)
    assert figure is not None
    ends = figure.data[figure.data["epoch"] == LAST].set_index("level")["median"]
    assert ends["constant"] == 1.0
    assert ends["cosine"] == pytest.approx(0.95 ** (LAST - 1))


def test_networks_that_stopped_early_are_counted_by_level(report_context: ReportContext) -> None:
    record = report_context.report["early_stopping"]
    num = len(report_context.results.rows)
    assert record["overall"] == {
        "networks": num,
        "stopped": num // 3,
        "median": STOPPED,
        "low": STOPPED,
        "high": STOPPED,
    }
    for factor, levels in report_context.inputs.factors.items():
        own = [row for row in record["by_level"] if row["factor"] == factor]
        assert [row["level"] for row in own] == list(levels)
        assert sum(row["stopped"] for row in own) == num // 3
    table = training(report_context).context["early"]
    assert [cell.text for cell in table.rows[0]] == [
        "all networks",
        "",
        str(num),
        str(num // 3),
        "9",
        "9",
        "9",
    ]


def test_the_analysis_and_the_answer_say_that_epochs_are_at_most_so_many(
    report_context: ReportContext,
) -> None:
    num = len(report_context.results.rows)
    design = report_context.report["notes"][0]
    assert "with fresh seeds for up to 18 epochs" in design
    assert (
        f"Early stopping was on: {num // 3} of {num} networks there stopped before the last epoch" in design
    )
    assert "after a median of 9 epochs (all after 9)" in design
    told = " ".join(said["sentence"] for said in report_context.report["answer"])
    assert "after up to 18 epochs" in told


def test_curves_go_on_with_what_a_stopped_network_keeps(
    report_context: ReportContext, plain: ReportInputs
) -> None:
    curves = training(report_context).figures[0].data
    assert set(curves["epoch"]) == set(range(1, LAST + 1))
    until = training(report_context_of(plain)).figures[0].data
    both = curves.merge(until, on=["level", "part", "epoch", "factor"])
    early = both[both["epoch"] <= STOPPED]
    assert np.allclose(early["mean_x"], early["mean_y"])
    assert not np.allclose(both["mean_x"], both["mean_y"])


def test_a_trials_page_names_the_epochs_of_its_networks(stopping: ReportInputs, tmp_path: Path) -> None:
    confirmed = stopping.trials.loc[stopping.trials["phase"] == "confirm", "number"].iloc[0]
    page = write_trial_page(stopping, int(confirmed), tmp_path).read_text(encoding="utf-8")
    assert "stopped after" in page
    assert "Networks that stopped early go on with the scores of their best epoch." in page
