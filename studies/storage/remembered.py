"""Finds a study's files without --output: in the folder that its latest run recorded.

A storage may be written by others and read on other machines. So a recorded folder is used only if it contains a mark
file that the run left there: nothing is read, written or deleted in a folder that is not the study's. A recorded URL
that may name any server is not even asked, unless this user has used it on this machine.
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
from studies.storage.mirror import MARK
from studies.storage.paths import Locations
from studies.storage.place import Place, PlaceError, PlaceFolder, is_url, mirror_folder

FIELD = "output"
"""The key, in the details of a run's start, of its output: an absolute path, or a URL."""


def mark(folder: Path, study: StudyRow) -> None:
    """Write the file that identifies the study into its folder."""
    (folder / MARK).write_text(f"{json.dumps(_identity(study))}\n", encoding="utf-8")


def remembering(store: Store, study: StudyRow, locations: Locations) -> Locations:
    """Return the locations with the output folder of the study's latest run, unless --output was given.

    If the study has no files there, prints a note on standard error and returns the locations unchanged.
    """
    there, why = _looked_up(store, study, locations)
    if why is None:
        return there
    note = (
        f"note: the files of {study.name} were written to {there.shown(study.name)}{why}; "
        f"looking in {locations.output}\nSay where they lie with --output "
        f"{'DIR' if there.place is None else there.place.url}."
    )
    print(printable(note), file=sys.stderr)
    return locations


def remembered_locations(store: Store, study: StudyRow, locations: Locations) -> Locations:
    """Return the same locations as `remembering`, without a word."""
    there, why = _looked_up(store, study, locations)
    return there if why is None else locations


def _looked_up(store: Store, study: StudyRow, locations: Locations) -> tuple[Locations, str | None]:
    """Return the locations in which a study's files lie, or those recorded for it and why nothing is read there."""
    noted = None if locations.output_is_given else noted_output(store.events(study.id))
    if noted is None or noted == os.path.abspath(locations.output):
        return locations, None
    there = _there(locations, noted)
    if is_folder_of(study, there):
        return there, None
    if there.place is None:
        return there, ", and are not there on this machine"
    if there.place.may_be_any_server:
        return there, ", which may be any server"
    try:
        is_there = is_marked(study, there.place.folder(study.name))
    except PlaceError as error:
        return there, f", and nothing was read there ({error.message})"
    return there, None if is_there else ", and are not there"


def _there(locations: Locations, noted: str) -> Locations:
    """Return the locations with an output that was recorded, a path or a URL."""
    if not is_url(noted):
        return replace(locations, output=Path(noted))
    place = Place(noted)
    return replace(locations, output=mirror_folder(place), place=place)


def resuming_in(locations: Locations, name: str) -> Locations:
    """Return the locations in which a run of the study continues; raise UsageError if it cannot write there."""
    if locations.output_is_given or (store := Store.open_existing(locations.storage)) is None:
        return locations
    with store:
        study = store.find_study(name)
        found = locations if study is None else remembering(store, study, locations)
    if found is not locations:  # which were looked at when the command began
        found.check_output()
    return found


def recorded_locations(store: Store, study: StudyRow, locations: Locations) -> Locations | None:
    """Return the locations with the output that the study's latest run recorded, whatever is there."""
    noted = noted_output(store.events(study.id))
    return None if noted is None else _there(locations, noted)


def folders_of(store: Store, study: StudyRow, locations: Locations) -> list[Path]:
    """Return the folders that may hold a study's files: that of the locations, and the recorded one if it is valid."""
    there = recorded_locations(store, study, locations)
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


def noted_output(events: Sequence[EventRow]) -> str | None:
    """Return the output of the latest run that recorded one, a path or a URL; early versions recorded none."""
    noted = [start[FIELD] for start in started_with(events) if isinstance(start.get(FIELD), str)]
    if not noted:
        return None
    if not is_url(noted[-1]):
        return noted[-1] if Path(noted[-1]).is_absolute() else None
    try:
        return Place.parse(noted[-1]).url
    except UsageError:  # no run of ours records a secret
        return None


def is_folder_of(study: StudyRow, locations: Locations) -> bool:
    """Return whether the locations have a folder with the study's mark."""
    try:
        return is_mark(study, (locations.folder(study.name) / MARK).read_bytes())
    except (OSError, UsageError):
        return False


def is_mark(study: StudyRow, content: bytes) -> bool:
    """Return whether a mark's content is this study's."""
    try:
        return bool(json.loads(content) == _identity(study))
    except ValueError:
        return False


def is_marked(study: StudyRow, there: PlaceFolder) -> bool:
    """Return whether a folder at a place has the study's mark; raise PlaceError if that cannot be said."""
    return bool(there.place.stamps([f"{there.name}/{MARK}"])) and is_mark(study, there.read(MARK))


def _identity(study: StudyRow) -> dict[str, str]:
    return {
        "study": study.name,
        "plan_hash": study.plan_hash,
        "created_at": study.created_at.isoformat(),
    }
