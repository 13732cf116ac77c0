"""Failed networks are counted by level and told first where levels differ in them; capped ones are told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from reports.claims.paragraphs.performance import described_contrasts, failures_record
from reports.inputs.inputs import ReportInputs
from reports.results.results import compute
from reports.statistics.intervals import SHARE, t_interval
from tests.reports.forbidden_words import forbidden_words, unlisted_numbers
from tests.reports.odd_inputs import odd_inputs
from tests.reports.sample import sample_inputs

FACTORS = {"depth": (3, 7), "batch_norm": (False, True)}


def put(rows: pd.DataFrame, where: pd.Series[bool], **values: str | float) -> pd.DataFrame:
    """Return the rows with these values where the condition holds."""
    return rows.assign(**{name: rows[name].mask(where, value) for name, value in values.items()})


@pytest.fixture(scope="module")
def study() -> ReportInputs:
    """Two networks lost and three capped at depth 7 without batch normalisation, in ten blocks."""
    inputs = sample_inputs(FACTORS, num_blocks=10, rates=2)
    rows = inputs.replicates.copy()
    mine = (rows["phase"] == "confirm") & (rows["depth"] == 7) & ~rows["batch_norm"].astype(bool)
    others = (rows["phase"] == "confirm") & ~mine
    rows = put(rows, others | mine, outcome="complete", test_loss=0.2, test_accuracy=0.9)
    rows = put(rows, mine & (rows["block"] <= 2), outcome="diverged", test_loss=np.nan, test_accuracy=np.nan)
    rows = put(rows, mine & (rows["block"] > 7), test_loss=9.5, test_accuracy=0.1)
    return replace(inputs, replicates=rows)


def test_lost_and_capped_networks_are_counted_by_level(study: ReportInputs) -> None:
    found = failures_record(study, compute(study))
    deep = next(row for row in found["by_level"] if (row["factor"], row["level"]) == ("depth", 7))
    assert (deep["num"], deep["lost"], deep["capped"], deep["count"]) == (20, 2, 3, 5)
    # In five of ten blocks one of two networks.
    ends = t_interval(np.repeat([0.5, 0.0], 5), SHARE)[1:]
    assert (deep["low"], deep["high"]) == pytest.approx(ends)
    shallow = next(row for row in found["by_level"] if (row["factor"], row["level"]) == ("depth", 3))
    assert shallow["count"] == 0


def test_levels_that_differ_in_failures_are_told_first(study: ReportInputs) -> None:
    found = failures_record(study, compute(study))
    assert found["first"]
    assert found["sentence"].startswith("Failures come first")
    assert "25.0\u202f%" in found["sentence"]
    assert forbidden_words(found["sentence"]) == []
    assert unlisted_numbers(found["sentence"], found["numbers"]) == []


def test_the_rate_and_the_loss_without_a_cap_are_contrasted_and_never_claimed(study: ReportInputs) -> None:
    rate, uncapped = described_contrasts(study, compute(study))
    deeper = rate[rate["factor"] == "depth"].iloc[0]
    assert deeper["estimate"] == pytest.approx(0.25)
    assert uncapped.iloc[0]["outcome"] == "uncapped_loss"
    # Matched over batch norm: in blocks 8 to 10 the networks that score 9.5 count in full.
    capped = compute(study).contrasts
    assert uncapped.iloc[0]["estimate"] > capped.iloc[0]["estimate"]


@pytest.mark.parametrize("case", ["frames without rows", "no factor", "half of a tuning"])
def test_nothing_confirmed_or_nothing_compared_has_no_table(case: str) -> None:
    inputs = odd_inputs()[case]
    results = compute(inputs)
    assert failures_record(inputs, results)["by_level"] == []
    assert described_contrasts(inputs, results) == []


def test_where_all_networks_failed_no_level_differs() -> None:
    inputs = odd_inputs()["all diverged"]
    found = failures_record(inputs, compute(inputs))
    assert not found["first"]
    assert found["sentence"] is None
    assert {row["share"] for row in found["by_level"]} == {1.0}
