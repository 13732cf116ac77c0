"""The data of a plain script are the study's: the same rows in each part, prepared alike."""

import io
import tarfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from studies.base.errors import UsageError
from studies.exchange.script import script_text
from tests.studies.exchange.recipes import random_state, recipe, run_as_module
from tests.trainables import corpus
from trainables import datasets
from trainables.data.dataset import Dataset
from trainables.data.splits import split_block
from trainables.data.stack_data import StackData
from trainables.data.tables.table_options import TableOptions

PARTS = ("train", "validation", "test")


def studys_parts(data: Dataset, block: int, train_size: float | None = None) -> list[NDArray[np.float32]]:
    """Return the inputs of each part as the study's networks see them."""
    split = split_block(
        data.targets, seed=0, block=block, train_size=train_size, official_test=data.official_test
    )
    stack = StackData.make(data, [split], torch.device("cpu"))
    return [stack.gather(getattr(stack, part))[0].numpy() for part in PARTS]


def in_any_order_of_columns(table: NDArray[np.float32]) -> NDArray[np.float32]:
    return table[:, np.lexsort(table.round(4))]


@pytest.mark.parametrize("name", ["digits", "synthetic"])
@pytest.mark.parametrize("train_size", [None, 0.3])
def test_a_block_has_the_same_rows_scaled_alike(name: str, train_size: float | None) -> None:
    data = datasets.load(name)
    space = run_as_module(recipe(data=data, train_size=train_size))
    for block in (0, 2):
        parts = space["parts"](*space["load"](), random_state(block))
        for (inputs, _), expected in zip(parts, studys_parts(data, block, train_size), strict=True):
            np.testing.assert_allclose(inputs.numpy(), expected, atol=1e-5)
            assert inputs.dtype == torch.float32
        split = split_block(data.targets, seed=0, block=block, train_size=train_size)
        assert [targets.tolist() for _, targets in parts] == [
            data.targets[getattr(split, part)].tolist() for part in PARTS
        ]


def test_a_table_with_missing_values_and_categories(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    lines = ["height,weight;x,colour,kind"]
    for row in range(80):
        height = "" if row % 9 == 0 else f"{random.normal(170, 10):.1f}"
        colour = "" if row % 11 == 0 else ["red", "green", "blue"][row % 3]
        lines.append(f"{height},{random.normal(70, 9):.2f},{colour},{['no', 'yes'][row % 2]}")
    path = tmp_path / "people.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    data = datasets.load(f"csv:{path}", table=TableOptions(target="kind"))
    space = run_as_module(recipe(data=data, target="kind"))
    for (inputs, _), expected in zip(
        space["parts"](*space["load"](), random_state(1)), studys_parts(data, 1), strict=True
    ):
        np.testing.assert_allclose(
            in_any_order_of_columns(inputs.numpy()), in_any_order_of_columns(expected), atol=1e-4
        )


def test_a_table_that_a_few_lines_cannot_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    rows = [f'"1.234,{row:02}";{row};{"ab"[row % 2]}' for row in range(40)]
    path.write_text("\n".join(["price;number;kind", *rows]), encoding="utf-8")
    options = TableOptions(target="kind", columns={"price": "number:decimal_comma"})
    data = datasets.load(f"csv:{path}", table=options)
    with pytest.raises(UsageError, match=r"prices\.csv needs more than a few lines") as caught:
        script_text(recipe(data=data, target="kind"))
    assert "--model" in caught.value.advice


def test_texts_have_the_words_and_weights_of_the_training_part() -> None:
    texts, targets = corpus.texts()
    # As many features as there are words, so that equal chi-squares decide nothing.
    data = replace(corpus.corpus(texts, targets, num_features=400), name="reviews")
    space = run_as_module(recipe(data=data))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer words than features
        parts = space["parts"](np.array(texts, object), np.array(targets), random_state(0))
    for (inputs, _), expected in zip(parts, studys_parts(data, 0), strict=True):
        found = space["dense"](inputs).numpy()
        np.testing.assert_allclose(found, expected[:, : found.shape[1]], atol=1e-6)
        assert not expected[:, found.shape[1] :].any()
        assert 40 < found.shape[1] < 400


def test_images_are_fed_as_images() -> None:
    space = run_as_module(recipe(model="cnn", width=4))
    (inputs, _), *_ = space["parts"](*space["load"](), random_state(0))
    np.testing.assert_allclose(inputs.flatten(1).numpy(), studys_parts(datasets.load("digits"), 0)[0])
    assert inputs.shape[1:] == (1, 8, 8)


def test_photographs_are_read_from_the_binary_archive_and_scaled_by_colour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIES_DATA", str(tmp_path))
    random = np.random.default_rng(2)
    records = random.integers(0, 256, (60, 1 + 3 * 32 * 32), np.uint8)
    records[:, 0] = np.arange(60) % 2
    with tarfile.open(tmp_path / "cifar-10-binary.tar.gz", "w:gz") as archive:
        names = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]
        for name, batch in zip(names, np.split(records, 6), strict=True):
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = batch.nbytes
            archive.addfile(member, io.BytesIO(batch.tobytes()))
    data = Dataset(
        name="cifar10",
        about="noise",
        licence="made up",
        inputs=records[:, 1:].astype(np.float32) / np.float32(255),
        targets=records[:, 0].astype(np.int64),
        classes=("a", "b"),
        shape=(3, 32, 32),
        groups=np.repeat(np.arange(3), 32 * 32),
        official_test=np.arange(50, 60),
    )
    space = run_as_module(recipe(data=data, model="cnn", width=2))
    parts = space["parts"](*space["load"](), random_state(0))
    for (inputs, _), expected in zip(parts, studys_parts(data, 0), strict=True):
        np.testing.assert_allclose(inputs.flatten(1).numpy(), expected, atol=1e-5)
        assert inputs.shape[1:] == (3, 32, 32)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion_mnist", "reviews"])
def test_a_published_dataset_is_read_as_the_study_reads_it(name: str) -> None:
    data = datasets.load(name)
    space = run_as_module(recipe(data=data))
    found: list[Any] = space["load"]()
    if name == "fashion_mnist":
        np.testing.assert_array_equal(found[0], data.inputs)
    np.testing.assert_array_equal(found[1], data.targets)
    parts, expected = space["parts"](*found, random_state(0)), studys_parts(data, 0)
    for (inputs, _), wanted in zip(parts, expected, strict=True):
        if name == "fashion_mnist":
            np.testing.assert_array_equal(inputs.numpy(), wanted)
            continue
        # scikit-learn breaks ties at the last word that is taken otherwise: hardly any review has such words.
        far = np.abs(np.sort(inputs.toarray(), axis=1) - np.sort(wanted, axis=1)).max(axis=1)
        assert np.mean(far < 1e-5) > 0.95
