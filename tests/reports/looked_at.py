"""A study with planned looks at 10 and 20 blocks, made from a sample, as it stands at each of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import pandas as pd

from reports.inputs.decisions import LOOK_DECIDED
from reports.inputs.inputs import ReportInputs, Value
from reports.results.looks import look_of
from reports.results.results import decide
from tests.reports.sample import sample_inputs

SMALL: dict[str, tuple[Value, ...]] = {"depth": (3, 7), "batch_norm": (False, True)}
LOOKS = (10, 20)


def looked_at(
    num_looks: int = 2, state: str = "complete", factors: Mapping[str, tuple[Value, ...]] | None = None
) -> ReportInputs:
    """The study when so many looks are whole: each confirm trial holds the blocks that its look adds."""
    whole = sample_inputs(factors or SMALL, num_blocks=LOOKS[-1], rates=3)
    last = int(whole.trials["number"].max())
    cells = int((whole.trials["phase"] == "confirm").sum())
    replicates = whole.replicates
    late = (replicates["phase"] == "confirm") & (replicates["block"] > LOOKS[0])
    wanted = (replicates["phase"] == "confirm") | (replicates["block"] <= LOOKS[0])
    added = whole.trials[whole.trials["phase"] == "confirm"]
    trials = pd.concat([whole.trials, added.assign(number=added["number"] + cells)], ignore_index=True)
    inputs = replace(
        whole,
        state=state,
        plan={**whole.plan, "replicates": LOOKS[0], "looks": list(LOOKS)},
        trials=trials,
        replicates=_moved(replicates[wanted], late[wanted], cells),
        epochs=_split(whole.epochs, last - cells, cells),
        gradients=_split(whole.gradients, last - cells, cells),
    )
    return inputs if num_looks == len(LOOKS) else without(inputs, set(range(last + 1, last + cells + 1)))


def without(inputs: ReportInputs, numbers: set[int]) -> ReportInputs:
    """The study before these trials began."""
    kept = {
        name: getattr(inputs, name)[~getattr(inputs, name)["trial_number"].isin(numbers)]
        for name in ("replicates", "epochs", "gradients")
    }
    return replace(
        inputs,
        trials=inputs.trials[~inputs.trials["number"].isin(numbers)],
        replicates=kept["replicates"],
        epochs=kept["epochs"],
        gradients=kept["gradients"],
    )


def _split(frame: pd.DataFrame, last_search: int, cells: int) -> pd.DataFrame:
    confirms = frame["trial_number"] > last_search
    late = confirms & (frame["replicate"] > LOOKS[0])
    wanted = confirms | (frame["replicate"] <= LOOKS[0])
    return _moved(frame[wanted], late[wanted], cells)


def _moved(frame: pd.DataFrame, late: pd.Series[bool], cells: int) -> pd.DataFrame:
    return frame.assign(trial_number=frame["trial_number"] + late.astype(int) * cells)


def until_clear(
    num_looks: int = 2,
    state: str = "complete",
    factors: Mapping[str, tuple[Value, ...]] | None = None,
    noise: Mapping[int, float] | None = None,
) -> ReportInputs:
    """The study by plan version 4, where the second look trains only the cells of questions that the first left open.

    Networks of the second look have scores of validation and test part together. `noise` adds so much to the loss of
    every other block of a cell (its number), up where the block is even and down where it is odd.
    """
    whole = looked_at(len(LOOKS), state, factors)
    rows = whole.replicates
    is_late = (rows["phase"] == "confirm") & (rows["block"] > LOOKS[0])
    shift = rows["cell"].map(dict(noise or {})).fillna(0.0) * (1 - 2 * (rows["block"] % 2))
    loss = rows["test_loss"] + shift.where(rows["phase"] == "confirm", 0.0)
    whole = replace(
        whole,
        plan={**whole.plan, "plan_version": 4},
        replicates=rows.assign(
            test_loss=loss,
            holdout_loss=((rows["val_loss"] + loss) / 2).where(is_late),
            holdout_accuracy=((rows["val_accuracy"] + rows["test_accuracy"]) / 2).where(is_late),
        ),
    )
    confirm = whole.trials[whole.trials["phase"] == "confirm"]
    later = confirm[look_of(whole.plan, confirm["number"]) > 0]
    first = without(whole, set(later["number"]))
    decided = decide(first)[0]
    at = whole.events["at"].iloc[-1]
    detail = json.dumps(asdict(decided), sort_keys=True)
    events = [*whole.events.to_dict("records"), _event(len(whole.events) + 1, at, detail)]
    left_out = later if num_looks == 1 else later[~later["cell"].isin(decided.cells)]
    return replace(without(whole, set(left_out["number"])), events=pd.DataFrame(events))


def _event(sequence: int, at: Any, detail: str) -> dict[str, Any]:
    return {"sequence": sequence, "at": at, "kind": LOOK_DECIDED, "trial_number": None, "detail": detail}
