"""Contrasts of contrasts find a product term and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports.statistics.contrasts import contrasts
from reports.statistics.families import Family
from reports.statistics.interactions import interactions
from tests.reports.balanced import DEPTH_STUDY, table

TWO: dict[str, list[Any]] = {"depth": [3, 5], "batch_norm": [False, True]}


def test_equals_the_difference_of_differences() -> None:
    frame = table(TWO, lambda cell: 0.2 * (cell["depth"] == 5) * cell["batch_norm"])
    row = interactions(frame, ["depth", "batch_norm"], "test_loss").iloc[0]
    means = frame.groupby(["depth", "batch_norm"])["test_loss"].mean()
    off, on = (means[5, flag] - means[3, flag] for flag in (False, True))
    assert (row["effect_a"], row["effect_b"]) == pytest.approx((off, on))
    assert row["estimate"] == pytest.approx(on - off)
    assert row["q"] < 1e-6
    assert row["num_blocks"] == 10


def test_every_pair_of_factors_once() -> None:
    found = interactions(table(DEPTH_STUDY), list(DEPTH_STUDY), "test_loss")
    assert len(found) == 2 * 2 + 2 * 1 + 2 * 2 + 2 * 1 + 2 * 2 + 1 * 2
    assert (found["q"] >= found["p"]).all()


def test_two_effects_that_add_up_do_not_interact() -> None:
    frame = table(TWO, lambda cell: 0.1 * (cell["depth"] == 5) + 0.1 * cell["batch_norm"], seed=1)
    assert interactions(frame, list(TWO), "test_loss")["q"].iloc[0] > 0.1


@pytest.mark.parametrize(
    ("extra", "gate"),
    [(0.015, "MEANINGFUL"), (0.08, "MEANINGFUL"), (0.15, "INTERACTION")],
    ids=["below the smallest effect", "below a factor of two", "beyond both"],
)
def test_an_interaction_must_matter_to_split_the_answer(extra: float, gate: str) -> None:
    frame = table(TWO, lambda cell: (cell["depth"] == 5) * (0.1 + extra * cell["batch_norm"]), noise=0.001)
    assert contrasts(frame, ["depth"], "test_loss", 0.02)["gate"].tolist() == [gate]


class TestStating:
    """Stating needs the interval of the change beyond the smallest effect; withholding is more lenient."""

    def found(self, extra: float, **settings: Any) -> pd.Series[Any]:
        frame = table(TWO, lambda cell: extra * (cell["depth"] == 5) * cell["batch_norm"], **settings)
        family = Family(share=0.005, num_hypotheses=18)
        return interactions(frame, list(TWO), "test_loss", 0.02, family=family).iloc[0]

    def test_an_interval_beyond_the_smallest_effect_states_it(self) -> None:
        row = self.found(0.1)
        assert row["gate"] == "INTERACTION"
        assert row["simultaneous_low"] > 0.02
        assert row["scale"] == "differences"
        half = stats.t.ppf(1 - 0.005 / 36, 9) * row["sd"] / np.sqrt(10)
        assert row["simultaneous_high"] - row["estimate"] == pytest.approx(half)

    def test_a_small_q_alone_withholds_an_average_and_states_nothing(self) -> None:
        row = self.found(0.04)
        assert row["q"] < 0.01
        assert row["simultaneous_low"] < 0.02
        assert row["gate"] == "UNRESOLVED"

    def test_nine_blocks_state_nothing(self) -> None:
        assert self.found(0.3, num_blocks=9)["gate"] == "UNRESOLVED"

    def test_a_contrast_says_whether_what_it_depends_on_is_stated(self) -> None:
        frame = table(TWO, lambda cell: 0.04 * (cell["depth"] == 5) * cell["batch_norm"])
        changes = interactions(frame, list(TWO), "test_loss", 0.02)
        for gate, stated in (("INTERACTION", True), ("UNRESOLVED", False)):
            row = contrasts(frame, ["depth"], "test_loss", 0.02, depends=changes.assign(gate=gate)).iloc[0]
            assert (row["gate"], row["states_interaction"]) == ("INTERACTION", stated)


def test_one_factor_has_none() -> None:
    assert interactions(table({"depth": [3, 5]}), ["depth"], "test_loss").empty
