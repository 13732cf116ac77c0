"""Training: learning curves of every factor, loss first, error folded behind it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from reports.inputs.cube import plain
from reports.inputs.early_stopping import rested, stops_early
from reports.inputs.measures import measure_of
from reports.plots import learning_curves, rate_schedule
from reports.plots.rate_schedule import FACTOR
from reports.plots.style.axes import limits_of, scale_note
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.marks import levels
from reports.results.best import score_bounds
from reports.sections.parts.section import Cell, Column, ReportContext, Section, Table, several
from reports.sections.rate_response import NAME, rate_response_figure, robustness_table
from reports.wording.phrases import capital
from reports.wording.words import count, factor_name, level_name, number, plural

TITLE, HINT = "How the networks learned", "curves by level, learning rates"
LOSSES = {"validation": "val_loss", "training": "train_loss"}
ACCURACIES = {"validation": "val_accuracy", "training": "train_accuracy"}


def training(report_context: ReportContext) -> Section:
    """How the networks of the confirm phase learned, by level."""
    if not report_context.inputs.factors or report_context.results.rows.empty:
        return Section(slug="training", title=TITLE, folded=True, hint=HINT)
    curves = _curves(report_context)
    figures = (
        [_own_figure(report_context, curves)]
        if report_context.inputs.own
        else _of_classifiers(report_context, curves)
    )
    has_rate = report_context.inputs.has_cells and NAME in report_context.inputs.plan["nuisances"]
    rates = [rate_response_figure(report_context)] if has_rate else []
    schedule = schedule_figure(report_context)
    schedules = [] if schedule is None else [schedule]
    context = {
        "rates": rates,
        "rate": rates_in_words(report_context),
        "schedules": schedules,
        "early": early_table(report_context.report["early_stopping"]),
        "robustness": robustness_table(report_context) if has_rate else None,
    }
    return Section(
        slug="training",
        title=TITLE,
        folded=True,
        hint=HINT,
        figures=[*figures, *schedules, *rates],
        context=context,
    )


def _of_classifiers(report_context: ReportContext, curves: pd.DataFrame) -> list[Figure]:
    return [
        _figure(
            report_context, curves, "learning_curves_loss", "Log-loss", "nats, log scale", LOSSES, log=True
        ),
        _figure(
            report_context,
            curves,
            "learning_curves_accuracy",
            "Accuracy",
            "share of right answers",
            ACCURACIES,
            log=False,
        ),
    ]


def _own_figure(report_context: ReportContext, curves: pd.DataFrame) -> Figure:
    """Learning curves of the metric that the plan declares as primary, on the validation part."""
    measure = report_context.inputs.validation
    log = measure.suits_log(curves[measure.name])
    unit = ", ".join(part for part in (measure.unit, scale_note(log)) if part)
    name = capital(measure.title)
    return _figure(
        report_context,
        curves,
        "learning_curves_own",
        name,
        unit,
        {"validation": measure.name},
        log=log,
        note=measure.unit,
    )


def _curves(report_context: ReportContext) -> pd.DataFrame:
    """One row per network of the confirm phase and epoch, failed ones at chance, with block and levels."""
    rows, epochs = report_context.results.rows, report_context.inputs.epochs
    keys = ["trial_number", "replicate"]
    own = report_context.inputs.own
    measures = [report_context.inputs.validation.name] if own else [*LOSSES.values(), *ACCURACIES.values()]
    if rows.empty or epochs.empty:
        columns = [*keys, "epoch", *measures, "block", *report_context.inputs.factors]
        return pd.DataFrame(columns=columns)
    kept = epochs[epochs["trial_number"].isin(set(rows["trial_number"]))]
    kept = rested(kept, report_context.inputs.replicates, report_context.inputs.trials)
    grid = rows[[*keys, "block", "outcome", *report_context.inputs.factors]]
    every = grid.merge(pd.DataFrame({"epoch": sorted(kept["epoch"].unique())}), how="cross")
    merged = every.merge(kept[[*keys, "epoch", *measures]], on=[*keys, "epoch"], how="left")
    failed = merged["outcome"].isin(["diverged", "failed"]).to_numpy()
    if own:
        measure = report_context.inputs.validation
        return merged.assign(**{measure.name: measure.scored(merged[measure.name].where(~failed))})
    chance = dict.fromkeys(LOSSES.values(), report_context.inputs.chance_loss)
    chance |= dict.fromkeys(ACCURACIES.values(), 1 / report_context.inputs.num_classes)
    return learning_curves.filled(merged, failed, chance)


def _figure(
    report_context: ReportContext,
    curves: pd.DataFrame,
    slug: str,
    name: str,
    unit: str,
    measures: Mapping[str, str],
    *,
    log: bool,
    note: str | None = None,
) -> Figure:
    factors = several(report_context.inputs.factors)
    frames = {
        factor: learning_curves.tidy(
            curves,
            curves[factor].map(lambda v, f=factor: report_context.theme.style(f, plain(v)).name),
            dict(measures),
            {
                column: score_bounds(report_context.inputs, column, curves[column])
                for column in measures.values()
            },
        )
        for factor in factors
    }
    averaged = ", the same in every panel, averaged over the cells of all other factors"
    averaged = averaged if report_context.inputs.has_cells else ""
    stopped = " Networks that stopped early count with their best epoch, whose weights they keep."
    early = stopped if stops_early(report_context.inputs.plan) else ""
    values = [
        v for frame in frames.values() for v in frame[["mean", "low", "high"]].to_numpy(dtype=float).ravel()
    ]
    limits = limits_of(values, log=log)
    guess = "a failure" if report_context.inputs.own else "chance"
    dashed = "; dashed: training, with dropout and augmentation where there are any"
    dashed = dashed if "training" in measures else ""
    panels = [
        draw_panel(
            partial(
                learning_curves.draw,
                frame,
                theme=report_context.theme,
                factor=factor,
                levels=factors[factor],
                limits=limits,
                log=log,
                measure=measure_of(report_context.inputs.plan, measures["validation"]),
            ),
            Sheet(right=56),
            heading=factor_name(factor).capitalize(),
            note=("nats" if log else "") if note is None else note,
            prefix=f"{slug[16:19]}{place}",
        )
        for place, (factor, frame) in enumerate(frames.items())
    ]
    return Figure(
        slug=slug,
        title=f"{name} while training, by {'level' if report_context.inputs.has_cells else 'configuration'}",
        caption=(
            f"Solid with markers: validation, mean over blocks with its 95 % band{dashed}. {name} in {unit}{averaged}. "
            f"Networks that diverged or failed count as {guess} from there on.{early}"
        ),
        num=f"n = {plural(int(curves['block'].nunique()), 'block')}, "
        f"{plural(len(report_context.results.rows), 'network')}",
        alt=f"{name} by epoch. {_alt(frames)}",
        panels=tuple(panels),
        data=pd.concat([frame.assign(factor=factor) for factor, frame in frames.items()], ignore_index=True),
        columns=2,
    )


def _alt(frames: Mapping[str, pd.DataFrame]) -> str:
    parts = []
    for factor, frame in frames.items():
        end = frame[(frame["part"] == "validation") & (frame["epoch"] == frame["epoch"].max())]
        listed = ", ".join(f"{row['level']} {number(row['mean'], 2)}" for _, row in end.iterrows())
        parts.append(f"{factor_name(factor)} at the end, validation: {listed}")
    return "; ".join(parts)


WORDS = {
    "exponential": "times 0.95 after each epoch",
    "plateau": "times 0.2 for a network that did not improve in more than 5 epochs",
    "cosine": "along half a cosine",
}


def rates_in_words(report_context: ReportContext) -> str:
    """What schedules the study had, and what came of the rates."""
    rates = _rates(report_context)
    if rates.empty:
        return "No learning rate is recorded."
    by_network = rates.groupby(["trial_number", "replicate"])["learning_rate"]
    if by_network.nunique().max() == 1:
        last = int(rates["epoch"].max())
        return f"Each network kept its learning rate through all {plural(last, 'epoch')}: no schedule."
    ends = (by_network.last() / by_network.first()).median()
    named = [WORDS[name] for name in _schedules(report_context) if name in WORDS]
    how = f" ({'; '.join(named)})" if named else ""
    return (
        f"Learning rates followed a schedule{how}: in a network's last epoch the median rate is "
        f"{number(100 * ends, 1)} % of its first."
    )


def schedule_figure(report_context: ReportContext) -> Figure | None:
    """The rates over the epochs, a line a schedule; None where every network kept its rate."""
    rates = _rates(report_context)
    if rates.empty or rates.groupby(["trial_number", "replicate"])["learning_rate"].nunique().max() == 1:
        return None
    compared = report_context.inputs.factors.get(FACTOR)
    if compared is None:
        names = pd.Series("", index=rates.index)
    else:
        by_trial = report_context.results.rows.drop_duplicates("trial_number").set_index("trial_number")[
            FACTOR
        ]
        names = (
            rates["trial_number"]
            .map(by_trial)
            .map(lambda v: report_context.theme.style(FACTOR, plain(v)).name)
        )
    frame = rate_schedule.tidy(rates, names)
    levels = [None] if compared is None else list(compared)
    panel = draw_panel(
        partial(rate_schedule.draw, frame, theme=report_context.theme, levels=levels),
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
    """By level, how many networks stopped before the last epoch, and after how many; None where none did."""
    if record is None or not record["overall"]["stopped"]:
        return None
    columns = [
        *(Column(name=name, is_number=False) for name in ("factor", "level")),
        *(Column(name=name) for name in ("networks", "stopped early")),
        *(Column(name=name, unit="epoch") for name in ("median", "first", "last")),
    ]
    rows = [_row("all networks", "", record["overall"])]
    rows += [_row(factor_name(row["factor"]), level_name(row["level"]), row) for row in record["by_level"]]
    caption = "Networks that stopped early, and after which epoch"
    owners = [(), *(levels(row["factor"], row["level"]) for row in record["by_level"])]
    return Table(caption=caption, columns=columns, rows=rows, of=owners)


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


def _rates(report_context: ReportContext) -> pd.DataFrame:
    epochs, rows = report_context.inputs.epochs, report_context.results.rows
    confirmed = epochs[epochs["trial_number"].isin(set(rows["trial_number"]))].sort_values("epoch")
    rates: pd.DataFrame = confirmed.dropna(subset="learning_rate")
    return rates


def _schedules(report_context: ReportContext) -> list[str]:
    inputs = report_context.inputs
    held = inputs.plan["fixed"].get(FACTOR)
    return [str(level) for level in inputs.factors.get(FACTOR, () if held is None else (held,))]
