"""Handwritten digits: 1,797 real images of 8 x 8 pixels from scikit-learn."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from trainables.data.dataset import Dataset

FILE = Path("datasets", "data", "digits.csv.gz")
"""Below scikit-learn's folder: each line the 64 pixels of an image, then its digit."""


def load() -> Dataset:
    """Return the digits with pixels scaled by a constant from 0..16 to 0..1 (nothing is fitted).

    The file is read here, because to import scikit-learn for it takes longer than to start Ray's own processes.
    """
    table = np.loadtxt(_file(), delimiter=",")
    pixels, digits = table[:, :-1], table[:, -1].astype(np.int64)
    return Dataset(
        name="digits",
        about="1,797 images of handwritten digits, 8 x 8 grey values (UCI Optical Recognition of Handwritten Digits)",
        licence="CC BY 4.0",
        inputs=(pixels / 16.0).astype(np.float32),
        targets=digits,
        classes=tuple(str(digit) for digit in range(10)),
        shape=(8, 8),
        # Not "flip": a mirrored digit is another sign, or none.
        augmentations=("shift", "rotation", "zoom", "shear"),
    )


def _file() -> Path:
    found = find_spec("sklearn")
    assert found is not None, "scikit-learn is not installed"
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / FILE
