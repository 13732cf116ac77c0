"""The catalog's studies are those of the design, and a wrong name is told with the right ones."""

from pathlib import Path

import pytest

from search_spaces.optimizers import LEARNING_RATES
from studies import catalog
from studies.base.errors import UsageError
from studies.definition.dataset_compatibility import check_suits
from studies.definition.overrides import derive
from studies.definition.parts import Search
from studies.planning.plan import Plan
from studies.user_files.loader import load_definition
from trainables import datasets


def plan_of(name: str, profile: str) -> Plan:
    return Plan(
        name=name, study=derive(load_definition(name)[1], profile=profile), dataset_fingerprint="f00d"
    )


class TestDepthStudy:
    def test_the_laptop_profile_is_the_design(self) -> None:
        name, study, source_hash, code = load_definition("depth_study")
        assert (name, source_hash, code) == ("depth_study", None, None)
        assert study.factors == {
            "depth": (3, 5, 7),
            "dropout": (0.1, 0.3, 0.5),
            "batch_norm": (False, True),
            "optimizer": ("sgd", "adam", "rmsprop"),
        }
        assert study.nuisances == {"learning_rate": dict(LEARNING_RATES)}
        assert (study.replicates, study.confirm.epochs) == (10, 18)
        assert study.search == Search(trials_per_cell=6, rungs=(6, 18), reduction_factor=3, sampler="qmc")
        made = plan_of("depth_study", "laptop").hyperparameters(study.factors and {"depth": 5})
        assert {name: made[name] for name in ("width", "batch_size", "activation", "init", "momentum")} == {
            **{"width": 64, "batch_size": 64, "activation": "relu", "init": "he_normal", "momentum": 0.9}
        }
        assert {name: made[name] for name in ("weight_decay", "clip_norm")} == {
            "weight_decay": 0,
            "clip_norm": None,
        }

    def test_smoke_is_small(self) -> None:
        plan = plan_of("depth_study", "smoke")
        assert plan.study.factors == {
            **{"depth": (3, 7), "dropout": (0.1, 0.5), "batch_norm": (False, True), "optimizer": ("adam",)}
        }
        assert (len(plan.cells), plan.num_search_trials, plan.num_networks) == (8, 24, 96)
        assert plan.study.search.rungs == (6, 18)

    def test_cluster_is_large(self) -> None:
        plan = plan_of("depth_study", "cluster")
        assert (len(plan.cells), plan.study.replicates, plan.num_search_trials) == (54, 20, 54 * 27)
        assert (plan.study.search.rungs, plan.study.confirm.epochs) == ((3, 9, 27, 81), 81)


class TestGradientStudy:
    def test_it_manipulates_the_initialisation_in_108_cells(self) -> None:
        plan = plan_of("gradient_study", "laptop")
        assert plan.study.factors == {
            "activation": ("relu", "tanh", "sigmoid"),
            "init_gain": (0.5, 1.0, 2.0),
            "depth": (3, 7, 20),
            "batch_norm": (False, True),
            "residual": ("none", "scaled"),
        }
        assert (len(plan.cells), plan.study.replicates, plan.num_search_trials) == (108, 10, 324)
        made = plan.hyperparameters({"activation": "tanh"})
        assert {name: made[name] for name in ("init", "optimizer", "dropout")} == {
            **{"init": "fitting", "optimizer": "sgd", "dropout": 0.0}
        }

    def test_smoke_is_small(self) -> None:
        plan = plan_of("gradient_study", "smoke")
        assert (len(plan.cells), plan.num_search_trials, plan.num_networks) == (32, 64, 288)


class TestStudiesOfOneFactor:
    def test_batch_norm_is_compared_over_rates_and_batch_sizes(self) -> None:
        plan = plan_of("batchnorm_study", "laptop")
        assert set(plan.study.factors) == {"batch_norm", "learning_rate", "batch_size"}
        assert (len(plan.cells), plan.study.nuisances, plan.num_search_trials) == (18, {}, 18)

    def test_dropout_is_compared_over_training_set_sizes(self) -> None:
        plan = plan_of("dropout_study", "laptop")
        assert plan.study.factors == {"dropout": (0.0, 0.1, 0.3, 0.5), "train_size": (0.1, 0.3, 1.0)}
        assert len(plan.cells) == 12

    def test_each_optimizer_has_its_own_range_and_its_settings_are_stated(self) -> None:
        plan = plan_of("optimizer_study", "laptop")
        assert plan.study.factors["optimizer"] == ("sgd", "adam", "rmsprop", "adamw")
        assert plan.study.nuisances == {"learning_rate": dict(LEARNING_RATES)}
        stated = {"momentum": 0.9, "weight_decay": 0.0, "decoupled_weight_decay": 0.01}
        assert stated.items() <= plan.study.fixed.items()

    @pytest.mark.parametrize("name", ["batchnorm_study", "dropout_study", "optimizer_study"])
    def test_a_laptop_may_claim_smoke_is_small_and_other_data_will_do(self, name: str) -> None:
        assert plan_of(name, "laptop").study.replicates == 10
        assert plan_of(name, "smoke").num_networks <= 120
        assert derive(load_definition(name)[1], settings={"dataset": "synthetic"}).dataset == "synthetic"


class TestSentimentStudy:
    def test_four_layers_are_compared_on_a_stated_share_of_the_reviews(self) -> None:
        plan = plan_of("sentiment_study", "laptop")
        assert plan.study.dataset == "reviews"
        assert plan.study.factors == {
            "batch_norm": (False, True),
            "dropout": (0.1, 0.3, 0.5),
            "optimizer": ("adam", "rmsprop"),
        }
        stated = {"depth": 4, "clip_norm": 1.0, "patience": 2, "train_size": 0.4}
        assert stated.items() <= plan.study.fixed.items()
        assert plan.study.replicates == 10

    def test_smoke_is_small_and_the_cluster_takes_all_of_them(self) -> None:
        assert plan_of("sentiment_study", "smoke").num_networks == 48
        cluster = plan_of("sentiment_study", "cluster")
        assert cluster.study.dataset == "reviews_20000"
        assert cluster.hyperparameters({})["train_size"] is None
        assert (len(cluster.cells), cluster.study.replicates) == (12, 20)


class TestImageStudy:
    def test_four_factors_are_compared_for_a_convolutional_network(self) -> None:
        plan = plan_of("image_study", "laptop")
        assert (plan.study.model, plan.study.dataset, plan.study.replicates) == ("cnn", "digits", 10)
        assert plan.study.factors == {
            "augmentation": ("none", "shift+rotation+zoom"),
            "batch_norm": (False, True),
            "dropout": (0.0, 0.5),
            "schedule": ("constant", "cosine"),
        }
        assert plan.hyperparameters({})["depth"] == 3
        assert plan.up_to_look(1).expected_network_epochs < 8_000

    def test_smoke_is_small_and_the_cluster_has_larger_pictures_and_networks(self) -> None:
        assert plan_of("image_study", "smoke").num_networks == 96
        cluster = plan_of("image_study", "cluster")
        assert (cluster.study.dataset, cluster.hyperparameters({})["width"]) == ("fashion_mnist", 32)
        assert {"plateau", "exponential"} < set(cluster.study.factors["schedule"])

    @pytest.mark.parametrize("profile", ["laptop", "smoke"])
    def test_it_suits_the_digits(self, profile: str) -> None:
        check_suits(plan_of("image_study", profile).study, datasets.load("digits"))


class TestTuningStudy:
    def test_it_searches_the_space_of_the_depth_study_as_one_sweep(self) -> None:
        study = load_definition("tuning_study")[1]
        depth_study = load_definition("depth_study")[1]
        assert (study.factors, study.nuisances) == (depth_study.factors, depth_study.nuisances)
        assert not study.has_cells
        assert (study.search.trials, study.search.sampler, study.confirm.best) == (50, "tpe", 3)
        assert study.confirm.default == {
            **{"depth": 3, "dropout": 0.1, "batch_norm": False, "optimizer": "adam", "learning_rate": 1e-3}
        }

    def test_its_budget_can_be_set_and_smoke_is_small(self) -> None:
        study = load_definition("tuning_study")[1]
        assert derive(study, settings={"search.trials": 70}).search.trials == 70
        smoke = plan_of("tuning_study", "smoke")
        assert (smoke.num_search_trials, smoke.num_confirm_trials, smoke.study.replicates) == (12, 4, 3)


class TestNames:
    @pytest.mark.parametrize("name", catalog.names())
    def test_every_study_loads_asks_a_question_and_has_every_profile(self, name: str) -> None:
        study = load_definition(name)[1]
        assert study.question.endswith("?")
        assert set(study.profiles) == {"smoke", "cluster"}
        for profile in study.profiles:
            assert derive(study, profile=profile) != study

    def test_a_wrong_name_lists_the_right_ones(self) -> None:
        with pytest.raises(UsageError) as caught:
            load_definition("dept_study")
        assert caught.value.mistakes == (
            f"dept_study: no such study (did you mean depth_study?); choices: {', '.join(catalog.names())}",
        )

    def test_a_file_given_without_its_ending_is_pointed_out(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "mine.py").touch()
        with pytest.raises(UsageError, match=r"mine\.py is in this folder: give its path, \./mine\.py"):
            load_definition("mine")
