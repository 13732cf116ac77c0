"""Verdicts of real networks on the digits, at their initialisation and after a short training."""

import math
from typing import Any

import pytest

from reports.stability.verdicts import NO_SIGNAL, ONE_LAYER
from studies.database.results import Verdicts
from studies.definition.parts import Thresholds
from studies.diagnosis.verdict_accumulator import VerdictAccumulator
from tests.trainables.conftest import load_digits
from tests.trainables.signals import at_initialisation, make_stack
from trainables.base.hyperparameters import Hyperparameters
from trainables.data.stack_data import StackData
from trainables.training.loop import train

pytestmark = pytest.mark.numeric


@pytest.fixture(scope="module")
def digits() -> StackData:
    """The digits."""
    return load_digits()


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
        accumulator = VerdictAccumulator(Thresholds(), digits.num_classes)
        accumulator.update(1, records)
        verdicts = accumulator.judge(1, trained=False)
        assert [verdicts[replicate].initial for replicate in range(4)] == [expected] * 4
        assert all(verdict.trained is None for verdict in verdicts.values())


class TestTraining:
    """Verdicts of short trainings on the digits."""

    def verdicts(self, hp: Hyperparameters, data: StackData, epochs: int = 3) -> dict[int, Verdicts]:
        accumulator = VerdictAccumulator(Thresholds(), data.num_classes)
        for records in train(make_stack(hp, data), epochs=epochs, layers_at=range(epochs + 1)):
            accumulator.update(1, records)
        return accumulator.judge(1, trained=True)

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
        accumulator = VerdictAccumulator(Thresholds(), digits.num_classes)
        for records in train(stack, epochs=2, layers_at=range(3)):
            accumulator.update(1, records)
        for verdict in accumulator.judge(1, trained=True).values():
            assert (verdict.initial, verdict.trained) == ("VANISHING", "UNTRAINED")
            assert held(verdict, "initial") == ["VANISHING", "WATCH", "DEAD"]
            assert held(verdict) == ["UNTRAINED", "VANISHING", "WATCH", "DEAD", "STALLED"]
            assert verdict.details["trained"]["measures"]["total_growth_low"] == 0

    def test_a_network_that_is_poisoned(self, digits: StackData) -> None:
        stack = make_stack(Hyperparameters(depth=3), digits)
        stack.model.parameters.value("blocks.1.weight")[2].fill_(math.inf)
        accumulator = VerdictAccumulator(Thresholds(), digits.num_classes)
        for records in train(stack, epochs=2, layers_at=range(3)):
            accumulator.update(1, records)
        verdicts = accumulator.judge(1, trained=True)
        assert [verdicts[r].initial for r in range(4)] == ["STABLE", "STABLE", "DIVERGED", "STABLE"]
        assert [verdicts[r].trained for r in range(4)] == ["STABLE", "STABLE", "DIVERGED", "STABLE"]
        assert verdicts[2].details["initial"]["notes"] == [NO_SIGNAL]
