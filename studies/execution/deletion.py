"""Deleting a study: its rows and its folder, and nothing else."""

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
from studies.storage.paths import Locations

INDEX = "index.html"


@dataclass(frozen=True, kw_only=True)
class DeletionPlan:
    """What a study consists of: rows in the storage, and files in `folder`, which is None where it has none."""

    study: StudyRow
    num_trials: int
    num_networks: int
    folder: Path | None
    num_files: int
    num_bytes: int

    def describe(self) -> str:
        """Return it in one line, without a stop at its end."""
        rows = (
            f"{counted(self.num_trials, 'trial')} of {counted(self.num_networks, 'network')} in the storage"
        )
        if self.folder is None:
            return f"study {self.study.name}: {rows}; it has no folder"
        files = f"{counted(self.num_files, 'file')} ({self.num_bytes / 1e6:,.1f} MB)"
        return f"study {self.study.name}: {rows}; {files} in {self.folder}"


def find_deletion_plan(store: Store, study: StudyRow, locations: Locations) -> DeletionPlan:
    """Return what there is of a study.

    Raises HeldError where a run holds it, and UsageError where its folder is a link that leads elsewhere.
    """
    holder = store.holder(study.id)
    if holder is not None:
        raise _refused(held(study.name, holder), study.name)
    folder = _folder(study.name, locations)
    files = [] if folder is None else [path for path in folder.rglob("*") if not path.is_dir()]
    return DeletionPlan(
        study=study,
        num_trials=sum(sum(states.values()) for states in store.trial_summary(study.id).values()),
        num_networks=sum(store.outcomes(study.id).values()),
        folder=folder,
        num_files=len(files),
        num_bytes=sum(path.lstat().st_size for path in files),
    )


def delete(store: Store, deletion_plan: DeletionPlan, locations: Locations) -> None:
    """Delete a study's rows and folder; where the rows cannot be deleted the folder stays, too.

    Raises HeldError where a run holds the study by now.
    """
    study = deletion_plan.study
    try:
        with store.hold(study.id), _set_aside(deletion_plan.folder):
            store.delete_study(study.id)
    except HeldError as error:
        raise _refused(error, study.name) from None
    if (locations.output / INDEX).is_file():
        from studies.results.report_inputs import index_reports  # its pictures take seconds to import

        index_reports(store, locations)


def _refused(error: HeldError, name: str) -> HeldError:
    return HeldError(error.message, f"Stop it first, then give the same command again: studies stop {name}")


def _folder(name: str, locations: Locations) -> Path | None:
    """Return the study's folder, None where there is none, as under a name that none may have."""
    try:
        folder = locations.output / check_name(name)
    except UsageError:
        return None
    if folder.is_symlink():
        advice = f"Look where it leads; to keep that and go on, remove the link: rm '{folder}'"
        raise UsageError([f"{folder} is a link to {os.readlink(folder)}; nothing was deleted"], advice)
    return locations.folder(name) if folder.is_dir() else None


@contextmanager
def _set_aside(folder: Path | None) -> Iterator[None]:
    """Move a folder aside, remove it when the rows are gone, put it back if they are not.

    A later study of the same name then never finds a part of it.
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
