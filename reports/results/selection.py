"""What the search's selection of cells adds to the comparisons at best, told in one sentence and a column."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from reports.inputs.cube import plain
from reports.inputs.inputs import ReportInputs
from reports.results.outcomes import LOST
from reports.results.results import Results
from reports.statistics.selection import NUM_DRAWS, SEED, Reselected, reselect, search_of
from reports.wording.phrases import Sentence, condition, counted
from reports.wording.words import count, number, percent


def selection_record(inputs: ReportInputs, results: Results) -> dict[str, Any] | None:
    """For report.json: num_draws, seed, num_blocks, and `rows`, one a comparison at best, in their order.

    A row has outcome, factor, level_a, level_b, and what `statistics.selection.Reselected` says of it. `sentence` and
    `numbers` speak of all rows. None without comparisons at best, or where the search has fewer than two blocks.
    Described, never claimed.
    """
    contrasts = results.at_best.to_dict("records")
    if not inputs.has_cells or not contrasts:
        return None
    candidates = _candidates(inputs)
    factors, rows, num_blocks = list(inputs.factors), [], 0
    for name in dict.fromkeys(row["outcome"] for row in contrasts):
        search = search_of(candidates, results.rows[[*factors, "block", name]], factors, name)
        if search is None:
            return None
        num_blocks = search.num_blocks
        mine = [
            (row["factor"], row["level_a"], row["level_b"]) for row in contrasts if row["outcome"] == name
        ]
        for (factor, level_a, level_b), found in zip(mine, reselect(search, mine), strict=True):
            levels = {"factor": factor, "level_a": level_a, "level_b": level_b}
            rows.append({"outcome": name, **levels, **vars(found)})
    said = about_selection([row for row in rows if row["outcome"] == rows[0]["outcome"]], num_blocks)
    return {
        **{"num_draws": NUM_DRAWS, "seed": SEED, "num_blocks": num_blocks},
        "rows": rows,
        "sentence": said.text,
        "numbers": dict(said.numbers),
    }


def _candidates(inputs: ReportInputs) -> pd.DataFrame:
    """The trials that the search could choose from, by block: those that reached the last rung."""
    objective, trials = inputs.objective, inputs.search_trials
    reached = trials[(trials["state"] == "complete") & trials["objective"].notna()] if len(trials) else trials
    columns = ["trial_number", "cell", *inputs.factors, "block", "score"]
    if reached.empty or objective.name not in inputs.replicates:
        return pd.DataFrame(columns=columns)
    rows = inputs.replicates[inputs.replicates["trial_number"].isin(set(reached["number"]))]
    raw = pd.to_numeric(rows[objective.name])
    scores = objective.sign * objective.scored(raw, rows["outcome"].isin(LOST))
    cells = rows["trial_number"].map(dict(zip(reached["number"], reached["cell"], strict=True)))
    return rows.assign(score=scores, cell=cells.astype(int))[columns]


def with_selection(records: list[dict[str, Any]], selection: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The contrasts of report.json with `selection` beside each: its row of the record, None where it has none."""
    rows = [] if selection is None else selection["rows"]
    known = {
        (row["outcome"], row["factor"], plain(row["level_a"]), plain(row["level_b"])): row for row in rows
    }
    names = Reselected.__dataclass_fields__
    return [
        {**record, "selection": None if found is None else {name: found[name] for name in names}}
        for record in records
        for found in [known.get((record["outcome"], record["factor"], *_levels(record)))]
    ]


def _levels(record: dict[str, Any]) -> tuple[Any, Any]:
    return plain(record["level_a"]), plain(record["level_b"])


def about_selection(rows: list[dict[str, Any]], num_blocks: int) -> Sentence:
    """What "at its best cell" means, how firm that is, and how wide intervals become with it."""
    shares = {
        (row["factor"], plain(row[f"level_{side}"])): row[f"share_other_{side}"]
        for row in rows
        for side in "ab"
    }
    shares = {where: share for where, share in shares.items() if math.isfinite(share)}
    ratios = [row["width_ratio"] for row in rows if math.isfinite(row["width_ratio"])]
    head = "“At its best cell” means the cell that the search selected for a level."
    if not shares:
        return Sentence(text=head, gate=None)
    least, most = (pick(shares, key=shares.__getitem__) for pick in (min, max))
    numbers: dict[str, float] = {"num_draws": NUM_DRAWS, "least": shares[least], "most": shares[most]}
    numbers |= {
        f"level_{i}": level for i, (_, level) in enumerate((least, most)) if isinstance(level, int | float)
    }
    span = (
        f"{percent(shares[most], 0)} of draws for every level"
        if shares[least] == shares[most]
        else f"{percent(shares[least], 0)} ({condition(*least)}) to {percent(shares[most], 0)} ({condition(*most)}) of "
        "draws"
    )
    text = (
        f"{head} In {count(NUM_DRAWS)} bootstrap draws of the search’s {counted(num_blocks, 'block', 'blocks')} "
        f"another cell is selected in {span}"
    )
    if not ratios:
        return Sentence(text=f"{text}.", gate=None, numbers=numbers)
    numbers |= {"narrowest": min(ratios), "widest": max(ratios)}
    low, high = (number(ratio, 2) for ratio in (min(ratios), max(ratios)))
    wide = f"{low} times" if low == high else f"{low} to {high} times"
    return Sentence(
        text=f"{text}; with the cells selected anew in each draw, the intervals at best are {wide} as wide.",
        gate=None,
        numbers=numbers,
    )
