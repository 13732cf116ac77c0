"""Remarks beside the contrasts claim no more than they license."""

from __future__ import annotations

import math

from reports.claims.remarks import about_association, about_both_best, about_lottery
from reports.statistics.association import Association, Stratum
from reports.statistics.gates import Gate
from reports.statistics.lottery import lottery
from tests.reports.balanced import table
from tests.reports.forbidden_words import forbidden_words, unlisted_numbers

GROWTH, LOSS = "total gradient growth", "test log-loss"
STRATA = (
    Stratum(factor="batch_norm", level=False, correlation=0.8, num_cells=27),
    Stratum(factor="batch_norm", level=True, correlation=-0.6, num_cells=27),
)
DISAGREEING = Association(
    strata=STRATA, agree=False, factor=None, correlation=math.nan, low=math.nan, high=math.nan
)


def agreeing(low: float, high: float) -> Association:
    return Association(
        strata=STRATA[:1], agree=True, factor="batch_norm", correlation=(low + high) / 2, low=low, high=high
    )


def test_the_lottery_tells_the_crown_and_the_claimed_difference_that_is_most_often_wrong() -> None:
    rows = table({"depth": [3, 5, 7]}, noise=0.05)
    claimed = {("depth", 3, 5): 0.001, ("depth", 5, 7): 0.9}
    drawn = lottery(rows, ["depth"], "test_loss", at_best=claimed)
    assert drawn is not None
    crown, sign = about_lottery(drawn)
    assert "Of the ten sweeps that these networks hold, one a block" in crown.text
    assert "Of the differences whose direction is claimed, that with " in sign.text
    for sentence in (crown, sign):
        assert forbidden_words(sentence.text) == []
        assert unlisted_numbers(sentence.text, sentence.numbers) == []


def test_without_a_claimed_direction_no_sign_is_wrong() -> None:
    drawn = lottery(table({"depth": [3, 5, 7]}, noise=0.05), ["depth"], "test_loss")
    assert drawn is not None
    _, sign = about_lottery(drawn)
    assert sign.text.startswith("No direction is claimed at best")
    assert "%" not in sign.text


def test_a_lottery_of_one_configuration_has_no_sign() -> None:
    drawn = lottery(table({"depth": [3]}), ["depth"], "test_loss")
    assert drawn is not None
    assert len(about_lottery(drawn)) == 1


def test_two_best_configurations_are_joined_by_what_lies_between_them() -> None:
    said = about_both_best("depth 5", "depth 3", (0.0021, -0.0013, 0.0054), 10)
    assert "is that of depth 3; the best configuration of this report is depth 5" in said.text
    assert "0.002 nats [−0.001 to 0.005]" in said.text
    assert unlisted_numbers(said.text, [said.numbers, "3", "5"]) == []
    assert forbidden_words(said.text) == []


def test_of_strata_that_disagree_nothing_is_said() -> None:
    said = about_association(GROWTH, LOSS, DISAGREEING)
    assert said.gate is None
    assert "goes along" not in said.text
    assert "runs from −0.60 with batch normalisation to 0.80 without batch normalisation" in said.text
    assert unlisted_numbers(said.text, said.numbers) == []


def test_an_association_is_worded_by_its_interval() -> None:
    said = about_association(GROWTH, LOSS, agreeing(-0.8, -0.4))
    assert said.gate is Gate.ASSOCIATION
    assert "goes along with lower test log-loss" in said.text
    assert "−0.60 [−0.80 to −0.40]" in said.text
    unclear = about_association(GROWTH, LOSS, agreeing(-0.1, 0.5))
    assert unclear.gate is Gate.UNRESOLVED
    assert "not resolved" in unclear.text
    for each in (said, unclear):
        assert unlisted_numbers(each.text, each.numbers) == []
        assert forbidden_words(each.text) == []
