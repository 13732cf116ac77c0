"""The seed lottery: what a sweep with one seed would have told, drawn from the stored networks."""

from collections.abc import Mapping
from typing import Any

from reports.best import describe
from reports.plots import bars
from reports.plots.canvas import Sheet, draw_panel
from reports.plots.figure import Figure
from reports.sections.section import Material, Section
from reports.words import count, percent, plural


def lottery(material: Material) -> Section | None:
    """How often another configuration wins; no section where nothing was drawn."""
    drawn = material.report["lottery"]
    if drawn is None:
        return None
    context = {"sentences": drawn["sentences"]}
    return Section(
        slug="lottery", title="The seed lottery", figures=[_figure(material, drawn)], context=context
    )


def _figure(material: Material, drawn: Mapping[str, Any]) -> Figure:
    names = list(material.inputs.factors)
    crowned = [row for row in drawn["crowned"] if row["share"] > 0]
    levels = [{name: row[name] for name in names} for row in crowned]
    frame = bars.tidy(
        [describe(each) for each in levels],
        [row["share"] for row in crowned],
        [each == drawn["winner"] for each in levels],
    )
    panel = draw_panel(
        lambda ax: bars.draw(frame, ax, why_empty="No configuration was crowned."),
        Sheet(width=330, height=8 + bars.ROW * max(len(frame), 2), left=2, right=2, top=4, bottom=4),
        prefix="lottery",
    )
    first = f"{frame['name'][0]} in {percent(frame['share'][0])}" if len(frame) else "none"
    return Figure(
        slug="lottery",
        title=f"Crowned by {count(drawn['num_draws'])} single-seed sweeps",
        caption=(
            "Each draw takes one stored network for every configuration and crowns the one with the lowest "
            "test log-loss. Bars: share of draws won, the ten that won most; in colour, the configuration "
            "with the lowest mean over all blocks."
        ),
        num=f"n = {count(drawn['num_draws'])} draws from {plural(len(material.results.rows), 'network')}",
        alt=f"Share of single-seed sweeps that crown each configuration; most often {first}",
        panels=(panel,),
        data=frame,
        wide=True,
        columns=1,
    )
