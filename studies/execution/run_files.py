"""The files of a study where a run of it goes on: fetched from their place, and what is not there told."""

import shlex
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from studies.base.errors import HeldError, UsageError
from studies.base.steps import Tell, silent
from studies.base.wording import counted, printable
from studies.database.copying import artifacts_of
from studies.database.lease import Lease
from studies.database.rows import EventRow, StudyRow
from studies.database.store import Store
from studies.run_log import run_events
from studies.storage import remembered
from studies.storage.copier import Copier, Copying, NoCopying
from studies.storage.mirror import CHECKPOINTS, MARK, MODELS, PAGES, RESUMED_FROM, Mirror
from studies.storage.paths import Locations
from studies.storage.place import PlaceError, PlaceFolder

MOVED: Final = "run_moved"
"""The kind of the event which records what a run on another machine goes on without."""


def open_files(study: StudyRow, locations: Locations) -> Copying:
    """Fetch what the study goes on from, where its output is a URL; return what copies its files there.

    Raises UsageError if another study's files lie there, PlaceError if nothing can be fetched.
    """
    there = locations.at_place(study.name)
    if there is None:
        return NoCopying()
    _refuse_another(study, there)
    _set_aside_another(study, locations)
    mirror = Mirror(locations.make_folder(study.name), there)
    mirror.fetch(*RESUMED_FROM)
    command = shlex.join(["studies", "report", study.name, *locations.arguments])
    return Copier(mirror, command=command)


@contextmanager
def opened(study: StudyRow, locations: Locations, lease: Lease, tell: Tell) -> Iterator[Copying]:
    """Fetch what the study goes on from, and yield what copies its files to their place, until the run has ended.

    Where the run ends early, what is left is copied for a few seconds, and what is not copied then is told on standard
    error.
    """
    if locations.place is not None:
        tell(f"fetching what is at {locations.shown(study.name)}")
    copying = open_files(study, locations)
    copying.begin(silent, lease.confirm)
    try:
        yield copying
    except HeldError:
        copying.stop()  # the study is another run's, and so is its place
        raise
    except BaseException:
        left = None if lease.lost is not None else copying.finish(is_stopped=True)
        if left is not None:
            print(f"note: {printable(left.message)}\n{printable(left.advice)}", file=sys.stderr)
        raise


def _refuse_another(study: StudyRow, there: PlaceFolder) -> None:
    """Raise UsageError if the place has a mark of another study: its files are left alone."""
    if not there.place.stamps([f"{study.name}/{MARK}"]):
        return
    if not remembered.is_mark(study, there.read(MARK)):
        raise UsageError(
            [
                f"{there} holds the files of another study of this name, recorded in another storage or deleted"
            ],
            "Give another --name or --output, or remove them first.",
        )


def _set_aside_another(study: StudyRow, locations: Locations) -> None:
    """Rename what a deleted study of this name left on this machine: it would be copied as this study's."""
    folder = locations.folder(study.name)
    if not (folder / MARK).is_file() or remembered.is_folder_of(study, locations):
        return
    folder.rename(folder.with_name(f".{folder.name}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"))


def tell_moved(store: Store, study: StudyRow, folder: Path) -> tuple[str, ...]:
    """Return notes about what a run on this machine goes on without, if the latest one ran on another.

    They are recorded as an event, too. `folder` has been filled from the place, if there is one.
    """
    events = store.events(study.id)
    starts = run_events.started_with(events)
    before = starts[-1].get(run_events.HOST) if starts else None
    if not isinstance(before, str) or before == socket.gethostname():
        return ()
    notes = list(_missing(store, study, events, folder, before))
    if not notes:
        return ()
    store.add_event(study.id, MOVED, None, f"from {before} to {socket.gethostname()}: {'; '.join(notes)}")
    return tuple(notes)


def _missing(
    store: Store, study: StudyRow, events: Sequence[EventRow], folder: Path, before: str
) -> "list[str]":
    notes = []
    if not _has_ended(events):
        notes.append(
            f"the last run, on {before}, ended without a word: results that wait in its spool there, if any, "
            "are trained again here"
        )
    trials = store.trials(study.id)
    kept = {path.name.split("-")[1] for path in (folder / CHECKPOINTS).glob("trial-*-epoch-*.safetensors")}
    bare = [
        trial.number
        for trial in trials
        if not trial.state.has_ended and trial.epochs and str(trial.number) not in kept
    ]
    if bare:
        are = "has" if len(bare) == 1 else "have"
        notes.append(
            f"{counted(len(bare), 'unfinished trial')} ({', '.join(map(str, bare[:5]))}"
            f"{', ...' if len(bare) > 5 else ''}) {are} no checkpoint here: trained again from the start"
        )
    lost = [
        artifact.path
        for artifact in artifacts_of(store, study.id)  # which only a trial that has ended has
        if not (folder / artifact.path).is_file()
    ]
    if lost:
        notes.append(
            f"{counted(len(lost), 'file')} of models ({lost[0]}{', ...' if len(lost) > 1 else ''}) are on {before} "
            f"alone: copy them from there (studies report {study.name} on {before} does, where the output is a URL)"
        )
    return notes


def _has_ended(events: Sequence[EventRow]) -> bool:
    """Return whether the latest run recorded its end."""
    kinds = [event.kind for event in events if event.kind in (run_events.STARTED, run_events.ENDED)]
    return not kinds or kinds[-1] == run_events.ENDED


def begin_report(study: StudyRow, locations: Locations) -> None:
    """Make a study's folder ready for a report that is copied; raise UsageError if another study's files lie there."""
    there = locations.at_place(study.name)
    if there is not None:
        _refuse_another(study, there)
        _set_aside_another(study, locations)
        remembered.mark(locations.make_folder(study.name), study)


def publish(name: str, locations: Locations) -> str | None:
    """Copy what is new in a study's folder, and the list of all studies; return a note about what was not copied."""
    there = locations.at_place(name)
    if there is None:
        return None
    mirror = Mirror(locations.folder(name), there)
    try:
        mirror.fetch(
            f"{MODELS}/"
        )  # what a run elsewhere has made since is not overwritten by what is older here
        for file in mirror.pending():
            if not file.startswith(f"{CHECKPOINTS}/"):
                mirror.copy(file)
    except PlaceError as error:
        return (
            f"not copied to {there}: {error.message}; it is in {mirror.folder}. Give the same command again."
        )
    return publish_index(locations)


def publish_index(locations: Locations) -> str | None:
    """Copy the list of all studies; return a note where that fails."""
    from studies.results.study_index import INDEX

    path = locations.output / INDEX
    if locations.place is not None and path.is_file():
        try:
            locations.place.put(INDEX, path)
        except PlaceError as error:
            return f"the list of all studies was not copied: {error.message}"
    return None


def fetch_reports(store: Store, locations: Locations) -> str | None:
    """Fetch the reports of all studies, which the list of them repeats; return a note about what was not fetched."""
    if locations.place is None:
        return None
    try:
        for study in store.studies():
            there = locations.place.folder(study.name)
            if remembered.is_folder_of(study, locations) or remembered.is_marked(study, there):
                Mirror(locations.make_folder(study.name), there).fetch(MARK, *PAGES)
    except (PlaceError, UsageError) as error:
        return (
            f"reports that other machines made may be missing from the list of all studies: {error.message}"
        )
    return None
