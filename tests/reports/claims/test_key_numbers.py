"""The four numbers count what the record holds, and say when there is nothing to count."""

from dataclasses import replace

import numpy as np

from reports.pages.json_report import key_numbers
from reports.results.results import compute
from tests.reports.odd_inputs import SMALL, until
from tests.reports.sample import sample_inputs

INPUTS = sample_inputs(SMALL, num_blocks=3, rates=3)


def test_shares_are_those_of_the_rows() -> None:
    numbers = key_numbers(INPUTS, compute(INPUTS))
    search = INPUTS.trials[INPUTS.trials["phase"] == "search"]
    assert numbers["networks"] == len(INPUTS.replicates)
    assert numbers["epochs"] == len(INPUTS.epochs)
    assert numbers["share_stopped"] == (search["state"] == "pruned").mean()


def test_a_lost_network_and_a_bad_verdict_are_unstable_and_watch_is_not() -> None:
    rows = INPUTS.replicates.copy()
    confirm = rows.index[rows["phase"] == "confirm"]
    rows.loc[confirm, "verdict_trained"] = "STABLE"
    rows.loc[confirm[0], "outcome"] = "diverged"
    rows.loc[confirm[1], "verdict_trained"] = "EXPLODING"
    rows.loc[confirm[2], "verdict_trained"] = "WATCH"
    inputs = replace(INPUTS, replicates=rows)
    numbers = key_numbers(inputs, compute(inputs))
    assert (numbers["num_unstable"], numbers["num_diverged"], numbers["num_confirm"]) == (2, 1, 12)
    assert numbers["has_verdicts"]


def test_without_verdicts_only_lost_networks_are_counted_and_that_is_said() -> None:
    inputs = replace(INPUTS, replicates=INPUTS.replicates.assign(verdict_trained=np.nan))
    assert not key_numbers(inputs, compute(inputs))["has_verdicts"]


def test_shares_of_nothing_are_null() -> None:
    numbers = key_numbers(until(INPUTS, 0), compute(until(INPUTS, 0)))
    assert numbers["share_stopped"] is numbers["share_unstable"] is None
