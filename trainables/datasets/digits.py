"""Handwritten digits: 1,797 real images of 8 x 8 pixels from scikit-learn."""

import numpy as np
from sklearn.datasets import load_digits

from trainables.data.dataset import Dataset


def load() -> Dataset:
    """Return the digits with pixels scaled by a constant from 0..16 to 0..1 (nothing is fitted)."""
    bunch = load_digits()
    return Dataset(
        name="digits",
        about="1,797 images of handwritten digits, 8 x 8 grey values (UCI Optical Recognition of Handwritten Digits)",
        licence="CC BY 4.0",
        inputs=(bunch.data / 16.0).astype(np.float32),
        targets=bunch.target.astype(np.int64),
        classes=tuple(str(digit) for digit in bunch.target_names),
        shape=bunch.images.shape[1:],
        # Not "flip": a mirrored digit is another sign, or none.
        augmentations=("shift", "rotation", "zoom", "shear"),
    )
