"""The rules on made-up measures: each verdict, its edges, their order, and how thresholds sway them."""

import dataclasses
import math

import pandas as pd
import pytest

from reports.stability.growth import VERDICTS
from reports.stability.verdict_sensitivity import PLANNED, flips, recount
from reports.stability.verdicts import Measures, judge, verdict

THRESHOLDS = {
    **{"blown_up": 2.0, "untrained": 0.95, "total_growth": 100.0, "growth": 1.6, "growth_total": 10.0},
    **{"watch": 10.0, "spike_rate": 0.01, "dead_fraction": 0.5, "stalled": 1e-5, "hot": 0.1},
}
CALM = Measures(
    num_nonfinite=0,
    loss_ratio=1.0,
    final_loss_ratio=0.1,
    growth_high=1.0,
    growth_low=1.0,
    total_growth_high=1.0,
    total_growth_low=1.0,
    spike_rate=0.0,
    dead_fraction=0.0,
    update_ratio_low=1e-3,
    update_ratio_high=1e-3,
)


def growing(growth: float, num_layers: int) -> Measures:
    """Measures of a network whose gradients grow by a factor per layer."""
    total = growth ** (num_layers - 1)
    return dataclasses.replace(
        CALM,
        growth_high=growth,
        growth_low=growth,
        total_growth_high=total,
        total_growth_low=total,
    )


def names(measures: Measures) -> list[str]:
    return [finding.verdict for finding in judge(measures, THRESHOLDS)]


def test_a_calm_network_is_stable() -> None:
    assert judge(CALM, THRESHOLDS) == []
    assert verdict([]) == "STABLE"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"num_nonfinite": 1}, "DIVERGED"),
        ({"loss_ratio": 2.01}, "BLOWN UP"),
        ({"final_loss_ratio": 0.95}, "UNTRAINED"),
        ({"spike_rate": 0.011}, "SPIKY"),
        ({"dead_fraction": 0.51}, "DEAD"),
        ({"update_ratio_low": 9e-6}, "STALLED"),
        ({"update_ratio_high": 0.11}, "HOT"),
    ],
)
def test_each_rule_alone(changes: dict[str, float], expected: str) -> None:
    (finding,) = judge(dataclasses.replace(CALM, **changes), THRESHOLDS)
    assert (finding.verdict, finding.value) == (expected, *changes.values())


@pytest.mark.parametrize(
    "at_the_edge",
    [
        *({"loss_ratio": 2.0}, {"spike_rate": 0.01}, {"dead_fraction": 0.5}, {"update_ratio_low": 1e-5}),
        *({"update_ratio_high": 0.1}, {"final_loss_ratio": 0.9499}),
    ],
    ids=str,
)
def test_a_threshold_itself_is_not_crossed(at_the_edge: dict[str, float]) -> None:
    assert names(dataclasses.replace(CALM, **at_the_edge)) == []


@pytest.mark.parametrize(
    ("growth", "num_layers", "expected"),
    [
        (2.0, 7, ["EXPLODING", "WATCH"]),  # 64 in all, by the growth per layer
        (0.5, 7, ["VANISHING", "WATCH"]),
        (1.21, 50, ["EXPLODING", "WATCH"]),  # 11,000 in all, though little per layer
        (1.21, 7, []),
        (1.5, 7, ["WATCH"]),  # 11.4 in all, below 1.6 per layer
        (1 / 1.5, 7, ["WATCH"]),
        (2.0, 3, []),  # 4 in all: too shallow to matter
        (0.24, 7, ["VANISHING", "WATCH"]),
    ],
)
def test_growth(growth: float, num_layers: int, expected: list[str]) -> None:
    assert names(growing(growth, num_layers)) == expected
    mirrored = {"EXPLODING": "VANISHING", "VANISHING": "EXPLODING"}
    assert names(growing(1 / growth, num_layers)) == [mirrored.get(name, name) for name in expected]


def test_the_first_rule_is_the_verdict_and_all_are_kept() -> None:
    everything = Measures(
        num_nonfinite=3,
        loss_ratio=9,
        final_loss_ratio=2,
        growth_high=3,
        growth_low=0.1,
        total_growth_high=1e3,
        total_growth_low=1e-3,
        spike_rate=1,
        dead_fraction=1,
        update_ratio_low=0,
        update_ratio_high=1,
    )
    findings = judge(everything, THRESHOLDS)
    assert [*(finding.verdict for finding in findings), "STABLE"] == list(VERDICTS)
    assert verdict(findings) == "DIVERGED"


def test_what_is_undefined_makes_no_rule_hold() -> None:
    assert judge(Measures(num_nonfinite=0), THRESHOLDS) == []


def test_a_signal_that_is_gone_has_vanished() -> None:
    gone = dataclasses.replace(
        CALM, growth_high=0.0, growth_low=0.0, total_growth_high=0.0, total_growth_low=0.0
    )
    assert names(gone) == ["VANISHING", "WATCH"]


class TestSensitivity:
    """Depth 3 stays calm; depth 5 grows to 60 in all, so the thresholds of growth decide."""

    @pytest.fixture
    def replicates(self) -> pd.DataFrame:
        rows = [
            {
                "depth": depth,
                "verdicts": {"initial": {"measures": dataclasses.asdict(measures)}, "trained": None},
            }
            for depth, measures in [(3, CALM), (3, CALM), (5, growing(60**0.25, 5)), (5, CALM)]
        ]
        return pd.DataFrame([*rows, {"depth": 3, "verdicts": None}])

    def share(self, shares: pd.DataFrame, depth: int, name: str, threshold: str, multiple: float) -> float:
        places = shares.query(
            "level == @depth and verdict == @name and threshold == @threshold and multiple == @multiple"
        )
        return float(places["share"].item())

    def test_each_threshold_is_halved_and_doubled_alone(self, replicates: pd.DataFrame) -> None:
        shares = recount(replicates, ["depth"], THRESHOLDS, when="initial")
        assert set(shares["threshold"]) == {PLANNED, *THRESHOLDS}
        assert self.share(shares, 5, "EXPLODING", PLANNED, 1.0) == 0.5
        assert self.share(shares, 3, "EXPLODING", PLANNED, 1.0) == 0.0
        assert (
            self.share(shares, 5, "EXPLODING", "growth", 2.0) == 0.0
        )  # 2.8 < 3.2 per layer, 60 < 100 in all
        assert self.share(shares, 5, "WATCH", "growth", 2.0) == 0.5
        assert self.share(shares, 5, "EXPLODING", "total_growth", 0.5) == 0.5
        assert (shares.groupby(["threshold", "multiple", "level"])["count"].sum() == 2).all()

    def test_networks_that_were_not_judged_are_left_out(self, replicates: pd.DataFrame) -> None:
        assert recount(replicates, ["depth"], THRESHOLDS, when="initial")["num"].eq(2).all()
        nothing = recount(replicates, ["depth"], THRESHOLDS, when="trained")
        assert list(nothing.columns) == [
            "threshold",
            "multiple",
            "factor",
            "level",
            "verdict",
            "count",
            "num",
            "share",
        ]
        assert nothing.empty
        assert flips(nothing).empty

    def test_a_tie_is_no_reversal(self, replicates: pd.DataFrame) -> None:
        assert flips(recount(replicates, ["depth"], THRESHOLDS, when="initial")).empty

    def test_a_reversed_ranking_is_told(self) -> None:
        """By the plan only depth 5 explodes; with a doubled growth only depth 3, which is steep, still does."""
        steep, long = growing(4.0, 4), growing(1.9, 6)
        rows = [(3, steep), (3, CALM), (3, CALM), (5, long), (5, long), (5, CALM)]
        replicates = pd.DataFrame(
            [
                {"depth": depth, "verdicts": {"initial": {"measures": dataclasses.asdict(measures)}}}
                for depth, measures in rows
            ]
        )
        found = flips(recount(replicates, ["depth"], THRESHOLDS, when="initial"))
        exploding = found[found["verdict"] == "EXPLODING"]
        assert exploding.to_dict("records") == [
            {
                **{"factor": "depth", "verdict": "EXPLODING", "level_a": 3, "level_b": 5},
                **{"threshold": "growth", "multiple": 2.0},
            }
        ]


def test_growth_of_infinity_would_explode() -> None:
    assert names(growing(math.inf, 3)) == ["EXPLODING", "WATCH"]
