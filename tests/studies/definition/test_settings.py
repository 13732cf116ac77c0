"""`--set FIELD=VALUE` is read as it is meant: names as texts, numbers in any form, lists without their quotes."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.base.errors import UsageError
from studies.definition.settings import command_form, parse_setting, written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("target=2024", "2024"),
        ("target=true", "true"),
        ("target=1e3", "1e3"),
        ('target="2024"', "2024"),
        ("target=null", None),
        ('target="null"', "null"),
        ("question=[draft] Is it?", "[draft] Is it?"),
        ("fixed.train_size=.5", 0.5),
        ("fixed.depth=+5", 5),
        ("fixed.dropout=-.5e-1", -0.05),
        ("fixed.name=007", "007"),
        ("factors.optimizer=[sgd,adam]", ["sgd", "adam"]),
        ("factors.dropout=[.1, .5]", [0.1, 0.5]),
        ("factors.batch_norm=[true,false]", [True, False]),
        ("factors.batch_norm=[true,'a]", None),
        ("factors.optimizer=[sgd,,adam]", None),
        ("factors.width=[[8,9],sgd]", None),
        ("nuisances.x={low:1e-4,high:.1,log:true}", {"low": 1e-4, "high": 0.1, "log": True}),
        ("nuisances.x={low:1,low:2}", None),
        ("nuisances.x={sgd:{low:1}}", None),
    ],
)
def test_what_is_typed_is_read_as_it_is_meant_or_refused_with_the_form_that_works(
    text: str, value: object
) -> None:
    if value is not None or text.startswith("target"):
        assert parse_setting(text)[1] == value
        return
    with pytest.raises(UsageError, match="cannot be read as JSON") as caught:
        parse_setting(text)
    form = caught.value.advice.partition("--set ")[2]
    (word,) = shlex.split(form)
    assert isinstance(parse_setting(word)[1], list | dict)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(value=_VALUES)
def test_what_is_written_is_read_back(value: object) -> None:
    assert parse_setting(written("fixed.x", value)) == ("fixed.x", value)
    assert parse_setting(shlex.split(command_form("fixed.x", value))[1]) == ("fixed.x", value)


@given(text=st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        field, _ = parse_setting(text)
    except UsageError:
        return
    assert field


@given(text=st.text())
def test_a_name_of_any_column_can_be_given(text: str) -> None:
    assert parse_setting(written("target", text)) == ("target", text)
