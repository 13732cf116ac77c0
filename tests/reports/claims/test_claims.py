"""Each gate gives its own wording, no more than it licenses, with every number traceable."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from reports.claims.claims import about_contrast, about_family
from reports.claims.remarks import about_association, about_budget, about_saturation
from reports.statistics.contrasts import contrasts, simple_effects
from reports.statistics.gates import Gate
from reports.wording.phrases import Sentence, Setting
from tests.reports.balanced import DEPTH_STUDY, Truth, table, zero
from tests.reports.claims.test_remarks import DISAGREEING, agreeing
from tests.reports.forbidden_words import forbidden_words, unlisted_numbers

SETTING = Setting(epochs=18, seconds_per_block=30.0)
ONE: dict[str, list[Any]] = {"depth": [5, 7]}


def worse(amount: float) -> Truth:
    return lambda cell: amount * (cell["depth"] == 7)


def say(
    truth: Truth = zero,
    *,
    num_blocks: int = 10,
    noise: float = 0.01,
    setting: Setting = SETTING,
    **arguments: Any,
) -> Sentence:
    frame = table(ONE, truth, num_blocks=num_blocks, noise=noise)
    frame.loc[frame.index[: arguments.pop("missing", 0)], "test_loss"] = np.nan
    family = contrasts(frame, ["depth"], "test_loss", smallest_effect=0.02, **arguments)
    (said,) = about_family(family, setting, "averaged over the other factors")
    (sentence,) = said
    return sentence


class TestWording:
    def test_meaningful(self) -> None:
        sentence = say(worse(0.1))
        assert sentence.gate is Gate.MEANINGFUL
        assert sentence.text.startswith(
            "Averaged over the other factors, the test log-loss after 18 epochs is higher by 0."
        )
        assert "with seven hidden layers rather than five (ten blocks, p " in sentence.text
        assert ", exceeding the smallest effect of interest (0.02 nats)." in sentence.text

    def test_lower_prints_magnitudes(self) -> None:
        sentence = say(worse(-0.1))
        assert "is lower by 0.1" in sentence.text or "is lower by 0.09" in sentence.text
        assert "[−" not in sentence.text

    def test_direction_and_practical_equality_are_both_said(self) -> None:
        sentence = say(worse(0.012), noise=0.002)
        assert (sentence.gate, Gate.EQUIVALENT in sentence.gates) == (Gate.DIRECTION, True)
        assert "is higher by" in sentence.text
        assert "practically equal all the same (within ±0.02 nats)" in sentence.text

    def test_equivalent(self) -> None:
        sentence = say(noise=0.002)
        assert sentence.gate is Gate.EQUIVALENT
        assert (
            "is practically equal (within ±0.02 nats) with five and with seven hidden layers" in sentence.text
        )

    def test_unresolved_names_what_is_compatible(self) -> None:
        sentence = say(noise=0.05)
        assert sentence.gate is Gate.UNRESOLVED
        assert "is not resolved: compatible with −0." in sentence.text

    def test_indicated_names_the_price(self) -> None:
        sentence = say(worse(0.1), num_blocks=5)
        assert sentence.gate is Gate.INDICATED
        assert "points to +0." in sentence.text
        assert "five more blocks (about three minutes) are needed to claim it." in sentence.text

    def test_indicated_across_zero_leaves_both_directions_open(self) -> None:
        assert "either direction remaining possible" in say(num_blocks=4, noise=0.05).text

    def test_boundary(self) -> None:
        sentence = say(worse(0.1), boundary={"depth": {7: 0.5}})
        assert sentence.gate is Gate.BOUNDARY
        assert sentence.text.endswith("limited by the range of learning rates, so nothing is claimed.")

    def test_one_block_missing_cells_and_constant_outcomes_say_so(self) -> None:
        assert "one block gives +0.1" in say(worse(0.1), num_blocks=1, noise=0.0).text
        assert "cells are missing, so nothing is claimed" in say(worse(0.1), missing=1).text
        assert "no block has both" in say(missing=10).text
        flat = table(ONE).assign(test_loss=math.log(10))
        row = contrasts(flat, ["depth"], "test_loss").to_dict("records")[0]
        assert "every network compared scores the same" in about_contrast(row, SETTING)[0].text

    def test_beyond_sample_is_withheld_on_an_official_test_set(self) -> None:
        sentence = say(worse(0.1))
        assert Gate.BEYOND_SAMPLE in sentence.gates
        assert "expected for new samples of this population" in sentence.text
        official = say(worse(0.1), setting=Setting(epochs=18, official_test=True))
        assert official.gates == ()
        assert "new samples" not in official.text

    def test_errors_are_spoken_of_in_points(self) -> None:
        frame = table(ONE, worse(0.1)).rename(columns={"test_loss": "test_error"})
        row = contrasts(frame, ["depth"], "test_error", 0.005).to_dict("records")[0]
        text = about_contrast(row, SETTING)[0].text
        assert "the test error after 18 epochs is higher by" in text.lower()
        assert "exceeding the smallest effect of interest (0.5 percentage points)" in text


class TestInteraction:
    def family(self) -> tuple[dict[Any, Any], Any]:
        frame = table(DEPTH_STUDY, lambda cell: 0.3 * (cell["depth"] == 7) * (cell["dropout"] == 0.5))
        row = contrasts(frame, ["depth"], "test_loss", 0.02).to_dict("records")[1]
        simple = simple_effects(frame, list(DEPTH_STUDY), "test_loss", 0.02)
        mine = (simple["factor"] == "depth") & (simple["level_b"] == 7) & (simple["by"] == "dropout")
        return row, simple[mine]

    def test_one_sentence_then_one_per_level(self) -> None:
        row, by_level = self.family()
        said = about_contrast(row, SETTING, "averaged over the other factors", by_level)
        assert [sentence.gate for sentence in said] == [
            Gate.INTERACTION,
            Gate.EQUIVALENT,
            Gate.EQUIVALENT,
            Gate.MEANINGFUL,
        ]
        assert said[0].text == (
            "How the test log-loss changes with seven hidden layers rather than five depends on dropout."
        )
        assert said[3].text.startswith("At dropout 0.5, the test log-loss after 18 epochs is higher by 0.3")

    def test_without_simple_effects_nothing_is_said(self) -> None:
        row, _ = self.family()
        with pytest.raises(ValueError, match="give by_level"):
            about_contrast(row, SETTING)


def every_sentence() -> list[Sentence]:
    row, by_level = TestInteraction().family()
    return [
        say(worse(0.1)),
        say(worse(-0.1)),
        say(worse(0.012), noise=0.002),
        say(noise=0.002),
        say(noise=0.05),
        say(worse(0.1), num_blocks=5),
        say(num_blocks=1),
        say(missing=1),
        say(missing=10),
        say(boundary={"depth": {7: 0.5}}),
        *about_contrast(row, SETTING, "", by_level),
        about_budget("depth", [(7, 0.333)], 18),
        about_saturation(0.981),
        about_association("total gradient growth", "test log-loss", agreeing(0.2, 0.7)),
        about_association("total gradient growth", "test log-loss", DISAGREEING),
    ]


@pytest.mark.parametrize("sentence", every_sentence(), ids=lambda sentence: str(sentence.gate))
def test_every_sentence_passes_the_lint(sentence: Sentence) -> None:
    assert forbidden_words(sentence.text, [sentence.gate] if sentence.gate else []) == []
    assert unlisted_numbers(sentence.text, sentence.numbers) == []
    assert sentence.text[0].isupper()
    assert sentence.text.endswith(".")
