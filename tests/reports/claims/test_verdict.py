"""The verdict: what each gate licenses in everyday words, for every study of the catalog and for odd ones."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from reports.claims.paragraphs.short import MOST_WORDS, num_words
from reports.claims.plain_words import STATUSES, Outcome, Step, outcome_of, short, told
from reports.claims.verdict import gist
from reports.inputs.measures import TEST_LOG_LOSS, Measure
from reports.pages.analysis_file import analysis_file
from reports.pages.json_report import json_report
from reports.results.results import compute
from reports.statistics.gates import Gate
from reports.wording.phrases import speaking_of
from tests.reports.catalog_studies import CATALOG, COMPARED, catalog_inputs
from tests.reports.forbidden_words import forbidden_words, unlisted_numbers
from tests.reports.odd_inputs import SMALL, odd_inputs
from tests.reports.own_metrics import own
from tests.reports.reported import STUDIES
from tests.reports.sample import sample_inputs

JARGON = re.compile(r"\b(cells?|(?<!convolution )blocks?|nats|at best|Holm|simultaneous)\b", re.IGNORECASE)
GAIN = Measure(name="test_gain", title="test gain", unit="dB", lower_is_better=False, is_own=True)
# Reports that take long to make stand in the slower tests of whole pages.
CASES = [case for case in STUDIES if case not in ("full", "evaluated")]


@cache
def report_of(case: str) -> dict[str, Any]:
    inputs = STUDIES[case]()
    with speaking_of(str(inputs.plan["model"])):
        return json_report(inputs, compute(inputs))


@cache
def catalog_report(name: str, num_blocks: int) -> dict[str, Any]:
    inputs = catalog_inputs(name, num_blocks)
    with speaking_of(str(inputs.plan["model"])):
        return json_report(inputs, compute(inputs))


def said(verdict: dict[str, Any]) -> list[str]:
    return [verdict["sentence"], *verdict["facts"]]


def row(gate: Gate, estimate: float = 0.03, factor: str = "depth", **more: Any) -> dict[str, Any]:
    return {
        "factor": factor,
        "level_a": 3,
        "level_b": 5,
        "gate": gate,
        "estimate": estimate,
        "simultaneous_low": estimate - 0.01,
        "simultaneous_high": estimate + 0.01,
        "smallest_effect": 0.02,
        "equivalent": False,
        **more,
    }


def step(outcome: Outcome, first: Any = 3, second: Any = 5, factor: str = "depth", **more: Any) -> Step:
    return Step(factor=factor, level_a=first, level_b=second, outcome=outcome, **more)


class TestGates:
    @pytest.mark.parametrize(
        ("gate", "estimate", "outcome"),
        [
            (Gate.DIRECTION, 0.03, Outcome.WORSE),
            (Gate.DIRECTION, -0.03, Outcome.BETTER),
            (Gate.MEANINGFUL, -0.03, Outcome.BETTER),
            (Gate.EQUIVALENT, 0.003, Outcome.EQUAL),
            (Gate.UNRESOLVED, 0.03, Outcome.OPEN),
            (Gate.BOUNDARY, 0.03, Outcome.OPEN),
            (Gate.INTERACTION, 0.03, Outcome.OPEN),
            (Gate.INDICATED, 0.003, Outcome.EARLY),
            (Gate.INDICATED, 0.03, Outcome.POINTS_WORSE),
            (Gate.INDICATED, -0.03, Outcome.POINTS_BETTER),
        ],
    )
    def test_only_a_gate_makes_better_or_worse(self, gate: Gate, estimate: float, outcome: Outcome) -> None:
        assert outcome_of(row(gate, estimate), TEST_LOG_LOSS) is outcome

    def test_more_of_a_maximised_metric_is_better(self) -> None:
        assert outcome_of(row(Gate.DIRECTION, 0.03), GAIN) is Outcome.BETTER
        spoken = told([step(Outcome.BETTER, scores=(0.9, 1.4))], GAIN)
        assert spoken.text.endswith("(test gain 1.40 against 0.90 dB; higher is better)")

    @pytest.mark.parametrize(
        ("outcome", "text"),
        [
            (Outcome.BETTER, "five hidden layers do better than three"),
            (Outcome.WORSE, "five hidden layers do worse than three"),
            (Outcome.EQUAL, "five hidden layers do no better than three"),
            (Outcome.OPEN, "it is not clear whether five hidden layers do better than three"),
            (Outcome.EARLY, "it is too early to say whether five hidden layers do better than three"),
            (Outcome.POINTS_WORSE, "what there is points to five hidden layers doing worse than three"),
        ],
    )
    def test_numbers_are_held_against_the_one_before(self, outcome: Outcome, text: str) -> None:
        assert told([step(outcome)], TEST_LOG_LOSS).text == text

    @pytest.mark.parametrize(
        ("outcome", "text"),
        [
            (Outcome.BETTER, "batch normalisation helps"),
            (Outcome.WORSE, "batch normalisation hurts"),
            (Outcome.EQUAL, "batch normalisation makes no difference that matters"),
            (Outcome.OPEN, "it is not clear whether batch normalisation helps"),
        ],
    )
    def test_a_switch_helps_or_hurts(self, outcome: Outcome, text: str) -> None:
        assert told([step(outcome, False, True, "batch_norm")], TEST_LOG_LOSS).text == text

    def test_a_switch_turned_off_is_told_as_turned_on(self) -> None:
        turned = step(Outcome.WORSE, True, False, "batch_norm", right=(0.97, 0.9))
        text = told([turned], TEST_LOG_LOSS).text.replace("\u202f", " ")
        assert text == "batch normalisation helps (97.0 % right with it, 90.0 % without it)"

    def test_a_difference_that_matters_little_is_said_to(self) -> None:
        spoken = told([step(Outcome.WORSE, slight=True)], TEST_LOG_LOSS)
        assert spoken.text == "five hidden layers do worse than three, but by less than matters here"
        assert gist([step(Outcome.WORSE, slight=True)]) == ("No.", "no")
        assert gist([step(Outcome.BETTER, slight=True)]) == ("No.", "no")

    def test_shares_of_right_answers_that_say_the_contrary_give_way_to_the_loss(self) -> None:
        spoken = told([step(Outcome.WORSE, right=(0.96, 0.97), scores=(0.10, 0.13))], TEST_LOG_LOSS)
        assert spoken.text.endswith("(log-loss 0.130 against 0.100; lower is better)")

    def test_levels_that_say_the_same_are_told_at_once(self) -> None:
        steps = [step(Outcome.WORSE), step(Outcome.WORSE, 5, 7)]
        each = "each step from three hidden layers to seven is worse than the one before"
        assert told(steps, TEST_LOG_LOSS).text == each
        kinds = [step(Outcome.EQUAL, "sgd", kind, "optimizer") for kind in ("adam", "rmsprop")]
        assert told(kinds, TEST_LOG_LOSS).text == "Adam and RMSprop do as well as SGD"

    @pytest.mark.parametrize(
        ("outcomes", "word", "status"),
        [
            ([Outcome.EQUAL, Outcome.WORSE], "No.", "no"),
            ([Outcome.EQUAL, Outcome.BETTER], "Yes.", "yes"),
            ([Outcome.BETTER, Outcome.WORSE], "Up to a point.", "partly"),
            ([Outcome.WORSE, Outcome.BETTER], "In part.", "partly"),
            ([Outcome.BETTER, Outcome.OPEN], "In part.", "partly"),
            ([Outcome.EQUAL, Outcome.OPEN], "Not as far as is clear.", "partly"),
            ([Outcome.OPEN, Outcome.OPEN], "", "open"),
            ([Outcome.EARLY, Outcome.POINTS_BETTER], "Too early to say.", "open"),
        ],
    )
    def test_the_word_that_opens_the_answer(self, outcomes: list[Outcome], word: str, status: str) -> None:
        steps = [step(each, *levels) for each, levels in zip(outcomes, [(3, 5), (5, 7)], strict=True)]
        assert gist(steps) == (word, status)

    def test_kinds_differ_where_any_direction_is_claimed(self) -> None:
        kinds = [Outcome.EQUAL, Outcome.WORSE]
        steps = [
            step(each, "sgd", name, "optimizer")
            for each, name in zip(kinds, ["adam", "rmsprop"], strict=True)
        ]
        assert gist(steps) == ("Yes.", "yes")
        assert gist(steps[:1]) == ("No.", "no")

    def test_a_level_is_short_after_its_factor_was_named(self) -> None:
        assert [short("depth", 5), short("dropout", 0.3), short("optimizer", "sgd")] == ["five", "0.3", "SGD"]
        assert short("kind", "a rather than b") == "a rather than b"


class TestCatalog:
    @pytest.mark.parametrize("num_blocks", [10, 3])
    @pytest.mark.parametrize("name", CATALOG)
    def test_every_study_has_a_verdict_in_everyday_words(self, name: str, num_blocks: int) -> None:
        verdict = catalog_report(name, num_blocks)["verdict"]
        check(catalog_report(name, num_blocks))
        assert verdict["status"] in ("yes", "no", "partly", "open")
        assert verdict["picture"]["slug"] in ("isolation", "interaction", "verdicts", "confirmed")
        if num_blocks < 10:
            assert verdict["status"] == "open"
            assert re.search(r"too early to say|points to", " ".join(said(verdict)), re.IGNORECASE)

    @pytest.mark.parametrize("name", [name for name in COMPARED if name != "gradient"])
    def test_every_factor_of_the_plan_is_spoken_of(self, name: str) -> None:
        text = " ".join(said(catalog_report(name, 10)["verdict"])).lower()
        words = {"train_size": "training", "batch_norm": "batch normalisation", "depth": "hidden layers"}
        for factor in catalog_inputs(name).factors:
            spoken = words.get(factor, factor.replace("_", " "))
            assert spoken in text or (factor == "optimizer" and "adam" in text), factor

    def test_gradients_are_answered_by_growth_and_shares_of_networks(self) -> None:
        verdict = catalog_report("gradient", 10)["verdict"]
        assert verdict["status"] == "yes"
        for words in (
            "vanish",
            "explode",
            "Batch normalisation helps against it",
            "Residual connections help",
        ):
            assert words in verdict["sentence"]
        assert "loss" not in verdict["sentence"].replace("losses", "")
        assert "by a factor of" in verdict["facts"][0]

    def test_reviews_are_answered_by_the_linear_model_first(self) -> None:
        verdict = catalog_report("sentiment", 10)["verdict"]
        assert verdict["sentence"].startswith("No. ")
        first = verdict["sentence"].split(". ")[1]
        assert "the network does worse than logistic regression" in first.lower()

    def test_a_search_is_answered_by_its_best_against_the_default(self) -> None:
        report = catalog_report("tuning", 10)
        contrast = report["against_default"]
        assert report["verdict"]["status"] == "yes"
        assert contrast["gate"] in ("DIRECTION", "MEANINGFUL")
        # Any of the three could have been taken, so that each is counted.
        assert contrast["num_hypotheses"] == 3


def check(report: dict[str, Any]) -> None:
    """What holds for every verdict and every analysis."""
    verdict = report["verdict"]
    assert verdict["status"] in STATUSES
    gates = {each["gate"] for family in ("at_best", "contrasts") for each in report[family]}
    gates |= {"DIRECTION"} if report["against_default"] else set()
    for text in (*said(verdict), *report["analysis"]):
        assert not JARGON.search(text), text
        assert unlisted_numbers(text, [verdict["numbers"], report["analysis_numbers"]]) == []
        assert not re.search(r"\bnan\b|\bNone\b|\binf\b| {2}", text), text
        assert forbidden_words(text, gates) == [], text
    for text in said(verdict):
        assert text.endswith(".")
        assert unlisted_numbers(text, verdict["numbers"]) == []
    assert len(verdict["facts"]) <= 3
    assert len(report["analysis"]) == 3
    for paragraph in report["analysis"]:
        for sentence in re.split(r"(?<=[.!?])\s+", paragraph):
            assert num_words(sentence) <= MOST_WORDS, sentence


@pytest.mark.parametrize("case", CASES)
def test_every_report_answers_in_everyday_words(case: str) -> None:
    check(report_of(case))


class TestOdd:
    @pytest.mark.parametrize("case", ["half of the search", "half of the confirm phase", "half of a tuning"])
    def test_an_unfinished_study_tells_what_is_known_and_claims_nothing(self, case: str) -> None:
        verdict = report_of(case)["verdict"]
        assert verdict["status"] == "running"
        assert "nothing is claimed" in verdict["sentence"]
        assert not re.search(r"\b(better|worse|helps|hurts) than|\bhelps\b", " ".join(said(verdict)))

    def test_all_failed(self) -> None:
        verdict = report_of("all diverged")["verdict"]
        assert verdict["status"] == "failed"
        assert "every network diverged, failed or did no better than guessing" in verdict["sentence"]

    def test_a_study_that_compares_nothing_tells_what_it_found(self) -> None:
        assert report_of("no factor")["verdict"]["status"] == "best"

    def test_chance_alone_gives_no_direction(self) -> None:
        verdict = report_of("null")["verdict"]
        assert verdict["status"] == "open"
        assert verdict["sentence"].startswith("It is not clear whether ")

    def test_metrics_of_ones_own_keep_their_unit_and_their_direction(self) -> None:
        inputs = own(sample_inputs(SMALL, num_blocks=10, rates=2))
        report = json_report(inputs, compute(inputs))
        check(report)
        text = " ".join(said(report["verdict"]))
        assert "test gain" in text
        assert "higher is better" in text
        assert "right" not in text

    def test_the_study_is_not_over_while_a_later_look_is_trained(self) -> None:
        verdict = report_of("later look in progress")["verdict"]
        assert verdict["sentence"].startswith("The study is not finished yet. ")


HOSTILE = "<script>alert(1)</script> [x](javascript:1) **b** `c` | # 1. & \\ www.example.org"


def test_hostile_names_stay_text() -> None:
    study = sample_inputs({"kind": ("plain", HOSTILE)}, num_blocks=10, rates=1)
    inputs = replace(study, question=f"- {HOSTILE}\n# Why?", plan={**study.plan, "dataset": HOSTILE})
    report = json_report(inputs, compute(inputs))
    assert HOSTILE in report["verdict"]["sentence"]
    for paragraph in report["analysis"]:
        for sentence in re.split(r"(?<=[.!?])\s+", paragraph):
            assert num_words(sentence) <= MOST_WORDS
    text = analysis_file(report)
    assert text.count("\n# ") == 0
    assert text.startswith("# \\- ")
    for raw in ("<script>", "](", "**b**", "`c`", "| #", "www."):
        assert raw not in text.replace("\\" + raw[0], "")
    assert len(text.strip().split("\n\n")) == 5


def test_odd_studies_are_all_among_the_cases() -> None:
    assert {*odd_inputs()} <= {*CASES}
