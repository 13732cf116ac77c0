"""Records of comparisons, as `studies monitor` hands them to its page."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from reports.pages.monitor_page import MonitorInputs
from tests.trainables.use.monitoring.rows import reference, sample
from trainables.use.monitoring.drift import drift


def compared(num: int = 300, seed: int = 1, *, labelled: bool = True, **changes: Any) -> Mapping[str, Any]:
    """Return the record of rows beside a reference; of `changes`, `confidence` scales what is beyond a half."""
    scale = changes.pop("confidence", 1.0)
    features, probabilities, targets = sample(num, seed, **changes)
    answers = (0.5 + (probabilities - 0.5) * scale).astype(np.float32)
    return drift(reference(), features, answers, targets if labelled else None).as_json()


def monitor_inputs(record: Mapping[str, Any], **changes: Any) -> MonitorInputs:
    """Return what the page of a record is made from."""
    told: dict[str, Any] = {
        "kind": "table",
        "model": "runs/depth_study/models/best",
        "input": "november.csv",
        "baseline": None,
        "generated_at": "2026-11-30T12:00:00+00:00",
        **changes,
    }
    return MonitorInputs(record=record, **told)
