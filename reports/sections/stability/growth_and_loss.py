"""The figure of total growth against the final loss: at initialisation and after the last epoch."""

from functools import partial

import numpy as np
import pandas as pd

from reports.plots import growth_and_loss
from reports.plots.style.axes import limits_of
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.sections.parts.section import ReportContext
from reports.sections.parts.tables import NETWORK, chosen_factors, level_names
from reports.wording.words import factor_name, plural

COLOURED_BY = ("init_gain", "dropout", "activation", "depth", "batch_norm", "optimizer")


def association_figure(report_context: ReportContext, sentence: str) -> Figure:
    """Growth beside loss, coloured by the factor that shapes growth; `sentence` is the one about the two."""
    factors, grown = report_context.inputs.factors, report_context.results.growths
    factor = next(iter(chosen_factors(factors, COLOURED_BY, 8)), None) or next(iter(factors), None)
    last = int(grown["epoch"].max())
    frames = {
        name: _at(report_context, epoch, factor)
        for name, epoch in {"At initialisation": 0, f"After {plural(last, 'epoch')}": last}.items()
    }
    both = pd.concat(list(frames.values()), ignore_index=True)
    growths = both["total_growth"].astype(float)
    x_limits = limits_of([*growths[np.isfinite(growths)], 0.8, 1.25], log=True)
    outcome = report_context.inputs.outcome
    log = outcome.suits_log(both["loss"])
    y_limits = limits_of(both["loss"].astype(float), log=log)
    scales = "Log scales" if log else "The growth is on a log scale, both are"
    panels = [
        draw_panel(
            partial(
                growth_and_loss.draw,
                frame,
                theme=report_context.theme,
                factor=factor,
                levels=factors[factor] if factor else (),
                x_limits=x_limits,
                y_limits=y_limits,
                log=log,
                measure=outcome,
            ),
            Sheet(height=222, top=46),
            heading=name,
            note=outcome.axis,
            prefix=f"assoc{place}",
        )
        for place, (name, frame) in enumerate(frames.items())
    ]
    start = frames["At initialisation"]
    num = int((start["kind"] == "network").sum())
    coloured = f"by {factor_name(factor)}" if factor else "of all cells"
    return Figure(
        slug="growth_and_loss",
        title=f"Total growth of the gradient beside the final {outcome.title}",
        caption=(
            f"Faint dots: one network each; marks: a cell's mean over blocks, {coloured}. Total growth is the factor "
            "from the last hidden layer to the first: above 1 gradients grow toward the input. What stands together "
            f"here need not follow from each other: the factors set both. {scales}, the same in both panels."
        ),
        num=f"n = {plural(num, 'network')} with a defined growth",
        alt=f"Scatter of total growth and {outcome.title}. {sentence}",
        panels=tuple(panels),
        data=pd.concat([frame.assign(when=name) for name, frame in frames.items()], ignore_index=True),
        columns=2,
    )


def _at(report_context: ReportContext, epoch: int, factor: str | None) -> pd.DataFrame:
    """Growth at one epoch with the loss at the end, one row a network."""
    grown, rows = report_context.results.growths, report_context.results.rows
    now = grown.loc[grown["epoch"] == epoch, [*NETWORK, "ln_total_growth"]]
    outcome = report_context.inputs.outcome.name
    networks = rows[[*NETWORK, outcome, *report_context.inputs.factors]].merge(now, on=NETWORK)
    verdicts = report_context.inputs.replicates[[*NETWORK, "verdict_trained"]]
    networks = networks.merge(verdicts, on=NETWORK, how="left")
    levels = level_names(report_context, networks[factor or "trial_number"], factor)
    trials = report_context.inputs.trials
    cell_of = trials.set_index("number")["cell"] if report_context.inputs.has_cells else None
    cells = networks["trial_number"] if cell_of is None else networks["trial_number"].map(cell_of)
    return growth_and_loss.tidy(networks, levels, cells, outcome, networks["verdict_trained"])
