"""What a job takes along to a cluster: the study's file with the modules that it imports, its table, and what is named.

Nothing else of the folder is sent: it may hold passwords, and gigabytes.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from studies.base.errors import StudiesError, UsageError
from studies.planning.request import Draft
from studies.user_files.loader import OURS
from trainables.data.tables.table_options import is_user_file

ROOT: Final = Path(__file__).resolve().parents[2]
_LEFT_OUT: Final = ("__pycache__", ".gitignore", ".rayignore")
"""Names that are not sent: by the last two Ray would leave out files that were named, without a word."""


def files_of(drafted: Draft, sent: Sequence[str]) -> dict[str, Path]:
    """Return the files and folders that the study needs, by their path in the job's folder.

    The study's own file and the modules beside it lie at its top. A table that is named by a relative path, and what
    `sent` names, keep that path. Raises UsageError for one that is not there, or leads out of the current folder.
    """
    files: dict[str, Path] = {}
    if drafted.code is not None:
        folder = Path(drafted.code.file.path).parent
        sources = (drafted.code.file, *drafted.code.modules.values())
        files |= {Path(each.path).relative_to(folder).as_posix(): Path(each.path) for each in sources}
    table = table_of(drafted)
    if table is not None and not table.is_absolute():
        sent = [*sent, str(table)]
    mistakes = [mistake for each in sent if (mistake := _mistake(each)) is not None]
    if mistakes:
        raise UsageError(
            mistakes,
            "Give paths below the current folder, which are the same in the job's folder; what lies on the cluster "
            "already is named by its absolute path (--set dataset=csv:/PATH).",
        )
    # Last what the study imports: nothing that is sent beside it takes its place.
    return {os.path.normpath(each): Path(each) for each in sent} | files


def table_of(drafted: Draft) -> Path | None:
    """Return the path of the study's own table as it is named, None for a published dataset or one made in its file."""
    dataset = drafted.study.dataset
    return Path(dataset.partition(":")[2]).expanduser() if is_user_file(dataset) else None


def _mistake(path: str) -> str | None:
    if os.path.isabs(path) or os.path.normpath(path).split(os.sep)[0] == "..":
        return f"{path}: lies outside the current folder, and would lie elsewhere in the job's"
    if os.path.normpath(path) == ".":
        return f"{path}: is the whole folder; name what the study needs of it"
    return None if Path(path).exists() else f"{path}: no such file or folder"


@contextmanager
def job_folder(files: Mapping[str, Path], *, with_studies: bool) -> Iterator[Path | None]:
    """Yield a folder with copies of `files` and, if asked for, of Studies itself; None if there is nothing to send."""
    if not files and not with_studies:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="studies-job-") as made:
        folder = Path(made)
        if with_studies:
            for package in sorted(OURS):
                _copy(ROOT / package, folder / package)
        for name, source in files.items():
            _copy(source, folder / name)
        yield folder


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_LEFT_OUT), dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target)
    except (shutil.Error, shutil.SpecialFileError) as error:
        failed = (
            error.args[0] if error.args and isinstance(error.args[0], list) else [(source, target, error)]
        )
        raise StudiesError(
            f"{failed[0][0]} cannot be sent: {failed[0][2]}",
            "Mend it, or name by --send what the study needs of it.",
        ) from error
