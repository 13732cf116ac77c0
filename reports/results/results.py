"""All statistics of one report, computed once: what the JSON file, the tables and the pictures share."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.inputs.cube import plain
from reports.inputs.early_stopping import best_so_far, rested
from reports.inputs.inputs import ReportInputs
from reports.results.accounting import Accounting, account
from reports.results.looks import Look, look_of, look_reached
from reports.results.outcomes import boundary_shares, contrast_rows, mark_boundary
from reports.results.sufficiency import still_improving
from reports.stability.growth import growth_by_cell, growths, verdict_shares
from reports.statistics.contrasts import at_best, contrasts, interactions
from reports.statistics.effects import within_shares
from reports.statistics.gates import Rules


@dataclass(frozen=True, kw_only=True)
class Results:
    """What the recorded numbers say.

    - `accounting`: counts that add up (AccountingError otherwise)
    - `look`: the planned look that is compared, whose rules gate every family
    - `rows`: networks of the confirm phase up to that look, scored (`outcomes.contrast_rows`)
    - `chosen`: one row per cell: trial_number, cell, factors, nuisances, objective (to be lowered), at_boundary;
      empty without cells
    - `boundary`: for factor and level the share of cells whose chosen rate lies at the end of its range
    - `contrasts`, `at_best`, `interactions`: frames of `comparison`, for the outcome (test log-loss unless the plan
      declares its own metrics); empty without cells
    - `error_contrasts`: the contrasts of test error, or of the plan's other metrics; described only
    - `growths`: growth of every network of the confirm phase at every epoch, with block and factors
    - `growth_contrasts`: contrasts of ln total_growth over blocks at initialisation
    - `improving`: by level the share of cells still improving when training ended; empty without cells
    - `theory`: growth measured and predicted by cell
    - `verdicts`: shares of verdicts by level, with the column `when` ("initial", "trained")
    """

    accounting: Accounting
    look: Look
    rows: pd.DataFrame
    chosen: pd.DataFrame
    boundary: dict[str, dict[Any, float]] | None
    contrasts: pd.DataFrame
    at_best: pd.DataFrame
    interactions: pd.DataFrame
    error_contrasts: pd.DataFrame
    growths: pd.DataFrame
    growth_contrasts: pd.DataFrame
    improving: pd.DataFrame
    theory: pd.DataFrame
    verdicts: pd.DataFrame


def compute(inputs: ReportInputs) -> Results:
    """Compute every statistic; raises AccountingError where the record contradicts itself."""
    accounting = account(inputs.trials, inputs.replicates, inputs.epochs, inputs.plan, inputs.created_at)
    factors, compare = list(inputs.factors), inputs.has_cells
    look = look_reached(inputs.plan, inputs.trials, inputs.is_complete)
    rows = contrast_rows(
        _up_to(look, inputs), inputs.factors, inputs.num_classes, inputs.objective, inputs.own
    )
    chosen = _chosen(inputs) if compare else pd.DataFrame()
    grown = _growths(inputs, rows)
    outcome, smallest = inputs.outcome.name, inputs.smallest_effect
    boundary = boundary_shares(chosen, factors) if len(chosen) else None
    none = contrasts(_slim(rows.iloc[:0], [], outcome), [], outcome)
    usable = compare and len(rows) > 0
    initial = grown[grown["epoch"] == 0] if len(grown) else grown
    return Results(
        accounting=accounting,
        look=look,
        rows=rows,
        chosen=chosen,
        boundary=boundary,
        contrasts=contrasts(
            _slim(rows, factors, outcome), factors, outcome, smallest, boundary, rules=look.rules
        )
        if usable
        else none,
        at_best=_at_best(inputs, rows, chosen, look.rules) if usable else none,
        interactions=interactions(_slim(rows, factors, outcome), factors, outcome)
        if usable and len(factors) > 1
        else pd.DataFrame(),
        error_contrasts=_described(inputs, rows, look.rules) if usable else none,
        growths=grown,
        growth_contrasts=contrasts(
            _slim(initial, factors, "ln_total_growth"), factors, "ln_total_growth", rules=look.rules
        )
        if usable and len(initial)
        else none,
        improving=_improving(inputs, rows),
        theory=_theory(inputs, initial),
        verdicts=_verdicts(inputs),
    )


def _up_to(look: Look, inputs: ReportInputs) -> pd.DataFrame:
    """The replicates of all trials but those of a look that has begun and is not whole."""
    if not look.begun:
        return inputs.replicates
    confirm = inputs.trials[inputs.trials["phase"] == "confirm"]
    late = confirm[look_of(inputs.plan, confirm["number"]) >= max(look.number, 1)]
    return inputs.replicates[~inputs.replicates["trial_number"].isin(late["number"])]


def _slim(rows: pd.DataFrame, factors: list[str], outcome: str) -> pd.DataFrame:
    """Only what a comparison reads."""
    return rows[[*factors, "block", outcome]]


def best_of_cells(search: pd.DataFrame) -> pd.DataFrame:
    """The best search trial of each cell, by cell: the lowest `objective` of those at the last rung, then `number`.

    `studies.search.best_trials` chooses by the same order; a test holds the two together.
    """
    reached = search[(search["state"] == "complete") & search["objective"].notna()]
    return reached.sort_values(["objective", "number"]).groupby("cell", sort=True).head(1).sort_values("cell")


def _chosen(inputs: ReportInputs) -> pd.DataFrame:
    """The search trial of each cell whose nuisance values the confirm phase took, with its objective.

    That is the lowest objective among the trials that reached the last rung.
    """
    best = best_of_cells(inputs.search_trials).rename(columns={"number": "trial_number"})
    if best.empty:
        return pd.DataFrame()
    nuisances = [name for name in inputs.plan["nuisances"] if name in best]
    kept = best[["trial_number", "cell", *inputs.factors, *nuisances, "objective"]].reset_index(drop=True)
    held = {name: inputs.plan["fixed"][name] for name in {"optimizer"} & {*inputs.plan["fixed"]} - {*kept}}
    # A range of its own for each optimizer needs the optimizer: where no one states it, no rate is marked.
    one_for_all = "low" in inputs.plan["nuisances"].get("learning_rate", {})
    ranges = inputs.plan["nuisances"] if one_for_all or "optimizer" in {*kept, *held} else {}
    return mark_boundary(kept.assign(**held), ranges)[[*kept, "at_boundary"]]


def _at_best(inputs: ReportInputs, rows: pd.DataFrame, chosen: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """At best needs, for every level, a cell in the search and, in the confirm phase, all cells."""
    factors, outcome = list(inputs.factors), inputs.outcome.name
    none = contrasts(_slim(rows.iloc[:0], [], outcome), [], outcome)
    covered = len(chosen) > 0 and all(
        {plain(level) for level in levels} <= {plain(value) for value in source[name]}
        for name, levels in inputs.factors.items()
        for source in (chosen, rows)
    )
    if not covered:
        return none
    slim = _slim(rows, factors, outcome)
    return at_best(slim, factors, outcome, chosen, inputs.smallest_effect, rules=rules)


def _described(inputs: ReportInputs, rows: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Contrasts that are described and never claimed: of test error, or of the plan's metrics but the primary one."""
    factors = list(inputs.factors)
    others = {"test_error": inputs.plan["smallest_effect"]["error"]}
    if inputs.own:
        others = {measure.name: measure.smallest_effect for measure in inputs.own[1:]}
    found = [
        _within(contrasts(_slim(rows, factors, name), factors, name, size, rules=rules))
        for name, size in others.items()
        if rows[name].notna().all()  # an undefined score compares nothing, and the page says so
    ]
    primary = inputs.outcome.name
    return (
        pd.concat(found, ignore_index=True)
        if found
        else contrasts(_slim(rows.iloc[:0], [], primary), [], primary)
    )


def _within(contrast: pd.DataFrame) -> pd.DataFrame:
    """A difference of errors lies between -1 and 1."""
    return within_shares(contrast) if (contrast["outcome"] == "test_error").all() else contrast


def _growths(inputs: ReportInputs, rows: pd.DataFrame) -> pd.DataFrame:
    if inputs.gradients.empty or rows.empty:
        return pd.DataFrame()
    recorded = inputs.gradients[inputs.gradients["trial_number"].isin(set(rows["trial_number"]))]
    keys = ["trial_number", "replicate"]
    return growths(recorded).merge(rows[[*keys, "block", *inputs.factors]], on=keys)


def _improving(inputs: ReportInputs, rows: pd.DataFrame) -> pd.DataFrame:
    """A cell's looks are taken together: trial numbers become cell numbers."""
    smallest = inputs.smallest_effect
    if not inputs.has_cells or rows.empty or smallest is None:
        return pd.DataFrame(columns=["factor", "level", "share", "num_cells"])
    confirm = inputs.trials[inputs.trials["phase"] == "confirm"]
    cell_of = dict(zip(confirm["number"], confirm["cell"], strict=True))
    epochs = inputs.epochs[inputs.epochs["trial_number"].isin(set(rows["trial_number"]))]
    # A network that keeps its best weights improves only where it is better than they are.
    epochs = rested(epochs, inputs.replicates, inputs.trials).sort_values("epoch")
    epochs = epochs.assign(val_loss=best_so_far(epochs, inputs.replicates, "val_loss"))
    cells = rows.assign(trial_number=rows["trial_number"].map(cell_of)).drop_duplicates("trial_number")
    return still_improving(
        epochs.assign(trial_number=epochs["trial_number"].map(cell_of)),
        cells,
        inputs.factors,
        smallest,
        inputs.chance_loss,
        inputs.validation,
    )


def _theory(inputs: ReportInputs, initial: pd.DataFrame) -> pd.DataFrame:
    if initial.empty:
        return pd.DataFrame()
    confirm = inputs.trials[inputs.trials["phase"] == "confirm"]
    cells = confirm[["number", "cell", *inputs.factors]]
    return growth_by_cell(initial, cells, {"model": inputs.plan["model"], **inputs.plan["fixed"]})


def _verdicts(inputs: ReportInputs) -> pd.DataFrame:
    confirm = inputs.replicates[inputs.replicates["phase"] == "confirm"]
    tables = [
        verdict_shares(confirm, list(inputs.factors), f"verdict_{when}").assign(when=when)
        for when in ("initial", "trained")
    ]
    return pd.concat(tables, ignore_index=True)
