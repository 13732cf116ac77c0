"""A study with metrics that its plan declares, the primary one the better the higher and below 0 as often as not."""

from dataclasses import replace

import pytest

from reports.inputs.inputs import ReportInputs
from tests.reports.odd_inputs import SMALL
from tests.reports.sample import sample_inputs

GAIN = {"name": "gain", "direction": "max", "unit": "dB", "failure": -3.0, "primary": True}
ERROR = {"name": "error", "direction": "min", "unit": "", "failure": 9.0, "primary": False}


def own(inputs: ReportInputs) -> ReportInputs:
    """The same study with metrics of its own: the gain is 1 less the loss."""
    replicates, epochs = inputs.replicates, inputs.epochs
    scores = {f"{part}_gain": 1 - replicates[f"{part}_loss"] for part in ("val", "test")}
    errors = {f"{part}_error": 1 - replicates[f"{part}_accuracy"] for part in ("val", "test")}
    blank = {f"{part}_{name}": None for part in ("val", "test") for name in ("loss", "accuracy")}
    return replace(
        inputs,
        plan={**inputs.plan, "objective": "val_gain", "metrics": [GAIN, ERROR]},
        num_classes=0,
        trials=inputs.trials.assign(objective=1 - inputs.trials["objective"].astype(float)),
        replicates=replicates.assign(**scores, **errors, **blank, verdict_initial=None, verdict_trained=None),
        epochs=epochs.assign(
            val_gain=1 - epochs["val_loss"], val_error=1 - epochs["val_accuracy"], val_loss=None
        ),
        gradients=inputs.gradients.iloc[:0],
        evaluation=inputs.evaluation.iloc[:0],
    )


@pytest.fixture(scope="module", name="inputs")
def own_inputs() -> ReportInputs:
    """The small study with ten blocks and metrics of its own."""
    return own(sample_inputs(SMALL, num_blocks=10, rates=3))
