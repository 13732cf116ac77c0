"""Training: how learning rates changed, and which networks stopped early."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports.inputs.cube import plain
from reports.plots import rate_schedule
from reports.plots.rate_schedule import FACTOR
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.sections.parts.section import Cell, Column, Material, Table
from reports.wording.words import count, factor_name, level_name, number, plural

WORDS = {
    "exponential": "times 0.95 after each epoch",
    "plateau": "times 0.2 for a network that did not improve in more than 5 epochs",
    "cosine": "along half a cosine",
}


def rates_in_words(material: Material) -> str:
    """What schedules the study had, and what came of the rates."""
    rates = _rates(material)
    if rates.empty:
        return "No learning rate is recorded."
    by_network = rates.groupby(["trial_number", "replicate"])["learning_rate"]
    if by_network.nunique().max() == 1:
        last = int(rates["epoch"].max())
        return f"Each network kept its learning rate through all {plural(last, 'epoch')}: no schedule."
    ends = (by_network.last() / by_network.first()).median()
    named = [WORDS[name] for name in _schedules(material) if name in WORDS]
    how = f" ({'; '.join(named)})" if named else ""
    return (
        f"Learning rates followed a schedule{how}: in a network's last epoch the median rate is "
        f"{number(100 * ends, 1)} % of its first."
    )


def schedule_figure(material: Material) -> Figure | None:
    """The rates over the epochs, a line a schedule; None where every network kept its rate."""
    rates = _rates(material)
    if rates.empty or rates.groupby(["trial_number", "replicate"])["learning_rate"].nunique().max() == 1:
        return None
    compared = material.inputs.factors.get(FACTOR)
    if compared is None:
        names = pd.Series("", index=rates.index)
    else:
        by_trial = material.results.rows.drop_duplicates("trial_number").set_index("trial_number")[FACTOR]
        names = rates["trial_number"].map(by_trial).map(lambda v: material.theme.style(FACTOR, plain(v)).name)
    frame = rate_schedule.tidy(rates, names)
    levels = [None] if compared is None else list(compared)
    panel = draw_panel(
        lambda ax: rate_schedule.draw(frame, ax, theme=material.theme, levels=levels),
        Sheet(width=420, right=80 if compared else 14),
        heading="Learning rate, as a share of its first",
        note="log scale",
        prefix="schedule",
    )
    last = frame[frame["epoch"] == frame["epoch"].max()]
    ends = "; ".join(
        f"{row['level'] or 'all networks'} {number(row['median'], 3)}" for _, row in last.iterrows()
    )
    return Figure(
        slug="learning_rate_schedule",
        title="How learning rates fell",
        caption="Median over the networks that trained in an epoch; the band reaches from the lowest to the highest.",
        num=f"n = {plural(len(rates[['trial_number', 'replicate']].drop_duplicates()), 'network')}",
        alt=f"Learning rate by epoch as a share of the first, in the last epoch: {ends}.",
        panels=(panel,),
        data=frame,
        columns=1,
    )


def early_table(record: Mapping[str, Any] | None) -> Table | None:
    """By level, how many networks stopped before the last epoch, and after how many; None without early stopping."""
    if record is None:
        return None
    columns = [
        *(Column(name=name, is_number=False) for name in ("factor", "level")),
        *(Column(name=name) for name in ("networks", "stopped early")),
        *(Column(name=name, unit="epoch") for name in ("median", "first", "last")),
    ]
    rows = [_row("all networks", "", record["overall"])]
    rows += [_row(factor_name(row["factor"]), level_name(row["level"]), row) for row in record["by_level"]]
    return Table(caption="Networks that stopped early, and after which epoch", columns=columns, rows=rows)


def _row(factor: str, level: str, counted: Mapping[str, Any]) -> list[Cell]:
    epochs = [counted[name] for name in ("median", "low", "high")]
    return [
        Cell(text=factor),
        Cell(text=level),
        *(Cell(text=count(counted[name]), value=counted[name]) for name in ("networks", "stopped")),
        *(
            Cell(text=number(value, 0 if value is None else int(value % 1 > 0)), value=value)
            for value in epochs
        ),
    ]


def _rates(material: Material) -> pd.DataFrame:
    epochs, rows = material.inputs.epochs, material.results.rows
    confirmed = epochs[epochs["trial_number"].isin(set(rows["trial_number"]))].sort_values("epoch")
    rates: pd.DataFrame = confirmed.dropna(subset="learning_rate")
    return rates


def _schedules(material: Material) -> list[str]:
    inputs = material.inputs
    held = inputs.plan["fixed"].get(FACTOR)
    return [str(level) for level in inputs.factors.get(FACTOR, () if held is None else (held,))]
