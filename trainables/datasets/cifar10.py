"""CIFAR-10, 60,000 colour photographs of ten kinds of things (Krizhevsky, 2009)."""

import io
import pickle
import tarfile
from typing import Any

import numpy as np
from numpy._core.multiarray import _reconstruct
from numpy.typing import NDArray

from trainables.base.augmentation_kinds import KINDS
from trainables.data.dataset import Dataset
from trainables.data.dataset_files import DatasetError, Publication, PublishedFile

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SHAPE = (3, 32, 32)
"""Colour channels (red, green, blue), rows, columns."""

NUM_PIXELS = 3 * 32 * 32

BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")


def _file(name: str, sha256: str) -> PublishedFile:
    return PublishedFile(name=name, url=f"https://www.cs.toronto.edu/~kriz/{name}", sha256=sha256)


PUBLICATION = Publication(
    dataset="cifar10",
    # The binary archive is preferred, because it holds plain bytes.
    files=(
        _file("cifar-10-binary.tar.gz", "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
        _file("cifar-10-python.tar.gz", "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"),
    ),
    is_alternative=True,
)

Batch = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Pixels (examples, 3072), and labels (examples,)."""


def load() -> Dataset:
    """Return the images of the binary archive or, if only that exists, of the Python archive.

    Each block scales the three colours by their mean and deviation in its own training part. The last 10,000 rows
    are the official test set.
    """
    binary, python = PUBLICATION.files
    is_python = PUBLICATION.find(binary) is None and PUBLICATION.find(python) is not None
    content = PUBLICATION.read(python if is_python else binary)
    batches = read_python(content) if is_python else read_binary(content)
    inputs = np.concatenate([pixels for pixels, _ in batches]).astype(np.float32)
    inputs /= 255
    num_test = len(batches[-1][1])
    return Dataset(
        name="cifar10",
        about=f"{len(inputs):,} colour photographs, 32 x 32 pixels, official test set of {num_test:,}",
        licence="none stated; cite Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
        inputs=inputs,
        targets=np.concatenate([labels for _, labels in batches]).astype(np.int64),
        classes=CLASSES,
        shape=SHAPE,
        augmentations=KINDS,
        groups=np.repeat(np.arange(3), NUM_PIXELS // 3),
        official_test=np.arange(len(inputs) - num_test, len(inputs)),
    )


def read_binary(archive: bytes) -> list[Batch]:
    """Return the batches of the published binary archive; each record is a label followed by the pixels."""
    batches = []
    for name, content in _members(archive, "cifar-10-batches-bin", ".bin"):
        if not content or len(content) % (NUM_PIXELS + 1):
            raise DatasetError(f"{name} is not made of records of {NUM_PIXELS + 1} bytes", "Fetch it again.")
        records = np.frombuffer(content, np.uint8).reshape(-1, NUM_PIXELS + 1)
        batches.append((records[:, 1:], records[:, 0]))
    return batches


def read_python(archive: bytes) -> list[Batch]:
    """Return the batches of the published Python archive, without executing code from it.

    It holds pickles; only arrays of bytes and plain values are unpickled.
    """
    batches = []
    for name, content in _members(archive, "cifar-10-batches-py", ""):
        try:
            batch = _ArraysOnly(io.BytesIO(content), encoding="latin1").load()
            pixels, labels = batch["data"], np.array(batch["labels"], np.uint8)
        except Exception as error:  # a damaged pickle may raise anything
            raise DatasetError(
                f"{name} cannot be read ({type(error).__name__}: {error})", "Fetch it again."
            ) from error
        if getattr(pixels, "dtype", None) != np.uint8 or pixels.shape != (len(labels), NUM_PIXELS):
            raise DatasetError(
                f"{name} does not hold {NUM_PIXELS} pixels for each of its labels", "Fetch it again."
            )
        batches.append((pixels, labels))
    return batches


def _members(archive: bytes, folder: str, ending: str) -> list[tuple[str, bytes]]:
    """Return name and content of each batch; nothing is unpacked to disk."""
    members = []
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for batch in BATCHES:
                member = tar.extractfile(f"{folder}/{batch}{ending}")
                members.append((f"{batch}{ending}", b"" if member is None else member.read()))
    except (tarfile.TarError, KeyError, EOFError, OSError) as error:
        raise DatasetError(f"the archive cannot be read ({error})", "Fetch it again.") from error
    return members


_MAKERS = {"_reconstruct": _reconstruct, "ndarray": np.ndarray, "dtype": np.dtype}


class _ArraysOnly(pickle.Unpickler):
    """Unpickles numpy arrays, and refuses every other class or function."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray") and name in _MAKERS:
            return _MAKERS[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a batch of images")
