"""Remarks beside the contrasts claim no more than they license."""

from __future__ import annotations

from reports.claims.remarks import about_association, about_lottery
from reports.statistics.gates import Gate
from reports.statistics.lottery import lottery
from tests.reports.balanced import table
from tests.reports.forbidden_words import forbidden_words, unlisted_numbers


def test_the_lottery_is_told_in_two_sentences() -> None:
    drawn = lottery(table({"depth": [3, 5, 7]}, noise=0.05), ["depth"], "test_loss", num_draws=2000)
    assert drawn is not None
    crown, sign = about_lottery(drawn)
    assert crown.text.startswith("In 2")
    assert "crown another configuration than the mean over all blocks does; three different" in crown.text
    assert sign.text.startswith("The difference with ")
    for sentence in (crown, sign):
        assert forbidden_words(sentence.text) == []
        assert unlisted_numbers(sentence.text, sentence.numbers) == []


def test_a_lottery_of_one_configuration_has_no_sign() -> None:
    drawn = lottery(table({"depth": [3]}), ["depth"], "test_loss", num_draws=100)
    assert drawn is not None
    assert len(about_lottery(drawn)) == 1


def test_an_association_next_to_none_is_said_to_be_that() -> None:
    sentence = about_association("total gradient growth", "test log-loss", -0.04, 540)
    assert sentence.gate is Gate.ASSOCIATION
    assert "hardly go along" in sentence.text
    assert unlisted_numbers(sentence.text, sentence.numbers) == []


def test_association_is_never_more() -> None:
    sentence = about_association("total gradient growth", "test log-loss", -0.62, 540)
    assert sentence.gate is Gate.ASSOCIATION
    assert "goes along with lower test log-loss" in sentence.text
