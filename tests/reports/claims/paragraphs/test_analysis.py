"""The analysis says what was compared, found and spent, never over-claims, and prints no number from nowhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from reports.claims.answers import said_at_best, said_averaged
from reports.claims.paragraphs.analysis import notes
from reports.claims.paragraphs.limits import untested
from reports.claims.paragraphs.paragraph import Paragraph
from reports.inputs.inputs import ReportInputs
from reports.results.best import best_configuration, confirmed_configurations
from reports.results.results import compute
from tests.reports.forbidden_words import forbidden_words, unlisted_numbers
from tests.reports.odd_inputs import SMALL
from tests.reports.reported import full
from tests.reports.sample import sample_inputs, sample_tuning


def smoke() -> ReportInputs:
    return sample_inputs(SMALL, num_blocks=3, rates=3)


def sweep() -> ReportInputs:
    return sample_tuning(budget=20, num_blocks=10)


def interrupted() -> ReportInputs:
    return replace(smoke(), state="interrupted")


def one_factor() -> ReportInputs:
    return sample_inputs({"depth": (3, 5)}, num_blocks=10, rates=3)


def one_level() -> ReportInputs:
    return sample_inputs({"depth": (3,)}, num_blocks=10, rates=3)


def one_block() -> ReportInputs:
    return sample_inputs(SMALL, num_blocks=1, rates=3)


def before_confirming() -> ReportInputs:
    study = smoke()
    search = study.trials[study.trials["phase"] == "search"]
    numbers = set(search["number"])
    frames = {name: getattr(study, name) for name in ("replicates", "epochs", "gradients")}
    kept = {name: frame[frame["trial_number"].isin(numbers)] for name, frame in frames.items()}
    return replace(study, state="running", trials=search, **kept)


def all_diverged() -> ReportInputs:
    study = one_factor()
    lost = dict.fromkeys(("val_loss", "val_accuracy", "test_loss", "test_accuracy"), np.nan)
    return replace(
        study, replicates=study.replicates.assign(outcome="diverged", verdict_trained="DIVERGED", **lost)
    )


STUDIES = (full, smoke, sweep, interrupted, one_factor, one_level, one_block, before_confirming, all_diverged)


@cache
def paragraphs(study: Callable[[], ReportInputs]) -> tuple[Paragraph, Paragraph, Paragraph]:
    inputs = study()
    results = compute(inputs)
    return notes(
        inputs,
        results,
        best=best_configuration(inputs, results),
        confirmed=confirmed_configurations(inputs, results),
        at_best=said_at_best(inputs, results) if inputs.has_cells else [],
        averaged=said_averaged(inputs, results) if inputs.has_cells else [],
    )


@pytest.mark.parametrize("study", STUDIES)
def test_no_word_is_forbidden_and_every_number_is_listed(study: Callable[[], ReportInputs]) -> None:
    for paragraph in paragraphs(study):
        assert forbidden_words(paragraph.text) == []
        assert unlisted_numbers(paragraph.text, paragraph.numbers) == []
        assert "nan" not in paragraph.text.lower().split()
        assert "  " not in paragraph.text


def test_a_whole_study_names_design_findings_and_limits() -> None:
    design, performance, limits = (paragraph.text for paragraph in paragraphs(full))
    assert "every combination, 54 cells in all" in design
    assert "in ten blocks" in design
    assert "0.02 nats of test log-loss as the smallest effect" in design
    assert "Each at its best cell, " in performance
    assert "depends on another factor: for the number of hidden layers on dropout" in performance
    assert (
        "at dropout 0.5, averaged over batch normalisation and the optimizer it is higher by" in performance
    )
    assert "another factor, so that no average is given: for dropout on the number of" in performance
    assert " on this data set (ten blocks)." in performance
    assert "with seven hidden layers rather than five" in performance
    assert "confirmed networks" in limits
    assert "of theory" in limits
    assert "Not tested were other data than digits" in limits


def test_few_blocks_claim_nothing_and_say_why() -> None:
    design, performance, _ = (paragraph.text for paragraph in paragraphs(smoke))
    assert "describes and claims nothing" in design
    assert "cannot fall below 0.25" in design
    assert "nothing is claimed, and the blocks so far are too few to say more than" in performance
    for word in ("higher by", "lower by", "practically equal", "exceeding"):
        assert word not in performance


def test_a_sweep_speaks_of_configurations_and_never_of_levels() -> None:
    design, performance, limits = (paragraph.text for paragraph in paragraphs(sweep))
    assert "compares configurations and never levels" in design
    assert "The stated default has a test log-loss of" in performance
    for text in (performance, limits):
        assert "rather than" not in text


@pytest.mark.parametrize("study", [interrupted, before_confirming])
def test_an_unfinished_study_withholds_its_claims(study: Callable[[], ReportInputs]) -> None:
    design, performance, _ = (paragraph.text for paragraph in paragraphs(study))
    assert "is not finished" in design
    assert "every claim is withheld" in design
    assert "rather than" not in performance


def test_networks_that_all_diverged_are_no_evidence_of_equality() -> None:
    _, performance, limits = (paragraph.text for paragraph in paragraphs(all_diverged))
    assert "practically equal" not in performance
    assert "not resolved" in performance
    assert "20 diverged" in limits


def test_the_limits_name_the_ranges_under_which_optimizers_were_compared() -> None:
    study = full()
    said = paragraphs(full)[2].text
    assert "optimizers compare only under these ranges (learning rates from " in said
    assert " for SGD; " in said
    assert " for Adam and RMSprop) and this budget" in said
    others = {name: levels for name, levels in study.factors.items() if name != "optimizer"}
    assert "optimizers" not in untested(replace(study, factors=others)).text


def test_the_limits_say_where_pictures_are_too_small_for_convolutions() -> None:
    study = full()
    small = replace(study, plan={**study.plan, "model": "cnn", "dataset": "digits"})
    assert "show the mechanics only" in untested(small).text
    assert "mechanics" not in untested(study).text
    assert "mechanics" not in untested(replace(small, plan={**small.plan, "dataset": "fashion_mnist"})).text


def test_a_list_that_is_held_fixed_is_no_column() -> None:
    study = smoke()
    fixed = {**study.plan["fixed"], "betas": [0.9, 0.999]}
    results = compute(replace(study, plan={**study.plan, "fixed": fixed}))
    assert len(results.chosen) == len(compute(study).chosen)
