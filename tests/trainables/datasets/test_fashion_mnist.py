"""Fashion-MNIST: read from IDX files, packed or not, and refused with directions where they are missing or damaged."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.trainables.datasets.published import publish
from trainables import datasets
from trainables.data.dataset_files import DatasetError
from trainables.datasets import fashion_mnist

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (50, 28, 28), np.uint8)
LABELS = np.arange(50, dtype=np.uint8) % 10


def idx(values: np.ndarray) -> bytes:
    sizes = np.array(values.shape, ">u4").tobytes()
    return bytes([0, 0, 8, values.ndim]) + sizes + values.tobytes()


CONTENTS = [idx(PIXELS[:30]), idx(LABELS[:30]), idx(PIXELS[30:]), idx(LABELS[30:])]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The dataset's folder with small files, the images packed."""
    monkeypatch.setenv("STUDIES_DATA", str(tmp_path))
    small = publish(monkeypatch, fashion_mnist, CONTENTS)
    small.folder.mkdir()
    for file, content in zip(small.files, CONTENTS, strict=True):
        packed = "images" in file.name
        name = file.fetched_name if packed else file.name
        (small.folder / name).write_bytes(gzip.compress(content) if packed else content)
    return small.folder


def test_images_labels_and_the_official_test_set(folder: Path) -> None:
    dataset = datasets.load("fashion_mnist")
    assert dataset.inputs.shape == (50, 784)
    assert dataset.shape == (28, 28)
    assert dataset.inputs.reshape(50, 28, 28) == pytest.approx(PIXELS / 255, abs=1e-6)
    assert (dataset.targets == LABELS).all()
    assert dataset.official_test is not None
    assert dataset.official_test.tolist() == list(range(30, 50))
    assert (dataset.num_classes, dataset.groups, dataset.licence) == (10, None, "MIT")


def test_files_may_lie_in_the_data_folder_itself(folder: Path) -> None:
    for path in folder.iterdir():
        path.rename(folder.parent / path.name)
    assert len(datasets.load("fashion_mnist").inputs) == 50


def test_a_missing_file_is_told_with_every_way_to_get_it(folder: Path) -> None:
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DatasetError) as told:
        datasets.load("fashion_mnist")
    assert str(folder) in told.value.message
    assert "t10k-labels-idx1-ubyte.gz is missing" in told.value.message
    for way in ("studies data fashion_mnist", "apt-get install dataset-fashion-mnist", "https://"):
        assert way in told.value.advice


@pytest.mark.parametrize("damage", ["changed", "cut short", "other"])
def test_a_damaged_file_is_named(folder: Path, damage: str) -> None:
    path = folder / "train-images-idx3-ubyte.gz"
    whole = path.read_bytes()
    others = PIXELS[:30] // 2
    path.write_bytes(
        {
            "changed": whole[:200] + b"\0" + whole[201:],
            "cut short": whole[:-9],
            "other": gzip.compress(idx(others)),
        }[damage]
    )
    with pytest.raises(DatasetError, match="fetch it again") as told:
        datasets.load("fashion_mnist")
    assert str(path) in told.value.message


@pytest.mark.parametrize("content", [b"", CONTENTS[0][:-1], CONTENTS[1], b"\0\0\x0d\3" + CONTENTS[0][4:]])
def test_what_is_no_idx_file_of_images_is_refused(content: bytes) -> None:
    with pytest.raises(DatasetError, match="3 axes"):
        fashion_mnist.read_idx(content, num_axes=3)


@pytest.mark.skipif(
    not Path("/usr/share/datasets/fashion-mnist").is_dir(), reason="apt-get install dataset-fashion-mnist"
)
def test_the_real_files_are_what_was_published() -> None:
    dataset = datasets.load("fashion_mnist")
    assert dataset.inputs.shape == (70_000, 784)
    assert (np.bincount(dataset.targets) == 7000).all()
    assert dataset.official_test is not None
    assert (np.bincount(dataset.targets[dataset.official_test]) == 1000).all()
