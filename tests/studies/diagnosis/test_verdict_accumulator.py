"""Verdicts from made-up records; the bad cases among them."""

import json
import math
from typing import Any

import pytest

from studies.database.results import Verdicts
from studies.definition.parts import Thresholds
from studies.diagnosis.verdict_accumulator import VerdictAccumulator
from trainables.base.records import EpochRecord, LayerRecord


def layer(number: int = 1, **changes: float | None) -> LayerRecord:
    """Return a healthy hidden layer."""
    values: dict[str, Any] = {
        **{"grad_l2": 1.0, "grad_l2_max": 1.0, "grad_rms": 0.1, "delta_rms": 1.0, "weight_rms": 0.1},
        **{"update_ratio": 1e-3, "activation_mean": 0.0, "activation_std": 1.0, "dead_fraction": 0.0},
    }
    return LayerRecord(layer=number, **{**values, **changes})


def epoch(number: int, *layers: LayerRecord, loss: float | None = 0.5, **metrics: float) -> EpochRecord:
    """Return a measured epoch of replicate 0."""
    return EpochRecord(
        replicate=0,
        epoch=number,
        train_loss=loss,
        metrics={"num_nonfinite": 0.0, "clip_fraction": 0.0, "spike_rate": 0.0, **metrics},
        layers=layers or (layer(1), layer(2)),
    )


def judged(*epochs: EpochRecord, trained: bool = True, **options: Any) -> Verdicts:
    """Return the verdicts of one network, with ten classes."""
    accumulator = VerdictAccumulator(Thresholds(), 10)
    accumulator.update(1, epochs)
    return accumulator.judge(1, trained=trained, **options)[0]


def signal(*sizes: float) -> tuple[LayerRecord, ...]:
    """Return layers with these delta_rms, from the input on."""
    return tuple(layer(number, delta_rms=size) for number, size in enumerate(sizes, start=1))


class TestHeld:
    """In training a rule holds where it held in two epochs in a row."""

    def test_one_epoch_is_not_enough(self) -> None:
        steep = signal(1000.0, 1.0)
        verdicts = judged(epoch(0), epoch(1), epoch(2, *steep), epoch(3))
        assert verdicts.trained == "STABLE"
        apart = judged(epoch(0), epoch(1, *steep), epoch(2), epoch(3, *steep))
        assert apart.trained == "STABLE"

    def test_two_in_a_row_are(self) -> None:
        verdicts = judged(epoch(0), epoch(1, *signal(300.0, 1.0)), epoch(2, *signal(200.0, 1.0)), epoch(3))
        assert verdicts.trained == "EXPLODING"
        (finding, _) = verdicts.details["trained"]["holds"]
        assert finding == {
            **{"verdict": "EXPLODING", "measure": "total_growth"},
            **{"value": pytest.approx(200.0), "threshold": 100.0},
        }

    def test_the_milder_of_two_epochs_counts(self) -> None:
        """Exploding and then merely steep is steep for two epochs."""
        verdicts = judged(epoch(0), epoch(1, *signal(300.0, 1.0)), epoch(2, *signal(15.0, 1.0)))
        assert verdicts.trained == "EXPLODING"  # growth of 15 per layer, 15 in all
        gentle = [signal(*(growth**k for k in range(6, -1, -1))) for growth in (3.0, 1.55)]
        assert judged(epoch(0), epoch(1, *gentle[0]), epoch(2, *gentle[1])).trained == "WATCH"

    def test_both_directions_are_kept(self) -> None:
        up, down = signal(1000.0, 1.0), signal(1e-3, 1.0)
        verdicts = judged(epoch(0), epoch(1, *up), epoch(2, *up), epoch(3, *down), epoch(4, *down))
        assert [finding["verdict"] for finding in verdicts.details["trained"]["holds"]] == [
            "EXPLODING",
            "VANISHING",
            "WATCH",
        ]

    def test_the_only_epoch_counts(self) -> None:
        assert judged(epoch(0), epoch(1, *signal(1000.0, 1.0))).trained == "EXPLODING"

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"dead_fraction": 0.6}, "DEAD"),
            ({"update_ratio": 1e-6}, "STALLED"),
            ({"update_ratio": 0.2}, "HOT"),
        ],
    )
    def test_layers_that_are_dead_stalled_or_hot(self, changes: dict[str, float], expected: str) -> None:
        sick = (layer(1, **changes), layer(2, **changes))
        assert judged(epoch(0), epoch(1), epoch(2, *sick), epoch(3, *sick)).trained == expected
        assert judged(epoch(0), epoch(1), epoch(2, *sick), epoch(3)).trained == "STABLE"

    def test_spikes_are_counted_over_all_steps(self) -> None:
        rare = [epoch(number, spike_rate=0.05 * (number == 3)) for number in range(1, 11)]
        often = [epoch(number, spike_rate=0.05 * (number % 2)) for number in range(1, 11)]
        assert judged(epoch(0), *rare).trained == "STABLE"
        assert judged(epoch(0), *often).trained == "SPIKY"


class TestLosses:
    def test_a_loss_above_twice_the_initial_one(self) -> None:
        def after(*losses: float) -> str | None:
            epochs = [epoch(number, loss=loss) for number, loss in enumerate(losses, start=1)]
            return judged(epoch(0, loss=2.3), *epochs).trained

        assert after(9.0, 4.7, 0.3) == "BLOWN UP"
        assert after(9.0, 4.5, 0.3) == "STABLE"
        assert after(9.0, 0.3, 0.3) == "STABLE"  # a leap in the first epoch that the network recovered from

    def test_a_final_loss_near_chance(self) -> None:
        chance = math.log(10)
        assert judged(epoch(0, loss=2.3), epoch(1, loss=0.96 * chance)).trained == "UNTRAINED"
        assert judged(epoch(0, loss=2.3), epoch(1, loss=0.94 * chance)).trained == "STABLE"

    def test_a_lost_loss_a_bad_gradient_and_a_bad_test_loss_are_divergence(self) -> None:
        assert judged(epoch(0), epoch(1), epoch(2, loss=None)).trained == "DIVERGED"
        assert judged(epoch(0), epoch(1, num_nonfinite=1.0)).trained == "DIVERGED"
        assert judged(epoch(0), epoch(1), diverged={0}).trained == "DIVERGED"
        assert judged(epoch(0, loss=None), epoch(1)).initial == "DIVERGED"


class TestJury:
    def test_a_trial_that_did_not_train_to_its_end_is_judged_at_its_start_alone(self) -> None:
        verdicts = judged(epoch(0), epoch(1, loss=None), trained=False)
        assert (verdicts.initial, verdicts.trained) == ("STABLE", None)
        assert verdicts.details["trained"] is None

    def test_trials_are_kept_apart_and_forgotten(self) -> None:
        accumulator = VerdictAccumulator(Thresholds(), 10)
        accumulator.update(1, [epoch(0, *signal(1000.0, 1.0))])
        accumulator.update(2, [epoch(0)])
        assert accumulator.judge(2, trained=False)[0].initial == "STABLE"
        assert accumulator.judge(1, trained=False)[0].initial == "EXPLODING"
        assert accumulator.judge(1, trained=False) == {}

    def test_what_another_attempt_says_of_an_epoch_takes_the_earlier_ones_place(self) -> None:
        accumulator = VerdictAccumulator(Thresholds(), 10)
        accumulator.update(1, [epoch(0, *signal(1000.0, 1.0)), epoch(1, loss=50.0), epoch(2, loss=50.0)])
        accumulator.update(1, [epoch(0), epoch(1), epoch(2)])
        assert accumulator.judge(1, trained=True) == {0: judged(epoch(0), epoch(1), epoch(2))}

    def test_epochs_may_be_heard_in_any_order(self) -> None:
        epochs = [epoch(0), epoch(1, loss=0.9), epoch(2, loss=0.1)]
        assert judged(*reversed(epochs)) == judged(*epochs)

    def test_without_its_initialisation_a_network_is_not_judged(self) -> None:
        accumulator = VerdictAccumulator(Thresholds(), 10)
        accumulator.update(1, [epoch(1), epoch(2)])
        assert accumulator.judge(1, trained=False) == {}

    def test_thresholds_are_the_plans(self) -> None:
        accumulator = VerdictAccumulator(Thresholds(watch=3.0), 10)
        accumulator.update(1, [epoch(0, *signal(4.0, 1.0))])
        assert accumulator.judge(1, trained=False)[0].initial == "WATCH"


def test_details_are_plain_data() -> None:
    verdicts = judged(epoch(0), epoch(1, *signal(0.0, 1.0)), epoch(2, *signal(0.0, 1.0)))
    assert verdicts.trained == "VANISHING"
    assert json.loads(json.dumps(verdicts.details)) == verdicts.details
