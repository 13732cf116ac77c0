"""Each gate gives its own wording, no more than it licenses, with every number traceable."""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar

import numpy as np
import pytest

from reports.claims.claims import about_contrast, about_family
from reports.claims.remarks import about_association, about_budget, about_saturation
from reports.statistics.contrasts import at_best, contrasts, interactions, simple_effects
from reports.statistics.families import Family
from reports.statistics.gates import Gate, Rules
from reports.wording.phrases import Sentence, Setting
from tests.reports.balanced import DEPTH_STUDY, Truth, table, zero
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
        assert "with seven hidden layers rather than five (ten blocks), exceeding" in sentence.text
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

    def test_indicated_across_zero_is_too_early_to_say(self) -> None:
        sentence = say(num_blocks=4, noise=0.05)
        assert sentence.gate is Gate.INDICATED
        assert "it is too early to say: the difference in test log-loss" in sentence.text
        assert sentence.text.endswith("(four blocks), and a claim needs ten blocks at least.")

    def test_the_price_is_that_of_the_family(self) -> None:
        frame = table(ONE, worse(0.03), num_blocks=9, noise=0.01)
        alone, one_of_many = (
            about_contrast(
                contrasts(frame, ["depth"], "test_loss", 0.02, family=family).to_dict("records")[0], SETTING
            )[0]
            for family in (Family(num_hypotheses=1), Family(share=0.025, num_hypotheses=7))
        )
        assert one_of_many.numbers["more_blocks"] >= alone.numbers["more_blocks"]

    def test_one_that_fails_the_sign_flip_check_says_so(self) -> None:
        row = contrasts(table(ONE, worse(0.1)), ["depth"], "test_loss", 0.02).to_dict("records")[0]
        failing = {**row, "gate": "UNRESOLVED", "fails_sign_flip": True, "p_sign_flip": 0.0625}
        text = about_contrast(failing, SETTING)[0].text
        assert text.endswith("(ten blocks; it fails the sign-flip check, p = 0.062).")

    @pytest.mark.parametrize(
        ("difference", "words"), [(0.1, "is +0.100 nats in each"), (0.0, "is exactly 0 in each")]
    )
    def test_a_difference_without_spread_claims_nothing_and_says_why(
        self, difference: float, words: str
    ) -> None:
        sentence = say(worse(difference), noise=0.0)
        assert sentence.gate is Gate.UNRESOLVED
        assert f"{words} of ten blocks" in sentence.text
        assert ("leaves no spread" in sentence.text) == (difference > 0)

    def test_what_a_plan_of_version_2_claims_is_told_as_it_was(self) -> None:
        sentence = say(worse(0.1), rules=Rules(holm=True))
        assert "with seven hidden layers rather than five (ten blocks, p <" in sentence.text
        assert "This is expected for new samples of this population, too" in sentence.text

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

    def test_errors_are_spoken_of_as_the_share_that_is_right(self) -> None:
        frame = table(ONE, worse(0.1)).rename(columns={"test_loss": "test_error"})
        row = contrasts(frame, ["depth"], "test_error", 0.005).to_dict("records")[0]
        text = about_contrast(row, SETTING)[0].text
        assert text.startswith("The share of right answers on the test part after 18 epochs is lower by ")
        assert "exceeding the smallest effect of interest (0.5 percentage points)" in text
        low, high = re.findall(r"\[([\d.]+) to ([\d.]+)\]", text)[0]
        assert 0 < float(low) < float(high)


class TestAtBest:
    """Both cells are named, and what else differs between them; one pair of cells is told once."""

    LEVELS: ClassVar[dict[str, list[Any]]] = {"depth": [5, 7], "optimizer": ["sgd", "adam"]}

    def told(self, better: Truth, outcome: str = "test_loss", **settings: Any) -> list[Sentence]:
        frame = table(self.LEVELS, worse(0.1)).rename(columns={"test_loss": outcome})
        cells = frame[frame["block"] == 0].drop(columns=["block", outcome])
        objective = [
            better({str(name): level for name, level in cell.items()}) for cell in cells.to_dict("records")
        ]
        search = cells.assign(objective=objective)
        found = at_best(frame, list(self.LEVELS), outcome, search, 0.02, **settings)
        said = about_family(found, SETTING, "each at its best cell")
        for sentence in [sentence for each in said for sentence in each]:
            assert unlisted_numbers(sentence.text, sentence.numbers) == []
        return [each[0] for each in said]

    def test_cells_are_named_and_the_claim_is_of_this_data_set(self) -> None:
        first, _ = self.told(lambda cell: cell["depth"] + (cell["optimizer"] == "sgd"))
        assert " with seven hidden layers rather than five on this data set (ten blocks)" in first.text
        assert first.text.endswith(
            " The cells are those that the search selected, seven hidden layers, Adam against five hidden layers, "
            "Adam: nothing else differs."
        )

    def test_the_same_two_cells_are_told_once(self) -> None:
        first, second = self.told(lambda cell: float((cell["depth"] == 5) == (cell["optimizer"] == "sgd")))
        assert first.text.endswith("the optimizer differs, too.")
        assert second.text == (
            "Each at its best cell, with Adam rather than SGD the same two cells are compared as with seven hidden "
            "layers rather than five: the difference is the same, with the other sign."
        )
        assert second.gate is first.gate

    def test_beyond_sample_says_more_than_this_data_set(self) -> None:
        beyond = Family(share=0.0025, num_hypotheses=2)
        first, _ = self.told(lambda cell: cell["depth"] + (cell["optimizer"] == "sgd"), beyond=beyond)
        assert Gate.BEYOND_SAMPLE in first.gates
        assert " It is also expected for new data from the same source (+0.0" in first.text
        assert "on this data set" not in first.text

    def test_per_cent_right_of_both_cells(self) -> None:
        first, _ = self.told(lambda cell: cell["depth"] + (cell["optimizer"] == "sgd"), "test_error")
        assert re.search(r"\(\d\d\.\d.% against \d\d\.\d.%, ten blocks\)", first.text)

    def test_a_level_whose_cells_all_failed_is_told(self) -> None:
        frame = table(self.LEVELS).query("depth == 5")
        search = frame[frame["block"] == 0].drop(columns=["block"]).rename(columns={"test_loss": "objective"})
        levels = {**self.LEVELS, "optimizer": ("sgd", "adam")}
        found = at_best(frame, ["depth"], "test_loss", search, 0.02, levels=levels)
        ((sentence,),) = about_family(found, SETTING, "each at its best cell")
        assert sentence.gate is Gate.UNRESOLVED
        assert sentence.text.endswith(
            "every trial of the search failed with seven hidden layers, so there is nothing to compare."
        )


class TestInteraction:
    def family(self) -> tuple[dict[Any, Any], Any]:
        frame = table(DEPTH_STUDY, lambda cell: 0.3 * (cell["depth"] == 7) * (cell["dropout"] == 0.5))
        row = contrasts(frame, ["depth"], "test_loss", 0.02).to_dict("records")[1]
        simple = simple_effects(frame, list(DEPTH_STUDY), "test_loss", 0.02)
        mine = (simple["factor"] == "depth") & (simple["level_b"] == 7) & (simple["by"] == "dropout")
        return row, simple[mine]

    def change(self) -> dict[Any, Any]:
        frame = table(DEPTH_STUDY, lambda cell: 0.3 * (cell["depth"] == 7) * (cell["dropout"] == 0.5))
        found = interactions(frame, list(DEPTH_STUDY), "test_loss", 0.02)
        return max(found.to_dict("records"), key=lambda each: abs(each["estimate"]))

    def test_one_sentence_then_one_per_level(self) -> None:
        row, by_level = self.family()
        said = about_contrast(row, SETTING, "averaged over the other factors", by_level, self.change())
        assert [sentence.gate for sentence in said] == [
            Gate.INTERACTION,
            Gate.EQUIVALENT,
            Gate.EQUIVALENT,
            Gate.MEANINGFUL,
        ]
        assert said[0].text.startswith(
            "How the test log-loss changes with seven hidden layers rather than five depends on dropout: with dropout "
            "0.5 rather than 0.3 the difference with seven hidden layers rather than five is higher by 0."
        )
        assert said[0].text.endswith("(on the scale of differences, ten blocks).")
        assert said[3].text.startswith(
            "At dropout 0.5, averaged over batch normalisation and the optimizer, the test log-loss after 18 epochs is "
            "higher by 0."
        )

    def test_what_is_not_stated_only_withholds_the_average(self) -> None:
        row, by_level = self.family()
        first = about_contrast(row, SETTING, "", by_level)[0]
        assert first.gate is Gate.UNRESOLVED
        assert first.text == (
            "No average over the other factors is given for test log-loss with seven hidden layers rather than five: "
            "it may differ by dropout."
        )

    def test_it_reverses_only_where_both_signs_are_claimed(self) -> None:
        row, by_level = self.family()
        turned = by_level.assign(estimate=[-0.3, 0.0, 0.3], direction=[True, False, True])
        assert "reverses with dropout" in about_contrast(row, SETTING, "", turned)[0].text
        one = turned.assign(direction=[True, False, False])
        assert "reverses" not in about_contrast(row, SETTING, "", one)[0].text

    def test_deeper_slices_are_described_beside(self) -> None:
        row, by_level = self.family()
        slices = {"by": "batch_norm", "levels": [False, True], "estimates": [0.5, 0.1]}
        said = about_contrast(row, SETTING, "", by_level.assign(slices=[None, None, slices]))
        assert said[3].text.endswith(
            " Within that it is +0.500 nats without batch normalisation and +0.100 nats with batch normalisation "
            "(described, not claimed)."
        )
        assert unlisted_numbers(said[3].text, said[3].numbers) == []

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
        *about_contrast(row, SETTING, "", by_level, TestInteraction().change()),
        about_budget("depth", [(7, 0.333)], 18),
        about_saturation(0.981),
        about_association("total gradient growth", "test log-loss", 0.62, 540),
        about_association("total gradient growth", "test log-loss", math.nan, 540),
    ]


@pytest.mark.parametrize("sentence", every_sentence(), ids=lambda sentence: str(sentence.gate))
def test_every_sentence_passes_the_lint(sentence: Sentence) -> None:
    assert forbidden_words(sentence.text, [sentence.gate] if sentence.gate else []) == []
    assert unlisted_numbers(sentence.text, sentence.numbers) == []
    assert sentence.text[0].isupper()
    assert sentence.text.endswith(".")
