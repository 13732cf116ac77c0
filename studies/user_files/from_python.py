"""A study that is made in Python, with functions of cells or a script, as the file that says the same."""

from collections.abc import Mapping
from pathlib import Path

from reports.pages.atomic_files import make_private, write_whole
from studies.base.errors import UsageError
from studies.definition.study import Study
from studies.user_files.literals import study_text
from studies.user_files.loader import Found, lies_there, load_source, local_imports
from studies.user_files.python_source import module_text
from trainables.user_code.code import OWN, UserCode

FILE = "study_from_python.py"
"""The name of the file in the folder CODE of the study's own."""
CODE = "code"
_HEADER = '''"""A study that was made in Python, as studies.run_study was given it. studies run takes this file, too."""

from studies import Confirm, ErrorShares, Metric, Search, SmallestEffect, Study, Thresholds

STUDY = '''


def found_in_python(study: Study, functions: Mapping[str, object], folder: Path, *, beside: Path) -> Found:
    """Return the study, with its code as a file in `folder` that is not written yet (`keep_source`).

    `functions` are load(), build() and train() by these names, as far as the study has them; modules that they import
    from the folder `beside` go with them. Raises UsageError for what cannot be written down, and for a study that asks
    for a function which is not given, or says otherwise than by a function what is trained or on what.
    """
    _check(study, functions)
    text = module_text(functions, _HEADER + study_text(study)).encode()
    path = folder.absolute() / FILE
    file = load_source(text, path, local_imports(text, beside))
    made = file.code.module.STUDY
    assert made == study, f"written down as {made}"
    return Found(path.stem, file.study, file.source_hash, file.code)


def _check(study: Study, functions: Mapping[str, object]) -> None:
    mistakes = []
    for field, names in (("dataset", ("load",)), ("model", ("build", "train"))):
        if getattr(study, field) == OWN and not set(names) & set(functions):
            mistakes.append(f'{field}="{OWN}" is what {" or ".join(f"{name}=" for name in names)} gives')
    if mistakes:
        raise UsageError(mistakes, "Correct the call of run_study; nothing was trained.")


def keep_source(code: UserCode) -> None:
    """Write a study's file, and the modules beside it, to their places, each whole or not at all."""
    for source in (*code.modules.values(), code.file):
        if not lies_there(source):
            make_private(Path(source.path).parent)
            write_whole(Path(source.path), source.text)
