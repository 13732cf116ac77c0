"""What the search did with its budget: trials per rung and level, agreement of rungs, robustness, budget curve."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.cube import plain
from reports.inputs.early_stopping import kept
from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import LOG_LOSS, Measure
from reports.statistics.budget_curve import expected_best, rate_robustness, rung_agreement
from reports.wording.phrases import Sentence
from reports.wording.words import count, number, plural

NO_CELL = 0


def search_record(inputs: ReportInputs) -> dict[str, Any]:
    """For report.json.

    - `by_level`: factor, level, trials (begun), failed, and `reached`, the trials at each rung (its epoch as text)
    - `agreement`: as `budget_curve.rung_agreement`; `robustness`: as `rate_robustness`, empty without cells
    - `curve`: num_trials k, loss expected of the best of k (nats, at the first rung; the mean over cells); where the
      search is after another objective, that objective
    - `sentences`: about agreement and budget, with their `numbers`
    """
    rungs = [int(rung) for rung in inputs.plan["search"]["rungs"]]
    objective, losses = inputs.objective, rung_losses(inputs)
    first = losses[losses["epoch"] == rungs[0]]
    agreement = rung_agreement(losses, rungs, objective.name)
    curve = mean_curve(first, objective)
    if curve and all(map(objective.is_failure, curve)):
        curve = []
    said = [
        each
        for each in (about_agreement(agreement, inputs.has_cells), about_curve(curve, rungs[0], objective))
        if each is not None
    ]
    return {
        "by_level": _by_level(inputs, rungs),
        "agreement": agreement.to_dict("records"),
        "robustness": _robustness(inputs, rungs[0]),
        "curve": [
            {"num_trials": place, curve_key(objective): value} for place, value in enumerate(curve, start=1)
        ],
        "sentences": [each.text for each in said],
        "numbers": [dict(each.numbers) for each in said],
    }


def curve_key(objective: Measure) -> str:
    """What report.json calls a value of the budget curve."""
    return "loss" if objective.name == LOG_LOSS.name else "objective"


def rung_losses(inputs: ReportInputs, measure: Measure | None = None) -> pd.DataFrame:
    """Search trials at the rungs they reached: cell (0 without cells), trial_number, epoch, and a measure by its name.

    The measure, by default the objective, is the mean over replicates, each scored as a failure where it is worse, not
    finite, or without a row for that epoch: a loss is capped at chance. A network that stopped early counts with the
    weights that it keeps. An undefined score is left out of the mean, a trial without any has no row.
    """
    measure = measure or inputs.objective
    name, judged = measure.name, inputs.validation.name
    trials = inputs.trials[inputs.trials["phase"] == "search"] if len(inputs.trials) else inputs.trials
    columns = ["cell", "trial_number", "epoch", name]
    if trials.empty or inputs.replicates.empty:
        return pd.DataFrame(columns=columns)
    keys = ["trial_number", "replicate"]
    grid = inputs.replicates.loc[inputs.replicates["phase"] == "search", keys]
    rungs = pd.DataFrame({"epoch": [int(rung) for rung in inputs.plan["search"]["rungs"]]})
    last = int(inputs.plan["search"]["rungs"][-1])
    scores = kept(inputs.epochs, inputs.replicates, inputs.trials, last)
    merged = grid.merge(rungs, how="cross").merge(
        scores[[*keys, "epoch", *dict.fromkeys((name, judged))]], on=[*keys, "epoch"], how="left"
    )
    lost = pd.to_numeric(merged[judged]).isna()
    merged[name] = measure.scored(pd.to_numeric(merged[name]), None if name == judged else lost)
    means = merged.groupby(["trial_number", "epoch"], as_index=False)[name].mean()
    means = means[means[name].notna()]
    known = trials.set_index("number")
    means = means[means["epoch"] <= means["trial_number"].map(known["epochs"]).fillna(0)]
    cells = means["trial_number"].map(known["cell"]).fillna(NO_CELL).astype(int)
    table: pd.DataFrame = means.assign(cell=cells)[columns].reset_index(drop=True)
    return table


def failed_shares(inputs: ReportInputs) -> pd.Series[Any]:
    """By search trial the share of its networks that diverged or failed."""
    replicates = inputs.replicates[inputs.replicates["phase"] == "search"]
    lost = replicates["outcome"].isin(["diverged", "failed"])
    shares: pd.Series[Any] = lost.groupby(replicates["trial_number"]).mean()
    return shares


def mean_curve(first: pd.DataFrame, measure: Measure = LOG_LOSS) -> list[float]:
    """Expected best of k trials for every k that all cells have, the mean over cells."""
    curves = [
        expected_best(rows[measure.name].to_numpy(dtype=float), lower_is_better=measure.lower_is_better)
        for _, rows in first.groupby("cell")
    ]
    shortest = min(map(len, curves), default=0)
    return [float(np.mean([curve[place] for curve in curves])) for place in range(shortest)]


def about_agreement(agreement: pd.DataFrame, has_cells: bool = True) -> Sentence | None:
    """How alike neighbouring rungs rank the trials (of a cell); None where fewer than two reached both."""
    known = agreement.dropna(subset="tau")
    if known.empty:
        return None
    parts = [
        f"{number(row['tau'], 2)} from epoch {count(row['rung_a'])} to {count(row['rung_b'])} "
        f"({plural(int(row['num_trials']), 'trial')} that reached both)"
        for row in known.to_dict("records")
    ]
    listed = ["tau", "rung_a", "rung_b", "num_trials"]
    numbers = {
        f"{name}_{place}": row[name] for place, row in enumerate(known.to_dict("records")) for name in listed
    }
    return Sentence(
        text=f"Rank agreement of rungs, Kendall's tau{' within a cell' if has_cells else ''}: {', '.join(parts)}; 1 "
        "would be the same order.",
        gate=None,
        numbers=numbers,
    )


def about_curve(curve: list[float], rung: int, measure: Measure = LOG_LOSS) -> Sentence | None:
    """What half of the trials would have been expected to find; None with fewer than two."""
    if len(curve) < 2:
        return None
    half = len(curve) // 2
    return Sentence(
        text=f"At epoch {count(rung)}, which every trial reaches, {plural(half, 'trial')} drawn at random would have "
        f"been expected to come to a {measure.title} of {measure.value(curve[half - 1])}, all {count(len(curve))} to "
        f"{measure.bare(curve[-1])}.",
        gate=None,
        numbers={
            "rung": rung,
            "half": half,
            "num_trials": len(curve),
            "some": curve[half - 1],
            "all": curve[-1],
        },
    )


def _by_level(inputs: ReportInputs, rungs: list[int]) -> list[dict[str, Any]]:
    trials = inputs.trials[inputs.trials["phase"] == "search"] if len(inputs.trials) else inputs.trials
    begun = trials[trials["state"] != "waiting"] if len(trials) else trials
    return [
        {"factor": factor, "level": plain(level), **_counts(_at(begun, factor, level), rungs)}
        for factor, levels in inputs.factors.items()
        for level in levels
    ]


def _at(trials: pd.DataFrame, factor: str, level: Any) -> pd.DataFrame:
    return trials[[plain(value) == plain(level) for value in trials[factor]]] if len(trials) else trials


def _counts(trials: pd.DataFrame, rungs: list[int]) -> dict[str, Any]:
    epochs = trials["epochs"].fillna(0) if len(trials) else pd.Series(dtype=float)
    return {
        "trials": len(trials),
        "failed": int((trials["state"] == "failed").sum()) if len(trials) else 0,
        "reached": {str(rung): int((epochs >= rung).sum()) for rung in rungs},
    }


def _robustness(inputs: ReportInputs, rung: int) -> list[dict[str, Any]]:
    losses = rung_losses(inputs, inputs.validation)
    first = losses[losses["epoch"] == rung]
    if not inputs.has_cells or first.empty:
        return []
    trials = inputs.trials.rename(columns={"number": "trial_number"})[["trial_number", *inputs.factors]]
    table = rate_robustness(
        first.merge(trials, on="trial_number"), list(inputs.factors), inputs.chance_loss, inputs.validation
    )
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
