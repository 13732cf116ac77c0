"""What must agree between the fields of a study is told with what mends it."""

from dataclasses import replace
from typing import Any

import pytest

from search_spaces.optimizers import LEARNING_RATES
from studies.base.errors import UsageError
from studies.definition.parts import Confirm, Search
from tests.studies.definitions import RATE, make, mistakes_of, without_cells


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
            ({"fixed": {"learning_rate": 0.1}}, "fixed.learning_rate: learning_rate is a nuisance already"),
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
