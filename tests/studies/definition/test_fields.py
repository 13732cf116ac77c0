"""Each field's own rule: a mistake names field, rule, value and choices, whatever the value."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from search_spaces import spaces
from studies.definition.fields import PARTS, rules
from studies.definition.parts import Search, SmallestEffect, Thresholds
from studies.definition.study import Study
from tests.studies.definitions import RATE, mistakes_of

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.builds(object),
    lambda part: st.lists(part) | st.dictionaries(st.text() | st.integers(), part) | st.sets(st.integers()),
)


class TestFieldMistakes:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"replicates": 0}, "replicates must be a whole number from 1 to 1000; got 0"),
            ({"replicates": True}, "replicates must be a whole number from 1 to 1000; got true"),
            ({"question": " "}, 'question must be a sentence; got " "'),
            ({"dataset": "digit"}, "dataset must be one of"),
            ({"dataset": "digit"}, "(did you mean digits?)"),
            ({"model": "mpl"}, "(did you mean mlp?)"),
            ({"objective": "loss"}, 'val_macro_f1, val_roc_auc; got "loss"'),
            (
                {"search": Search(sampler="tpee")},
                'search.sampler must be one of qmc, tpe, random; got "tpee" (did you',
            ),
            ({"search": Search(rungs=())}, "search.rungs must be a list of epochs"),
            ({"search": Search(rungs=(18, 6))}, "each later than the one before; got [18, 6]"),
            ({"search": 5}, "search must be made with Search(...); got 5"),
            (
                {"factors": {"depth": [0, 5]}},
                "each level of factors.depth must be a whole number from 1 to 200; got 0",
            ),
            ({"factors": {"depth": []}}, "factors.depth must have at least one level"),
            ({"factors": {"dropout": (0, 0.0)}}, "factors.dropout must have different levels; got [0, 0.0]"),
            ({"factors": {"optimizer": "adma"}}, "(did you mean adam?)"),
            ({"factors": {"rate": True}}, "factors.rate: no such hyperparameter"),
            ({"factors": 3}, "factors must be a mapping"),
            (
                {"fixed": {"dropout": 1}},
                "fixed.dropout must be a number from 0 up to, but not including, 1; got 1",
            ),
            ({"fixed": {"widht": 1}}, "fixed.widht: no such hyperparameter (did you mean width?)"),
            ({"smallest_effect": SmallestEffect(error=0)}, "smallest_effect.error must be a number above 0"),
            ({"thresholds": Thresholds(hot=float("nan"))}, "thresholds.hot must be a number above 0"),
            ({"profiles": {"laptop": {}}}, "profiles must be a mapping from a profile's name (not laptop"),
        ],
    )
    def test_it_names_field_rule_value_and_choices(self, changes: dict[str, Any], expected: str) -> None:
        (mistake,) = mistakes_of(**changes)
        assert expected in mistake

    @pytest.mark.parametrize(
        ("form", "expected"),
        [
            (3, "must be a range such as"),
            ({"low": 1e-4}, "must be a range such as"),
            ({"low": 1e-4, "high": 1, "step": 2}, "must be a range such as"),
            ({"low": 0, "high": 1}, "must stay within its rule, a number above 0, at most 100; got low 0"),
            ({"low": 1e-4, "high": float("inf")}, "got high Infinity"),
            ({"low": 1, "high": 0.1}, "must have low at most high"),
            ({"low": 0.1, "high": 1, "log": "yes"}, 'must have log true or false; got "yes"'),
            ({"choices": []}, "at least one choice"),
            ({"choices": [0.1, 0.1]}, "different choices"),
            ({"choices": [0.1, -1]}, "must have choices that are each a number above 0, at most 100; got -1"),
            ({"adam": RATE, "smg": RATE}, "learning_rate.smg: no such optimizer (did you mean sgd?)"),
            ({"adam": {"low": 1}}, "nuisances.learning_rate.adam must be a range"),
        ],
    )
    def test_a_wrong_range_is_told(self, form: object, expected: str) -> None:
        (mistake,) = mistakes_of(nuisances={"learning_rate": form})
        assert mistake.startswith("nuisances.learning_rate")
        assert expected in mistake

    def test_a_range_of_words_and_a_log_range_from_zero_are_refused(self) -> None:
        assert 'must be {"choices": [...]}' in mistakes_of(nuisances={"activation": {"low": 0, "high": 1}})[0]
        log_from_zero = {"low": 0, "high": 0.5, "log": True}
        assert (
            "must have low above 0 where log is true" in mistakes_of(nuisances={"dropout": log_from_zero})[0]
        )

    def test_all_mistakes_are_told_together(self) -> None:
        found = mistakes_of(
            replicates=0,
            factors={"depth": [0, 5], "batch_norm": "off"},
            fixed={"dropout": 1},
            search=Search(rungs=(6, 20), sampler="grid"),
            dataset="mnist",
        )
        starts = ["dataset", "replicates", "search.sampler", "each level of factors.depth"]
        starts += ["each level of factors.batch_norm", "fixed.dropout", "search.rungs"]
        assert len(found) == len(starts)
        assert all(mistake.startswith(start) for mistake, start in zip(found, starts, strict=True))


class TestAnyWrongValue:
    @given(field=st.sampled_from(sorted(rules())), value=ANYTHING)
    def test_in_a_plain_field_is_a_usage_error_that_names_the_field(self, field: str, value: object) -> None:
        assume(not rules()[field].allows(value))
        part, _, name = field.rpartition(".")
        changes = {part: PARTS[part](**{name: value})} if part else {name: value}
        assert any(mistake.startswith(field) for mistake in mistakes_of(**changes))

    @given(
        role=st.sampled_from(["factors", "nuisances", "fixed"]),
        name=st.sampled_from(sorted(spaces())),
        value=ANYTHING,
    )
    def test_for_a_hyperparameter_is_a_usage_error_that_names_it(
        self, role: str, name: str, value: object
    ) -> None:
        levels = value if isinstance(value, list) else [value]
        right = (
            spaces()[name].contains(value) if role == "fixed" else all(map(spaces()[name].contains, levels))
        )
        assume(role == "nuisances" or not right or (role == "factors" and not levels))
        assert any(f"{role}.{name}" in mistake for mistake in mistakes_of(**{role: {name: value}}))

    @given(
        field=st.sampled_from([field.name for field in fields(Study) if field.name != "as_recorded"]),
        value=ANYTHING.filter(lambda value: value != {} and not isinstance(value, str | int)),
    )
    def test_in_a_whole_field_is_a_usage_error_that_names_it(self, field: str, value: object) -> None:
        assume(not (field == "profiles" and isinstance(value, Mapping)))
        assume(not (field in ("looks", "metrics") and value in ([], ())))
        assume(not (field in ("target", "min_class_count", "looks") and value is None))
        assert any(field in mistake for mistake in mistakes_of(**{field: value}))
