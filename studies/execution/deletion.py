"""Deletes a study: its rows and its folder, and nothing else."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from studies.base.errors import HeldError, StudiesError, UsageError
from studies.base.wording import counted
from studies.database.lease import held
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.definition.overrides import check_name
from studies.results.study_index import INDEX, index_studies
from studies.storage.paths import Locations
from studies.storage.place import PlaceError, PlaceFolder
from studies.storage.remembered import is_marked


@dataclass(frozen=True, kw_only=True)
class DeletionPlan:
    """What deleting a study removes: rows in the storage, and the files in `folder` (None if it has none).

    `elsewhere` is its folder at the URL of its output, whose files are counted instead: None if it has none of its own.
    """

    study: StudyRow
    num_trials: int
    num_networks: int
    folder: Path | None
    num_files: int
    num_bytes: int
    elsewhere: PlaceFolder | None = None

    def describe(self) -> str:
        """Return the plan as one line, without a full stop."""
        rows = (
            f"{counted(self.num_trials, 'trial')} of {counted(self.num_networks, 'network')} in the storage"
        )
        if self.folder is None and self.elsewhere is None:
            return f"study {self.study.name}: {rows}; it has no folder"
        files = f"{counted(self.num_files, 'file')} ({self.num_bytes / 1e6:,.1f} MB)"
        return f"study {self.study.name}: {rows}; {files} in {self.elsewhere or self.folder}"


def find_deletion_plan(store: Store, study: StudyRow, locations: Locations) -> DeletionPlan:
    """Return what belongs to a study.

    Raises HeldError if a run holds the study, UsageError if its folder is a symbolic link, and PlaceError if the place
    of its files cannot be asked.
    """
    holder = store.holder(study.id)
    if holder is not None:
        raise _refused(held(study.name, holder), study.name)
    folder = _folder(study.name, locations)
    files = [] if folder is None else [path for path in folder.rglob("*") if not path.is_dir()]
    sizes = [path.lstat().st_size for path in files]
    elsewhere = _elsewhere(study, locations)
    if elsewhere is not None:
        sizes = [stamp.num_bytes for stamp in elsewhere.files().values()]
    return DeletionPlan(
        study=study,
        num_trials=sum(sum(states.values()) for states in store.trial_summary(study.id).values()),
        num_networks=sum(store.outcomes(study.id).values()),
        folder=folder,
        num_files=len(sizes),
        num_bytes=sum(sizes),
        elsewhere=elsewhere,
    )


def delete(store: Store, deletion_plan: DeletionPlan, locations: Locations) -> None:
    """Delete a study's rows and folder; if the rows cannot be deleted, the folder is kept.

    Raises HeldError if a run holds the study by now.
    """
    study = deletion_plan.study
    try:
        with store.hold(study.id), _set_aside(deletion_plan.folder):
            store.delete_study(study.id)
    except HeldError as error:
        raise _refused(error, study.name) from None
    if deletion_plan.elsewhere is not None:
        try:
            deletion_plan.elsewhere.remove_all()
        except PlaceError as error:
            raise StudiesError(
                f"the study is deleted, and its folder is not: {deletion_plan.elsewhere}: {error.message}",
                "Remove the folder by hand.",
            ) from error
    if (locations.output / INDEX).is_file():
        index_studies(store, locations)
        if locations.place is not None:
            locations.place.put(INDEX, locations.output / INDEX)


def _refused(error: HeldError, name: str) -> HeldError:
    return HeldError(error.message, f"Stop it first, then give the same command again: studies stop {name}")


def _folder(name: str, locations: Locations) -> Path | None:
    """Return the study's folder; None if there is none, or if its name is not valid. UsageError for a link."""
    try:
        folder = locations.output / check_name(name)
    except UsageError:
        return None
    if folder.is_symlink():
        advice = f"Look where it leads; to keep that and go on, remove the link: rm '{folder}'"
        raise UsageError([f"{folder} is a link to {os.readlink(folder)}; nothing was deleted"], advice)
    return locations.folder(name) if folder.is_dir() else None


def _elsewhere(study: StudyRow, locations: Locations) -> PlaceFolder | None:
    """Return the study's folder at the place of its output; None if none there has its mark, or its name is not valid.

    An invalid name may be that of a folder which is not the study's own, such as the one above.
    """
    try:
        there = locations.at_place(check_name(study.name))
    except UsageError:
        return None
    return there if there is not None and is_marked(study, there) else None


@contextmanager
def _set_aside(folder: Path | None) -> Iterator[None]:
    """Rename a folder while the rows are deleted, then remove it; rename it back if they cannot be deleted.

    So a later study of the same name never finds a half-deleted folder.
    """
    if folder is None:
        yield
        return
    aside = folder.with_name(f".deleting-{folder.name}-{os.getpid()}")
    try:
        folder.rename(aside)
    except OSError as error:
        raise StudiesError(
            f"{folder} cannot be deleted: {error.strerror}; nothing was deleted",
            "See who owns it, then give the same command again.",
        ) from error
    try:
        yield
    except BaseException:
        aside.rename(folder)
        raise
    try:
        shutil.rmtree(aside)
    except OSError as error:
        raise StudiesError(
            f"the study is deleted, and its folder is not: {aside}: {error.strerror}",
            "Remove the folder by hand.",
        ) from error
