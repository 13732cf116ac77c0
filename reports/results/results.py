"""All statistics of one report, computed once: what the JSON file, the tables and the pictures share."""

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from reports.inputs.decisions import Decision
from reports.inputs.early_stopping import best_so_far, rested
from reports.inputs.inputs import ReportInputs
from reports.results.accounting import Accounting, account
from reports.results.comparisons import Compared, compare, follow_questions
from reports.results.licensing import Licensing
from reports.results.looks import Look, first_look, look_of, look_reached, rules_of, trains_until_clear
from reports.results.outcomes import HOLDOUT, at_best_rows, boundary_shares, contrast_rows, mark_boundary
from reports.results.sufficiency import still_improving
from reports.stability.growth import growth_by_cell, growths, verdict_shares


@dataclass(frozen=True, kw_only=True)
class Results:
    """What the recorded numbers say.

    - `accounting`: counts that add up (AccountingError otherwise)
    - `look`: the last whole look, whose rules gate every family
    - `readings`, `decisions`: the questions at best at each look (`reports.results.questions.Followed`)
    - `pools_parts`: whether networks of later looks are scored on the validation and the test part together
    - `licensing`: the families that claims are counted in
    - `rows`: networks of the confirm phase, scored (`outcomes.contrast_rows`): of the first look, and before plan
      version 4 of all whole ones; `first_rows`: those that every family but those at best uses
    - `chosen`: one row per cell: trial_number, cell, factors, nuisances, objective (to be lowered), at_boundary;
      empty without cells
    - `boundary`: for factor and level the share of cells whose chosen rate lies at the end of its range
    - `contrasts`, `at_best`, `interactions`: frames of `comparison`, for the outcome (test log-loss unless the plan
      declares its own metrics); empty without cells
    - `error_at_best`: at best for the error rate, a family of its own; empty where the plan declares its own metrics
    - `num_pairs`: hypotheses of a family at best: distinct pairs of selected cells, and a linear model's comparison
    - `error_contrasts`: the contrasts of test error, or of the plan's other metrics; described only
    - `growths`: growth of every network of the confirm phase at every epoch, with block and factors
    - `growth_contrasts`: contrasts of ln total_growth over blocks at initialisation; `growth_interactions`
    - `improving`: by level the share of cells still improving when training ended; empty without cells
    - `theory`: growth measured and predicted by cell
    - `verdicts`: shares of verdicts by level, with the column `when` ("initial", "trained")
    """

    accounting: Accounting
    look: Look
    licensing: Licensing
    rows: pd.DataFrame
    first_rows: pd.DataFrame
    chosen: pd.DataFrame
    boundary: dict[str, dict[Any, float]] | None
    readings: pd.DataFrame
    decisions: tuple[Decision, ...]
    pools_parts: bool
    contrasts: pd.DataFrame
    at_best: pd.DataFrame
    error_at_best: pd.DataFrame
    num_pairs: int
    interactions: pd.DataFrame
    error_contrasts: pd.DataFrame
    growths: pd.DataFrame
    growth_contrasts: pd.DataFrame
    growth_interactions: pd.DataFrame
    improving: pd.DataFrame
    theory: pd.DataFrame
    verdicts: pd.DataFrame


def compute(inputs: ReportInputs) -> Results:
    """Compute every statistic; raises AccountingError where the record contradicts itself."""
    accounting = account(
        inputs.trials,
        inputs.replicates,
        inputs.epochs,
        inputs.plan,
        inputs.created_at,
        inputs.events,
        inputs.recorded_epochs,
    )
    compared = compared_rows(inputs)
    rows, first = compared.rows, first_look(inputs)
    grown = _growths(first, rows)
    initial = grown[grown["epoch"] == 0] if len(grown) else grown
    given = replace(compared, rows=rows if inputs.has_cells else rows.iloc[:0], initial=initial)
    followed = follow_questions(given)
    return Results(
        accounting=accounting,
        look=followed.look,
        licensing=compared.licensing,
        rows=rows,
        first_rows=compared.first_rows,
        chosen=compared.chosen,
        boundary=compared.boundary,
        readings=followed.readings,
        decisions=followed.decisions,
        pools_parts=_pools_parts(inputs),
        growths=grown,
        improving=_improving(first, rows),
        theory=_theory(first, initial),
        verdicts=_verdicts(first),
        **vars(compare(given, followed)),
    )


def decide(inputs: ReportInputs) -> tuple[Decision, ...]:
    """What follows from each whole look: which questions are answered, and which cells the next look trains.

    It reads the plan, the trials, the replicates and the linear models; empty where a single look is planned.
    """
    return follow_questions(compared_rows(inputs)).decisions


def compared_rows(inputs: ReportInputs) -> Compared:
    """The networks that are compared, scored, without their growth.

    From plan version 4 on all are of the first look, except those that are compared at best.
    """
    plan = inputs.plan
    if trains_until_clear(plan):
        rules, replicates = rules_of(plan), inputs.replicates
    else:
        look = look_reached(plan, inputs.trials, inputs.is_complete)
        rules, replicates = look.rules, _up_to(look, inputs)
    scored = contrast_rows(replicates, inputs.factors, inputs.num_classes, inputs.objective, inputs.own)
    place = look_of(plan, scored["trial_number"])
    first = scored[place == 0]
    chosen = _chosen(inputs) if inputs.has_cells else pd.DataFrame()
    return Compared(
        inputs=inputs,
        licensing=Licensing.of(inputs, rules),
        rows=first if trains_until_clear(plan) else scored,
        first_rows=scored if rules.holm else first,
        best_rows=_best_rows(inputs, scored).assign(look=place + 1),
        initial=pd.DataFrame(),
        chosen=chosen,
        boundary=boundary_shares(chosen, list(inputs.factors)) if len(chosen) else None,
    )


def _best_rows(inputs: ReportInputs, scored: pd.DataFrame) -> pd.DataFrame:
    """The networks that comparisons at best use; none without cells."""
    if not inputs.has_cells:
        return scored.iloc[:0]
    return scored if inputs.own else at_best_rows(scored, inputs.replicates, inputs.num_classes)


def _pools_parts(inputs: ReportInputs) -> bool:
    scored = [inputs.replicates[name] for name in HOLDOUT if name in inputs.replicates]
    return inputs.has_cells and any(bool(column.notna().any()) for column in scored)


def _up_to(look: Look, inputs: ReportInputs) -> pd.DataFrame:
    """The replicates of all trials but those of a look that has begun and is not whole."""
    if not look.begun:
        return inputs.replicates
    confirm = inputs.trials[inputs.trials["phase"] == "confirm"]
    late = confirm[look_of(inputs.plan, confirm["number"]) >= max(look.number, 1)]
    return inputs.replicates[~inputs.replicates["trial_number"].isin(late["number"])]


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
