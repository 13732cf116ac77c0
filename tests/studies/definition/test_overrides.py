"""Profiles and `--set` derive a variant or say everything that is wrong; names keep variants apart."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import FloatDistribution, IntDistribution

from studies.base.errors import UsageError
from studies.definition.overrides import check_name, derive, held_instead, study_name
from studies.definition.parts import Confirm, Search
from studies.definition.settings import parse_setting
from studies.definition.study import Study

STUDY = Study(
    question="Does depth help?",
    factors={"depth": (3, 5), "optimizer": ("sgd", "adam")},
    nuisances={
        "learning_rate": {
            "sgd": FloatDistribution(0.01, 0.5),
            "adam": FloatDistribution(1e-4, 1e-2, log=True),
        }
    },
    fixed={"width": 64},
    profiles={
        "smoke": {"factors.depth": (3,), "replicates": 3},
        "long": {"search.rungs": [9, 27], "confirm.epochs": 27},
        "broken": {"replicates": 0, "search.rings": 3},
    },
)


def derive_from_text(*texts: str, profile: str = "laptop") -> Study:
    return derive(STUDY, profile=profile, settings=dict(map(parse_setting, texts)))


def mistakes_of(*texts: str, profile: str = "laptop") -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        derive_from_text(*texts, profile=profile)
    return caught.value.mistakes


class TestParsing:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("replicates=20", ("replicates", 20)),
            ("factors.depth=[3,5]", ("factors.depth", [3, 5])),
            ("dataset=fashion_mnist", ("dataset", "fashion_mnist")),
            ("fixed.clip_norm=null", ("fixed.clip_norm", None)),
            ('nuisances.alpha={"low":0.9,"high":0.99}', ("nuisances.alpha", {"low": 0.9, "high": 0.99})),
            ("question=Is a=b?", ("question", "Is a=b?")),
            ("smallest_effect.log_loss=NaN", ("smallest_effect.log_loss", "NaN")),
            ("replicates=", ("replicates", "")),
        ],
    )
    def test_json_or_plain_text(self, text: str, expected: tuple[str, object]) -> None:
        assert parse_setting(text) == expected

    @pytest.mark.parametrize("text", ["replicates", "", "=3", " = 3"])
    def test_without_a_field_or_a_value_it_is_a_mistake(self, text: str) -> None:
        with pytest.raises(UsageError, match="must be FIELD=VALUE"):
            parse_setting(text)


class TestDerive:
    def test_the_laptop_profile_without_settings_is_the_study(self) -> None:
        assert derive(STUDY) == STUDY

    def test_settings_come_after_the_profile_and_profiles_stay(self) -> None:
        derived = derive_from_text("replicates=4", profile="smoke")
        assert derived == replace(STUDY, factors={**STUDY.factors, "depth": (3,)}, replicates=4, looks=())
        assert derived.profiles == STUDY.profiles

    def test_a_factor_keeps_its_place_and_a_new_one_comes_last(self) -> None:
        derived = derive_from_text("factors.activation=tanh", "factors.depth=[9,7]")
        assert list(derived.factors.items()) == [
            *(("depth", (9, 7)), ("optimizer", ("sgd", "adam")), ("activation", ("tanh",))),
        ]

    def test_a_range_is_replaced_or_changed_at_one_end(self) -> None:
        whole = derive_from_text('nuisances.learning_rate={"low":1e-4,"high":1e-1,"log":true}')
        assert whole.nuisances == {"learning_rate": FloatDistribution(1e-4, 1e-1, log=True)}
        one_end = derive_from_text("nuisances.learning_rate.adam.low=1e-5")
        assert one_end.nuisance_distributions({"optimizer": "adam"}) == {
            "learning_rate": FloatDistribution(1e-5, 1e-2, log=True)
        }

    def test_what_was_held_can_be_compared_or_tuned(self) -> None:
        compared = derive_from_text("factors.width=[32,64]")
        assert (compared.factors["width"], compared.fixed) == ((32, 64), {})
        tuned = derive_from_text('nuisances.width={"low":16,"high":64}', "fixed.alpha=0.9")
        assert (tuned.nuisances["width"], tuned.fixed) == (IntDistribution(16, 64), {"alpha": 0.9})

    def test_a_factor_or_nuisance_that_is_set_fixed_is_neither_and_that_is_said(self) -> None:
        held = derive_from_text("fixed.depth=5", "fixed.learning_rate=.1", "search.trials_per_cell=1")
        assert (held.factors, held.nuisances) == ({"optimizer": ("sgd", "adam")}, {})
        assert held_instead(STUDY, held) == [
            "depth is fixed at 5, and is no factor of this variant",
            "learning_rate is fixed at 0.1, and is no nuisance of this variant",
        ]
        assert derive_from_text('fixed={"depth":5}').factors == held.factors
        after_profile = derive_from_text("fixed.depth=9", profile="smoke")
        assert (after_profile.fixed, "depth" in after_profile.factors) == ({"depth": 9, "width": 64}, False)

    def test_a_default_to_beat_leaves_out_what_is_held(self) -> None:
        search = ("search.trials=1", "search.trials_per_cell=null", "search.sampler=tpe")
        whole = derive_from_text(*search, "confirm.default.depth=5", "confirm.best=1")
        assert "depth" not in derive(whole, settings={"fixed.depth": 3}).confirm.default

    def test_a_whole_role_is_replaced(self) -> None:
        assert derive_from_text('factors={"depth":[2,4]}', "fixed={}").factors == {"depth": (2, 4)}

    def test_cells_can_be_given_up_for_a_search_over_everything(self) -> None:
        derived = derive_from_text(
            *("search.trials=9", "search.trials_per_cell=null", "search.sampler=tpe"),
            "confirm.default.depth=5",
        )
        assert derived.search == Search(trials=9, trials_per_cell=None, sampler="tpe")
        assert derived.confirm == Confirm(default={"depth": 5, "optimizer": "adam", "learning_rate": 1e-3})

    def test_the_study_itself_is_left_as_it_was(self) -> None:
        derive_from_text("factors.depth=[9]", "fixed.width=1", "nuisances.learning_rate.adam.low=1e-5")
        assert STUDY.factors["depth"] == (3, 5)
        assert STUDY.fixed == {"width": 64}

    def test_optuna_distributions_and_tuples_may_be_set_from_python(self) -> None:
        changes = {"nuisances.learning_rate": FloatDistribution(1e-3, 1), "factors.width": ((64, 64, 64), 32)}
        derived = derive(STUDY, settings=changes | {"factors.depth": (3,)})
        assert derived.nuisances == {"learning_rate": FloatDistribution(1e-3, 1)}
        assert derived.factors["width"] == ((64, 64, 64), 32)


class TestMistakes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("replicates=0", "replicates must be a whole number from 1 to 1000; got 0"),
            ("fixed.dropout=1", "fixed.dropout must be a number from 0 up to, but not including, 1; got 1"),
            (
                "factors.depth=[0,5]",
                "each level of factors.depth must be a whole number from 1 to 200; got 0",
            ),
            ("search.rungs=[6,20]", "got [6, 20]: set search.rungs=[6, 18]"),
            ("confirm.epochs=30", "set search.rungs=[10, 30], or confirm.epochs=18"),
            ("dataset=digit", "(did you mean digits?)"),
            ("search.sampler=cma", "search.sampler must be one of qmc, tpe, random"),
            ("objective=accuracy", "(did you mean val_accuracy?)"),
            ("factors.learning_rate=0.1", "nuisances.learning_rate: learning_rate is a factor already"),
            ("fixed.width=[128,64]", "but depth is 3"),
            ("factors=true", "factors must be a mapping"),
            (
                "factors.depth.low=1",
                "factors.depth.low: no such field, as factors.depth has no fields of its own",
            ),
            ("search=5", "search is set field by field, for example search.trials_per_cell"),
            ('search={"rungs":[9,27]}', "search is set field by field"),
            ("serach.rungs=[9,27]", "serach.rungs: no such field (did you mean search.rungs?)"),
            ("rungs=[9,27]", "rungs: no such field (did you mean search.rungs?)"),
            (
                "learning_rate=0.1",
                "learning_rate: no such field; it is a hyperparameter: set fixed.learning_rate=0.1 to hold it",
            ),
            (
                "width=32",
                "width: no such field; it is a hyperparameter: set fixed.width=32 to hold it, or factors",
            ),
            (
                "train_size=.5",
                "set fixed.train_size=0.5 to hold it, or factors.train_size=[0.5,...] to compare",
            ),
            ("width=[8,9]", "set factors.width=[8, 9] to compare these levels"),
            ("dropout={low:0,high:1}", 'set nuisances.dropout={"low": 0, "high": 1} to tune it'),
            ("seed=5", "seed: no field of a plan, but an option: give --seed 5"),
            ("name=my run", "give --name 'my run'"),
            (
                "factors.dropout=[.3,.30000000000000004]",
                "where 0.3 and 0.30000000000000004 are equal but for",
            ),
            ('nuisances.dropout={"choices":[0.3,0.30000000000000004]}', "are equal but for rounding"),
            ("factors.depth=[3,3]", "where 3 is there twice"),
            ("dataset=csv:x.csv", "(a column that is called null: --set 'target=\"null\"')"),
            ("factor.depth=3", "factor.depth: no such field (did you mean factors.depth?)"),
            ("fixed.cooling=cosine", "fixed.cooling: no such hyperparameter"),
            ("profiles={}", "profiles: no such field"),
            ("confirm.default.depth=3", "confirm.default belongs to a study without cells"),
        ],
    )
    def test_each_has_one_clear_sentence(self, text: str, expected: str) -> None:
        (mistake,) = mistakes_of(text)
        assert expected in mistake

    def test_an_unknown_field_is_answered_with_all_fields(self) -> None:
        with pytest.raises(UsageError) as caught:
            derive_from_text("serach.rungs=[9,27]")
        assert "search.rungs, search.reduction_factor" in caught.value.advice
        assert "fixed.NAME, confirm.default.NAME" in caught.value.advice

    def test_profile_field_and_value_mistakes_are_told_together(self) -> None:
        found = mistakes_of(
            "replicates=0", "serach.rungs=[1]", "fixed.dropout=1", "search=3", profile="smoek"
        )
        assert [mistake.split()[0] for mistake in found] == [
            *("smoek:", "search", "serach.rungs:", "replicates", "fixed.dropout"),
        ]
        assert "no such profile (did you mean smoke?); choices: laptop, smoke, long, broken" in found[0]

    def test_one_role_is_meant_even_if_both_are_set(self) -> None:
        assert "width is a factor already" in mistakes_of("fixed.width=3", "factors.width=[3,4]")[0]
        assert "width is a factor already" in mistakes_of("factors.width=[3,4]", "fixed.width=3")[0]

    def test_a_profile_is_checked_as_settings_are(self) -> None:
        assert [mistake.split()[0] for mistake in mistakes_of(profile="broken")] == [
            "search.rings:",
            "replicates",
        ]

    @given(field=st.text(max_size=30), value=st.none() | st.integers() | st.text() | st.lists(st.floats()))
    def test_any_field_gives_a_study_or_a_usage_error(self, field: str, value: Any) -> None:
        with pytest.raises(UsageError):  # no random text of this length is a field with such a value
            derive(STUDY, settings={field: value, "replicates": 0})


class TestNames:
    @pytest.mark.parametrize(
        ("profile", "settings", "seed_given", "expected"),
        [
            ("laptop", [], False, "depth_study"),
            ("smoke", [], False, "depth_study-smoke"),
            ("laptop", ["replicates"], False, "depth_study-1f2e"),
            ("laptop", [], True, "depth_study-1f2e"),
            ("smoke", ["replicates"], True, "depth_study-smoke-1f2e"),
        ],
    )
    def test_profile_and_hash_are_added_where_they_differ(
        self, profile: str, settings: list[str], seed_given: bool, expected: str
    ) -> None:
        named = study_name(
            "depth_study", profile=profile, settings=settings, seed_given=seed_given, plan_hash="1f2e3d4c"
        )
        assert named == expected

    @pytest.mark.parametrize("name", ["a", "A.b_c-9", "0" * 64])
    def test_names_that_may_be(self, name: str) -> None:
        assert check_name(name) == name

    @pytest.mark.parametrize(
        "name",
        ["", "0" * 65, ".a", "-a", "_a", "a b", "a/b", "../x", "a\n", "é", "<script>", "'; DROP TABLE"],
    )
    def test_names_that_may_not_be(self, name: str) -> None:
        with pytest.raises(UsageError, match="a study's name must be 1 to 64 letters"):
            check_name(name)

    def test_a_file_name_that_makes_no_name_is_told_with_the_way_out(self) -> None:
        with pytest.raises(UsageError, match="--name"):
            study_name("my study", profile="laptop", settings=[], seed_given=False, plan_hash="1f2e")
