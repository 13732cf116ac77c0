"""What opens the page: gated sentences about the first factor, and none before a study is complete."""

from dataclasses import replace

from reports.claims.answers import opening, said_at_best, said_averaged
from reports.results.results import compute
from reports.statistics.gates import Gate
from tests.reports.sample import sample_inputs

INPUTS = sample_inputs({"depth": (3, 7), "dropout": (0.1, 0.5)}, num_blocks=10, rates=3)
RESULTS = compute(INPUTS)


def test_every_contrast_has_its_sentences_in_order() -> None:
    said = said_averaged(INPUTS, RESULTS)
    assert [each.row["factor"] for each in said] == list(RESULTS.contrasts["factor"])
    assert all(each.text for each in said)
    assert len(said_at_best(INPUTS, RESULTS)) == len(RESULTS.at_best)


def test_a_contrast_that_depends_on_another_factor_has_a_sentence_for_each_level_of_it() -> None:
    said = next(each for each in said_averaged(INPUTS, RESULTS) if each.row["gate"] == Gate.INTERACTION)
    assert said.by_level is not None
    assert set(said.by_level["by_level"]) == {0.1, 0.5}
    assert len(said.sentences) == 1 + len(said.by_level)


def test_the_opening_is_about_the_first_factor_at_best_first_and_names_the_largest_simple_effect() -> None:
    sentences = opening(said_at_best(INPUTS, RESULTS), said_averaged(INPUTS, RESULTS))
    assert len(sentences) == 3
    assert sentences[0].text.startswith("Each at its best cell, ")
    assert sentences[1].gate is Gate.INTERACTION
    assert sentences[2].text.startswith("At dropout 0.5, ")
    assert all("hidden layers" in sentence.text for sentence in sentences)


def test_claims_are_withheld_until_the_study_is_complete() -> None:
    running = replace(INPUTS, state="running")
    results = compute(running)
    assert said_at_best(running, results) == said_averaged(running, results) == []
    assert opening([], []) == []
