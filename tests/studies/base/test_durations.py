"""Times are read back as they are told; what is no time is refused with examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.base.durations import parse_budget, told
from studies.base.errors import UsageError


@given(st.integers(1, 10**6))
def test_a_time_is_read_back_as_it_is_told(whole: int) -> None:
    assert parse_budget(told(whole)) == pytest.approx(whole, abs=60)
    assert parse_budget(told(whole)) >= whole or whole < 60


@pytest.mark.parametrize("text", ["", "2", "h", "2 hours", "-1h", "1m1h", "0s", "inf"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match="such as 90s, 30m, 2h or 1h30m"):
        parse_budget(text)
