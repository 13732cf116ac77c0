"""Where an export goes: folders that hold one study's files each, and packages that an export needs."""

import importlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from reports.pages.atomic_files import make_private, write_whole
from studies.base.errors import UsageError
from studies.database.rows import StudyRow
from studies.storage.paths import check_writable, refuse_links_out

MARK: Final = "exported_study.json"
"""The file in a folder of exported files that says which study they are of."""
MOST_NAMES: Final = 1000
"""Names that are tried for one study in another tool."""


def identity(study: StudyRow) -> dict[str, str]:
    """Return what tells a study from every other one, also from one of the same name in another storage."""
    return {
        "study": study.name,
        "plan_hash": study.plan_hash,
        "created_at": study.created_at.isoformat(),
    }


def check_folder(option: str, folder: Path, study: StudyRow | None = None) -> None:
    """Raise UsageError unless files can be written below a folder, and it holds no other study's files."""
    check_writable(folder, what=option, advice=f"Give {option} a folder that you may write to.")
    try:
        holds = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if study is not None and holds != identity(study):
        other = holds.get("study") if isinstance(holds, dict) else None
        name = other if other != study.name else f"another study that is called {study.name}, too"
        raise UsageError(
            [f"{option}: {folder} holds what was exported of {name}"], f"Give {option} another folder."
        )


def check_file(option: str, path: Path, *, ending: str, kind: str) -> None:
    """Raise UsageError unless a file of this kind can be written to `path`."""
    if path.suffix.lower() != ending:
        raise UsageError(
            [f"{option} {path}: the name of a {kind} ends in {ending}"],
            f"Give such a name: {option} {path.with_suffix(ending) if path.name else 'study' + ending}",
        )
    if path.is_dir():
        inside = path / f"{path.stem or 'study'}{ending}"
        raise UsageError([f"{option} {path}: this is a folder"], f"Name a file in it: {option} {inside}")
    check_writable(path.parent, what=option, advice=f"Give {option} a file where you may write.")


def write_file(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file, for its owner only, whole or not at all, in folders that are made if need be."""
    make_private(path.parent)
    write_whole(path, content)


def make_folder(folder: Path, study: StudyRow) -> None:
    """Make a folder, for its owner only, and write into it which study its files are of."""
    make_private(folder)
    refuse_links_out(folder)
    write_whole(folder / MARK, f"{json.dumps(identity(study))}\n".encode())


def names_for(name: str) -> Iterator[str]:
    """Yield the names under which a study may stand in another tool: its own, then with -2, -3, ...

    >>> names = names_for("depth_study")
    >>> next(names), next(names)
    ('depth_study', 'depth_study-2')
    """
    yield name
    yield from (f"{name}-{number}" for number in range(2, MOST_NAMES))


def load_extra(module: str, *, option: str, extra: str) -> Any:
    """Import a module of a package that comes with an extra of ours; UsageError with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if (error.name or package).partition(".")[0] != package:
            raise
        sys.modules.pop(module, None)
        raise UsageError(
            [f"{option} needs the package {package}, which is not installed"],
            f"Install it: pip install 'studies[{extra}]'",
        ) from error
