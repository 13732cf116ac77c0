"""The baseline: a linear model of each block's features, recorded as events for the report."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from studies.database.rows import EventRow
from studies.run_log.run_events import Log

if TYPE_CHECKING:
    import pandas as pd

    from trainables.data.dataset import Dataset
    from trainables.data.splits import Splits

KIND = "linear_model"
COLUMNS = (
    "model",
    "train_size",
    "block",
    "strength",
    "val_loss",
    "val_accuracy",
    "test_loss",
    "test_accuracy",
    "seconds",
)


def fit_missing(
    log: Log,
    study_id: int,
    *,
    dataset: "Dataset",
    splits: "Splits",
    events: Sequence[EventRow],
    should_stop: Callable[[], bool],
) -> None:
    """Fit the linear model for each split that has none in `events`, if the dataset has a baseline.

    Each result is recorded at once, so that a resume continues after it.
    """
    if not dataset.has_linear_model:
        return
    from trainables.data.linear_model import NAME, fit_linear

    known = {(line["train_size"], line["block"]) for line in _lines(events)}
    for (size, block), split in splits.items():
        if (size, block) in known:
            continue
        if should_stop():
            return
        started = time.perf_counter()
        scores = asdict(fit_linear(dataset, split))
        seconds = round(time.perf_counter() - started, 3)
        line = {"model": NAME, "train_size": size, "block": block, **scores, "seconds": seconds}
        log.add_event(study_id, KIND, None, json.dumps(line))


def linear_models(events: Sequence[EventRow]) -> "pd.DataFrame":
    """Return one row for each linear model: losses in nats; `train_size` is NaN for the whole training part."""
    import pandas as pd  # here, because importing it takes half a second

    frame = pd.DataFrame(_lines(events), columns=list(COLUMNS))
    return frame.assign(train_size=frame["train_size"].astype(float)).drop_duplicates(["train_size", "block"])


def _lines(events: Sequence[EventRow]) -> list[dict[str, object]]:
    return [json.loads(event.detail) for event in events if event.kind == KIND]
