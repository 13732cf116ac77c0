"""Budgets are read back as they are printed; durations have one form, in the terminal as in reports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.wording.words import duration
from studies.base.durations import format_budget, format_duration, parse_budget
from studies.base.errors import UsageError


@given(st.integers(1, 10**6))
def test_a_budget_is_read_back_as_it_is_printed(whole: int) -> None:
    assert parse_budget(format_budget(whole)) == pytest.approx(whole, abs=60)
    assert parse_budget(format_budget(whole)) >= whole or whole < 60


@pytest.mark.parametrize("text", ["", "2", "h", "2 hours", "-1h", "1m1h", "0s", "inf"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match="such as 90s, 30m, 2h or 1h30m"):
        parse_budget(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0.2 s"),
        (48.2, "48 s"),
        (60, "1 min"),
        (90, "1 min 30 s"),
        (3661, "1 h 1 min"),
        (5400, "1 h 30 min"),
        (40_000_000, "462 days 23 h"),
    ],
)
def test_a_duration_is_in_the_unit_that_suits_it(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.floats(0, 1e8))
def test_the_terminal_and_the_report_agree(seconds: float) -> None:
    assert format_duration(seconds).split() == duration(seconds).split()
