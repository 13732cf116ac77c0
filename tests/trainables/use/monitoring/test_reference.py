"""The reference of a model: what is kept, what is refused, and that a file gives back the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trainables.use.monitoring.rows import GROUPS, NAMES, reference, sample
from trainables.data.dataset_files import DatasetError
from trainables.use.monitoring.reference import (
    FILE,
    MAX_ROWS,
    MAX_VALUES,
    MIN_ROWS,
    ColumnGroup,
    Reference,
    quantile_edges,
    read_reference,
)


def same(one: Reference, other: Reference) -> bool:
    return all(
        np.array_equal(value, vars(other)[name], equal_nan=name == "features")
        if isinstance(value, np.ndarray)
        else value == vars(other)[name]
        for name, value in vars(one).items()
    )


def test_a_file_gives_back_the_same(tmp_path: Path) -> None:
    features, probabilities, targets = sample(50, 1, gaps=0.2)
    made = Reference.of(
        kind="table",
        features=features,
        probabilities=probabilities,
        targets=targets,
        names=NAMES,
        groups=GROUPS,
        classes=("nein", "ja, größer"),
        terms=("gut", "sehr gut"),
        document_counts=[3, 1],
    )
    (tmp_path / FILE).write_bytes(made.to_bytes())
    assert same(read_reference(tmp_path), made)
    assert made.missing_shares()[0] == pytest.approx(np.isnan(features[:, 0]).mean())


def test_pixels_take_a_byte_each() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (600, 64)).astype(np.float32)
    made = Reference.of(kind="array", features=pixels, probabilities=np.full((600, 2), 0.5))
    assert len(made.to_bytes()) < 600 * 64 + 600 * 2 * 4 + 20_000
    assert same(Reference.from_bytes(made.to_bytes()), made)


@pytest.mark.parametrize(
    ("num_rows", "num_columns", "kept"),
    [
        (12_000, 3, MAX_ROWS),
        (2_000, 3_072, MAX_VALUES // 3_074),
        (300, 20_000, MIN_ROWS),
        (4_000, 784, MAX_VALUES // 786),
        (30, 784, 30),
    ],
)
def test_rows_give_way_to_columns(num_rows: int, num_columns: int, kept: int) -> None:
    features = np.zeros((num_rows, num_columns), np.float32)
    features[:, 0] = np.arange(num_rows)
    one, again, other = (
        Reference.of(kind="array", features=features, probabilities=np.full((num_rows, 2), 0.5), seed=seed)
        for seed in (1, 1, 2)
    )
    assert len(one) == kept
    assert one.num_rows == num_rows
    assert same(one, again)
    assert kept == num_rows or not same(one, other)


@given(st.lists(st.sampled_from([0.0, 0.1, 1.0, 2.5, 7.0]), max_size=60))
def test_each_edge_is_a_value_below_the_largest_share(values: list[float]) -> None:
    edges = quantile_edges(np.array(values, float))
    assert set(edges) <= set(values)
    assert len(edges) <= 9
    assert list(edges) == sorted(set(edges))


def test_the_bins_hold_tenths() -> None:
    features = np.arange(1_000, dtype=np.float32)[:, None]
    made = Reference.of(kind="array", features=features, probabilities=np.full((1_000, 2), 0.5))
    counts = np.bincount(np.searchsorted(made.edges(made.groups[0]), features[:, 0], side="left"))
    assert list(counts) == [100] * 10


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"features": np.full((2, 5), np.inf)}, "row 1, column age: the value is infinite"),
        ({"features": np.zeros((0, 5)), "probabilities": np.zeros((0, 2))}, "there are no rows"),
        ({"features": np.zeros((2, 4))}, "do not cover 4 columns"),
        ({"features": np.zeros(5)}, "features have the shape (5,)"),
        ({"probabilities": np.full((3, 2), 0.5)}, "there are 2 rows"),
        ({"probabilities": np.full((2, 2), np.nan)}, "row 1: the model's probabilities are none"),
        ({"probabilities": [[0.5, 0.5], [1.5, -0.5]]}, "row 2: the model's probabilities are none"),
        ({"targets": [0, 2]}, "row 2: the class 2 is none of the model's 2"),
        ({"targets": [0]}, "targets have the shape (1,)"),
        ({"classes": ("a",)}, "1 classes are named"),
        ({"groups": GROUPS[:2]}, "do not cover 5 columns"),
        ({"groups": (replace(GROUPS[2], kind="number", first=0),)}, "do not cover 5 columns"),
    ],
)
def test_what_cannot_be_compared_is_refused(change: dict[str, object], told: str) -> None:
    given_ = {
        "features": np.zeros((2, 5)),
        "probabilities": np.full((2, 2), 0.5),
        "targets": [0, 1],
        "names": NAMES,
        "groups": GROUPS,
        **change,
    }
    with pytest.raises(DatasetError) as error:
        Reference.of(kind="table", **given_)  # type: ignore[arg-type]
    assert told in error.value.message
    assert error.value.advice


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    content = reference(60).to_bytes()
    for damaged in (b"", b"pickle", content[:200], content[:-1], content.replace(b"age", b'a"e')):
        (tmp_path / FILE).write_bytes(damaged)
        with pytest.raises(DatasetError, match="damaged or no reference"):
            read_reference(tmp_path)
    newer = content.replace(b'\\"format\\": 1', b'\\"format\\": 9')
    assert newer != content
    with pytest.raises(DatasetError, match="has format 9"):
        Reference.from_bytes(newer)


def test_a_model_without_a_reference_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no reference to compare with"):
        read_reference(tmp_path)


def test_without_groups_every_column_is_a_number() -> None:
    made = Reference.of(kind="array", features=np.zeros((3, 2)), probabilities=np.full((3, 2), 0.5))
    assert made.groups[1] == ColumnGroup(name="feature 2", kind="number", first=1, last=1)
