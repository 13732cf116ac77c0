"""A study file of one's own: the annotated source of another study, under a new name."""

import os
from pathlib import Path

from studies import catalog
from studies.base.errors import StudiesError, UsageError
from studies.definition.overrides import check_name
from studies.user_files.own_part import own_part


def write_study_file(path: Path, source: str) -> None:
    """Write the file of study `source`, of the catalog or a path, to `path`, where it runs as it is.

    After a study of the catalog stand load() and build(), as comments.

    Raises UsageError where `source` is no study or `path` cannot be the file of one, also where it exists already;
    StudiesError where it cannot be written.
    """
    _check(path)
    catalog.load(source)
    content = _source_of(source).read_bytes()
    if source in catalog.names():
        content += own_part().encode()
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        path.unlink(missing_ok=True)
        raise StudiesError(
            f"{path} cannot be written ({error.strerror})", "Give another path; nothing was written."
        ) from error


def _check(path: Path) -> None:
    if path.suffix != ".py":
        raise UsageError(
            [f"a study's file must end in .py; got {path}"],
            f"For example: studies new {path.name}.py",
        )
    try:
        check_name(path.stem)
    except UsageError as error:
        raise UsageError(
            error.mistakes, "The file's name is the study's name: give the file another."
        ) from error
    if os.path.lexists(path):
        raise _exists(path)
    if not path.parent.is_dir():
        raise UsageError(
            [f"{path}: the folder {path.parent} does not exist"], "Make it first, or give another path."
        )


def _exists(path: Path) -> UsageError:
    return UsageError(
        [f"{path} exists already and was left as it is"], "Give another name, or delete the file first."
    )


def _source_of(study: str) -> Path:
    if study in catalog.names():
        return Path(catalog.__path__[0]) / f"{study}.py"
    return Path(study)
