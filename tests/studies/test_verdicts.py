"""Verdicts from real trainings and from made-up records; the bad cases among them."""

import json
import math
from typing import Any

import pandas as pd
import pytest

from reports.stability import growth
from reports.verdicts import NO_SIGNAL, ONE_LAYER
from studies.database.results import Verdicts
from studies.study import Thresholds
from studies.verdicts import Jury, ln_growth
from tests.trainables.conftest import load_digits
from tests.trainables.signals import at_initialisation, make_stack
from trainables.hyperparameters import Hyperparameters
from trainables.records import EpochRecord, LayerRecord
from trainables.stack_data import StackData
from trainables.training import train


@pytest.fixture(scope="module")
def digits() -> StackData:
    """The digits."""
    return load_digits()


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
    jury = Jury(Thresholds(), 10)
    jury.hear(1, epochs)
    return jury.judge(1, trained=trained, **options)[0]


def signal(*sizes: float) -> tuple[LayerRecord, ...]:
    """Return layers with these delta_rms, from the input on."""
    return tuple(layer(number, delta_rms=size) for number, size in enumerate(sizes, start=1))


def held(verdicts: Verdicts, when: str = "trained") -> list[str]:
    return [finding["verdict"] for finding in verdicts.details[when]["holds"]]


class TestKnownTruths:
    """Verdicts at initialisation, of four networks each, on the digits."""

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"init_gain": 0.5}, "VANISHING"),
            ({}, "STABLE"),
            ({"init_gain": 2.0}, "EXPLODING"),
            ({"activation": "sigmoid", "init": "lecun_normal"}, "VANISHING"),
            ({"activation": "tanh", "init": "lecun_normal", "init_gain": 0.5}, "VANISHING"),
            ({"activation": "tanh", "init": "lecun_normal"}, "STABLE"),
            ({"init": "default"}, "VANISHING"),
            ({"batch_norm": True}, "STABLE"),
            ({"batch_norm": True, "depth": 50}, "EXPLODING"),
            ({"residual": "plain", "depth": 20}, "EXPLODING"),
            ({"residual": "scaled", "depth": 20}, "STABLE"),
            ({"residual": "zero", "depth": 20}, "STABLE"),
            ({"init": "fitting", "activation": "tanh"}, "STABLE"),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("width", [64, 192])
    def test_the_verdict_is_as_named(
        self, digits: StackData, changes: dict[str, Any], expected: str, width: int
    ) -> None:
        records = at_initialisation(Hyperparameters(**{"depth": 7, "width": width, **changes}), digits)
        jury = Jury(Thresholds(), digits.num_classes)
        jury.hear(1, records)
        verdicts = jury.judge(1, trained=False)
        assert [verdicts[replicate].initial for replicate in range(4)] == [expected] * 4
        assert all(verdict.trained is None for verdict in verdicts.values())


class TestTraining:
    """Verdicts of short trainings on the digits."""

    def verdicts(self, hp: Hyperparameters, data: StackData, epochs: int = 3) -> dict[int, Verdicts]:
        jury = Jury(Thresholds(), data.num_classes)
        for records in train(make_stack(hp, data), epochs=epochs, layers_at=range(epochs + 1)):
            jury.hear(1, records)
        return jury.judge(1, trained=True)

    def test_a_healthy_network_is_stable(self, digits: StackData) -> None:
        verdicts = self.verdicts(Hyperparameters(depth=3, learning_rate=1e-3), digits)
        assert {(v.initial, v.trained) for v in verdicts.values()} == {("STABLE", "STABLE")}

    def test_too_high_a_rate_diverges(self, digits: StackData) -> None:
        hp = Hyperparameters(depth=7, optimizer="sgd", learning_rate=1e6)
        verdicts = self.verdicts(hp, digits)
        assert {(v.initial, v.trained) for v in verdicts.values()} == {("STABLE", "DIVERGED")}

    def test_a_tiny_rate_stalls_and_learns_nothing(self, digits: StackData) -> None:
        hp = Hyperparameters(depth=3, optimizer="sgd", learning_rate=1e-9)
        verdicts = self.verdicts(hp, digits)
        assert {v.trained for v in verdicts.values()} == {"UNTRAINED"}
        assert all(held(v)[-1] == "STALLED" for v in verdicts.values())

    def test_deep_sigmoids_learn_nothing(self, digits: StackData) -> None:
        hp = Hyperparameters(
            depth=7, activation="sigmoid", init="fitting", optimizer="sgd", learning_rate=0.01
        )
        verdicts = self.verdicts(hp, digits)
        assert {(v.initial, v.trained) for v in verdicts.values()} == {("VANISHING", "UNTRAINED")}
        assert all("VANISHING" in held(v) for v in verdicts.values())

    def test_an_epoch_of_one_batch(self, digits: StackData) -> None:
        hp = Hyperparameters(depth=3, batch_size=2000)
        verdicts = self.verdicts(hp, digits, epochs=1)
        assert {v.initial for v in verdicts.values()} == {"STABLE"}
        measures = verdicts[0].details["trained"]["measures"]
        assert measures["spike_rate"] == 0
        assert 0 < measures["update_ratio_low"] == measures["update_ratio_high"] < 0.1

    def test_one_hidden_layer_has_no_growth_and_it_is_said(self, digits: StackData) -> None:
        for verdict in self.verdicts(Hyperparameters(depth=1), digits).values():
            assert (verdict.initial, verdict.trained) == ("STABLE", "STABLE")
            for when in ("initial", "trained"):
                assert verdict.details[when]["notes"] == [ONE_LAYER]
                assert verdict.details[when]["measures"]["total_growth_high"] is None

    def test_a_dead_network(self, digits: StackData) -> None:
        stack = make_stack(Hyperparameters(depth=4, optimizer="sgd", learning_rate=0.01), digits)
        stack.model.parameters.value("blocks.2.bias").fill_(-1e6)
        jury = Jury(Thresholds(), digits.num_classes)
        for records in train(stack, epochs=2, layers_at=range(3)):
            jury.hear(1, records)
        for verdict in jury.judge(1, trained=True).values():
            assert (verdict.initial, verdict.trained) == ("VANISHING", "UNTRAINED")
            assert held(verdict, "initial") == ["VANISHING", "WATCH", "DEAD"]
            assert held(verdict) == ["UNTRAINED", "VANISHING", "WATCH", "DEAD", "STALLED"]
            assert verdict.details["trained"]["measures"]["total_growth_low"] == 0

    def test_a_network_that_is_poisoned(self, digits: StackData) -> None:
        stack = make_stack(Hyperparameters(depth=3), digits)
        stack.model.parameters.value("blocks.1.weight")[2].fill_(math.inf)
        jury = Jury(Thresholds(), digits.num_classes)
        for records in train(stack, epochs=2, layers_at=range(3)):
            jury.hear(1, records)
        verdicts = jury.judge(1, trained=True)
        assert [verdicts[r].initial for r in range(4)] == ["STABLE", "STABLE", "DIVERGED", "STABLE"]
        assert [verdicts[r].trained for r in range(4)] == ["STABLE", "STABLE", "DIVERGED", "STABLE"]
        assert verdicts[2].details["initial"]["notes"] == [NO_SIGNAL]


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
        assert held(verdicts) == ["EXPLODING", "VANISHING", "WATCH"]

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
        jury = Jury(Thresholds(), 10)
        jury.hear(1, [epoch(0, *signal(1000.0, 1.0))])
        jury.hear(2, [epoch(0)])
        assert jury.judge(2, trained=False)[0].initial == "STABLE"
        assert jury.judge(1, trained=False)[0].initial == "EXPLODING"
        assert jury.judge(1, trained=False) == {}

    def test_what_another_attempt_says_of_an_epoch_takes_the_earlier_ones_place(self) -> None:
        jury = Jury(Thresholds(), 10)
        jury.hear(1, [epoch(0, *signal(1000.0, 1.0)), epoch(1, loss=50.0), epoch(2, loss=50.0)])
        jury.hear(1, [epoch(0), epoch(1), epoch(2)])
        assert jury.judge(1, trained=True) == {0: judged(epoch(0), epoch(1), epoch(2))}

    def test_epochs_may_be_heard_in_any_order(self) -> None:
        epochs = [epoch(0), epoch(1, loss=0.9), epoch(2, loss=0.1)]
        assert judged(*reversed(epochs)) == judged(*epochs)

    def test_without_its_initialisation_a_network_is_not_judged(self) -> None:
        jury = Jury(Thresholds(), 10)
        jury.hear(1, [epoch(1), epoch(2)])
        assert jury.judge(1, trained=False) == {}

    def test_thresholds_are_the_plans(self) -> None:
        jury = Jury(Thresholds(watch=3.0), 10)
        jury.hear(1, [epoch(0, *signal(4.0, 1.0))])
        assert jury.judge(1, trained=False)[0].initial == "WATCH"


class TestLnGrowth:
    @pytest.mark.parametrize("sizes", [(4.0, 2.0, 1.0), (0.3, 0.1, 0.7, 0.2, 0.9), (1e-30, 1e30)])
    def test_it_is_that_of_the_reports(self, sizes: tuple[float, ...]) -> None:
        frame = pd.DataFrame({"layer": range(1, len(sizes) + 1), "delta_rms": sizes})
        found = ln_growth(signal(*sizes))
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
        assert ln_growth(signal(*sizes)) == expected


def test_details_are_plain_data() -> None:
    verdicts = judged(epoch(0), epoch(1, *signal(0.0, 1.0)), epoch(2, *signal(0.0, 1.0)))
    assert verdicts.trained == "VANISHING"
    assert json.loads(json.dumps(verdicts.details)) == verdicts.details
