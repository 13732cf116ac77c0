"""Sections choose panels, grids, ranges and columns that fit the study."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reports.pages.explained import Explained
from reports.pages.json_report import json_report
from reports.pages.rendering import environment
from reports.plots.signal import relative_signal
from reports.plots.style.grid import FULL_WIDTH
from reports.plots.style.theme import Theme
from reports.results.results import compute
from reports.sections.accounting import accounting
from reports.sections.cells import cells_table
from reports.sections.lottery import limits_context
from reports.sections.parts.section import ReportContext, matches, setting_name, settings_of
from reports.sections.rate_response import rate_ranges
from reports.sections.stability.gradient_flow import column_names, flow_figure, grid, placed, shaping_factors
from reports.sections.training import training
from tests.reports.odd_inputs import SMALL
from tests.reports.sample import FACTORS, sample_inputs


@pytest.fixture(scope="module")
def report_context() -> ReportContext:
    inputs = sample_inputs(SMALL, num_blocks=3, rates=3)
    results = compute(inputs)
    return ReportContext(
        inputs=inputs, results=results, report=json_report(inputs, results), theme=Theme.of(inputs.factors)
    )


def test_the_accounting_says_in_how_many_trials_memory_ran_out(report_context: ReportContext) -> None:
    assert accounting(report_context).context["halved"] == ""
    halved = [{"sequence": 3 + n, "kind": "stack_halved", "trial_number": n // 2} for n in range(3)]
    events = pd.concat([report_context.inputs.events, pd.DataFrame(halved)], ignore_index=True)
    short = replace(report_context, inputs=replace(report_context.inputs, events=events))
    said = accounting(short).context["halved"]
    assert said == " Memory ran out in 2 trials, trained in smaller stacks instead."


def test_the_accounting_names_the_nodes_that_were_lost(report_context: ReportContext) -> None:
    assert accounting(report_context).context["lost_nodes"] == ""
    ids = [f"{n:012x}" + "f" * 44 for n in range(12)]
    lost = [
        {
            "sequence": 100 + n,
            "kind": "node_lost",
            "detail": json.dumps({"address": f"10.0.0.{n}", "host": "<b>h", "node_id": ids[n]}),
        }
        for n in range(12)
    ]
    workers = [
        {
            "sequence": 200 + n,
            "kind": "worker_lost",
            "trial_number": n,
            "detail": f"attempt 1: its node was lost, 10.0.0.0 (host h, Ray node {ids[0][:12]}): it ended",
        }
        for n in range(3)
    ]
    alone = {
        "sequence": 300,
        "kind": "worker_lost",
        "trial_number": 9,
        "detail": "attempt 1: its process ended: ?",
    }

    def told(*more: dict[str, Any]) -> str:
        events = pd.concat([report_context.inputs.events, pd.DataFrame([*more, alone])], ignore_index=True)
        inputs = replace(report_context.inputs, events=events)
        return str(accounting(replace(report_context, inputs=inputs)).context["lost_nodes"])

    assert told() == ""
    assert told(lost[0], *workers) == (
        "1 node of the cluster was lost while trials trained there: 10.0.0.0 (host <b>h, Ray node 000000000000). "
        "3 trials lost a worker by that and went on elsewhere, from the latest checkpoint or from the start; nothing "
        "is missing or counted twice for it."
    )
    many = told(*lost, *workers)
    assert many.startswith("12 nodes of the cluster were lost")
    assert ", 2 more. 3 trials lost" in many


def test_of_what_nodes_answered_the_accounting_tells_what_is_to_be_known(
    report_context: ReportContext,
) -> None:
    answered = {"nodes": [{"host": "a"}, {"host": "b"}], "notes": ["b: its clock is off"], "seconds": 1.0}
    checked = {"sequence": 1000, "at": "now", "kind": "nodes_checked", "detail": json.dumps(answered)}
    events = pd.concat([report_context.inputs.events, pd.DataFrame([checked])], ignore_index=True)
    inputs = replace(report_context.inputs, events=events)
    told = accounting(replace(report_context, inputs=inputs)).context["events"]
    assert told[-1] == ("now", "nodes_checked", "2 nodes of the cluster asked; b: its clock is off")


def test_a_setting_has_a_name_and_its_rows() -> None:
    frame = pd.DataFrame({"depth": [3, 5, 3], "batch_norm": [True, True, False]})
    settings = list(settings_of({"depth": (3, 5), "batch_norm": (False, True)}, ["depth", "batch_norm"]))
    assert len(settings) == 4
    assert setting_name(settings[1]) == "Depth 3, batch norm on"
    assert matches(frame, settings[1]).tolist() == [True, False, False]
    assert setting_name({}) == "All networks"


def test_the_full_study_fits_a_grid_of_six_rows_and_nine_columns() -> None:
    assert grid(FACTORS) == (["depth", "batch_norm"], ["optimizer", "dropout"])


def test_a_factor_without_room_across_goes_down_and_is_left_out_where_neither_has_any() -> None:
    wide = {"optimizer": tuple("abcd"), "activation": tuple("xyz"), "width": (16, 32, 64)}
    assert grid(wide) == (["width"], ["optimizer", "activation"])
    wider = {**wide, "depth": (1, 2, 3, 4, 5)}
    assert grid(wider) == (["depth"], ["optimizer", "activation"])


def test_columns_are_grouped_by_their_first_factor_and_rows_find_their_place() -> None:
    factors = {"activation": ("relu", "tanh"), "init_gain": (0.5, 2.0)}
    columns = column_names(factors, list(factors))
    assert columns[1] == ("ReLU, gain 2", "ReLU", "Gain 2")
    frame = pd.DataFrame({"activation": ["tanh", "relu"], "init_gain": [0.5, 2.0]}, index=[7, 3])
    assert placed(frame, list(factors)).to_dict() == {7: "Tanh, gain 0.5", 3: columns[1].key}
    assert [column.group for column in column_names(factors, ["init_gain"])] == ["", ""]
    assert placed(frame, []).tolist() == ["All networks"] * 2


def test_many_settings_of_gradient_flow_are_drawn_as_one_grid() -> None:
    factors = {
        "activation": ("relu", "tanh", "sigmoid"),
        "init_gain": (0.5, 2.0),
        "batch_norm": (False, True),
        "depth": (3, 7),
    }
    study = sample_inputs(factors, num_blocks=3, rates=1)
    results = compute(study)
    many = ReportContext(
        inputs=study, results=results, report=json_report(study, results), theme=Theme.of(study.factors)
    )
    signal = relative_signal(study.gradients, results.rows.assign(phase="confirm"), list(factors))
    (panel,) = flow_figure(many, signal, False).panels
    assert panel.width <= FULL_WIDTH
    for name in ("ReLU", "sigmoid", "Gain 0.5", "Batch norm on", "depth 7"):
        assert name.lower() in panel.svg.lower()


def test_panels_of_gradient_flow_are_the_factors_that_shape_growth() -> None:
    assert shaping_factors(FACTORS) == ["batch_norm", "dropout"]
    assert shaping_factors({"depth": (3,), "optimizer": ("sgd",)}) == []


def test_theory_is_drawn_only_at_initialisation(report_context: ReportContext) -> None:
    columns = ["trial_number", "replicate", "block", "epoch", "layer", "num_layers", "log_ratio", *SMALL]
    rows = [(1, 1, 1, epoch, layer, 2, np.log(3 - layer), 3, False) for epoch in (0, 9) for layer in (1, 2)]
    signal = pd.DataFrame(rows, columns=columns)
    assert flow_figure(report_context, signal, False).data["theory"].notna().all()
    assert flow_figure(report_context, signal, True).data["theory"].isna().all()


BOUNDS = {"low": 1e-3, "high": 1e-1, "log": True}


def test_rates_have_a_range_for_each_optimizer_of_the_study() -> None:
    nuisance = {"sgd": {**BOUNDS, "high": 0.5}, "adam": BOUNDS}
    assert rate_ranges(nuisance, ("adam",), {}) == {"adam": (1e-3, 1e-1)}
    assert rate_ranges(nuisance, None, {"optimizer": "sgd"}) == {"sgd": (1e-3, 0.5)}
    assert rate_ranges(nuisance, None, {}) == {"": (1e-3, 0.5)}
    assert rate_ranges(BOUNDS, ("adam", "sgd"), {}) == {"adam": (1e-3, 1e-1), "sgd": (1e-3, 1e-1)}
    assert rate_ranges(BOUNDS, None, {}) == {"": (1e-3, 1e-1)}


def test_the_accounting_line_can_be_added_up(report_context: ReportContext) -> None:
    counts = report_context.report["accounting"]
    line = accounting(report_context).context["sum"]
    assert line.startswith(f"{counts['planned']} trials planned = {counts['complete']} complete")
    assert counts["planned"] == counts["complete"] + counts["pruned"] + counts["failed"]


def test_training_shows_loss_and_accuracy_by_level(report_context: ReportContext) -> None:
    loss, accuracy, _ = training(report_context).figures
    assert len(loss.panels) == len(accuracy.panels) == len(SMALL)
    assert loss.data["mean"].between(0, np.log(10)).all()
    assert accuracy.data["mean"].between(0, 1).all()


@pytest.mark.parametrize(
    ("objective", "scale", "decimals", "head", "unit"),
    [
        ("val_loss", 1, 3, "validation log-loss in the search", "nats"),
        ("val_accuracy", 100, 1, "validation accuracy in the search", "%"),
        ("val_macro_f1", 1, 3, "validation macro F1 in the search", ""),
    ],
)
def test_the_table_of_cells_has_the_objective_as_the_search_recorded_it(
    report_context: ReportContext, objective: str, scale: float, decimals: int, head: str, unit: str
) -> None:
    inputs = replace(report_context.inputs, plan={**report_context.inputs.plan, "objective": objective})
    table = cells_table(replace(report_context, inputs=inputs))
    place = [column.name for column in table.columns].index(head)
    assert table.columns[place].unit == unit
    recorded = dict(zip(inputs.trials["number"], inputs.trials["objective"], strict=True))
    expected = [
        f"{scale * recorded[trial]:.{decimals}f}" for trial in report_context.results.chosen["trial_number"]
    ]
    assert [row[place].text for row in table.rows] == expected


def test_how_the_data_was_read_stands_among_the_limits(report_context: ReportContext) -> None:
    note = "column size: read with a decimal comma & no <point>"
    read = replace(
        report_context.inputs, provenance={**report_context.inputs.provenance, "dataset": {"notes": [note]}}
    )
    context = limits_context(replace(report_context, inputs=read))
    template = environment().get_template("section_limits.html.j2")
    for notes in (list[str](), context["data_notes"]):
        section = SimpleNamespace(context=context | {"data_notes": notes}, figures=[])
        page = template.render(section=section, inputs=read, table=str, gate=str, explained=Explained())
        assert ("How the data was read" in page) == bool(notes)
        assert ("<li>column size: read with a decimal comma &amp; no &lt;point&gt;</li>" in page) == bool(
            notes
        )
