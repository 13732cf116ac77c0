"""Plans of versions 1 and 2 keep the rules by which their claims were licensed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from reports.results.looks import rules_at
from reports.statistics.contrasts import contrasts
from reports.statistics.gates import Gate, Rules
from reports.statistics.holm import holm, read_p_values
from tests.reports.balanced import table

NUMBERS = {"p_holm": 0.001, "p_sign_flip": 0.002, "p_equivalent": math.nan, "p_beyond": math.nan}
ROW = {**NUMBERS, "ci_low": 0.01, "ci_high": 0.05, "smallest_effect": 0.02}
RULES = Rules(holm=True)


def held(**changes: float) -> set[str]:
    return {name for name, holds in read_p_values({**ROW, **changes}, RULES).items() if holds}


class TestHolm:
    def test_of_a_textbook_family(self) -> None:
        assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])

    def test_equals_statsmodels(self) -> None:
        generator = np.random.default_rng(0)
        for size in (1, 2, 7, 57):
            p_values = generator.uniform(size=size) ** 4
            assert holm(list(p_values)) == pytest.approx(multipletests(p_values, method="holm")[1])

    def test_undefined_values_take_no_part(self) -> None:
        found = holm([0.02, math.nan, 0.04])
        assert found[::2] == pytest.approx([0.04, 0.04])


class TestOldRules:
    def test_direction_needs_both_tests(self) -> None:
        assert held() == {"direction"}
        assert held(p_holm=0.05) == held(p_sign_flip=0.0625) == set()

    def test_meaningful_needs_the_family_and_the_interval(self) -> None:
        beyond = {"p_beyond": 0.001, "ci_low": 0.03}
        assert held(**beyond) == {"direction", "meaningful"}
        assert held(**beyond | {"p_beyond": 0.03}) == {"direction"}
        assert held(**beyond | {"ci_low": 0.01}) == {"direction"}

    def test_equivalence_is_a_test_of_its_own(self) -> None:
        assert held(p_equivalent=0.01, p_holm=0.6) == {"equivalent"}

    def test_contrasts_have_holms_p_and_no_simultaneous_interval(self) -> None:
        frame = table({"depth": [3, 5, 7]}, lambda cell: 0.1 * (cell["depth"] == 7))
        found = contrasts(frame, ["depth"], "test_loss", 0.02, rules=RULES)
        assert found["simultaneous_low"].isna().all()
        assert found["p_holm"].to_list() == pytest.approx(
            multipletests(found["p"], method="holm")[1].tolist()
        )
        assert found["gate"].to_list()[1] == Gate.MEANINGFUL
        ratio = (found["sample_high"] - found["sample_low"]) / (found["ci_high"] - found["ci_low"])
        assert ratio.to_list() == pytest.approx([math.sqrt(1 + 10 / 3)] * 2)
        assert found["beyond_sample"].to_list()[1]

    def test_a_look_spends_its_share_in_every_family(self) -> None:
        rules = rules_at([10, 20], 10)
        assert rules.alpha == pytest.approx(0.025)
        assert rules.holm
