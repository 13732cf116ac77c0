"""The glossary: every gate and verdict has an entry, every pattern finds its own word."""

import re

from reports.statistics.gates import Gate
from reports.wording import verdict_words
from reports.wording.glossary import GATES, terms
from reports.wording.verdict_words import RULES
from tests.reports.forbidden_words import forbidden_words

THRESHOLDS = {
    **{"blown_up": 2.0, "untrained": 0.95, "total_growth": 100.0, "growth": 1.6, "growth_total": 10.0},
    **{"watch": 12.5, "spike_rate": 0.01, "dead_fraction": 0.5, "stalled": 1e-5, "hot": 0.1},
}


def test_every_gate_and_every_verdict_is_explained() -> None:
    assert set(GATES) == {str(gate) for gate in Gate}
    assert {*GATES, *RULES} <= {term.word for term in terms(THRESHOLDS)}


def test_every_pattern_finds_its_own_word_and_slugs_are_unique() -> None:
    every = terms(THRESHOLDS)
    assert len({term.slug for term in every}) == len(every)
    for term in every:
        assert re.search(term.pattern, term.word), term.word
        assert re.fullmatch(r"[a-z-]+", term.slug), term.slug


def test_verdicts_state_the_thresholds_of_the_plan_or_no_rule() -> None:
    meanings = {term.word: term.meaning for term in terms(THRESHOLDS)}
    assert "12.5" in meanings["WATCH"]
    assert "{" not in " ".join(meanings.values())
    assert not re.search(r"\d", {term.word: term.meaning for term in terms({})}["WATCH"])


def test_explanations_say_nothing_that_may_not_be_said() -> None:
    for term in terms(THRESHOLDS):
        assert forbidden_words(term.meaning) == [], term.word


def test_a_block_is_a_division_of_the_data_and_nothing_else() -> None:
    told = [*RULES.values(), *verdict_words.THRESHOLDS.values(), *verdict_words.MEASURES.values()]
    assert [text for text in told if "block" in text] == []
