"""Reports of many studies, whole and odd, each made once for all tests of a process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reports.inputs.inputs import ReportInputs
from reports.pages.page import write_report
from reports.plots.style import canvas
from reports.plots.style.figure import Figure
from reports.results.best import best_configuration
from reports.results.results import compute
from tests.reports.lined import with_line
from tests.reports.looked_at import looked_at, until_clear, without
from tests.reports.odd_inputs import SMALL, odd_inputs
from tests.reports.sample import sample_inputs, sample_tuning


def full() -> ReportInputs:
    return sample_inputs()


def two_factors() -> ReportInputs:
    return sample_inputs({"depth": (3, 5), "optimizer": ("sgd", "adam")}, num_blocks=10, rates=3)


def second_look() -> ReportInputs:
    return looked_at(2)


def look_in_progress() -> ReportInputs:
    return without(looked_at(2, "interrupted"), {19, 20})


def until_clear_at_the_second() -> ReportInputs:
    """Plan version 4, its second look trained for the one question that the first left open."""
    return until_clear(noise={1: 0.08})


def open_question() -> ReportInputs:
    """Stopped at its first look, with a question open."""
    return until_clear(1, noise={2: 0.2})


def later_look_in_progress() -> ReportInputs:
    return without(until_clear(2, "interrupted", noise={2: 0.2}), {20})


def null() -> ReportInputs:
    """Ten blocks in which nothing but chance tells networks apart."""
    study = sample_inputs(SMALL, num_blocks=10, rates=2)
    draw, rows = np.random.default_rng(5), study.replicates
    confirm = (rows["phase"] == "confirm").to_numpy()
    losses = np.where(confirm, draw.normal(0.2, 0.05, len(rows)), np.nan)
    errors = np.where(confirm, draw.normal(0.08, 0.02, len(rows)), np.nan)
    return replace(
        study,
        replicates=rows.assign(
            outcome=rows["outcome"].where(~confirm, "complete"), test_loss=losses, test_accuracy=1 - errors
        ),
    )


def missing_cell() -> ReportInputs:
    """Complete, though one cell failed in the search altogether and was never confirmed."""
    study = sample_inputs(SMALL, num_blocks=10, rates=2)
    return without(study, {int(study.trials["number"].max())})


def not_a_number() -> ReportInputs:
    """Finished networks whose test scores are not finite: they count as chance."""
    study = sample_inputs(SMALL, num_blocks=10, rates=2)
    wrong = (study.replicates["block"] == 3) & (study.replicates["phase"] == "confirm")
    rows = study.replicates.assign(
        test_loss=study.replicates["test_loss"].mask(wrong, np.inf),
        test_accuracy=study.replicates["test_accuracy"].mask(wrong),
    )
    return replace(study, replicates=rows)


def line_to_beat() -> ReportInputs:
    return with_line(sample_inputs(SMALL, num_blocks=10, rates=2), better_by=0.03)


def evaluated() -> ReportInputs:
    """With predictions of the best cell, read from its confirm trial."""
    study = sample_inputs(SMALL, num_blocks=10, rates=2)
    best = best_configuration(study, compute(study))
    assert best is not None
    draw = np.random.default_rng(2)
    rows = [
        {
            "trial_number": best["trial_number"],
            "replicate": block,
            "confusion": (np.diag(draw.integers(20, 40, 10)) + draw.integers(0, 3, (10, 10))).tolist(),
            "calibration": [
                {
                    "low": low / 10,
                    "high": (low + 1) / 10,
                    "count": 5 * low,
                    "confidence": low / 10 + 0.05,
                    "accuracy": float(draw.uniform(0, 1)),
                }
                if low
                else {"low": 0.0, "high": 0.1, "count": 0, "confidence": None, "accuracy": None}
                for low in range(10)
            ],
        }
        for block in range(1, 11)
    ]
    return replace(study, evaluation=pd.DataFrame(rows))


ODD = odd_inputs()
STUDIES: dict[str, Callable[[], ReportInputs]] = {
    "full": full,
    "two factors": two_factors,
    "second look": second_look,
    "look in progress": look_in_progress,
    "until clear": until_clear_at_the_second,
    "open question": open_question,
    "later look in progress": later_look_in_progress,
    "tuning": sample_tuning,
    "null": null,
    "evaluated": evaluated,
    "line to beat": line_to_beat,
    "missing cell": missing_cell,
    "not a number": not_a_number,
    **{name: (lambda inputs=inputs: inputs) for name, inputs in ODD.items()},  # type: ignore[misc]
}


@dataclass(frozen=True, kw_only=True)
class Made:
    """A report: its page, report.json, and the names of the files that were written."""

    page: str
    json: dict[str, Any]
    files: list[str]


@cache
def made(case: str) -> Made:
    """Make the report of a case; pictures become pixels in odd studies alone, as they take a third of its time."""
    with TemporaryDirectory() as name, nullcontext() if case in ODD else without_pixels():
        folder = Path(name)
        page = write_report(STUDIES[case](), folder)
        return Made(
            page=page.read_text(encoding="utf-8"),
            json=json.loads(page.with_name("report.json").read_text(encoding="utf-8")),
            files=[path.name for path in folder.rglob("*")],
        )


@contextmanager
def without_pixels() -> Iterator[None]:
    """Draw no pixels."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(canvas, "_pixels", lambda figure: np.zeros((1, 1, 3), np.uint8))
        monkeypatch.setattr(Figure, "png", lambda figure: b"")
        yield
