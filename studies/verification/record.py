"""The input of checks: a study's raw rows and its plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from reports.inputs.early_stopping import STOPPED, stops_early
from studies.base.states import Phase
from studies.database.frames.raw_rows import Rows
from studies.planning.plan import Plan
from studies.run_log import run_events
from studies.verification.json_values import parsed


@dataclass(frozen=True, kw_only=True)
class Record:
    """A study's raw rows and its plan."""

    rows: Rows
    plan: Plan

    @property
    def is_complete(self) -> bool:
        """Whether the study's state is complete."""
        return bool(self.rows.study["state"] == "complete")

    @cached_property
    def official_test(self) -> bool:
        """Whether the data have an official test set, as the last run recorded that told of them; False if none did."""
        events = self.rows.events
        for detail in reversed(list(events.loc[events["kind"] == run_events.STARTED, "detail"])):
            started = parsed(detail)
            dataset = started.get("dataset") if isinstance(started, dict) else None
            if isinstance(dataset, dict):
                return bool(dataset.get("official_test", False))
        return False

    @cached_property
    def trials(self) -> list[dict[str, Any]]:
        """Return the trials as dicts, with missing values as None and `params` parsed (None if unreadable)."""
        frame = self.rows.trials.astype(object).where(self.rows.trials.notna(), None)
        rows = [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
        return [row | {"params": parsed(row["params"])} for row in rows]

    @cached_property
    def by_number(self) -> dict[int, dict[str, Any]]:
        """Return the trials by number; of a duplicated number the last."""
        return {trial["number"]: trial for trial in self.trials}

    @cached_property
    def replicates(self) -> pd.DataFrame:
        """Return the ended networks, with the epoch after which each stopped early (NaN if it did not)."""
        rows = self.rows.replicates
        if not stops_early(self.plan.to_dict()):
            return rows
        metrics = [parsed(text) for text in rows["metrics"].where(rows["metrics"].notna(), None)]
        ends = [each.get(STOPPED) if isinstance(each, dict) else None for each in metrics]
        return rows.assign(**{STOPPED: pd.to_numeric(pd.Series(ends, index=rows.index), errors="coerce")})

    @cached_property
    def networks(self) -> pd.DataFrame:
        """Return the networks that the plan gives each trial: trial_number, replicate, block, reached.

        `reached` is the number of trained epochs in the trial's row.
        """
        blocks = [self.blocks(trial) for trial in self.by_number.values()]
        numbers = [[trial["number"], trial["epochs"] or 0] for trial in self.by_number.values()]
        rows = [
            (number, replicate, block, reached)
            for (number, reached), of_trial in zip(numbers, blocks, strict=True)
            for replicate, block in enumerate(of_trial)
        ]
        return pd.DataFrame(rows, columns=["trial_number", "replicate", "block", "reached"], dtype="int64")

    def blocks(self, trial: dict[str, Any]) -> Sequence[int]:
        """Return the blocks that a trial trains: in the search the first look's, to confirm those its look adds."""
        looks = (0, *self.plan.study.all_looks)
        look = self.look_of(trial["number"]) if trial["phase"] == Phase.CONFIRM else 0
        return range(looks[look], looks[look + 1])

    def look_of(self, number: int) -> int:
        """Return the look of a confirm trial, from 0; a number beyond the plan counts as its last look."""
        if not self.plan.cells:
            return 0
        look = (number - self.plan.num_search_trials - 1) // len(self.cells)
        return int(min(max(look, 0), len(self.plan.study.all_looks) - 1))

    @cached_property
    def cells(self) -> dict[int, dict[str, Any]]:
        """Return the levels of each cell by its number, with lists as in JSON."""
        return {cell.number: parsed(cell.key) for cell in self.plan.cells}
