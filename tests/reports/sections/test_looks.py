"""The section of looks draws each question once, and is left out where a single look is planned."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from functools import cache
from typing import Any

import pandas as pd

from reports.inputs.cube import plain
from reports.plots import looks as intervals
from reports.sections.accounting import accounting
from reports.sections.looks import look_by_look
from reports.sections.parts.section import ReportContext, Section
from tests.reports.looked_at import looked_at, until_clear, without
from tests.reports.sample import sample_inputs
from tests.reports.sections.contexts import report_context_of


@cache
def context_of(case: str) -> ReportContext:
    return report_context_of(
        {"later": lambda: until_clear(noise={1: 0.08}), "open": lambda: until_clear(1, noise={2: 0.2})}[
            case
        ]()
    )


def section_of(case: str) -> Section:
    found = look_by_look(context_of(case))
    assert found is not None
    return found


def test_a_panel_for_each_question_with_its_readings_as_data() -> None:
    (figure,) = section_of("later").figures
    assert len(figure.panels) == 2
    assert figure.data[["label", "num_blocks", "standing"]].to_numpy().tolist() == [
        ["depth: 7 − 3", 10, "closed"],
        ["batch norm: on − off", 10, "open"],
        ["batch norm: on − off", 20, "closed"],
    ]
    assert "answered at 20 blocks" in figure.alt
    assert figure.title == "One of two questions at best is answered at ten blocks, the last at 20"


def test_tables_tell_each_question_and_what_each_look_cost() -> None:
    section = section_of("later")
    questions = [[cell.text for cell in row[:4]] for row in section.context["questions"].rows]
    assert questions[0][:3] == ["depth: 7 − 3", "answered", "10"]
    assert questions[1][:3] == ["batch norm: on − off", "answered", "20"]
    costs = [[cell.text for cell in row[:4]] for row in section.context["costs"].rows]
    assert [row[:3] for row in costs] == [
        ["search", "–", "12"],
        ["look 1", "10", "4"],
        ["look 2", "20", "2"],
        ["all", "–", "18"],
    ]
    assert sum(float(row[-1].text) for row in section.context["costs"].rows[:-1]) > 99.5


def test_an_open_question_names_the_cells_of_the_next_look() -> None:
    section = section_of("open")
    assert section.context["next"]["names"][0] == "three hidden layers, batch normalisation"
    assert section.context["questions"].rows[0][1].text == "still open"
    assert section_of("later").context["next"] is None


def test_accounting_tells_the_confirm_trials_by_look() -> None:
    tables = {table.caption: table for table in accounting(context_of("later")).context["tables"]}
    assert [row[0].text for row in tables["Confirm trials by look"].rows] == ["1", "2"]
    single = accounting(report_context_of(sample_inputs({"depth": (3, 5)}, num_blocks=10, rates=2)))
    assert "Confirm trials by look" not in {table.caption for table in single.context["tables"]}


def test_nothing_is_drawn_of_a_single_look_an_older_plan_or_before_the_first_is_whole() -> None:
    for inputs in (
        sample_inputs({"depth": (3, 5)}, num_blocks=10, rates=2),
        looked_at(2),
        without(until_clear(1, "running"), {13}),
    ):
        assert look_by_look(report_context_of(inputs)) is None


def shared(context: ReportContext) -> ReportContext:
    """As if the second question compared the two cells of the first, the other way round."""
    best = context.results.at_best.to_dict("records")
    turned: dict[Hashable, Any] = {
        "best_a": best[0]["best_b"],
        "best_b": best[0]["best_a"],
        "same_cells_as": 0,
    }
    at_best = pd.DataFrame([best[0], {**best[1], **turned}], dtype=object)
    return replace(context, results=replace(context.results, at_best=at_best))


def test_questions_that_share_two_cells_are_drawn_once_and_named_together() -> None:
    found = look_by_look(shared(context_of("later")))
    assert found is not None
    (figure,) = found.figures
    assert len(figure.panels) == 1
    assert "the same cells: batch norm: on − off (other sign)" in figure.panels[0].svg
    assert len(figure.data) == 3


def test_the_scale_ends_at_six_smallest_effects_and_holds_zero() -> None:
    frame = pd.DataFrame({"low": [-5.0, 0.01], "high": [0.05, 0.02], "estimate": [-1.0, 0.015]})
    low, high = intervals.scale_of(frame, 0.02)
    assert low == plain(-6 * 0.02)
    assert 0.05 < high <= 6 * 0.02
    unbounded, _ = intervals.scale_of(frame, None)
    assert unbounded < -5
