"""CIFAR-10: small archives in the two published formats, and a pickle that runs nothing."""

import io
import pickle
import struct
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.hostile import Trap
from tests.trainables.datasets.published import publish
from trainables import datasets
from trainables.data.dataset_files import DatasetError
from trainables.datasets import cifar10

RNG = np.random.default_rng(1)
PIXELS = RNG.integers(0, 256, (6, 4, 3072), np.uint8)
LABELS = RNG.integers(0, 10, (6, 4), np.uint8)


def archive(members: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def binary_batch(number: int) -> bytes:
    records: NDArray[np.uint8] = np.concatenate([LABELS[number, :, None], PIXELS[number]], axis=1)
    return bytes(records)


def python_batch(number: int) -> bytes:
    """A batch as Python 2 pickled it: protocol 2, with its strings, which Python 3 no longer writes."""
    pixels: bytes = PIXELS[number].tobytes()
    array = b"(K\x01K\x04M\x00\x0c\x86cnumpy\ndtype\n(U\x02u1K\x00K\x01tR"
    array += b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
    array += b"T" + struct.pack("<i", len(pixels)) + pixels + b"tb"
    made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR" + array
    labels = b"](" + b"".join(b"K" + bytes([label]) for label in LABELS[number]) + b"e"
    return b"\x80\x02}(U\x04data" + made + b"U\x06labels" + labels + b"u."


BINARY = archive({f"cifar-10-batches-bin/{n}.bin": binary_batch(i) for i, n in enumerate(cifar10.BATCHES)})
PYTHON = archive({f"cifar-10-batches-py/{n}": python_batch(i) for i, n in enumerate(cifar10.BATCHES)})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The dataset's folder, empty."""
    monkeypatch.setenv("STUDIES_DATA", str(tmp_path))
    small = publish(monkeypatch, cifar10, [BINARY, PYTHON])
    small.folder.mkdir()
    return small.folder


@pytest.mark.parametrize(
    ("name", "content"), [("cifar-10-binary.tar.gz", BINARY), ("cifar-10-python.tar.gz", PYTHON)]
)
def test_either_archive_gives_the_same_images(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    dataset = datasets.load("cifar10")
    assert dataset.inputs == pytest.approx(PIXELS.reshape(24, 3072) / 255, abs=1e-6)
    assert (dataset.targets == LABELS.ravel()).all()
    assert dataset.official_test is not None
    assert dataset.official_test.tolist() == [20, 21, 22, 23]
    assert dataset.shape == (3, 32, 32)
    assert dataset.groups is not None
    assert dataset.groups.reshape(3, 32, 32)[:, 5, 7].tolist() == [0, 1, 2]
    assert dataset.num_classes == 10


def test_a_missing_archive_is_told_with_its_address(folder: Path) -> None:
    with pytest.raises(DatasetError, match=r"cifar-10-binary\.tar\.gz is missing in .*cifar10") as told:
        datasets.load("cifar10")
    assert "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz into that folder" in told.value.advice


def test_another_archive_is_refused_by_its_hash(folder: Path) -> None:
    (folder / "cifar-10-binary.tar.gz").write_bytes(PYTHON)
    with pytest.raises(DatasetError, match="should be"):
        datasets.load("cifar10")


def test_a_pickle_from_elsewhere_runs_nothing(tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    content = pickle.dumps({"data": Trap(trace), "labels": [1]})
    packed = archive({f"cifar-10-batches-py/{name}": content for name in cifar10.BATCHES})
    with pytest.raises(DatasetError, match="has no place in a batch of images"):
        cifar10.read_python(packed)
    assert not trace.exists()


def test_archives_of_another_content_are_refused() -> None:
    short = archive({f"cifar-10-batches-bin/{name}.bin": b"12" for name in cifar10.BATCHES})
    with pytest.raises(DatasetError, match="records of 3073 bytes"):
        cifar10.read_binary(short)
    with pytest.raises(DatasetError, match="cannot be read"):
        cifar10.read_binary(PYTHON)
    with pytest.raises(DatasetError, match="cannot be read"):
        cifar10.read_binary(BINARY[: len(BINARY) // 2])
    more_labels = python_batch(0).replace(b"U\x06labels](K", b"U\x06labels](K\1K")
    with pytest.raises(DatasetError, match="3072 pixels for each"):
        cifar10.read_python(archive({f"cifar-10-batches-py/{name}": more_labels for name in cifar10.BATCHES}))
