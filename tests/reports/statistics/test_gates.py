"""Each gate opens on its condition and on nothing less."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from reports.statistics.gates import Evidence, Gate, Rules, benjamini_hochberg, gate_of, holm, is_equivalent

CLEAR = Evidence(num_blocks=10, complete=True, p_holm=0.001, p_sign_flip=0.002)
NULL = replace(CLEAR, p_holm=0.6, p_sign_flip=0.5)
RULES = Rules()


class TestGate:
    def test_direction_needs_both_tests(self) -> None:
        assert gate_of(CLEAR, RULES) == Gate.DIRECTION
        assert gate_of(replace(CLEAR, p_holm=0.05), RULES) == Gate.UNRESOLVED
        assert gate_of(replace(CLEAR, p_sign_flip=0.0625), RULES) == Gate.UNRESOLVED

    def test_meaningful_needs_a_direction_and_an_interval_beyond(self) -> None:
        beyond = replace(CLEAR, beyond_effect=True, p_beyond=0.001)
        assert gate_of(beyond, RULES) == Gate.MEANINGFUL
        assert gate_of(replace(beyond, p_beyond=0.03), RULES) == Gate.DIRECTION
        assert gate_of(replace(beyond, beyond_effect=False), RULES) == Gate.DIRECTION
        assert gate_of(replace(beyond, p_sign_flip=0.2), RULES) == Gate.UNRESOLVED

    def test_equivalent_alone_and_beside_a_direction(self) -> None:
        assert gate_of(replace(NULL, p_equivalent=0.01), RULES) == Gate.EQUIVALENT
        both = replace(CLEAR, p_equivalent=0.01)
        assert gate_of(both, RULES) == Gate.DIRECTION
        assert is_equivalent(both, RULES)

    @pytest.mark.parametrize("count", [3, 5, 9])
    def test_few_blocks_only_indicate(self, count: int) -> None:
        assert gate_of(replace(CLEAR, num_blocks=count), RULES) == Gate.INDICATED

    @pytest.mark.parametrize("count", [0, 1, 2])
    def test_fewer_blocks_leave_it_open(self, count: int) -> None:
        assert gate_of(replace(CLEAR, num_blocks=count), RULES) == Gate.UNRESOLVED

    @pytest.mark.parametrize("change", [{"complete": False}, {"constant": True}])
    def test_missing_cells_and_constant_outcomes_withhold_everything(self, change: dict[str, bool]) -> None:
        evidence = replace(CLEAR, p_equivalent=0.001, beyond_effect=True, p_beyond=0.001)
        assert gate_of(replace(evidence, **change), RULES) == Gate.UNRESOLVED

    def test_interaction_comes_before_boundary(self) -> None:
        at_boundary = replace(CLEAR, at_boundary=True)
        assert gate_of(at_boundary, RULES) == Gate.BOUNDARY
        assert gate_of(replace(at_boundary, interacts=True), RULES) == Gate.INTERACTION

    def test_what_was_not_given_opens_nothing(self) -> None:
        assert math.isnan(CLEAR.p_equivalent)
        assert gate_of(NULL, RULES) == Gate.UNRESOLVED

    def test_a_look_spends_its_share(self) -> None:
        evidence = replace(CLEAR, p_holm=0.02, p_sign_flip=0.02)
        assert gate_of(evidence, Rules(alpha=0.0125)) == Gate.UNRESOLVED


class TestFamilies:
    def test_holm_of_a_textbook_family(self) -> None:
        assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])

    def test_holm_equals_statsmodels(self) -> None:
        generator = np.random.default_rng(0)
        for size in (1, 2, 7, 57):
            p_values = generator.uniform(size=size) ** 4
            assert holm(list(p_values)) == pytest.approx(multipletests(p_values, method="holm")[1])

    def test_benjamini_hochberg_of_the_same(self) -> None:
        assert benjamini_hochberg([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])

    def test_undefined_values_take_no_part(self) -> None:
        found = holm([0.02, math.nan, 0.04])
        assert found[::2] == pytest.approx([0.04, 0.04])
        assert math.isnan(found[1])
        assert holm([]) == []
