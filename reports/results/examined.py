"""The network that a study leaves to be used: how it does on its own test part, as the study recorded it."""

import json
from collections.abc import Mapping
from typing import Any, Final

from reports.inputs.inputs import ReportInputs

KIND: Final = "model_examined"
"""The kind of the event that records it (`studies.results.best_model`)."""


def examined_record(inputs: ReportInputs, best: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """For report.json; None before the study has ended, or where no network is kept.

    - `trial_number`, `block` and `chosen`: which network, and why that one; `kind` of its inputs
    - `accuracy`, `log_loss` (nats), `top2_accuracy`, `macro_f1`, `confusion`, `by_class` (precision, recall, f1)
    - `calibration` (bins), `calibration_error`; `temperature`, fitted on the validation part, and `calibrated` with it
    - `confidence`: mean, least, most, spread, and how many predictions are below 0.7
    - `samples`, at random, and `mistakes`, the surest first: row, true and predicted (places in `classes`), confidence,
      and the example's picture (PNG in base64), or text and the words that weighed most
    """
    if best is None or best["trial_number"] is None or inputs.events.empty:
        return None
    mine = inputs.events[
        (inputs.events["kind"] == KIND) & (inputs.events["trial_number"] == best["trial_number"])
    ]
    if mine.empty:
        return None
    found: dict[str, Any] = json.loads(mine.sort_values("sequence")["detail"].iloc[-1])
    return found
