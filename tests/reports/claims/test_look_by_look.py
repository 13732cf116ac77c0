"""Looks of plans of version 4 in words and in report.json: what closed when, what is open, and what it cost."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from reports.claims.look_by_look import (
    about_looks,
    about_next,
    about_standing,
    looks_record,
    looks_title,
    why_withheld,
)
from reports.inputs.inputs import ReportInputs
from reports.pages.json_report import json_report
from reports.results.results import Results, compute
from tests.reports.forbidden_words import forbidden_words, unlisted_numbers
from tests.reports.looked_at import looked_at, until_clear, without
from tests.reports.sample import sample_inputs

LATER = {1: 0.08}
"""Noise that the second look overcomes."""
NEVER = {2: 0.2}
"""Noise that it does not."""


@cache
def study(case: str) -> tuple[ReportInputs, Results]:
    made = {
        "first": lambda: until_clear(),
        "later": lambda: until_clear(noise=LATER),
        "unresolved": lambda: until_clear(noise=NEVER),
        "open": lambda: until_clear(1, noise=NEVER),
        "begun": lambda: without(until_clear(2, "running", noise=NEVER), {20}),
    }[case]()
    return made, compute(made)


@cache
def report(case: str) -> dict[str, Any]:
    return json_report(*study(case))


@pytest.mark.parametrize(
    ("case", "said", "title"),
    [
        (
            "first",
            "Both questions at best are answered at ten blocks, so that no later look was needed.",
            "Both questions at best are answered at ten blocks",
        ),
        (
            "later",
            "Both questions at best are answered: one at ten blocks and one at 20 blocks.",
            "One of two questions at best is answered at ten blocks, the last at 20",
        ),
        (
            "unresolved",
            "Of two questions at best one is answered at ten blocks; one is not resolved at 20 blocks, the last "
            "planned look.",
            "One of two questions at best is answered at ten blocks; one is not resolved at 20 blocks, the last "
            "planned look",
        ),
        (
            "open",
            "Of two questions at best one is answered at ten blocks; one is still open after ten blocks.",
            "One of two questions at best is answered at ten blocks; one is still open after ten blocks",
        ),
    ],
)
def test_what_is_answered_at_which_look_is_counted(case: str, said: str, title: str) -> None:
    _, results = study(case)
    standing = about_standing(results)
    assert standing is not None
    assert standing.text == said
    assert looks_title(results) == title


def test_the_design_says_which_questions_closed_when_and_how_later_blocks_are_scored() -> None:
    design, limits = (
        report("later")["notes"][0],
        " ".join(each["sentence"] for each in report("later")["limits"]["sentences"]),
    )
    assert "for 18 epochs in ten blocks" in design
    assert "one at ten blocks and one at 20 blocks" in design
    assert "one at ten blocks (with seven hidden layers rather than three)" in limits
    assert "one at 20 blocks (with batch normalisation rather than without)" in limits
    assert (
        "scored on the validation and the test part together, for no search has read these blocks" in design
    )
    assert "use the ten blocks of the first look" in limits
    assert "scored on the validation" not in report("first")["notes"][0]


@pytest.mark.parametrize("case", ["first", "later", "unresolved", "open", "begun"])
def test_sentences_print_only_numbers_that_they_carry(case: str) -> None:
    for said in about_looks(*study(case)):
        assert forbidden_words(said.text) == []
        assert unlisted_numbers(said.text, said.numbers) == []


def test_the_next_look_is_told_with_its_cells_and_networks() -> None:
    _, results = study("open")
    said = about_next(results)
    assert said is not None
    assert said.text.startswith(
        "The next look, at 20 blocks, would train two cells for ten more blocks (20 networks);"
    )
    told = report("open")["looks"]["ahead"]["sentence"]
    assert told == f"Still open is the difference with seven hidden layers rather than three. {said.text}"
    ahead = report("open")["looks"]["next"]
    assert ahead["cells"] == [2, 4]
    assert ahead["names"][0] == "three hidden layers, batch normalisation"


def test_a_look_that_has_begun_is_told_as_such() -> None:
    _, results = study("begun")
    said = about_next(results)
    assert results.look.begun
    assert said is not None
    assert said.text.startswith("The look at 20 blocks has begun: it trains two cells")
    assert "claims are those of the last whole look" in report("begun")["notes"][0]


def test_a_question_that_stays_open_is_told_by_whether_looks_are_left() -> None:
    def sentence(case: str) -> str:
        return str(next(row["sentence"] for row in report(case)["at_best"] if row["factor"] == "depth"))

    assert "is not resolved at 20 blocks, the last planned look: compatible with" in sentence("unresolved")
    assert "is not resolved yet: compatible with" in sentence("open")
    assert "(ten blocks; the next planned look is at 20)" in sentence("open")
    assert "is not resolved at 20 blocks, the last planned look." in report("unresolved")["notes"][1]
    assert "is not resolved yet." in report("open")["notes"][1]


def test_claims_of_several_looks_are_told_with_the_span_of_their_blocks() -> None:
    assert "on this data set (ten to 20 blocks)" in report("later")["notes"][1]


def test_averages_are_said_to_stay_at_the_first_look() -> None:
    assert "Averages stay at the ten blocks of the first look" in report("later")["notes"][2]


class TestRecord:
    def test_holds_what_was_planned_decided_read_and_spent(self) -> None:
        found = report("later")["looks"]
        assert found["planned"] == [10, 20]
        assert found["reached"] == 2
        assert [each["look"] for each in found["decisions"]] == [1, 2]
        assert found["decisions"][0]["cells"] == [1, 4]
        assert [(each["factor"], each["look"], each["standing"]) for each in found["readings"]] == [
            ("depth", 1, "closed"),
            ("batch_norm", 1, "open"),
            ("batch_norm", 2, "closed"),
        ]

    def test_costs_add_up_to_the_confirm_phase(self) -> None:
        found = report("later")
        (confirm,) = (row for row in found["accounting"]["by_phase"] if row["phase"] == "confirm")
        costs = found["looks"]["cost"]
        assert [each["trials"] for each in costs] == [4, 2]
        for name in ("networks", "epochs"):
            assert sum(each[name] for each in costs) == confirm[name]
        assert sum(each["seconds"] for each in costs) == pytest.approx(confirm["seconds"], rel=1e-4)

    def test_is_null_where_a_single_look_is_planned(self) -> None:
        inputs = sample_inputs({"depth": (3, 5)}, num_blocks=10, rates=2)
        assert looks_record(inputs, compute(inputs)) is None
        assert about_looks(inputs, compute(inputs)) == []

    def test_of_a_plan_before_version_4_has_costs_and_no_decisions(self) -> None:
        inputs = looked_at(2)
        found = looks_record(inputs, compute(inputs))
        assert found is not None
        assert found["decisions"] == []
        assert [each["trials"] for each in found["cost"]] == [4, 4]

    def test_before_the_first_look_is_whole_it_has_no_reading(self) -> None:
        inputs = without(until_clear(1, "running"), {13})
        found = looks_record(inputs, compute(inputs))
        assert found is not None
        assert (found["reached"], found["readings"], found["decisions"]) == (0, [], [])


def test_what_is_described_is_of_the_first_look() -> None:
    whole, (inputs, results) = report("later"), study("later")
    first = json_report(without(inputs, {17, 18, 19, 20}), results)
    for name in (
        "best",
        "stability",
        "lottery",
        "optimism",
        "variation",
        "selection",
        "failures",
        "contrasts",
    ):
        assert whole[name] == first[name], name
    assert whole["best"]["num_blocks"] == 10


def test_a_withheld_question_is_told_as_such() -> None:
    inputs = until_clear(1)
    rates = inputs.trials["learning_rate"].max()
    ranges = {name: {"low": 1e-30, "high": rates, "log": True} for name in ("sgd", "adam", "rmsprop")}
    results = compute(replace(inputs, plan={**inputs.plan, "nuisances": {"learning_rate": ranges}}))
    said = about_standing(results)
    assert "withheld" in set(results.at_best["standing"])
    assert said is not None
    assert "withheld, for more blocks cannot answer" in said.text
    (row, *_) = results.at_best[results.at_best["standing"] == "withheld"].to_dict("records")
    assert why_withheld(row) == "a chosen learning rate lies at the end of its range"


def test_with_one_factor_what_is_told_once_names_the_look_that_it_keeps() -> None:
    inputs = until_clear(factors={"depth": (3, 7)}, noise={2: 0.08})
    found = json_report(inputs, compute(inputs))
    (best,) = (row for row in found["at_best"] if row["outcome"] == "test_loss")
    (only,) = (row for row in found["contrasts"] if row["outcome"] == "test_loss")
    assert (only["look"], only["num_blocks"]) == (best["look"], best["num_blocks"]) == (2, 20)
    assert "Averages stay" not in found["notes"][2]
    assert "more blocks would narrow" not in found["notes"][2]
