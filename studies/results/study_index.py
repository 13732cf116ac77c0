"""Writes the page that lists every study of a storage, from its rows and the reports in the output folder."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from reports.pages.index import Entry, Standing, write_index
from studies.base.errors import HeldError, StudiesError, UsageError
from studies.base.states import Phase, StudyState
from studies.database.engines.problems import OutageError
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.planning.plan import Plan
from studies.results.made_report import LIVE, PAGE, MadeReport, find_report
from studies.run_log import looks
from studies.search.progress import planned_progress
from studies.storage.paths import Locations

INDEX = "index.html"
MAX_PICTURE_BYTES = 200_000
"""A larger picture is left out: the page holds those of all studies."""
_STANDINGS = {
    StudyState.COMPLETE: Standing.COMPLETE,
    StudyState.INTERRUPTED: Standing.INTERRUPTED,
    StudyState.FAILED: Standing.FAILED,
}


def index_studies(store: Store, locations: Locations) -> Path:
    """Write the index of all studies into the output folder, whole or not at all; return its path.

    A study whose record cannot be read is listed as that. Raises OSError where the page cannot be written.
    """
    path = locations.output / INDEX
    write_index(list(_entries(store, locations)), path, as_of=datetime.now(UTC))
    return path


def _entries(store: Store, locations: Locations) -> Iterator[Entry]:
    for study in store.studies():
        report, standing = _report(study, locations), _standing(store, study)
        yield Entry(
            study=study.name,
            question=study.question,
            standing=standing,
            progress=_progress(store, study),
            verdict="" if report is None else report.verdict.in_short,
            picture=None if report is None else _picture(report.picture),
            created_at=study.created_at,
            reported_at=None if report is None else report.made_at,
            page=None if report is None else f"{study.name}/{PAGE}",
            live=f"{study.name}/{LIVE}"
            if standing is Standing.RUNNING and _has_live(study, locations)
            else None,
        )


def _has_live(study: StudyRow, locations: Locations) -> bool:
    try:
        return (locations.folder(study.name) / LIVE).is_file()
    except UsageError:
        return False


def _report(study: StudyRow, locations: Locations) -> MadeReport | None:
    """Return a study's report in the output folder; a study with an invalid name has no folder."""
    try:
        return find_report(locations.folder(study.name), study)
    except UsageError:
        return None


def _standing(store: Store, study: StudyRow) -> Standing:
    if study.state is not StudyState.RUNNING:
        return _STANDINGS[study.state]
    return Standing.BROKEN_OFF if store.holder(study.id) is None else Standing.RUNNING


def _progress(store: Store, study: StudyRow) -> tuple[int, int] | None:
    """Return how many trials have ended, and how many are planned; None where the record cannot be read.

    What is planned are the search, the first look, and the later looks that have begun; of a complete study it is what
    has ended.
    """
    if study.state is StudyState.COMPLETE:
        num_ended = sum(sum(counts.values()) for counts in store.trial_summary(study.id).values())
        return num_ended, num_ended
    try:
        plan = Plan.from_dict(study.name, study.plan)
        trials = store.trials_so_far(study.id, mode=str(plan.study.direction))
        _, *later = looks.cells_by_look(plan, trials.confirm, store.events(study.id))
        progress = planned_progress(plan, trials, later_looks=later, num_networks=0, num_diverged=0)
    except (OutageError, HeldError):
        raise
    except (StudiesError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # A damaged row of one study, which `studies verify` names, does not hide the others.
        return None
    return sum(progress.num_ended(phase) for phase in Phase), sum(progress.planned.values())


def _picture(path: Path | None) -> bytes | None:
    if path is None or path.stat().st_size > MAX_PICTURE_BYTES:
        return None
    return path.read_bytes()
