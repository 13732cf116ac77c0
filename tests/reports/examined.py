"""What a study records of the model that it leaves, made up, for tests of the page."""

import json
from dataclasses import replace
from typing import Any

import pandas as pd

from reports.inputs.inputs import ReportInputs
from reports.results.best import best_configuration
from reports.results.results import compute

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABc3UBGAAAAABJRU5ErkJggg=="
HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }}"


def examined(inputs: ReportInputs, kind: str) -> dict[str, Any]:
    """Return the record of the network of block 1 of the best configuration; two classes, four examples."""
    best = best_configuration(inputs, compute(inputs))
    assert best is not None
    confidence = {
        "mean": 0.8,
        "least": 0.5,
        "most": 0.99,
        "spread": 0.2,
        "below": 0.7,
        "num_below": 1,
        "share_below": 0.25,
    }
    bins = [
        {
            "low": place / 10,
            "high": (place + 1) / 10,
            "count": 4 if place == 9 else 0,
            "confidence": 0.95 if place == 9 else None,
            "accuracy": 0.75 if place == 9 else None,
        }
        for place in range(10)
    ]
    shown = [{"row": row, "true": 0, "predicted": row % 2, "confidence": 0.9} for row in range(4)]
    more: dict[str, Any] = {
        "image": {"picture": PICTURE},
        "text": {"text": HOSTILE, "words": [[HOSTILE, 0.5]]},
    }
    shown = [each | more.get(kind, {}) for each in shown]
    by_class = [
        {"name": name, "num": 2, "precision": 1.0, "recall": None, "f1": None} for name in ("no", HOSTILE)
    ]
    return {
        "trial_number": best["trial_number"],
        "block": 1,
        "chosen": "the median of 3 replicates by validation loss (block 1), not the luckiest",
        "kind": kind,
        "num_examples": 4,
        "classes": ["no", HOSTILE],
        "accuracy": 0.75,
        "log_loss": 0.4,
        "top2_accuracy": 1.0,
        "macro_f1": 0.7,
        "confusion": [[2, 0], [1, 1]],
        "by_class": by_class,
        "calibration": bins,
        "calibration_error": 0.2,
        "confidence": confidence,
        "temperature": 1.5,
        "calibrated": {"log_loss": 0.3, "calibration_error": 0.1, "confidence": confidence},
        "samples": shown,
        "mistakes": [each for each in shown if each["predicted"]],
    }


def with_model(inputs: ReportInputs, kind: str) -> ReportInputs:
    """Return the inputs of a study that has left a model."""
    record = examined(inputs, kind)
    event = {
        "sequence": 99,
        "at": inputs.created_at,
        "kind": "model_examined",
        "trial_number": record["trial_number"],
        "detail": json.dumps(record),
    }
    return replace(inputs, events=pd.concat([inputs.events, pd.DataFrame([event])], ignore_index=True))
