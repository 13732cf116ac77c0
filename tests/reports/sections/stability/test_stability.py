"""The stability section says what is undefined, what the record cost, and shows each figure that its study allows."""

from dataclasses import replace

import numpy as np
import pytest

from reports.plots.style.axes import log_ticks
from reports.sections.parts.section import ReportContext
from reports.sections.parts.tables import chosen_factors, level_names, measured_layers
from reports.sections.stability.growth_and_loss import association_figure
from reports.sections.stability.stability import stability
from reports.sections.stability.weight_gradients import weights_figure
from reports.wording.words import percent
from tests.reports.odd_inputs import SMALL
from tests.reports.sample import FACTORS, sample_inputs
from tests.reports.sections.contexts import report_context_of


@pytest.fixture(scope="module")
def report_context() -> ReportContext:
    return report_context_of(sample_inputs(SMALL, rates=1))


def test_the_section_opens_in_words_and_draws_seven_figures(report_context: ReportContext) -> None:
    section = stability(report_context)
    assert [figure.slug for figure in section.figures] == [
        *("verdicts", "gradient_flow_initial", "gradient_flow_trained", "heat_map", "update_ratios"),
        *("growth_and_loss", "weight_gradients"),
    ]
    assert len(section.context["opening"]) == 2
    assert section.context["because"] is None
    assert section.context["undefined"] is None
    assert section.context["association"] is None  # two cells a level are no stratum


def test_the_figure_of_verdicts_counts_stable_networks_once(report_context: ReportContext) -> None:
    trained = report_context.inputs.replicates.query("phase == 'confirm'")["verdict_trained"]
    (figure,) = [each for each in stability(report_context).figures if each.slug == "verdicts"]
    stable = (trained == "STABLE").sum()
    assert figure.title.startswith(f"Of {len(trained)} confirmed networks {stable} are stable, ")
    assert "20 for each depth" in figure.num


def test_networks_without_verdicts_have_no_figure_of_them(report_context: ReportContext) -> None:
    none = report_context.inputs.replicates.assign(verdict_initial=None, verdict_trained=None, verdicts=None)
    section = stability(report_context_of(replace(report_context.inputs, replicates=none)))
    assert section.context["named"]["verdicts"] is None
    assert "verdicts" not in [figure.slug for figure in section.figures]
    assert section.context["thresholds"] is None


def test_growth_of_one_hidden_layer_is_said_to_be_undefined() -> None:
    section = stability(report_context_of(sample_inputs({"depth": (1, 3)}, num_blocks=3, rates=1)))
    assert section.context["undefined"].startswith("Growth is undefined for 3 networks of one hidden layer")


def test_one_hidden_layer_alone_still_gives_figures() -> None:
    only = report_context_of(sample_inputs({"depth": (1,)}, num_blocks=3, rates=1))
    figure = association_figure(only, "")
    assert figure.data.empty
    assert figure.num.startswith("n = 0")


def test_the_share_of_the_wall_time_that_recording_took(report_context: ReportContext) -> None:
    spent = replace(report_context.inputs, seconds={"wall": 200.0, "recording": 5.0})
    said = stability(replace(report_context, inputs=spent)).context["overhead"]
    assert "2.5" in said
    measured = replace(spent, measuring_share=0.125)
    both = stability(replace(report_context, inputs=measured)).context["overhead"]
    assert (
        both
        == f"Measuring gradients took {percent(0.125)} of the workers’ time, sums within training steps aside. {said}"
    )
    unknown = replace(report_context.inputs, seconds={})
    assert stability(replace(report_context, inputs=unknown)).context["overhead"] is None


def test_weights_are_shown_for_the_deepest_networks_at_initialisation(report_context: ReportContext) -> None:
    figure = weights_figure(report_context, measured_layers(report_context))
    assert figure.data["layer"].max() == 7
    assert "(7 layers)" in figure.caption
    assert len(figure.panels) == 2


def test_levels_are_named_once_and_rows_keep_their_order(report_context: ReportContext) -> None:
    layers = measured_layers(report_context)
    names = level_names(report_context, layers["batch_norm"], "batch_norm")
    assert (names == np.where(layers["batch_norm"].to_numpy(dtype=bool), "on", "off")).all()
    assert set(level_names(report_context, layers["layer"], None)) == {"all"}


def test_as_many_factors_get_panels_as_fit() -> None:
    assert chosen_factors(FACTORS, ("optimizer", "depth", "batch_norm"), 6) == ["optimizer", "batch_norm"]
    assert chosen_factors(FACTORS, ("activation",), 6) == []


def test_a_wide_log_axis_has_a_tick_at_one() -> None:
    assert 1.0 in log_ticks(1e-18, 1e5)
    assert 1.0 in log_ticks(1e-7, 1e11)
