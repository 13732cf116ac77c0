"""Fashion-MNIST, 70,000 grey images of clothes (Xiao, Rasul and Vollgraf, 2017, arXiv:1708.07747)."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainables.base.augmentation_kinds import KINDS
from trainables.data.dataset import Dataset
from trainables.data.dataset_files import DatasetError, Publication, PublishedFile

CLASSES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


def _file(name: str, sha256: str) -> PublishedFile:
    url = f"https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/{name}.gz"
    return PublishedFile(name=name, url=url, sha256=sha256)


PUBLICATION = Publication(
    dataset="fashion_mnist",
    # Training images and labels, then those of the test set.
    files=(
        _file("train-images-idx3-ubyte", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
        _file("train-labels-idx1-ubyte", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
        _file("t10k-images-idx3-ubyte", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
        _file("t10k-labels-idx1-ubyte", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    ),
    package="dataset-fashion-mnist",
    installed=Path("/usr/share/datasets/fashion-mnist"),
)


def load() -> Dataset:
    """Return the images with pixels scaled by a constant from 0..255 to 0..1 (nothing is fitted).

    The last 10,000 rows are the official test set.
    """
    train, train_labels, test, test_labels = (
        read_idx(PUBLICATION.read(file), num_axes=3 if "images" in file.name else 1)
        for file in PUBLICATION.files
    )
    pixels = np.concatenate([train, test]).reshape(len(train) + len(test), -1)
    inputs = pixels.astype(np.float32)
    inputs /= 255
    return Dataset(
        name="fashion_mnist",
        about=f"{len(inputs):,} images of clothes, 28 x 28 grey values, official test set of {len(test):,}",
        licence="MIT",
        inputs=inputs,
        targets=np.concatenate([train_labels, test_labels]).astype(np.int64),
        classes=CLASSES,
        shape=train.shape[1:],
        augmentations=KINDS,
        official_test=np.arange(len(train), len(inputs)),
    )


def read_idx(content: bytes, *, num_axes: int) -> NDArray[np.uint8]:
    """Return the array of bytes in an IDX file; raise DatasetError if it is not one with `num_axes` axes.

    >>> read_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]), num_axes=1).tolist()
    [7, 9]
    """
    start = 4 + 4 * num_axes
    shape = np.frombuffer(content[4:start], ">u4")
    if content[:4] != bytes([0, 0, 8, num_axes]) or len(content) - start != np.prod(shape, dtype=np.int64):
        raise DatasetError(f"not an IDX file of bytes with {num_axes} axes", "Fetch it again.")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
