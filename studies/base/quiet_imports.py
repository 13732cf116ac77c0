"""Imports in a notebook's kernel without what a library says there about widgets, which nothing here uses."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_widgets() -> Iterator[None]:
    """Keep from a notebook the warning that tqdm, which Optuna and Ray import, gives where ipywidgets is missing."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        yield
