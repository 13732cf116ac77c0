"""Every family of comparisons of one study, each counted in its own share of the error rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.inputs.cube import plain
from reports.inputs.inputs import ReportInputs
from reports.results.licensing import Licensing
from reports.results.questions import Followed, follow
from reports.statistics.best_cells import best_pairs, num_distinct
from reports.statistics.contrasts import at_best, contrasts, interactions
from reports.statistics.families import Family, Levels
from reports.statistics.new_samples import ratio_as_trained

GROWTH = "ln_total_growth"
ERROR = "test_error"
Boundary = Mapping[str, Mapping[Any, float]]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What is compared: networks up to the look (`rows`) and of the first one, growth at the start, what was chosen.

    `chosen` and `boundary` as `reports.results.results` has them; `rows` is empty where levels are not compared.
    `best_rows` are the networks that comparisons at best use, with their `look` (from 1): those of later looks have the
    scores on the validation and test parts together, where the plan pools them.
    """

    inputs: ReportInputs
    licensing: Licensing
    rows: pd.DataFrame
    first_rows: pd.DataFrame
    best_rows: pd.DataFrame
    initial: pd.DataFrame
    chosen: pd.DataFrame
    boundary: dict[str, dict[Any, float]] | None

    @property
    def factors(self) -> list[str]:
        """The names of the factors."""
        return list(self.inputs.factors)

    @property
    def levels(self) -> Levels | None:
        """The plan's levels: one that was never confirmed is missing, and counts.

        Plans of versions 1 and 2 compare the levels that there are.
        """
        return None if self.licensing.rules.holm else self.inputs.factors

    @property
    def num_pairs(self) -> int:
        """Hypotheses of a family at best: distinct pairs of selected cells, and the comparison with a linear model."""
        linear = self.inputs.linear_models
        line = int(linear is not None and len(linear) > 0)
        if self.chosen.empty:
            return line
        pairs = best_pairs(self.chosen, self.factors, self.inputs.factors, planned=True)
        return num_distinct(pairs) + line

    def slim(self, rows: pd.DataFrame, outcome: str) -> pd.DataFrame:
        """Only what a comparison reads."""
        return rows[[*self.factors, "block", outcome]]


@dataclass(frozen=True, kw_only=True)
class Comparisons:
    """The frames of `reports.statistics.contrasts` by family; each empty where there is nothing to compare."""

    num_pairs: int
    at_best: pd.DataFrame
    error_at_best: pd.DataFrame
    contrasts: pd.DataFrame
    interactions: pd.DataFrame
    error_contrasts: pd.DataFrame
    growth_contrasts: pd.DataFrame
    growth_interactions: pd.DataFrame


def _none(given: Compared) -> pd.DataFrame:
    """The frame of a family that has nothing to compare."""
    return contrasts(pd.DataFrame({"block": [], "none": []}), [], "none", rules=given.licensing.rules)


def follow_questions(given: Compared) -> Followed:
    """The comparisons at best, over all looks so far: the primary outcome and, of classifiers, the error rate."""
    inputs, licensing, pairs = given.inputs, given.licensing, given.num_pairs
    may_compare = not given.best_rows.empty and _may_compare_at_best(given)

    def at_look(look: int, outcome: str, size: float | None, family: Family) -> pd.DataFrame:
        if not may_compare:
            return _none(given)
        return _at_best(given, given.best_rows[given.best_rows["look"] <= look], outcome, size, family)

    def read(look: int) -> pd.DataFrame:
        return at_look(look, inputs.outcome.name, inputs.smallest_effect, licensing.loss_at_best(pairs))

    def read_error(look: int) -> pd.DataFrame:
        size = inputs.plan["smallest_effect"]["error"]
        return at_look(look, ERROR, size, licensing.error_rate_at_best(pairs))

    return follow(
        inputs.plan,
        inputs.trials,
        given.chosen,
        is_complete=inputs.is_complete,
        read=read,
        read_error=None if inputs.own or licensing.rules.holm else read_error,
    )


def compare(given: Compared, followed: Followed) -> Comparisons:
    """Compute every family; those at best are `followed`."""
    none = _none(given)
    error_at_best = none if followed.error_at_best is None else followed.error_at_best
    found: dict[str, Any] = {
        "num_pairs": given.num_pairs,
        "at_best": followed.at_best,
        "error_at_best": error_at_best,
    }
    found |= {"contrasts": none, "error_contrasts": none, "growth_contrasts": none}
    found |= {"interactions": pd.DataFrame(), "growth_interactions": pd.DataFrame()}
    if not given.rows.empty:
        found |= _averaged(given, found["at_best"])
        found["error_contrasts"] = _described(given, none)
        if len(given.initial):
            found |= _grown(given)
    return Comparisons(**found)


def _may_compare_at_best(given: Compared) -> bool:
    """Whether the search chose cells; before plan version 3 every level had to have one."""
    if given.chosen.empty or not given.licensing.rules.holm:
        return not given.chosen.empty
    return all(
        {plain(level) for level in levels} <= {plain(value) for value in source[name]}
        for name, levels in given.inputs.factors.items()
        for source in (given.chosen, given.rows)
    )


def _at_best(
    given: Compared, rows: pd.DataFrame, outcome: str, size: float | None, family: Family
) -> pd.DataFrame:
    official = official_test(given.inputs)
    return at_best(
        given.slim(rows, outcome),
        given.factors,
        outcome,
        given.chosen,
        size,
        rules=given.licensing.rules,
        family=family,
        levels=given.levels,
        beyond=None if official else given.licensing.beyond_sample(given.num_pairs),
        first_blocks=list(given.first_rows["block"].unique()),
        ratio=lambda *cells: max(
            ratio_as_trained(train_size(given.inputs.plan["fixed"], cell)) for cell in cells
        ),
    )


def official_test(inputs: ReportInputs) -> bool:
    """Whether the test part is one official test set, the same in every block: nothing is said about new samples."""
    dataset = inputs.provenance.get("dataset")
    return bool(dataset.get("official_test", False)) if isinstance(dataset, Mapping) else False


def train_size(fixed: Mapping[str, Any], cell: Mapping[str, Any]) -> float | None:
    """The share of the training part that a cell's networks see, whatever role it has; None: all of it."""
    share = cell.get("train_size", fixed.get("train_size"))
    return None if share is None or share != share else float(share)


def _averaged(given: Compared, best: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The averages and the interactions; with one factor an average is what it is at best, and is not told again."""
    inputs, licensing, outcome = given.inputs, given.licensing, given.inputs.outcome.name
    if len(given.factors) == 1 and len(best) and not licensing.rules.holm:
        return {"contrasts": best}
    common: dict[str, Any] = {"rules": licensing.rules, "levels": given.levels}
    rows, size = given.slim(given.first_rows, outcome), inputs.smallest_effect
    changes = interactions(rows, given.factors, outcome, size, family=licensing.interactions, **common)
    averages = contrasts(
        rows,
        given.factors,
        outcome,
        size,
        given.boundary,
        family=licensing.averages,
        depends=changes,
        **common,
    )
    return {"contrasts": averages, "interactions": changes if len(given.factors) > 1 else pd.DataFrame()}


def _grown(given: Compared) -> dict[str, pd.DataFrame]:
    """Averages and interactions of ln total growth at initialisation, in one family with its simple effects."""
    licensing = given.licensing
    rows = given.slim(first_growths(given), GROWTH)
    common: dict[str, Any] = {"rules": licensing.rules, "levels": given.levels, "family": licensing.growth}
    changes = interactions(rows, given.factors, GROWTH, **common)
    averages = contrasts(rows, given.factors, GROWTH, depends=changes, **common)
    return {"growth_contrasts": averages, "growth_interactions": changes}


def first_growths(given: Compared) -> pd.DataFrame:
    """Growth at initialisation of the networks of the first look."""
    return given.initial[given.initial["trial_number"].isin(set(given.first_rows["trial_number"]))]


def _described(given: Compared, none: pd.DataFrame) -> pd.DataFrame:
    """Contrasts that are described and never claimed: of test error, or of the plan's metrics but the primary one."""
    inputs, rows = given.inputs, given.first_rows
    others = {ERROR: inputs.plan["smallest_effect"]["error"]}
    if inputs.own:
        others = {measure.name: measure.smallest_effect for measure in inputs.own[1:]}
    found = [
        contrasts(
            given.slim(rows, name),
            given.factors,
            name,
            size,
            rules=given.licensing.rules,
            levels=given.levels,
        )
        for name, size in others.items()
        if rows[name].notna().all()  # an undefined score compares nothing, and the page says so
    ]
    return pd.concat(found, ignore_index=True) if found else none
