"""Brings files of a study from the place of its output to this machine, for what reads them here."""

import sys
from contextlib import suppress
from pathlib import Path

from studies.base.errors import StudiesError, UsageError
from studies.base.wording import printable
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.storage.mirror import MODELS, PAGE, RECORD, Mirror
from studies.storage.paths import Locations
from studies.storage.remembered import is_folder_of, is_marked, recorded_locations


def with_report(study: StudyRow, locations: Locations) -> Locations:
    """Return the locations once the study's report is here; what keeps it from being fetched is told as a note."""
    if locations.place is None:
        return locations
    try:
        bring(study, locations, RECORD, PAGE)
    except StudiesError as error:
        print(printable(f"note: the report was not fetched: {error.message}"), file=sys.stderr)
    return locations


def bring_models(store: Store, study: StudyRow, locations: Locations) -> None:
    """Bring a study's models from where its latest run recorded them, as far as they can be had."""
    there = recorded_locations(store, study, locations)
    if (
        there is not None
        and there.place is not None
        and (is_folder_of(study, there) or not there.place.may_be_any_server)
    ):
        with suppress(StudiesError):  # what is missing is trained again
            bring(study, there, f"{MODELS}/")


def bring(study: StudyRow, locations: Locations, *wanted: str) -> Path:
    """Return the study's folder on this machine, with the wanted files as they are at its place, if it has one.

    `wanted` are names of files, and folders with a slash at the end. Raises PlaceError if the place fails, and
    UsageError if it has the files of another study of this name.
    """
    folder, there = locations.folder(study.name), locations.at_place(study.name)
    if there is None:
        return folder
    if not is_marked(study, there):
        if folder.is_dir() and not there.files():
            return folder  # nothing has come there yet; what waits here is read here
        raise UsageError(
            [f"{there} has no files of study {study.name} as the storage knows it"],
            "Say where they lie with --output.",
        )
    Mirror(locations.make_folder(study.name), there).fetch(*wanted)
    return folder
