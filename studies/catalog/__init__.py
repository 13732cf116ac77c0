"""The studies that come with Studies, one file each: the file's name is the study's name."""

import importlib
import os
import pkgutil
from pathlib import Path

from studies.errors import UsageError
from studies.mistakes import unknown
from studies.study import Study
from studies.study_file import load_file


def names() -> tuple[str, ...]:
    """Return the names of the studies in the catalog.

    >>> names()[:3]
    ('batchnorm_study', 'depth_study', 'dropout_study')
    """
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load(name_or_path: str) -> tuple[str, Study, str | None]:
    """Return name, study and source hash of a study of the catalog, or of a Python file that defines STUDY.

    The hash is None for a study of the catalog, whose source comes with Studies' own version. Raises UsageError that
    lists the right names, or tells what is wrong with the file.

    >>> load("depth_study")[1].replicates
    10
    """
    if name_or_path.endswith(".py") or os.sep in name_or_path:
        path = Path(name_or_path)
        study, source_hash = load_file(path)
        return path.stem, study, source_hash
    if name_or_path not in names():
        is_file = Path(f"{name_or_path}.py").is_file()
        advice = f"{name_or_path}.py is in this folder" if is_file else "For a file of your own"
        raise UsageError(
            [unknown(name_or_path, "study", names())], f"{advice}: give its path, ./{name_or_path}.py"
        )
    study = importlib.import_module(f"{__name__}.{name_or_path}").STUDY
    assert isinstance(study, Study)
    return name_or_path, study, None
