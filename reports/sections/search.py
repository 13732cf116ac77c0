"""Search: what the search tried, how the loss responds to the learning rate, and what was stopped."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from reports.cube import plain
from reports.plots import rate_response
from reports.plots.axes import limits_of
from reports.plots.canvas import Sheet, draw_panel
from reports.plots.figure import Figure
from reports.sections.importance import importance_figure
from reports.sections.section import Material, Section
from reports.words import count, level_name, plural

NAME = "learning_rate"


def search(material: Material) -> Section:
    """The learning-rate response of a study with cells."""
    has_rate = NAME in material.inputs.plan["nuisances"]
    figures = [_response(material)] if has_rate else []
    figures += [figure for figure in [importance_figure(material)] if figure is not None]
    return Section(slug="search", title="Search", figures=figures, context={"has_rate": has_rate})


def _response(material: Material) -> Figure:
    inputs = material.inputs
    trials = inputs.trials[inputs.trials["phase"] == "search"]
    losses, failed = first_rung(material)
    chosen = list(material.results.chosen["trial_number"]) if len(material.results.chosen) else []
    ranges = rate_ranges(
        inputs.plan["nuisances"][NAME], inputs.factors.get("optimizer"), inputs.plan["fixed"]
    )
    frames = {}
    for optimizer in ranges:
        there = trials
        if "optimizer" in inputs.factors and len(trials):
            there = trials[[plain(value) == optimizer for value in trials["optimizer"]]]
        frames[optimizer] = rate_response.tidy(there, losses, failed, chosen)
    limits = limits_of([value for frame in frames.values() for value in frame["loss"]], log=True)
    panels = []
    for place, (optimizer, frame) in enumerate(frames.items()):
        style = material.theme.style("optimizer", optimizer) if "optimizer" in inputs.factors else None
        panels.append(
            draw_panel(
                lambda ax, frame=frame, optimizer=optimizer, style=style: rate_response.draw(  # type: ignore[misc]
                    frame,
                    ax,
                    bounds=ranges[optimizer],
                    limits=limits,
                    colour=style.mark.light if style else None,
                ),
                Sheet(),
                heading=level_name(optimizer) if optimizer else "All cells",
                note="nats",
                prefix=f"rate{place}",
            )
        )
    rung = inputs.plan["search"]["rungs"][0]
    shown = pd.concat([frame.assign(optimizer=name) for name, frame in frames.items()], ignore_index=True)
    return Figure(
        slug="rate_response",
        title=_title(material),
        caption=(
            f"Validation log-loss after {plural(rung, 'epoch')}, the first rung, which every trial reaches; "
            "one faint line a cell. Dots: the rate that the search chose. Crosses: some of the trial's "
            "networks diverged or failed (they count as chance). Shaded: the outer tenths of the range; a "
            "choice there is limited by the range."
        ),
        num=f"n = {plural(len(shown), 'search trial')}, {plural(int(inputs.plan['replicates']), 'network')} each",
        alt=_alt(frames),
        panels=tuple(panels),
        data=shown,
        columns=3,
    )


def _title(material: Material) -> str:
    """How many of the chosen rates lie at the end of their range."""
    chosen = material.results.chosen
    if chosen.empty:
        return "How the loss responds to the learning rate"
    num = int(chosen["at_boundary"].sum())
    return f"{count(num) if num else 'None'} of {plural(len(chosen), 'chosen learning rate')} at the end of the range"


def first_rung(material: Material) -> tuple[pd.Series, pd.Series]:
    """By search trial: mean validation loss at the first rung, capped at chance, and the share of networks lost."""
    inputs = material.inputs
    replicates = inputs.replicates[inputs.replicates["phase"] == "search"]
    lost = replicates["outcome"].isin(["diverged", "failed"])
    failed = lost.groupby(replicates["trial_number"]).mean()
    at_rung = inputs.epochs[inputs.epochs["epoch"] == inputs.plan["search"]["rungs"][0]]
    keys = ["trial_number", "replicate"]
    merged = replicates[keys].merge(at_rung[[*keys, "val_loss"]], on=keys, how="left")
    values = merged["val_loss"].to_numpy(dtype=float)
    capped = np.where(np.isfinite(values), np.minimum(values, inputs.chance_loss), inputs.chance_loss)
    return pd.Series(capped, index=merged.index).groupby(merged["trial_number"]).mean(), failed


def rate_ranges(
    nuisance: Mapping[str, Any], optimizers: tuple[Any, ...] | None, fixed: Mapping[str, Any]
) -> dict[str, tuple[float, float]]:
    """Lowest and highest rate for each optimizer of the study; one nameless range where it is the same for all."""
    if "low" in nuisance:
        names = [str(name) for name in optimizers] if optimizers else [""]
        return {name: (float(nuisance["low"]), float(nuisance["high"])) for name in names}
    if optimizers is None and "optimizer" not in fixed:
        ends = [(float(each["low"]), float(each["high"])) for each in nuisance.values()]
        return {"": (min(low for low, _ in ends), max(high for _, high in ends))}
    names = [str(name) for name in optimizers or (fixed["optimizer"],)]
    return {name: (float(nuisance[name]["low"]), float(nuisance[name]["high"])) for name in names}


def _alt(frames: Mapping[str, pd.DataFrame]) -> str:
    parts = []
    for name, frame in frames.items():
        rates = frame.loc[frame["chosen"].astype(bool), "rate"]
        span = f"{rates.min():.2g} to {rates.max():.2g}" if len(rates) else "none yet"
        parts.append(f"{level_name(name) if name else 'all cells'}: chosen rates {span}")
    return "Validation log-loss by learning rate. " + "; ".join(parts)
