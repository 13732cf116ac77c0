"""A right study has one form, however it is written, and ranges that follow the optimizer."""

import pickle
from dataclasses import asdict, replace
from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from reports.inputs.early_stopping import BEST, STOPPED
from search_spaces import spaces
from search_spaces.optimizers import LEARNING_RATES
from studies.definition.parts import Confirm, Search, Thresholds
from tests.studies.definitions import RATE, make, without_cells
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.metrics import BEST_EPOCH, STOPPED_EPOCH


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


def test_search_spaces_and_the_trainable_agree_on_hyperparameters_and_defaults() -> None:
    defaults = {name: space.default for name, space in spaces().items()}
    assert {**defaults, "own": {}} == asdict(Hyperparameters())


def test_thresholds_are_those_of_the_verdicts_rules() -> None:
    assert asdict(Thresholds()) == {
        **{"blown_up": 2.0, "untrained": 0.95, "total_growth": 100.0, "growth": 1.6, "growth_total": 10.0},
        **{"watch": 10.0, "spike_rate": 0.01, "dead_fraction": 0.5, "stalled": 1e-5, "hot": 0.1},
    }


def test_reports_and_the_trainable_agree_on_the_names_of_early_stoppings_epochs() -> None:
    assert (BEST, STOPPED) == (BEST_EPOCH, STOPPED_EPOCH)
