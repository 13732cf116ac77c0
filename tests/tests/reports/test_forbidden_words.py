"""The lint finds forbidden words and numbers from nowhere, and lets the rest pass."""

from __future__ import annotations

import pytest

from reports.statistics.gates import Gate
from tests.reports.forbidden_words import forbidden_words, unlisted_numbers


@pytest.mark.parametrize(
    "text",
    [
        "This proves it.",
        "Depth has no effect.",
        "an optimal rate",
        "Dropout causes this.",
        "because of a causal path",
        "a significant difference",
        "not significantly lower",
        "Adam is the strongest optimizer.",
        "the worst of all",
        "the most stable level",
        "the best optimizer",
    ],
)
def test_what_may_not_be_said(text: str) -> None:
    assert len(forbidden_words(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "The best configuration, at best, in its best cell.",
        "The interval improves; approval was proverbial.",
        "Six significant digits are kept.",
        "Because the initialisation was set, gradients vanish.",
        "The loss is lower by 0.02 nats.",
    ],
)
def test_what_may(text: str) -> None:
    assert forbidden_words(text) == []


def test_a_superlative_needs_a_direction() -> None:
    assert forbidden_words("Adam is superior.", [Gate.MEANINGFUL]) == []
    assert forbidden_words("Adam is superior.", [Gate.EQUIVALENT]) == ["superior"]


class TestNumbers:
    def test_roundings_signs_and_percentages_are_listed(self) -> None:
        numbers = {"estimate": -0.08312, "share": 0.9751, "deep": [{"p": 0.0004}, None, True], "count": 3780}
        text = "lower by 0.083 (−0.0831) in 97.5 % and 98 % of 3\u202f780 and 3,780 (p < 0.001)"
        assert unlisted_numbers(text, numbers) == []

    @pytest.mark.parametrize("text", ["0.084", "0.0832", "97.6 %", "3781", "p < 0.0001", "1e-5"])
    def test_others_are_not(self, text: str) -> None:
        numbers = {"estimate": -0.08312, "share": 0.9751, "p": 0.0004, "count": 3780}
        assert len(unlisted_numbers(text, numbers)) == 1

    def test_exponents(self) -> None:
        assert unlisted_numbers("a rate of 1.2e-05 and 3e−4", [1.234e-5, 0.0003]) == []

    def test_numbers_within_texts_count(self) -> None:
        assert unlisted_numbers("18 epochs at 0.5", ["0.5", "after 18 epochs"]) == []

    def test_digits_within_words_are_no_numbers(self) -> None:
        assert unlisted_numbers("SHA256 and v0.1 of cifar10", []) == []
