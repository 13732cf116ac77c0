"""A plan counts what is trained, and the same plan always has the same text and hash."""

import json
from dataclasses import replace
from typing import Any, cast

import pytest

from search_spaces import spaces
from studies.base.errors import UsageError
from studies.definition.overrides import derive
from studies.definition.parts import Confirm, Search, SmallestEffect
from studies.definition.study import Study
from studies.planning.plan import Plan, differences, expected_survivors
from studies.user_files.loader import load_definition
from tests.studies.definitions import plan_of
from trainables.base.hyperparameters import Hyperparameters

DEPTH_STUDY = load_definition("depth_study")[1]
TUNING_STUDY = load_definition("tuning_study")[1]


def small(**changes: Any) -> Study:
    given: dict[str, Any] = {"question": "?", "factors": {"depth": (3, 5), "dropout": (0.0, 0.5)}}
    return Study(**given | {"search": Search(trials_per_cell=1)} | changes)


class TestCells:
    def test_they_are_the_product_in_plan_order_numbered_from_1(self) -> None:
        cells = plan_of(small()).cells
        assert [cell.number for cell in cells] == [1, 2, 3, 4]
        assert [tuple(cell.levels.values()) for cell in cells] == [(3, 0.0), (3, 0.5), (5, 0.0), (5, 0.5)]

    def test_a_key_is_the_content_whatever_the_order_and_number(self) -> None:
        reordered = plan_of(small(factors={"dropout": (0.5, 0.0), "depth": (7, 5, 3)}))
        assert plan_of(small()).cells[0].key == '{"depth":3,"dropout":0.0}'
        assert {cell.key for cell in plan_of(small()).cells} < {cell.key for cell in reordered.cells}

    def test_no_factors_make_one_cell_and_a_study_without_cells_has_none(self) -> None:
        assert [cell.levels for cell in plan_of(small(factors={})).cells] == [{}]
        assert plan_of(TUNING_STUDY).cells == ()


class TestCounts:
    def test_of_the_depth_study(self) -> None:
        plan = plan_of(DEPTH_STUDY).up_to_look(1)
        assert (len(plan.cells), plan.num_search_trials, plan.num_confirm_trials) == (54, 324, 54)
        assert (plan.num_networks, plan.max_network_epochs) == (3780, 68040)
        assert plan.expected_network_epochs == pytest.approx(50_000, rel=0.02)

    def test_each_look_adds_blocks_to_the_confirm_phase(self) -> None:
        plan = plan_of(replace(DEPTH_STUDY, looks=(10, 20, 40)))
        assert (plan.num_search_trials, plan.num_confirm_trials) == (324, 3 * 54)
        assert plan.num_networks == 324 * 10 + 54 * 40

    def test_of_a_study_without_cells(self) -> None:
        plan = plan_of(TUNING_STUDY)
        assert (plan.num_search_trials, plan.num_confirm_trials, plan.num_networks) == (50, 4, 540)
        assert plan.max_network_epochs == 54 * 10 * 18
        survivors = expected_survivors(50, reduction_factor=3)
        assert plan.expected_network_epochs == pytest.approx(10 * (50 * 6 + survivors * 12 + 4 * 18))

    def test_without_a_default_only_the_best_are_confirmed(self) -> None:
        study = replace(TUNING_STUDY, confirm=Confirm(best=2))
        assert plan_of(study).num_confirm_trials == 2

    def test_one_rung_stops_nothing(self) -> None:
        plan = plan_of(small(search=Search(trials_per_cell=1, rungs=(18,))))
        assert plan.expected_network_epochs == plan.max_network_epochs == 8 * 10 * 18


class TestHyperparameters:
    def test_what_is_given_wins_over_fixed_and_fixed_over_the_default(self) -> None:
        plan = plan_of(small(fixed={"width": 32, "batch_size": 8}))
        made = plan.hyperparameters({"depth": 5, "dropout": 0, "batch_size": 16})
        assert (made["depth"], made["width"], made["batch_size"], made["momentum"]) == (5, 32, 16, 0.9)
        assert set(made) == set(spaces())
        assert repr(made["dropout"]) == "0.0"

    def test_a_list_of_widths_sets_the_depth_that_nobody_states(self) -> None:
        plan = plan_of(small(factors={"width": [[64, 32], [64, 64, 64], 16]}))
        made = [plan.hyperparameters(cell.levels) for cell in plan.cells]
        assert [(each["depth"], each["width"]) for each in made] == [
            (2, (64, 32)),
            (3, (64, 64, 64)),
            (3, 16),
        ]
        assert plan.hyperparameters({"width": [8, 4]})["width"] == (8, 4)  # as JSON brings it back

    @pytest.mark.parametrize("study", [DEPTH_STUDY, TUNING_STUDY], ids=["depth_study", "tuning_study"])
    def test_the_trainable_accepts_every_cell_and_the_default(self, study: Study) -> None:
        plan = plan_of(study)
        for levels in [*(cell.levels for cell in plan.cells), study.confirm.default]:
            assert Hyperparameters.from_dict(plan.hyperparameters({**levels, "learning_rate": 0.01}))


class TestHash:
    def test_the_text_is_the_canonical_json_of_the_dict(self) -> None:
        plan = plan_of(DEPTH_STUDY, seed=3, source_hash="beef")
        assert json.loads(plan.to_json()) == plan.to_dict()
        assert list(plan.to_dict())[:3] == ["plan_version", "question", "dataset"]
        assert (plan.to_dict()["seed"], plan.to_dict()["source_hash"]) == (3, "beef")
        assert "profiles" not in plan.to_dict()
        assert len(plan.hash) == 64

    def test_what_is_said_of_a_table_is_kept_where_it_is_said(self) -> None:
        said = {"columns": {"b.c": "ignore", "a": "number"}, "header": False, "join_labels": True}
        table = {"dataset": "csv:pets.csv", "target": "kind"}
        plan = plan_of(small(**table, **said))
        assert list(plan.to_dict())[2:7] == ["dataset", "target", "columns", "header", "join_labels"]
        assert Plan.from_dict("a", plan.to_dict()).hash == plan.hash
        assert plan_of(small(**table)).to_dict().keys().isdisjoint(said)

    def test_the_order_of_names_that_mean_nothing_does_not_count(self) -> None:
        fixed = {"width": 64, "batch_size": 32}
        turned = dict(reversed(fixed.items()))
        assert plan_of(small(fixed=fixed)).hash == plan_of(small(fixed=turned)).hash
        ranges = cast(dict[str, Any], DEPTH_STUDY.nuisances["learning_rate"])
        other = {"learning_rate": dict(reversed(ranges.items()))}
        assert plan_of(replace(DEPTH_STUDY, nuisances=other)).hash == plan_of(DEPTH_STUDY).hash

    def test_the_order_of_factors_and_levels_is_the_order_of_comparison_and_counts(self) -> None:
        plans = [
            plan_of(small()),
            plan_of(small(factors={"dropout": (0.0, 0.5), "depth": (3, 5)})),
            plan_of(small(factors={"depth": (5, 3), "dropout": (0.0, 0.5)})),
        ]
        assert len({plan.hash for plan in plans}) == 3

    def test_name_and_profiles_do_not_count_and_everything_else_does(self) -> None:
        plan = plan_of(small())
        assert replace(plan, name="b").hash == plan.hash
        assert plan_of(small(profiles={"smoke": {"replicates": 3}})).hash == plan.hash
        changed = [
            replace(plan, seed=1),
            replace(plan, dataset_fingerprint="beef"),
            replace(plan, source_hash="beef"),
            plan_of(small(question="!")),
            plan_of(small(replicates=11)),
            plan_of(small(smallest_effect=SmallestEffect(log_loss=0.03))),
        ]
        assert len({each.hash for each in [plan, *changed]}) == 7

    def test_one_dropout_however_it_is_written_is_one_plan(self) -> None:
        assert plan_of(small(fixed={"alpha": 0})).hash == plan_of(small(fixed={"alpha": -0.0})).hash

    @pytest.mark.parametrize("profile", ["smoke", "laptop", "cluster"])
    @pytest.mark.parametrize("study", [DEPTH_STUDY, TUNING_STUDY], ids=["depth_study", "tuning_study"])
    def test_the_catalog_comes_back_from_json(self, study: Study, profile: str) -> None:
        plan = plan_of(derive(study, profile=profile))
        again = Plan.from_dict("a", json.loads(plan.to_json()))
        assert again.hash == plan.hash
        assert again == replace(plan, study=replace(plan.study, profiles={}))


class TestBadInput:
    @pytest.mark.parametrize("seed", [-1, 2**63, 0.5, True, "3", None])
    def test_a_wrong_seed(self, seed: object) -> None:
        with pytest.raises(UsageError, match="seed must be a whole number"):
            plan_of(small(), seed=seed)


class TestDifferences:
    def test_equal_plans_have_none(self) -> None:
        assert differences(plan_of(small()).to_dict(), plan_of(small()).to_dict()) == []

    def test_each_field_has_one_line(self) -> None:
        old = plan_of(DEPTH_STUDY).to_dict()
        changes = {"factors.depth": [3, 5], "fixed.init_gain": 2, "nuisances.learning_rate.adam.low": 1e-4}
        new = plan_of(derive(DEPTH_STUDY, profile="cluster", settings=changes), seed=1).to_dict()
        assert set(differences(old, new)) == {
            "factors.depth: [3, 5, 7] -> [3, 5]",
            "fixed.init_gain: (absent) -> 2.0",
            "nuisances.learning_rate.adam.low: 0.0003 -> 0.0001",
            "replicates: 10 -> 20",
            "looks: [10, 20, 40, 80] -> [20, 40, 80]",
            "seed: 0 -> 1",
            "search.trials_per_cell: 6 -> 27",
            "search.rungs: [6, 18] -> [3, 9, 27, 81]",
            "confirm.epochs: 18 -> 81",
        }

    def test_long_texts_are_compared_and_shown_whole(self) -> None:
        old, new = (plan_of(small(question="a" * 100 + end)).to_dict() for end in "xy")
        assert differences(old, new) == [f'question: "{"a" * 100}x" -> "{"a" * 100}y"']

    def test_another_order_of_the_same_factors_is_a_difference(self) -> None:
        turned = plan_of(small(factors={"dropout": (0.0, 0.5), "depth": (3, 5)})).to_dict()
        assert differences(plan_of(small()).to_dict(), turned) == [
            "order of factors: depth, dropout -> dropout, depth"
        ]

    def test_plans_with_different_hashes_differ_and_true_is_not_1(self) -> None:
        assert differences({"a": True}, {"a": 1}) == ["a: true -> 1"]
        assert differences({"a": {}}, {"a": {"b": 1}}) == ["a: {} -> (absent)", "a.b: (absent) -> 1"]
