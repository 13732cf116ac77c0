"""A table becomes an array, or says why it cannot."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from reports.inputs.cube import cube, levels_of, pairs_to_compare
from tests.reports.balanced import DEPTH_STUDY, table


class TestLevels:
    def test_numbers_and_booleans_ascend(self) -> None:
        assert levels_of(pd.Series([7, 3, 5, 3])) == (3, 5, 7)
        assert levels_of(pd.Series([True, False])) == (False, True)

    def test_others_keep_the_order_of_appearance_or_of_a_categorical(self) -> None:
        names = pd.Series(["sgd", "adam", "sgd"])
        assert levels_of(names) == ("sgd", "adam")
        assert levels_of(names.astype(pd.CategoricalDtype(["adam", "rmsprop", "sgd"]))) == (
            "adam",
            "rmsprop",
            "sgd",
        )

    def test_lists_and_missing_values_are_levels(self) -> None:
        assert levels_of(pd.Series([[128, 64], [64], [128, 64]])) == ((128, 64), (64,))
        assert levels_of(pd.Series([None, 0.5], dtype=object)) == (None, 0.5)

    def test_neighbours_or_against_the_first(self) -> None:
        assert pairs_to_compare((3, 5, 7)) == [(3, 5), (5, 7)]
        assert pairs_to_compare((False, True)) == [(False, True)]
        assert pairs_to_compare(("sgd", "adam", "rmsprop")) == [("sgd", "adam"), ("sgd", "rmsprop")]
        assert pairs_to_compare((3,)) == []


class TestCube:
    def test_every_value_stands_at_its_place(self) -> None:
        frame = table(DEPTH_STUDY, num_blocks=3).sample(frac=1, random_state=0)
        found = cube(frame, "test_loss")
        assert found.values.shape == (3, 3, 2, 3, 3)
        assert found.complete
        row = frame.iloc[7]
        place = [found.factors[name].index(row[name]) for name in found.factors]
        assert found.values[(*place, found.blocks.index(row["block"]))] == row["test_loss"]

    def test_recorded_and_measured_columns_are_no_factors(self) -> None:
        frame = table({"depth": [3, 5]}, num_blocks=4)
        frame = frame.assign(trial_number=range(8), val_loss=0.3, gap=np.random.default_rng(0).normal(size=8))
        assert list(cube(frame, "test_loss").factors) == ["depth"]

    def test_a_value_that_is_not_finite_is_a_missing_cell(self) -> None:
        frame = table({"depth": [3, 5]}, num_blocks=4)
        frame.loc[2, "test_loss"] = np.inf
        found = cube(frame, "test_loss")
        assert not found.complete
        assert np.isnan(found.values).sum() == 1

    def test_two_rows_for_one_cell_and_block_are_refused(self) -> None:
        frame = table({"depth": [3, 5]}, num_blocks=2)
        with pytest.raises(ValueError, match="one row per cell and block"):
            cube(pd.concat([frame, frame.iloc[:1]]), "test_loss")

    def test_a_missing_column_is_named(self) -> None:
        with pytest.raises(ValueError, match="needs the column block and loss"):
            cube(pd.DataFrame({"depth": [3]}), "loss")

    def test_an_unknown_factor_lists_the_right_ones(self) -> None:
        with pytest.raises(ValueError, match="unknown factor 'width'; the frame has depth"):
            cube(table({"depth": [3, 5]}), "test_loss").axis("width")
