"""Growth is what theory says where theory is exact, undefined where it is, and compared by level."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from reports.stability.growth import (
    growth,
    growth_by_cell,
    growth_predicted,
    growths,
    ln_growth,
    theoretical_growth,
    verdict_shares,
)
from reports.statistics.contrasts import contrasts


def layers(*delta_rms: float | None) -> pd.DataFrame:
    return pd.DataFrame({"layer": range(1, len(delta_rms) + 1), "delta_rms": delta_rms})


class TestGrowth:
    @pytest.mark.parametrize("rate", [0.24, 0.5, 1.0, 1.414, 2.0])
    def test_a_geometric_signal_grows_at_its_rate(self, rate: float) -> None:
        assert growth(layers(*[rate ** (7 - layer) for layer in range(1, 8)])) == pytest.approx(rate)

    def test_it_is_the_slope_of_a_line_through_all_layers(self) -> None:
        signal = np.random.default_rng(0).lognormal(size=9)
        slope = np.polyfit(np.arange(1, 10), np.log(signal), 1)[0]
        assert growth(layers(*signal)) == pytest.approx(math.exp(-slope))

    def test_order_of_rows_and_scale_change_nothing(self) -> None:
        frame = layers(8.0, 3.0, 1.0)
        assert growth(frame.iloc[::-1]) == pytest.approx(growth(frame))
        assert growth(frame.assign(delta_rms=frame["delta_rms"] * 1e-9)) == pytest.approx(growth(frame))

    @pytest.mark.parametrize(
        "signal",
        [(), (1.0,), (1.0, 0.0, 1.0), (1.0, math.nan, 1.0), (math.inf, 1.0), (1.0, None)],
        ids=["no layer", "one layer", "a dead layer", "missing", "infinite", "none"],
    )
    def test_it_is_undefined_rather_than_invented(self, signal: tuple[float | None, ...]) -> None:
        assert math.isnan(growth(layers(*signal)))

    def test_two_networks_in_one_frame_are_refused(self) -> None:
        with pytest.raises(ValueError, match="one network"):
            growth(pd.concat([layers(2.0, 1.0), layers(2.0, 1.0)]))


class TestGrowths:
    def test_every_network_and_epoch_by_itself(self) -> None:
        signals = {
            (1, 1, 0): (4.0, 2.0, 1.0),
            (1, 1, 5): (1.0, 3.0, 9.0),
            (2, 1, 0): (1.0,),
            (2, 2, 0): (1.0, 0.0),
        }
        names = ["trial_number", "replicate", "epoch"]
        frame = pd.concat(
            [layers(*signal).assign(**dict(zip(names, key, strict=True))) for key, signal in signals.items()]
        )
        found = growths(frame).set_index(names)
        assert found["growth"].tolist() == pytest.approx([2, 1 / 3, math.nan, math.nan], nan_ok=True)
        assert found["total_growth"].tolist()[:2] == pytest.approx([4, 1 / 9])
        assert found["raw_ratio"].tolist()[:2] == pytest.approx([4, 1 / 9])
        assert found["ln_total_growth"].iloc[0] == pytest.approx(math.log(4))
        assert found["num_layers"].tolist() == [3, 3, 1, 2]

    def test_raw_ratio_reads_the_ends_alone(self) -> None:
        frame = layers(8.0, 1.0, 1.0, 4.0).assign(trial_number=1, replicate=1, epoch=0)
        assert growths(frame)["raw_ratio"].iloc[0] == pytest.approx(2)

    def test_ln_total_growth_is_compared_like_any_outcome(self) -> None:
        generator = np.random.default_rng(0)
        rows = [
            {
                "depth": depth,
                "block": block,
                "ln_total_growth": 0.17 * (depth - 1) + generator.normal(0, 0.02),
            }
            for depth in (3, 5)
            for block in range(10)
        ]
        found = contrasts(pd.DataFrame(rows), ["depth"], "ln_total_growth").iloc[0]
        assert found["gate"] == "DIRECTION"
        assert found["estimate"] == pytest.approx(0.34, abs=0.05)


class TestTheory:
    @pytest.mark.parametrize(
        ("dropout", "plain", "normalised"),
        [(0.0, 1.0, 1.211), (0.1, 1.054, 1.184), (0.3, 1.195, 1.134), (0.5, 1.414, 1.091)],
    )
    def test_the_known_line(self, dropout: float, plain: float, normalised: float) -> None:
        assert theoretical_growth(dropout, False) == pytest.approx(plain, abs=5e-4)
        assert theoretical_growth(dropout, True) == pytest.approx(normalised, abs=5e-4)

    def test_a_gain_multiplies_growth_unless_batch_norm_cancels_it(self) -> None:
        assert theoretical_growth(0.0, False, 2.0) == pytest.approx(2.0)
        assert theoretical_growth(0.3, True, 2.0) == theoretical_growth(0.3, True)

    def test_theory_has_no_say_on_shortcuts_other_activations_and_other_weights(self) -> None:
        fitting = {"activation": "relu", "init": "fitting", "init_gain": 0.5}
        assert growth_predicted(fitting) == pytest.approx(0.5)
        for other in ({"residual": "scaled"}, {"activation": "tanh"}, {"init": "default"}):
            assert math.isnan(growth_predicted({**fitting, **other}))
        assert math.isnan(growth_predicted({**fitting, "model": "own"}))

    @pytest.mark.parametrize("dropout", [-0.1, 1.0])
    def test_dropout_outside_its_range(self, dropout: float) -> None:
        with pytest.raises(ValueError, match="below 1"):
            theoretical_growth(dropout, False)

    def test_measured_beside_predicted(self) -> None:
        found = pd.DataFrame({"trial_number": [1, 1, 2], "growth": [1.0, 4.0, 1.1]})
        cells = pd.DataFrame({"trial_number": [1, 2], "dropout": [0.5, 0.5], "batch_norm": [False, True]})
        table = growth_by_cell(found, cells, {"activation": "relu"})
        assert table["measured"].tolist() == pytest.approx([2.0, 1.1])
        assert table["predicted"].tolist() == pytest.approx([1.414, 1.091], abs=5e-4)
        assert growth_by_cell(found, cells, {"activation": "tanh"})["predicted"].isna().all()
        assert growth_by_cell(found, cells, {"model": "cnn"})["predicted"].isna().all()


def test_shares_of_verdicts_sum_to_one_and_skip_networks_without() -> None:
    frame = pd.DataFrame(
        {
            "depth": [3, 3, 3, 7, 7, 7],
            "block": [1, 2, 3, 1, 2, 3],
            "verdict": ["STABLE", "STABLE", None, "STABLE", "EXPLODING", "EXPLODING"],
        }
    )
    found = verdict_shares(frame, ["depth"], "verdict")
    assert found["verdict"].tolist() == ["EXPLODING", "STABLE"] * 2
    assert found.groupby("level")["share"].sum().tolist() == [1, 1]
    assert found["num"].tolist() == [2, 2, 3, 3]
    assert (found["low"] <= found["share"]).all()
    assert (found["share"] <= found["high"]).all()


class TestLnGrowth:
    @pytest.mark.parametrize("sizes", [(4.0, 2.0, 1.0), (0.3, 0.1, 0.7, 0.2, 0.9), (1e-30, 1e30)])
    def test_it_is_that_of_a_frame(self, sizes: tuple[float, ...]) -> None:
        frame = pd.DataFrame({"layer": range(1, len(sizes) + 1), "delta_rms": sizes})
        found = ln_growth(range(1, len(sizes) + 1), sizes)
        assert found is not None
        assert math.exp(found) == pytest.approx(growth(frame), rel=1e-12)

    @pytest.mark.parametrize(
        ("sizes", "expected"),
        [
            ((1.0,), None),
            ((0.0, 0.0), None),
            ((math.inf, 1.0), None),
            ((math.nan, 1.0), None),
            ((0.0, 0.0, 1.0), -math.inf),
        ],
    )
    def test_where_it_is_undefined(self, sizes: tuple[float, ...], expected: float | None) -> None:
        assert ln_growth(range(1, len(sizes) + 1), sizes) == expected
