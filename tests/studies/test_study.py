"""A study is checked when it is made: every mistake is told, and a right study has one form."""

import pickle
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from search_spaces import spaces
from search_spaces.optimizers import LEARNING_RATES
from studies.errors import HeldError, StudiesError, UsageError
from studies.fields import PARTS, rules
from studies.study import Confirm, Search, SmallestEffect, Study, Thresholds
from trainables.hyperparameters import Hyperparameters

RATE = FloatDistribution(1e-4, 1e-1, log=True)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.builds(object),
    lambda part: st.lists(part) | st.dictionaries(st.text() | st.integers(), part) | st.sets(st.integers()),
)


def make(**changes: Any) -> Study:
    given: dict[str, Any] = {
        "question": "Does depth help?",
        "factors": {"depth": (3, 5)},
        "nuisances": {"learning_rate": RATE},
    }
    return Study(**given | changes)


def without_cells(**changes: Any) -> Study:
    search = Search(trials=10, trials_per_cell=None, sampler="tpe")
    return make(**{"search": search, "confirm": Confirm(default={"depth": 3})} | changes)


def mistakes_of(**changes: Any) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        make(**changes)
    return caught.value.mistakes


class TestErrors:
    def test_each_kind_has_its_exit_code_and_two_part_text(self) -> None:
        assert str(StudiesError("it failed", "do this")) == "it failed\ndo this"
        assert [kind.exit_code for kind in (StudiesError, UsageError, HeldError)] == [1, 2, 3]
        assert issubclass(UsageError, StudiesError)
        assert issubclass(HeldError, StudiesError)

    def test_one_mistake_stands_alone_and_several_are_listed(self) -> None:
        assert str(UsageError(["a"], "do")) == "a\ndo"
        assert str(UsageError(["a", "b"], "do")) == "2 mistakes:\n- a\n- b\ndo"

    def test_errors_survive_pickling(self) -> None:
        again = pickle.loads(pickle.dumps(UsageError(["a", "b"], "do")))
        assert (again.mistakes, again.advice) == (("a", "b"), "do")


class TestOneForm:
    def test_lists_scalars_and_whole_numbers_settle(self) -> None:
        study = make(
            factors={"depth": [3, 5], "dropout": 0, "optimizer": "adam", "width": [64, 32]},
            fixed={"betas": [0, 0.9]},
            search=Search(rungs=[2, 6]),  # type: ignore[arg-type]
            confirm=Confirm(epochs=6),
        )
        assert study.factors == {
            "depth": (3, 5),
            "dropout": (0.0,),
            "optimizer": ("adam",),
            "width": (64, 32),
        }
        assert repr(study.factors["dropout"]) == "(0.0,)"
        assert study.fixed == {"betas": (0.0, 0.9)}
        assert study.search.rungs == (2, 6)

    def test_a_range_in_plain_data_is_the_distribution(self) -> None:
        forms = {
            "learning_rate": {"sgd": {"low": 1e-3, "high": 1, "log": True}, "adam": RATE},
            "width": {"low": 16, "high": 64},
            "activation": {"choices": ["relu", "tanh"]},
            "clip_norm": IntDistribution(1, 10),
        }
        study = make(nuisances=forms, search=Search(sampler="random"))
        assert study.nuisances == {
            "learning_rate": {"sgd": FloatDistribution(1e-3, 1.0, log=True), "adam": RATE},
            "width": IntDistribution(16, 64),
            "activation": CategoricalDistribution(("relu", "tanh")),
            "clip_norm": FloatDistribution(1.0, 10.0),
        }

    def test_what_the_author_changes_later_does_not_change_the_study(self) -> None:
        fixed: dict[str, Any] = {"width": 64}
        study = make(fixed=fixed)
        fixed["width"] = 0
        assert study.fixed == {"width": 64}

    def test_a_study_survives_pickling_and_replace(self) -> None:
        study = make(nuisances={"learning_rate": LEARNING_RATES})
        assert pickle.loads(pickle.dumps(study)) == study == replace(study)

    def test_the_default_configuration_is_stated_in_full(self) -> None:
        assert without_cells().confirm.default == {"depth": 3, "learning_rate": 1e-3}
        assert without_cells(confirm=Confirm()).confirm.default == {}


class TestNuisanceDistributions:
    def test_a_range_follows_the_cells_optimizer(self) -> None:
        study = make(
            factors={"optimizer": ("sgd", "adam")},
            nuisances={"learning_rate": LEARNING_RATES, "momentum": FloatDistribution(0, 0.9)},
        )
        assert study.nuisance_distributions({"optimizer": "sgd"}) == {
            "learning_rate": LEARNING_RATES["sgd"],
            "momentum": FloatDistribution(0, 0.9),
        }
        assert study.nuisance_distributions({"optimizer": "adam"})["learning_rate"] == LEARNING_RATES["adam"]

    def test_a_fixed_optimizer_counts_and_else_the_default(self) -> None:
        by_optimizer = {
            "learning_rate": {"sgd": FloatDistribution(0.1, 1), "adam": FloatDistribution(0.01, 0.1)}
        }
        fixed = make(nuisances=by_optimizer, fixed={"optimizer": "sgd"})
        assert fixed.nuisance_distributions({"depth": 3})["learning_rate"] == FloatDistribution(0.1, 1)
        assert make(nuisances=by_optimizer).nuisance_distributions({})["learning_rate"] == FloatDistribution(
            0.01, 0.1
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


class TestAgreements:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"search": Search(rungs=(6, 20))}, "got [6, 20]: set search.rungs=[6, 18]"),
            ({"search": Search(rungs=(9, 18))}, "set search.rungs=[9, 27], or search.reduction_factor=2"),
            (
                {"confirm": Confirm(epochs=30)},
                "got 30 with search.rungs [6, 18]: set search.rungs=[10, 30], or",
            ),
            (
                {"confirm": Confirm(epochs=20)},
                "set search.rungs=[7, 21] with confirm.epochs=21, or confirm.epochs=18",
            ),
            ({"search": Search(rungs=(9, 27))}, "or confirm.epochs=27"),
            ({"search": Search(trials=9)}, "set search.trials_per_cell instead, now 6"),
            ({"search": Search(trials_per_cell=None)}, "got null for both"),
            ({"nuisances": {}}, "search.trials_per_cell must be at most 1,"),
            ({"fixed": {"depth": 5}}, "fixed.depth: depth is a factor already"),
            ({"fixed": {"depth": 5}}, "to hold it, set factors.depth=[5]"),
            ({"fixed": {"learning_rate": 0.1}}, 'set nuisances.learning_rate={"low": 0.1, "high": 0.1}'),
            (
                {"factors": {"learning_rate": (0.1, 1)}},
                "nuisances.learning_rate: learning_rate is a factor already",
            ),
            ({"fixed": {"width": [128, 64]}}, "width [128, 64] has one entry for each of 2 hidden layers"),
            ({"confirm": Confirm(default={"depth": 3})}, "confirm.default belongs to a study without cells"),
        ],
    )
    def test_it_says_what_disagrees_and_how_to_mend_it(self, changes: dict[str, Any], expected: str) -> None:
        (mistake,) = mistakes_of(**changes)
        assert expected in mistake

    def test_following_the_advice_mends_it(self) -> None:
        assert make(search=Search(rungs=(10, 30)), confirm=Confirm(epochs=30)).confirm.epochs == 30
        assert make(search=Search(rungs=(9, 18), reduction_factor=2)).search.rungs == (9, 18)
        assert make(nuisances={}, search=Search(trials_per_cell=1)).nuisances == {}
        held = {"learning_rate": {"low": 0.1, "high": 0.1}}
        assert make(nuisances=held, search=Search(trials_per_cell=1)).has_cells

    def test_one_rung_stops_nothing_and_is_allowed(self) -> None:
        assert make(search=Search(rungs=(5,)), confirm=Confirm(epochs=5)).search.rungs == (5,)

    def test_every_optimizer_of_the_study_needs_a_range(self) -> None:
        ranges = {"learning_rate": {"adam": RATE}}
        (mistake,) = mistakes_of(factors={"optimizer": ("adam", "sgd")}, nuisances=ranges)
        assert "sgd has none" in mistake
        assert make(nuisances=ranges).has_cells  # adam is the default
        (mistake,) = mistakes_of(
            nuisances=ranges | {"optimizer": {"choices": ["adam", "sgd"]}}, search=Search(sampler="random")
        )
        assert "need optimizer as a factor or fixed" in mistake

    def test_adamw_has_a_weight_decay_of_its_own(self) -> None:
        pair = {"optimizer": ("adam", "adamw")}
        assert make(factors=pair, fixed={"weight_decay": 0, "decoupled_weight_decay": 0.1}).fixed
        for more in (
            {"fixed": {"weight_decay": 0.1}},
            {"nuisances": {"weight_decay": {"low": 1e-4, "high": 0.1}}},
        ):
            with pytest.raises(UsageError, match="weight_decay must be 0 with adamw, which has decoupled"):
                make(factors=pair, **more)

    @pytest.mark.parametrize(
        ("more", "mistake"),
        [
            (
                {"fixed": {"min_lr": 1e-3}},
                "min_lr must be 0 unless schedule is plateau or cosine; got 0.001 with",
            ),
            (
                {"fixed": {"min_lr": 1e-3, "schedule": "cosine"}},
                "lowest learning_rate of the study, 0.0001; got 0.001",
            ),
            (
                {"nuisances": {"min_lr": {"low": 1e-6, "high": 1e-2}}, "fixed": {"schedule": "plateau"}},
                "lowest learning_rate of the study, 0.001; got 0.01",
            ),
            (
                {
                    "nuisances": {"learning_rate": LEARNING_RATES},
                    "factors": {"schedule": ("constant", "cosine"), "optimizer": ("sgd", "adam")},
                    "fixed": {"min_lr": 1e-3},
                },
                "lowest learning_rate of the study, 0.0003; got 0.001",
            ),
            (
                {"fixed": {"monitor": "val_accuracy", "schedule": "cosine"}},
                "monitor is what the schedule plateau",
            ),
            (
                {"fixed": {"patience": 18}},
                "patience must be below confirm.epochs, 18, or no network can stop",
            ),
            ({"factors": {"patience": (None, 3, 20)}}, "or no network can stop early; got 20: lower it"),
            (
                {"factors": {"schedule": ("constant", "plateau")}, "fixed": {"patience": 6}},
                "patience must be above 6 with schedule plateau, whose rate falls after 6 epochs without",
            ),
        ],
    )
    def test_settings_of_training_need_something_that_reads_them(
        self, more: dict[str, Any], mistake: str
    ) -> None:
        assert mistake in mistakes_of(**more)[0]

    def test_early_stopping_with_its_settings_is_allowed(self) -> None:
        assert make(fixed={"patience": 17, "monitor": "val_accuracy"}).fixed["patience"] == 17
        assert make(factors={"patience": (None, 5)}).has_cells
        assert make(fixed={"patience": 7, "schedule": "plateau"}).has_cells
        assert make(nuisances={"patience": {"low": 2, "high": 9}, "learning_rate": RATE}).has_cells

    def test_a_schedule_with_its_settings_is_allowed(self) -> None:
        fixed = {"schedule": "plateau", "min_lr": 1e-4, "monitor": "val_accuracy"}
        assert make(fixed=fixed).fixed == fixed
        assert make(factors={"schedule": ("constant", "cosine")}, fixed={"min_lr": 1e-4}).has_cells
        ranges, sgd = {"learning_rate": LEARNING_RATES}, {"optimizer": "sgd", "schedule": "cosine"}
        assert make(nuisances=ranges, fixed={**sgd, "min_lr": 1e-3}).has_cells

    def test_a_list_of_widths_must_have_the_length_of_every_depth(self) -> None:
        two_layers = {"width": [128, 64]}
        assert make(factors={"depth": 2}, fixed=two_layers).fixed == {"width": (128, 64)}
        assert make(factors={"dropout": (0, 0.5)}, fixed=two_layers).has_cells  # it sets the depth
        assert make(factors={"width": [[64, 32], [64, 64, 64], 32]}).has_cells
        assert "but depth is 2" in mistakes_of(factors={"width": [[64], [64, 32]]}, fixed={"depth": 2})[0]
        assert (
            "but depth is a range"
            in mistakes_of(
                factors={},
                fixed=two_layers,
                nuisances={"depth": {"low": 1, "high": 3}},
                search=Search(trials_per_cell=3),
            )[0]
        )
        with pytest.raises(UsageError, match="but depth is 3"):
            without_cells(factors={"depth": 2}, fixed=two_layers)

    def test_qmc_is_refused_where_there_are_categories(self) -> None:
        with pytest.raises(UsageError, match=r"search\.sampler must be tpe or random"):
            without_cells(search=Search(trials=10, trials_per_cell=None, sampler="qmc"))
        assert (
            "some nuisances are categories"
            in mistakes_of(nuisances={"learning_rate": RATE, "init": {"choices": ["default", "he_normal"]}})[
                0
            ]
        )

    def test_a_search_cannot_have_more_trials_than_configurations(self) -> None:
        words = {"init": {"choices": ["default", "he_normal"]}}
        search = Search(sampler="random", trials_per_cell=3)
        assert "search.trials_per_cell must be at most 2," in mistakes_of(nuisances=words, search=search)[0]
        without = Search(sampler="random", trials=5, trials_per_cell=None)
        found = mistakes_of(nuisances=words, search=without, confirm=Confirm(best=1))
        assert "search.trials must be at most 4," in found[0]
        assert make(nuisances=words, search=replace(without, trials=4)).has_cells is False

    def test_a_study_without_cells_confirms_no_more_than_it_tries_and_states_only_what_it_searches(
        self,
    ) -> None:
        with pytest.raises(UsageError, match=r"confirm\.best must be at most search\.trials, 10; got 11"):
            without_cells(confirm=Confirm(best=11))
        with pytest.raises(
            UsageError, match=r"confirm\.default\.width: width is neither a factor nor a nuisance"
        ):
            without_cells(confirm=Confirm(default={"width": 3}))

    def test_a_mistake_is_told_once_though_other_rules_need_the_field(self) -> None:
        assert (
            len(
                mistakes_of(
                    factors={"optimizer": ("adam", "sdg")}, nuisances={"learning_rate": {"adam": RATE}}
                )
            )
            == 1
        )
        assert len(mistakes_of(search=Search(rungs=(6, 19)), confirm=Confirm(epochs=5))) == 1


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
        field=st.sampled_from([field.name for field in fields(Study)]),
        value=ANYTHING.filter(lambda value: value != {} and not isinstance(value, str | int)),
    )
    def test_in_a_whole_field_is_a_usage_error_that_names_it(self, field: str, value: object) -> None:
        assume(not (field == "profiles" and isinstance(value, Mapping)))
        assume(not (field in ("looks", "metrics") and value in ([], ())))
        assume(not (field == "target" and value is None))
        assert any(field in mistake for mistake in mistakes_of(**{field: value}))


def test_search_spaces_and_the_trainable_agree_on_hyperparameters_and_defaults() -> None:
    defaults = {name: space.default for name, space in spaces().items()}
    assert {**defaults, "own": {}} == asdict(Hyperparameters())


def test_thresholds_are_those_of_the_verdicts_rules() -> None:
    assert asdict(Thresholds()) == {
        **{"blown_up": 2.0, "untrained": 0.95, "total_growth": 100.0, "growth": 1.6, "growth_total": 10.0},
        **{"watch": 10.0, "spike_rate": 0.01, "dead_fraction": 0.5, "stalled": 1e-5, "hot": 0.1},
    }
