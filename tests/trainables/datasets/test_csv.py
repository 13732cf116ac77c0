"""A table of one's own: what becomes of its columns, and what is refused with its row and column."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from trainables import datasets
from trainables.base.hyperparameters import Hyperparameters
from trainables.data.dataset import Dataset
from trainables.data.dataset_files import DatasetError
from trainables.data.splits import Split, split_blocks
from trainables.data.stack_data import StackData
from trainables.data.tables.table_options import TableOptions
from trainables.training.loop import train
from trainables.training.stack import Stack

CPU = torch.device("cpu")
HEADER = "size,colour,age,kind"
ROWS = [f"{n}.5,{'red' if n % 3 else 'blue'},{n},{'cat' if n % 2 else 'dog'}" for n in range(40)]


def table(folder: Path, rows: Sequence[str], header: str = HEADER) -> Path:
    path = folder / "pets.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def load(path: Path, target: str = "kind") -> Dataset:
    return datasets.load(f"csv:{path}", table=TableOptions(target=target))


def with_row(number: int, row: str) -> list[str]:
    """Return the rows with another in place of the one of this number, counted from 1."""
    return [*ROWS[: number - 1], row, *ROWS[number:]]


def test_numbers_categories_and_the_target(tmp_path: Path) -> None:
    dataset = load(table(tmp_path, ROWS))
    assert dataset.classes == ("cat", "dog")
    assert dataset.targets[:4].tolist() == [1, 0, 1, 0]
    assert dataset.inputs[:4].tolist() == [[0.5, 1, 0, 0], [1.5, 0, 1, 1], [2.5, 0, 1, 2], [3.5, 1, 0, 3]]
    assert dataset.groups is not None
    assert dataset.groups.tolist() == [0, -1, -1, 3]
    assert dataset.about == "pets.csv: 40 rows, 2 columns of numbers and 1 of texts, missing values in 0"


def test_missing_values_are_marked_and_filled_with_the_training_median(tmp_path: Path) -> None:
    rows = with_row(3, ",,2,dog")
    rows[5:8] = [f",red,{n},cat" for n in (5, 6, 7)]
    dataset = load(table(tmp_path, rows))
    assert np.isnan(dataset.inputs[[2, 5, 6, 7], 0]).all()
    assert dataset.inputs[:, 1].nonzero()[0].tolist() == [2, 5, 6, 7]
    assert dataset.inputs[2].tolist()[2:] == [0, 0, 1, 2], "neither blue nor red, but missing"
    splits = list(split_blocks(dataset, seed=0, blocks=range(3)).values())
    data = StackData.make(dataset, splits, CPU)
    everything = data.gather(torch.arange(40).repeat(3, 1))
    assert everything.isfinite().all()
    for replicate, split in enumerate(splits):
        present = dataset.inputs[split.train, 0]
        present = present[~np.isnan(present)].astype(np.float64)
        expected = (np.median(present) - present.mean()) / present.std()
        assert everything[replicate, [2, 5, 6, 7], 0].numpy() == pytest.approx(np.full(4, expected), abs=1e-5)


def test_a_category_that_training_has_not_seen_is_zero(tmp_path: Path) -> None:
    dataset = load(table(tmp_path, with_row(7, "6.5,green,6,dog")))
    green = 2
    for split in split_blocks(dataset, seed=0, blocks=range(12)).values():
        data = StackData.make(dataset, [split], CPU)
        seen = data.gather(torch.tensor([[6]]))[0, 0, green]
        assert seen == (1.0 if 6 in split.train else 0.0)


def test_poison_in_the_test_part_changes_nothing_in_training(tmp_path: Path) -> None:
    clean = load(table(tmp_path, ROWS))
    split: Split = split_blocks(clean, seed=0, blocks=[0])[None, 0]
    rows = [f"1e9,red,,{'cat' if n % 2 else 'dog'}" if n in split.test else ROWS[n] for n in range(40)]
    poisoned = load(table(tmp_path, rows))
    kept = [0, 1, 2, 3]  # a column that says where ages are missing comes on top
    cut = Dataset(
        name="cut",
        about="",
        licence="",
        inputs=poisoned.inputs[:, kept],
        targets=poisoned.targets,
        classes=poisoned.classes,
        groups=poisoned.groups[kept] if poisoned.groups is not None else None,
    )
    hp = Hyperparameters(depth=1, width=8, learning_rate=0.01, batch_size=8)
    records = [
        list(train(Stack.make("mlp", hp, StackData.make(each, [split], CPU), seeds=(5,)), epochs=2))
        for each in (clean, cut)
    ]
    assert records[0] == records[1]


def test_a_column_that_only_the_test_part_lacks_is_zero_in_training(tmp_path: Path) -> None:
    clean = load(table(tmp_path, ROWS))
    split = split_blocks(clean, seed=0, blocks=[0])[None, 0]
    rows = [f"1,red,,{'cat' if n % 2 else 'dog'}" if n in split.test else ROWS[n] for n in range(40)]
    data = StackData.make(load(table(tmp_path, rows)), [split], CPU)
    assert (data.gather(data.train)[0, :, -1] == 0).all()
    assert (data.gather(data.test)[0, :, -1] == 0).all()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_and_packed_files_are_told_by_themselves(tmp_path: Path, separator: str) -> None:
    text = "\n".join([HEADER, *ROWS]).replace(",", separator)
    path = tmp_path / "pets.csv.gz"
    path.write_bytes(gzip.compress(f"\ufeff{text}".encode()))
    assert (load(path).inputs == load(table(tmp_path, ROWS)).inputs).all()


def test_classes_that_are_numbers_are_in_their_order(tmp_path: Path) -> None:
    rows = [f"{n},{10 * (n % 3 + 1) - 1}" for n in range(30)]
    dataset = load(table(tmp_path, rows, "x,kind"))
    assert dataset.classes == ("9", "19", "29")
    assert dataset.targets[:3].tolist() == [0, 1, 2]


def test_times_in_seconds_keep_their_digits(tmp_path: Path) -> None:
    rows = [f"{1_700_000_000 + n},{'ab'[n % 2]}" for n in range(30)]
    assert load(table(tmp_path, rows, "time,kind")).inputs[:, 0].tolist() == list(range(30))


def test_the_fingerprint_is_the_files(tmp_path: Path) -> None:
    first = load(table(tmp_path, ROWS))
    assert load(table(tmp_path, ROWS)).fingerprint == first.fingerprint
    assert load(table(tmp_path, with_row(4, "3.25,blue,3,cat"))).fingerprint != first.fingerprint
    renamed = [row.replace("cat", "cow") for row in ROWS]
    assert load(table(tmp_path, renamed)).fingerprint != first.fingerprint


WRONG = {
    "a word among numbers": (
        with_row(17, "big,red,16,dog"),
        HEADER,
        "row 17, column size: 'big' among numbers",
    ),
    "infinity": (with_row(5, "inf,red,4,dog"), HEADER, "row 5, column size: inf is too large"),
    "beyond float32": (with_row(5, "1e39,red,4,dog"), HEADER, "row 5, column size: 1e+39 is too large"),
    "a missing target": (with_row(9, "8.5,red,8,"), HEADER, "row 9, column kind: the target is missing"),
    "one class": ([row.replace("dog", "cat") for row in ROWS], HEADER, "kind has 1 class, and"),
    "free text": (
        [f"text {n % 1001},{'ab'[n % 2]}" for n in range(2100)],
        "note,kind",
        "column note has 1,001 different texts",
    ),
    "too many cells": (with_row(3, "2.5,red,2,dog,x"), HEADER, "row 3 has 5 cells, the header 4"),
    "too few cells": (with_row(3, "2.5,red"), HEADER, "row 3 has 2 cells, the header 4"),
    "no name": (ROWS, "size,,age,kind", "column 2 has no name; if it numbers the rows"),
    "a name twice": (ROWS, "size,size,age,kind", "several columns are called size"),
    "another target": (ROWS, "size,colour,age,kin", "no column is called kind (did you mean kin?)"),
    "the target alone": (["a", "b"] * 20, "kind", "one column only"),
    "no rows": ([], HEADER, "column kind has 0 classes"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_used_is_named(tmp_path: Path, kind: str) -> None:
    rows, header, message = WRONG[kind]
    path = table(tmp_path, rows, header)
    with pytest.raises(DatasetError) as told:
        load(path)
    assert message in told.value.message
    assert str(path) in told.value.message
    assert told.value.advice


def test_all_mistakes_are_told_but_not_thousands(tmp_path: Path) -> None:
    rows = [*ROWS[:30], *[f"x,red,{n},cat" for n in range(3)], "4,red,four,cat"] * 10
    with pytest.raises(DatasetError) as told:
        load(table(tmp_path, rows))
    lines = told.value.message.splitlines()
    assert len(lines) == 12
    assert lines[1] == "- row 31, column size: 'x' among numbers"
    assert lines[-1] == "- and 30 more"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe,kind\n1,2\n", b"\n\n"])
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"odd\.csv"):
        load(path)


def test_a_file_that_is_not_there_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none\.csv: no such file"):
        load(tmp_path / "none.csv")
    with pytest.raises(DatasetError, match=r": a folder"):
        load(tmp_path)
    (tmp_path / "empty.csv").touch()
    with pytest.raises(DatasetError, match=r"empty\.csv: the file is empty"):
        load(tmp_path / "empty.csv")
    packed = tmp_path / "cut.csv.gz"
    packed.write_bytes(gzip.compress("\n".join([HEADER, *ROWS]).encode())[:-20])
    with pytest.raises(DatasetError, match=r"cut\.csv\.gz cannot be read"):
        load(packed)


def test_a_table_that_no_worker_could_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainables.datasets import csv

    monkeypatch.setattr(csv, "MAX_BYTES", 600)
    with pytest.raises(DatasetError, match=r"40 rows with 4 features take .* colour \(2\)"):
        load(table(tmp_path, ROWS))


def test_thousands_of_columns(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(60, 3000)).round(3)
    frame = pd.DataFrame(values, columns=[f"x{n}" for n in range(3000)]).assign(kind=["a", "b"] * 30)
    path = tmp_path / "wide.csv"
    frame.to_csv(path, index=False)
    dataset = load(path)
    assert dataset.inputs == pytest.approx(values, abs=1e-6)
