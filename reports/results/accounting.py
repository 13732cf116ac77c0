"""Does the record add up? Trials, networks and epochs, planned and spent, overall, by phase and by level."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

import pandas as pd

from reports.inputs.cube import plain
from reports.inputs.decisions import LOOK_DECIDED
from reports.inputs.errors import ReportError
from reports.results.invariants import PHASES, STATES, mistakes, recorded_epochs
from reports.results.looks import look_of, planned_looks, trains_until_clear

COUNTS = [
    *("planned", "missing", "waiting", "started", "running", "complete", "pruned", "failed"),
    *("retried", "networks", "diverged", "epochs"),
]


class AccountingError(ReportError):
    """The record contradicts itself or its plan; `mistakes` has one line for each set of rows that do."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.mistakes = tuple(lines)
        super().__init__("the accounting does not add up: " + "; ".join(self.mistakes))


_COPIED = r"^copied from (.+), trial \d+$"  # what `studies` notes as the worker of a copied trial


@dataclass(frozen=True, kw_only=True)
class Accounting:
    """Counts of a study; the tables share the columns of `COUNTS` and `seconds`.

    Trials: planned = missing (no row yet) + waiting + started; started = running + complete + pruned +
    failed; retried (more than one attempt) is a part of started. Networks: rows of replicates, diverged among
    them, and epochs of one network each. `seconds` are those workers were busy.

    - `overall`: the counts as a dict
    - `by_phase`: phase and the counts
    - `by_level`: factor, level and the counts; each factor's rows sum to `overall` (planned and missing are NA in
      a study without cells, where the sampler chooses levels)
    - `by_rung`: rung (its epoch) and pruned, the search trials stopped there
    - `by_look`: look (from 1), num_blocks and the counts of the confirm trials of each planned look that has begun, or
      that every cell is planned for; it sums to the confirm phase. Empty where a single look is planned
    """

    overall: dict[str, float]
    by_phase: pd.DataFrame
    by_level: pd.DataFrame
    by_rung: pd.DataFrame
    by_look: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """For report.json: the overall counts, and the tables as lists of records (NA as None)."""
        tables = {
            "by_phase": self.by_phase,
            "by_level": self.by_level,
            "by_rung": self.by_rung,
            "by_look": self.by_look,
        }
        records = {name: _records(table) for name, table in tables.items()}
        return {**self.overall, **records}


def account(
    trials: pd.DataFrame,
    replicates: pd.DataFrame,
    epochs: pd.DataFrame,
    plan: Mapping[str, Any],
    created_at: datetime | None = None,
    events: pd.DataFrame | None = None,
    recorded: pd.DataFrame | None = None,
) -> Accounting:
    """Count what was planned and what happened, and refuse a record that does not add up.

    The frames are those that `studies` hands over (`reports.inputs.inputs.ReportInputs`), `plan` is the plan's dict,
    `created_at` when it was stored. Of a later look that has begun the trials count as planned that the decision before
    it, one of the `events`, named. `recorded` counts the epochs of each network (`recorded_epochs`) where `epochs`
    lacks some. Raises AccountingError, naming all rows that are wrong: an unknown state or level, more trials of a
    cell than planned, a finished trial without its replicates or epochs, a stopped trial in the confirm phase, a plan
    dated after its first trial.
    """
    trials = _with_columns(trials, ("number", "phase", "cell", "state", "epochs", *plan["factors"]))
    replicates = _with_columns(replicates, ("trial_number", "replicate", "outcome"))
    if recorded is None:
        recorded = recorded_epochs(_with_columns(epochs, ("trial_number", "replicate", "epoch")))
    cells_by_look = _confirmed_cells(plan, trials, events)
    cells_planned = None if cells_by_look is None else [cell for cells in cells_by_look for cell in cells]
    planned = _planned_by_phase(plan, cells_planned)
    wrong = mistakes(trials, replicates, recorded, plan, planned, created_at)
    if wrong:
        raise AccountingError(wrong)
    counted = _count_each(trials, replicates, recorded)
    by_phase = pd.DataFrame(
        [{"phase": phase, **_total(counted[counted["phase"] == phase], planned[phase])} for phase in PHASES]
    )
    by_level = _by_level(counted, plan, cells_planned)
    by_look = _by_look(counted, plan, cells_by_look)
    _check_sums(by_phase, by_level, by_look, overall := _total(counted, sum(planned.values())))
    return Accounting(
        overall=overall,
        by_phase=by_phase,
        by_level=by_level,
        by_rung=_by_rung(trials, plan),
        by_look=by_look,
    )


def _with_columns(frame: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """A frame without rows may come without columns, too."""
    return frame if len(frame) else frame.reindex(columns=[*dict.fromkeys([*frame.columns, *columns])])


def _count_each(trials: pd.DataFrame, replicates: pd.DataFrame, recorded: pd.DataFrame) -> pd.DataFrame:
    """One row per trial, with the numbers of its networks, diverged networks and network-epochs."""
    number = trials["number"]
    diverged = replicates.loc[replicates["outcome"] == "diverged", "trial_number"].value_counts()
    seconds = trials["busy_seconds"] if "busy_seconds" in trials else pd.Series(0.0, index=trials.index)
    attempt = trials["attempt"] if "attempt" in trials else pd.Series(1, index=trials.index)
    return trials.assign(
        networks=number.map(replicates["trial_number"].value_counts()).fillna(0),
        diverged=number.map(diverged).fillna(0),
        network_epochs=number.map(recorded.groupby("trial_number")["size"].sum()).fillna(0),
        retried=pd.to_numeric(attempt).fillna(1) > 1,
        seconds=pd.to_numeric(seconds).fillna(0.0),
    )


def _total(rows: pd.DataFrame, planned: int | None) -> dict[str, float]:
    states = {state: int((rows["state"] == state).sum()) for state in STATES}
    return {
        "planned": math.nan if planned is None else planned,
        "missing": math.nan if planned is None else planned - len(rows),
        **{"waiting": states.pop("waiting"), "started": sum(states.values())},
        **states,
        "retried": int(rows["retried"].sum()),
        "networks": int(rows["networks"].sum()),
        "diverged": int(rows["diverged"].sum()),
        "epochs": int(rows["network_epochs"].sum()),
        "seconds": float(rows["seconds"].sum()),
    }


def _by_level(
    counted: pd.DataFrame, plan: Mapping[str, Any], cells_planned: Sequence[int] | None
) -> pd.DataFrame:
    rows = []
    cells = [] if cells_planned is None else list(product(*plan["factors"].values()))
    for place, (factor, levels) in enumerate(plan["factors"].items()):
        found = counted[factor].map(plain) if len(counted) else counted["number"]
        for level in levels:
            there = counted[found == plain(level)] if plain(level) is not None else counted[found.isna()]
            per_level = None
            if cells_planned is not None:
                num_searched = int(plan["search"]["trials_per_cell"]) * len(cells) // len(levels)
                per_level = num_searched + sum(cells[cell - 1][place] == level for cell in cells_planned)
            rows.append({"factor": factor, "level": plain(level), **_total(there, per_level)})
    table = pd.DataFrame(rows, columns=["factor", "level", *COUNTS, "seconds"])
    table["level"] = pd.Series([row["level"] for row in rows], dtype=object)
    return table.astype(dict.fromkeys(COUNTS, "Int64"))


def _by_rung(trials: pd.DataFrame, plan: Mapping[str, Any]) -> pd.DataFrame:
    """A pruned trial stopped at the rung whose epoch it reached."""
    stopped = trials.loc[trials["state"] == "pruned", "epochs"]
    rungs = sorted({*plan["search"]["rungs"], *(int(epoch) for epoch in stopped)})
    return pd.DataFrame({"rung": rungs, "pruned": [int((stopped == rung).sum()) for rung in rungs]})


def _by_look(
    counted: pd.DataFrame, plan: Mapping[str, Any], cells_by_look: Sequence[Sequence[int]] | None
) -> pd.DataFrame:
    """The confirm trials of each planned look that any cell is planned for."""
    rows, looks = [], planned_looks(plan)
    if cells_by_look is not None and len(looks) > 1:
        confirm = counted[counted["phase"] == "confirm"]
        places = look_of(plan, pd.to_numeric(confirm["number"])).clip(0, len(looks) - 1)
        for place, cells in enumerate(cells_by_look):
            if cells:
                counts = _total(confirm[places == place], len(cells))
                rows.append({"look": place + 1, "num_blocks": looks[place], **counts})
    return pd.DataFrame(rows, columns=["look", "num_blocks", *COUNTS, "seconds"])


def _num_cells(plan: Mapping[str, Any]) -> int | None:
    if plan["search"].get("trials") is not None:
        return None
    return math.prod(len(levels) for levels in plan["factors"].values())


def _confirmed_cells(
    plan: Mapping[str, Any], trials: pd.DataFrame, events: pd.DataFrame | None
) -> list[list[int]] | None:
    """For each planned look the cells of its planned confirm trials; None without cells.

    Every cell at the first look; of a later one that has begun those that the decision before it named. Plans before
    version 4 train every cell at every look.
    """
    num_cells = _num_cells(plan)
    if num_cells is None:
        return None
    cells, looks = list(range(1, num_cells + 1)), planned_looks(plan)
    if not trains_until_clear(plan):
        return [cells] * len(looks)
    confirm = trials[trials["phase"] == "confirm"]
    places = look_of(plan, pd.to_numeric(confirm["number"])).clip(0, len(looks) - 1)
    named = decided_cells(events)
    begun = {int(each) for each in places}
    later = [
        named.get(place, [int(cell) for cell in confirm.loc[places == place, "cell"]])
        if place in begun
        else []
        for place in range(1, len(looks))
    ]
    return [cells, *later]


def decided_cells(events: pd.DataFrame | None) -> dict[int, list[int]]:
    """For each look, from 1, after which a decision was recorded, the numbers of the cells that the next one trains."""
    if events is None or events.empty:
        return {}
    details = [json.loads(text) for text in events.loc[events["kind"] == LOOK_DECIDED, "detail"]]
    return {int(each["look"]): [int(cell) for cell in each["cells"]] for each in details}


def _planned_by_phase(plan: Mapping[str, Any], cells_planned: Sequence[int] | None) -> dict[str, int]:
    if cells_planned is not None:
        searched = int(plan["search"]["trials_per_cell"]) * (_num_cells(plan) or 0)
        return {"search": searched, "confirm": len(cells_planned)}
    trials = int(plan["search"]["trials"])
    confirmed = int(plan["confirm"]["best"]) + bool(plan["confirm"].get("default"))
    return {"search": trials, "confirm": confirmed}


def _check_sums(
    by_phase: pd.DataFrame, by_level: pd.DataFrame, by_look: pd.DataFrame, overall: Mapping[str, float]
) -> None:
    confirm = {name: by_phase.loc[by_phase["phase"] == "confirm", name].iloc[0] for name in COUNTS}
    tables: list[tuple[str, pd.DataFrame, str, Mapping[str, Any]]] = [
        ("phases", by_phase, "overall", overall)
    ]
    tables += [
        (f"levels of {factor}", rows, "overall", overall)
        for factor, rows in by_level.groupby("factor", sort=False)
    ]
    tables += [("looks", by_look, "in the confirm phase", confirm)] if len(by_look) else []
    wrong = [
        f"{name} over the {where} sum to {rows[name].sum()}, {whole} {total[name]}"
        for where, rows, whole, total in tables
        for name in COUNTS
        if not rows[name].isna().any() and int(rows[name].sum()) != total[name]
    ]
    if wrong:
        raise AccountingError(wrong)


def copied_trials(trials: pd.DataFrame) -> dict[str, int]:
    """How many trials were copied from which study (`--grow-from`) rather than trained: name to count."""
    if "worker" not in trials or trials.empty:
        return {}
    sources = trials["worker"].astype("string").str.extract(_COPIED)[0].dropna()
    return {str(name): int(num) for name, num in sources.value_counts(sort=False).items()}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): None if value is pd.NA else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]
