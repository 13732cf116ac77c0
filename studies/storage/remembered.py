"""Finds a study's files without --output: in the folder that its latest run recorded.

A storage may be written by others and read on other machines. So a recorded folder is used only if it contains a mark
file that the run left there: nothing is read, written or deleted in a folder that is not the study's.
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
"""The key, in the details of a run's start, of the absolute path of its output folder."""
MARK = "study.json"
"""The file in a study's folder that identifies the study."""


def mark(folder: Path, study: StudyRow) -> None:
    """Write the file that identifies the study into its folder."""
    (folder / MARK).write_text(f"{json.dumps(_identity(study))}\n", encoding="utf-8")


def remembering(store: Store, study: StudyRow, locations: Locations) -> Locations:
    """Return the locations with the output folder of the study's latest run, unless --output was given.

    If the study has no files there, prints a note on standard error and returns the locations unchanged.
    """
    found = remembered_locations(store, study, locations)
    noted = None if locations.output_is_given else noted_output(store.events(study.id))
    if noted is None or noted == Path(os.path.abspath(found.output)):
        return found
    note = (
        f"note: the files of {study.name} were written to {noted / study.name}, and are not there on this machine; "
        f"looking in {locations.output}\nSay where they lie with --output DIR."
    )
    print(printable(note), file=sys.stderr)
    return locations


def remembered_locations(store: Store, study: StudyRow, locations: Locations) -> Locations:
    """Return the same locations as `remembering`, without a word."""
    noted = None if locations.output_is_given else noted_output(store.events(study.id))
    if noted is None or noted == Path(os.path.abspath(locations.output)):
        return locations
    there = replace(locations, output=noted)
    return there if is_folder_of(study, there) else locations


def resuming_in(locations: Locations, name: str) -> Locations:
    """Return the locations in which a run of the study continues; raise UsageError if it cannot write there."""
    if locations.output_is_given or (store := Store.open_existing(locations.storage)) is None:
        return locations
    with store:
        study = store.find_study(name)
        found = locations if study is None else remembering(store, study, locations)
    check_writable(found.output)
    return found


def folders_of(store: Store, study: StudyRow, locations: Locations) -> list[Path]:
    """Return the folders that may hold a study's files: that of the locations, and the recorded one if it is valid."""
    noted = noted_output(store.events(study.id))
    there = None if noted is None else replace(locations, output=noted)
    folders = [locations.folder(study.name)]
    return (
        folders if there is None or not is_folder_of(study, there) else [*folders, there.folder(study.name)]
    )


def found_folder(study: StudyRow, locations: Locations) -> Path | None:
    """Return a study's folder as an absolute path; None if it has none there, or its name is not valid."""
    try:
        folder = locations.folder(study.name)
    except UsageError:
        return None
    return folder.absolute() if folder.is_dir() else None


def noted_output(events: Sequence[EventRow]) -> Path | None:
    """Return the output folder of the latest run that recorded one; early versions recorded none."""
    noted = [start[FIELD] for start in started_with(events) if isinstance(start.get(FIELD), str)]
    return Path(noted[-1]) if noted and Path(noted[-1]).is_absolute() else None


def is_folder_of(study: StudyRow, locations: Locations) -> bool:
    """Return whether the locations have a folder with the study's mark."""
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
