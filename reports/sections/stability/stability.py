"""Stability: growth compared, verdicts by level, then where in depth and when in training gradients go wrong."""

from typing import Any

from reports.claims.growth_claims import about_initialisation
from reports.inputs.cube import plain
from reports.plots.signal import relative_signal
from reports.plots.style.marks import setting
from reports.sections.parts.section import Cell, Column, ReportContext, Section, Table
from reports.sections.parts.tables import claimed_table, measured_layers
from reports.sections.stability.gradient_flow import flow_figure, heat_figure
from reports.sections.stability.growth_and_loss import association_figure
from reports.sections.stability.thresholds import about_thresholds, rules_table, sensitivity_table
from reports.sections.stability.update_ratios import ratios_figure
from reports.sections.stability.verdicts import WHEN, verdict_figure, verdict_table, words_of
from reports.sections.stability.weight_gradients import weights_figure
from reports.wording.words import count, duration, factor_name, number, percent, plural

MOST_PANELS = 2
"""Panels of gradient flow that are shown open."""


def stability(report_context: ReportContext) -> Section:
    """Which levels are stable, and where in depth and when in training gradients grow or vanish."""
    inputs, results = report_context.inputs, report_context.results
    if results.growths.empty:
        return Section(slug="stability", title="Where training was unstable", context={"tables": []})
    signal = relative_signal(inputs.gradients, results.rows.assign(phase="confirm"), list(inputs.factors))
    layers = measured_layers(report_context)
    said = report_context.report["stability"]
    flow = flow_figure(report_context, signal, False)
    named = {
        "verdicts": verdict_figure(report_context),
        "flow": flow,
        "flow_end": flow_figure(report_context, signal, True),
        "heat": heat_figure(report_context, signal),
        "ratios": ratios_figure(report_context, layers),
        "association": association_figure(report_context, said["association"] or ""),
        "weights": weights_figure(report_context, layers),
    }
    figures = [figure for figure in named.values() if figure is not None]
    context: dict[str, Any] = {
        "named": named,
        "opening": said["opening"],
        "said": [row for row in said["total_growth"] if row["sentence"]],
        "association": said["association"],
        "association_gate": said["association_gate"],
        "because": about_initialisation(list(inputs.factors)),
        "undefined": _undefined(report_context),
        "overhead": _overhead(report_context),
        "words": words_of(report_context),
        "crowded": len(flow.panels) > MOST_PANELS,
        "tables": [table for table in _tables(report_context) if table.rows],
        "thresholds": about_thresholds(said["sensitivity"]) if said["sensitivity"] else None,
    }
    return Section(slug="stability", title="Where training was unstable", figures=figures, context=context)


def _tables(report_context: ReportContext) -> list[Table]:
    growth = claimed_table(
        "Logarithm of total growth at initialisation",
        "ln",
        report_context.results.growth_contrasts,
        confidence=report_context.results.look.confidence,
        folded=True,
    )
    found = report_context.report["stability"]["sensitivity"]
    judged = [sensitivity_table(part, WHEN[when]) for when, part in found.items()]
    rules = rules_table(report_context.inputs.plan["thresholds"])
    return [growth, verdict_table(report_context), rules, *judged, _theory_table(report_context)]


def _undefined(report_context: ReportContext) -> str | None:
    """Said where networks have one hidden layer: there is no slope through one point."""
    grown = report_context.results.growths
    start = grown[grown["epoch"] == 0]
    single = int((start["num_layers"] < 2).sum())
    if not single:
        return None
    return (
        f"Growth is undefined for {plural(single, 'network')} of one hidden layer: between one layer and itself "
        "nothing can grow. They count in verdicts and losses, not in growth."
    )


def _overhead(report_context: ReportContext) -> str | None:
    """What this run spent on measuring gradients, and on writing its record."""
    seconds, share = report_context.inputs.seconds, report_context.inputs.measuring_share
    wall, recording = seconds.get("wall"), seconds.get("recording")
    said = []
    if share is not None:
        # Where steps are compiled, sums taken within them are part of the step and are not timed.
        said.append(
            f"Measuring gradients took {percent(share)} of the workers’ time, sums within training steps aside."
        )
    if wall and recording is not None:
        said.append(
            f"Writing down what was measured took {duration(recording)} of this run’s {duration(wall)}, "
            f"{percent(recording / wall)}."
        )
    return " ".join(said) or None


def _theory_table(report_context: ReportContext) -> Table:
    theory = report_context.results.theory
    columns = [
        *(Column(name=factor_name(name), is_number=False) for name in report_context.inputs.factors),
        Column(name="growth measured", unit="per layer"),
        Column(name="theory", unit="per layer"),
        Column(name="ratio"),
        Column(name="networks"),
    ]
    rows = [
        [
            *(
                Cell(text=report_context.theme.style(name, plain(row[name])).name)
                for name in report_context.inputs.factors
            ),
            Cell(text=number(row["measured"]), value=row["measured"]),
            Cell(text=number(row["predicted"]), value=row["predicted"]),
            Cell(text=number(row["ratio"]), value=row["ratio"]),
            Cell(text=count(row["num_replicates"]), value=float(row["num_replicates"])),
        ]
        for row in theory.to_dict("records")
    ]
    factors = report_context.inputs.factors
    return Table(
        caption="Growth at initialisation, measured and predicted",
        columns=columns,
        rows=rows,
        folded=True,
        of=[setting({name: plain(row[name]) for name in factors}) for row in theory.to_dict("records")],
    )
