"""What is said about growth passes its gates, opens with what is largest, and says "because" only where it may."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

from reports.claims.growth_claims import about_initialisation, opening_growth, said_growth
from reports.inputs.inputs import ReportInputs
from reports.results.results import Results, compute
from tests.reports.forbidden_words import forbidden_words, unlisted_numbers
from tests.reports.odd_inputs import SMALL
from tests.reports.sample import sample_inputs

FACTORS = {"depth": (3, 7), "dropout": (0.1, 0.5), "batch_norm": (False, True)}


@pytest.fixture(scope="module")
def inputs() -> ReportInputs:
    return sample_inputs(FACTORS, rates=1)


@pytest.fixture(scope="module")
def results(inputs: ReportInputs) -> Results:
    return compute(inputs)


def test_every_contrast_has_its_sentences_and_an_interaction_one_for_each_level(
    inputs: ReportInputs, results: Results
) -> None:
    said = said_growth(inputs, results)
    assert [each.row["factor"] for each in said] == ["depth", "dropout", "batch_norm"]
    depending = [each for each in said if each.row["gate"] == "INTERACTION"]
    assert depending
    for each in depending:
        assert each.by_level is not None
        assert len(each.sentences) == 1 + len(each.by_level)


def test_the_sentences_name_no_epochs_and_only_numbers_that_they_carry(
    inputs: ReportInputs, results: Results
) -> None:
    for each in said_growth(inputs, results):
        for sentence in each.sentences:
            assert "epoch" not in sentence.text
            assert unlisted_numbers(sentence.text, [sentence.numbers, each.row]) == []
            assert forbidden_words(sentence.text, [*sentence.gates]) == []


def test_the_section_opens_with_the_largest_difference_of_each_factor(
    inputs: ReportInputs, results: Results
) -> None:
    opening = opening_growth(said_growth(inputs, results))
    assert len(opening) == 3
    assert "with dropout 0.5 rather than 0.1 reverses with" in opening[0][0].text
    assert opening[0][1].text.startswith("Without batch normalisation")
    assert opening_growth([]) == []


def test_nothing_is_said_before_a_look_is_whole(inputs: ReportInputs, results: Results) -> None:
    running = replace(results, look=replace(results.look, number=0))
    assert said_growth(inputs, running) == []


def test_growth_that_some_networks_lack_is_not_claimed() -> None:
    shallow = sample_inputs({"depth": (1, 3)}, rates=1)
    (said,) = said_growth(shallow, compute(shallow))
    assert said.row["gate"] == "UNRESOLVED"


def test_because_is_said_only_where_the_initialisation_was_set() -> None:
    assert about_initialisation(["depth", "optimizer"]) is None
    said = about_initialisation(["depth", "init_gain", "activation"])
    assert said is not None
    assert "because" in said
    assert "gain and activation" in said
    assert forbidden_words(said) == []


def test_a_study_of_two_factors_without_gradients_says_nothing() -> None:
    bare = sample_inputs(SMALL, num_blocks=3, rates=1)
    bare = replace(bare, gradients=bare.gradients.iloc[:0])
    assert said_growth(bare, compute(bare)) == []


def test_levels_that_differ_by_a_known_factor_are_said_to_differ_by_its_logarithm() -> None:
    base = sample_inputs({"depth": (3, 7)}, rates=1)
    draw = np.random.default_rng(0)
    start = base.gradients["trial_number"].map(base.trials.set_index("number")["depth"])
    noise = pd.Series(dict(zip(product(range(1, 20), range(1, 11)), draw.normal(0, 0.01, 190), strict=True)))
    keys = pd.MultiIndex.from_frame(base.gradients[["trial_number", "replicate"]])
    log_growth = np.log(1.5) + noise.reindex(keys).to_numpy()
    known = base.gradients.assign(delta_rms=np.exp(log_growth * (start - base.gradients["layer"])))
    inputs = replace(base, gradients=known)
    (said,) = said_growth(inputs, compute(inputs))
    assert said.row["gate"] == "DIRECTION"
    assert said.row["estimate"] == pytest.approx(4 * np.log(1.5), abs=0.05)


def test_what_cannot_change_the_first_weights_is_said_to_make_no_difference_and_does_not_open_the_section() -> (
    None
):
    base = sample_inputs({"optimizer": ("sgd", "adam")}, rates=1)
    by_block = 1 + 0.01 * base.gradients["replicate"] * base.gradients["layer"]
    inputs = replace(base, gradients=base.gradients.assign(delta_rms=by_block))
    (said,) = said_growth(inputs, compute(inputs))
    (sentence,) = said.sentences
    assert sentence.text.endswith("with Adam rather than SGD is exactly 0 in each of ten blocks.")
    assert unlisted_numbers(sentence.text, [sentence.numbers]) == []
    assert opening_growth([said]) == []
