"""Each gate opens on its condition and on nothing less; every claim is read off one interval."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.statistics.gates import (
    Evidence,
    Gate,
    Rules,
    benjamini_hochberg,
    deciding,
    gate_of,
    is_equivalent,
    read_interval,
)

CLEAR = Evidence(num_blocks=10, complete=True, direction=True)
NULL = replace(CLEAR, direction=False)
RULES = Rules()


def read(low: float, high: float, p_sign_flip: float = 0.002, size: float = 0.02) -> dict[str, bool]:
    row: dict[str, Any] = {"simultaneous_low": low, "simultaneous_high": high}
    return read_interval(row | {"p_sign_flip": p_sign_flip, "smallest_effect": size}, RULES)


class TestInterval:
    @pytest.mark.parametrize(
        ("low", "high", "held"),
        [
            (0.001, 0.05, {"direction"}),
            (-0.05, -0.001, {"direction"}),
            (-0.001, 0.05, set()),
            (0.021, 0.05, {"direction", "meaningful"}),
            (-0.05, -0.021, {"direction", "meaningful"}),
            (-0.019, 0.019, {"equivalent"}),
            (0.001, 0.019, {"direction", "equivalent"}),
            (-0.021, 0.019, set()),
            (math.nan, math.nan, set()),
        ],
    )
    def test_it_alone_decides(self, low: float, high: float, held: set[str]) -> None:
        assert {name for name, holds in read(low, high).items() if holds} == held

    def test_the_sign_flip_test_is_a_check_of_directions_alone(self) -> None:
        found = read(0.021, 0.05, p_sign_flip=0.05)
        assert found == {
            "direction": False,
            "meaningful": False,
            "equivalent": False,
            "fails_sign_flip": True,
        }
        within = read(0.001, 0.019, p_sign_flip=0.2)
        assert {name for name, holds in within.items() if holds} == {"equivalent", "fails_sign_flip"}

    def test_without_a_smallest_effect_nothing_is_meaningful_or_equal(self) -> None:
        assert {name for name, holds in read(0.5, 0.6, size=math.nan).items() if holds} == {"direction"}

    @given(st.floats(-1, 1), st.floats(0, 1), st.floats(0.001, 1))
    def test_meaningful_and_equivalent_exclude_each_other(
        self, middle: float, half: float, size: float
    ) -> None:
        found = read(middle - half, middle + half, size=size)
        assert not (found["meaningful"] and found["equivalent"])
        assert found["direction"] or not found["meaningful"]

    def test_the_interval_that_decides_is_the_one_printed(self) -> None:
        assert deciding({"simultaneous_low": 0}) == ("simultaneous_low", "simultaneous_high")
        assert deciding({"simultaneous_low": 0, "p_holm": 0.1}) == ("ci_low", "ci_high")


class TestGate:
    def test_the_strongest_wording_is_the_gate(self) -> None:
        assert gate_of(CLEAR, RULES) == Gate.DIRECTION
        assert gate_of(NULL, RULES) == Gate.UNRESOLVED
        assert gate_of(replace(CLEAR, meaningful=True), RULES) == Gate.MEANINGFUL

    def test_equivalent_alone_and_beside_a_direction(self) -> None:
        assert gate_of(replace(NULL, equivalent=True), RULES) == Gate.EQUIVALENT
        both = replace(CLEAR, equivalent=True)
        assert gate_of(both, RULES) == Gate.DIRECTION
        assert is_equivalent(both, RULES)

    @pytest.mark.parametrize("count", [3, 5, 9])
    def test_few_blocks_only_indicate(self, count: int) -> None:
        assert gate_of(replace(CLEAR, num_blocks=count), RULES) == Gate.INDICATED

    @pytest.mark.parametrize("count", [0, 1, 2])
    def test_fewer_blocks_leave_it_open(self, count: int) -> None:
        assert gate_of(replace(CLEAR, num_blocks=count), RULES) == Gate.UNRESOLVED

    @pytest.mark.parametrize("change", [{"complete": False}, {"constant": True}, {"flat": True}])
    def test_missing_cells_and_outcomes_without_spread_withhold_everything(
        self, change: dict[str, bool]
    ) -> None:
        evidence = replace(CLEAR, equivalent=True, meaningful=True, **change)
        assert gate_of(evidence, RULES) == Gate.UNRESOLVED
        assert not is_equivalent(evidence, RULES)

    def test_interaction_comes_before_boundary(self) -> None:
        at_boundary = replace(CLEAR, at_boundary=True)
        assert gate_of(at_boundary, RULES) == Gate.BOUNDARY
        assert gate_of(replace(at_boundary, interacts=True), RULES) == Gate.INTERACTION


class TestBenjaminiHochberg:
    def test_of_a_textbook_family(self) -> None:
        assert benjamini_hochberg([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
