"""The studies that come with Studies, one file each: the file's name is the study's name."""

import importlib
import os
import pkgutil
from pathlib import Path
from typing import NamedTuple

from studies.base.errors import UsageError
from studies.base.messages import unknown
from studies.study import Study
from studies.user_files.loader import load_file
from trainables.user_code.code import OwnCode


def names() -> tuple[str, ...]:
    """Return the names of the studies in the catalog.

    >>> names()[:3]
    ('batchnorm_study', 'depth_study', 'dropout_study')
    """
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


class Found(NamedTuple):
    """A study and its name; of a file also its code and the hash of its source.

    Both are None for a study of the catalog, whose source comes with Studies' own version.
    """

    name: str
    study: Study
    source_hash: str | None = None
    code: OwnCode | None = None


def load(name_or_path: str) -> Found:
    """Return a study of the catalog, or of a Python file that defines STUDY.

    Raises UsageError that lists the right names, or tells what is wrong with the file.

    >>> load("depth_study").study.replicates
    10
    """
    if name_or_path.endswith(".py") or os.sep in name_or_path:
        path = Path(name_or_path)
        file = load_file(path)
        return Found(path.stem, file.study, file.source_hash, file.code)
    if name_or_path not in names():
        is_file = Path(f"{name_or_path}.py").is_file()
        advice = f"{name_or_path}.py is in this folder" if is_file else "For a file of your own"
        raise UsageError(
            [unknown(name_or_path, "study", names())], f"{advice}: give its path, ./{name_or_path}.py"
        )
    study = importlib.import_module(f"{__name__}.{name_or_path}").STUDY
    assert isinstance(study, Study)
    return Found(name_or_path, study)
