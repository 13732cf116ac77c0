"""Python text that gives a value again: constants of all kinds, and studies."""

import importlib
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import studies
from studies import catalog
from studies.definition.parts import Metric, SmallestEffect
from studies.definition.study import Study
from studies.user_files.literals import literal, study_text

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
KEYS = st.booleans() | st.integers() | st.text()
CONSTANTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(KEYS, inner) | st.sets(KEYS),
    max_leaves=12,
)
EXPORTED = {name: getattr(studies, name) for name in studies.__all__ if name[0].isupper()}


@given(CONSTANTS)
def test_the_text_of_a_constant_gives_it_again(value: object) -> None:
    assert _comparable(eval(literal(value), {})) == _comparable(value)


def _comparable(value: Any) -> Any:
    """Return a value in which NaN equals itself, and 0 is not -0, 1 not True."""
    if isinstance(value, list | tuple):
        return type(value), [_comparable(each) for each in value]
    if isinstance(value, dict):
        return [(_comparable(key), _comparable(each)) for key, each in value.items()]
    return value if isinstance(value, set) else (type(value), repr(value))


@pytest.mark.parametrize(
    "value", [np.float64(1), np.zeros(2), object(), 1j, [lambda: 0], type("A", (int,), {})(1)]
)
def test_what_is_no_constant_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"is an? "):
        literal(value)


def test_a_list_in_itself_and_a_long_one_are_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="nested"):
        literal(endless)
    with pytest.raises(ValueError, match="characters"):
        literal(list(range(10_000)))


def test_a_set_has_one_text_in_every_process() -> None:
    assert literal({"b", "a"}) == "set(['a', 'b'])"
    assert eval(literal(frozenset({math.inf}))) == frozenset({math.inf})


@pytest.mark.parametrize("name", catalog.names())
def test_every_study_of_the_catalog_is_made_again(name: str) -> None:
    study = importlib.import_module(f"studies.catalog.{name}").STUDY
    made = eval(study_text(study), dict(EXPORTED))
    assert made == study
    assert made.declares_smallest_effect == study.declares_smallest_effect
    assert study_text(made) == study_text(study)


def test_the_text_of_a_study_stays_as_it_is() -> None:
    """It is hashed into the plan: another text would be another plan, and recorded studies would not go on."""
    study = Study(
        question="Does 'it' help?",
        dataset="own",
        model="own",
        metrics=(Metric(name="RMSE", direction="min", unit="points", failure=100, primary=True),),
        hyperparameters={"heads": 1},
        factors={"heads": (1, 4), "width": ((8, 4), (4, 8))},
        nuisances={"learning_rate": {"low": 0.1, "high": 0.4, "log": True}},
        profiles={"smoke": {"replicates": 2}},
    )
    assert study_text(study) == STUDY_TEXT
    assert "smallest_effect=SmallestEffect(" in study_text(
        Study(
            question="?",
            factors={"depth": (1, 2)},
            nuisances={"learning_rate": {"low": 0.1, "high": 0.4}},
            smallest_effect=SmallestEffect(),
        )
    )


STUDY_TEXT = """Study(
    question="Does 'it' help?",
    dataset='own',
    model='own',
    objective='val_RMSE',
    metrics=(Metric(name='RMSE', direction='min', unit='points', failure=100.0, primary=True),),
    factors={'heads': (1, 4), 'width': ((8, 4), (4, 8))},
    nuisances={'learning_rate': {'low': 0.1, 'high': 0.4, 'log': True}},
    hyperparameters={'heads': 1},
    profiles={'smoke': {'replicates': 2}},
)"""
