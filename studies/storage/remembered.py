"""Where a study's files lie when nobody says: in the folder of its latest run, which every run notes.

A storage may be written by others and read on other machines, so a noted folder counts only where it holds a mark that
the run left there: nothing is read, written or deleted in a folder that is not the study's own.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from studies.base.errors import UsageError
from studies.base.wording import printable
from studies.database.rows import EventRow, StudyRow
from studies.database.store import Store
from studies.run_log.run_events import started_with
from studies.storage.paths import Locations, check_writable

FIELD = "output"
"""What a run's start calls the absolute path of its output folder, in which the study has its own."""
MARK = "study.json"
"""The file in a study's folder that says whose it is."""


def mark(folder: Path, study: StudyRow) -> None:
    """Leave in a study's folder the file by which it is known again."""
    (folder / MARK).write_text(f"{json.dumps(_identity(study))}\n", encoding="utf-8")


def remembering(store: Store, study: StudyRow, locations: Locations) -> Locations:
    """Return the locations with the output folder of the study's latest run, unless another is asked for.

    If the study has no files there, says so on standard error and leaves the locations as they are.
    """
    noted = None if locations.output_is_given else noted_output(store.events(study.id))
    if noted is None or noted == Path(os.path.abspath(locations.output)):
        return locations
    there = replace(locations, output=noted)
    if is_folder_of(study, there):
        return there
    note = (
        f"note: the files of {study.name} were written to {noted / study.name}, and are not there on this machine; "
        f"looking in {locations.output}\nSay where they lie with --output DIR."
    )
    print(printable(note), file=sys.stderr)
    return locations


def resuming_in(locations: Locations, name: str) -> Locations:
    """Return where a run of the study called `name` goes on; raise UsageError if it cannot write there."""
    if locations.output_is_given or (store := Store.open_existing(locations.storage)) is None:
        return locations
    with store:
        study = store.find_study(name)
        found = locations if study is None else remembering(store, study, locations)
    check_writable(found.output)
    return found


def folders_of(store: Store, study: StudyRow, locations: Locations) -> list[Path]:
    """Return the folders in which a study's files may be: that of the locations, and the noted one if it is its own."""
    noted = noted_output(store.events(study.id))
    there = None if noted is None else replace(locations, output=noted)
    folders = [locations.folder(study.name)]
    return (
        folders if there is None or not is_folder_of(study, there) else [*folders, there.folder(study.name)]
    )


def found_folder(study: StudyRow, locations: Locations) -> Path | None:
    """Return a study's folder, absolute, None where it has none there, as under a name that none may have."""
    try:
        folder = locations.folder(study.name)
    except UsageError:
        return None
    return folder.absolute() if folder.is_dir() else None


def noted_output(events: Sequence[EventRow]) -> Path | None:
    """Return the output folder of the latest run that noted one; earlier versions noted none."""
    noted = [start[FIELD] for start in started_with(events) if isinstance(start.get(FIELD), str)]
    return Path(noted[-1]) if noted and Path(noted[-1]).is_absolute() else None


def is_folder_of(study: StudyRow, locations: Locations) -> bool:
    """Say whether the locations hold a folder with the study's mark."""
    try:
        text = (locations.folder(study.name) / MARK).read_text(encoding="utf-8")
        return bool(json.loads(text) == _identity(study))
    except (OSError, ValueError, UsageError):
        return False


def _identity(study: StudyRow) -> dict[str, str]:
    return {
        "study": study.name,
        "plan_hash": study.plan_hash,
        "created_at": study.created_at.isoformat(),
    }
