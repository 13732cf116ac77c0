"""Parallel coordinates of all search trials: where in the space the search was, and where its loss was low."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reports.inputs.cube import levels_of
from reports.plots import parallel
from reports.plots.style.axes import scale_note
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.grid import LETTER
from reports.sections.parts.section import Material
from reports.wording.words import factor_name, plural


def parallel_figure(material: Material) -> Figure:
    """One line a search trial over factors, nuisances and the objective."""
    trials = material.inputs.search_trials
    choices, rates = _parameters(material, trials)
    frame = parallel.tidy(trials, choices, rates)
    ticks = parallel.ticks_of(trials, choices, rates)
    width, left = max(400, 84 * len(ticks)), _room(ticks)
    panel = draw_panel(
        lambda ax: parallel.draw(frame, ax, ticks=ticks),
        Sheet(width=width + left, height=240, left=8 + left, right=36, top=10, bottom=26),
        prefix="parallel",
    )
    return Figure(
        slug="parallel",
        title="Where in the space the search spent its trials",
        caption=(
            "One line a trial through its values; in colour, the tenth of the trials with the lowest "
            f"objective, stopped or not. The right axis is the {material.inputs.objective_name} at the last epoch "
            f"reached ({scale_note(bool((trials['objective'].dropna() > 0).all()))})."
        ),
        num=f"n = {plural(len(frame), 'search trial')}",
        alt="Parallel coordinates of all search trials over " + ", ".join(map(factor_name, ticks)),
        panels=(panel,),
        data=frame,
        wide=True,
        columns=1,
    )


def _room(ticks: Mapping[str, Sequence[tuple[float, str]]]) -> float:
    """Points left of the first axis for the half of its longest label that would be cut off."""
    longest = max((len(text) for _, text in next(iter(ticks.values()))), default=0)
    return max(0.0, LETTER * longest / 2 - 24)


def _parameters(material: Material, trials: pd.DataFrame) -> tuple[dict[str, tuple[Any, ...]], list[str]]:
    """Hyperparameters with levels, and those on a log scale, among what was searched."""
    choices: dict[str, tuple[Any, ...]] = dict(material.inputs.factors)
    rates = []
    for name, nuisance in material.inputs.plan["nuisances"].items():
        if name in choices or name not in trials:
            continue
        if name == "learning_rate" or (isinstance(nuisance, Mapping) and nuisance.get("log")):
            rates.append(name)
        else:
            choices[name] = levels_of(trials[name])
    return choices, rates
