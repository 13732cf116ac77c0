"""Configurations and errors read as a person writes them, and no text moves the cursor."""

import doctest

import pytest

from studies.base import wording
from studies.base.states import Phase, TrialState


def test_the_examples_hold() -> None:
    assert doctest.testmod(wording).failed == 0


def test_a_configuration_names_each_value_unless_it_speaks_for_itself() -> None:
    params = {"width": [128, 64], "activation": "relu", "clip_norm": None, "dropout": 0.25}
    assert wording.configuration(params) == "width 128-64, ReLU, clip norm none, dropout 0.25"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        ("Traceback (most recent call last):\n  File\nKeyError: 'x'\n\n", "KeyError: 'x'"),
        ("the worker was lost\n/tmp/error.txt", "the worker was lost"),
        ("", "no reason was recorded"),
        (None, "no reason was recorded"),
    ],
)
def test_the_line_of_an_error_is_the_one_that_says_what_happened(error: str | None, line: str) -> None:
    assert wording.error_line(error) == line


def test_text_from_a_database_cannot_move_the_cursor() -> None:
    assert wording.printable("a\x1b[31mb\rc\td\ne") == "a\ufffd[31mb\ufffdc\ufffdd\ne"


def test_every_state_has_words() -> None:
    assert {wording.trial_state(state) for state in TrialState} >= {"stopped early", "failed", "complete"}
    assert wording.phase_of(Phase.SEARCH, 3) == "search, cell 3"
    assert wording.phase_of(Phase.SEARCH, None) == "search"
