"""Makes reports from the database alone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import pandas as pd

from reports.inputs.inputs import ReportInputs
from reports.pages.page import write_report
from reports.pages.trial_page import write_trial_page, write_trial_pages
from reports.pages.two_studies import write_comparison
from reports.plots.style.canvas import Drawers
from reports.results.accounting import AccountingError
from reports.results.results import Results, compute
from studies.base.errors import StudiesError, UsageError
from studies.database.frames import frames
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.planning.plan import Plan
from studies.results.study_index import index_studies
from studies.search.decision_inputs import inputs_of
from studies.search.importance import search_importance
from studies.storage.paths import Locations

_OF_MODELS: Final = ("events", "evaluation", "artifacts")
"""The frames to which the making of a model adds."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a study's model and its report are both made from: what is recorded of it, and its statistics."""

    inputs: ReportInputs
    results: Results

    @classmethod
    def of(cls, store: Store, study: StudyRow) -> Self:
        """Read the study, and compute every statistic. Raises StudiesError where the record contradicts itself."""
        inputs = report_inputs(store, study)
        with explaining_contradictions(study.name):
            return cls(inputs=inputs, results=compute(inputs))

    def with_model(self, store: Store, study: StudyRow) -> Self:
        """Return the same with what making a model adds to the record read again; no statistic reads that."""
        read = frames.snapshot(store, study.id, only=_OF_MODELS)
        added = {name: getattr(read, name) for name in _OF_MODELS}
        return replace(self, inputs=replace(self.inputs, generated_at=datetime.now(UTC), **added))


def make_report(
    store: Store,
    study: StudyRow,
    locations: Locations,
    *,
    findings: Findings | None = None,
    drawers: Drawers | None = None,
) -> Path:
    """Write the report of a study, the index of all studies, and then the pages of trials; return the report's path.

    `findings` are those of this study, if they are known; `drawers` draw its figures beside the rest of the work.
    """
    folder = locations.make_folder(study.name)
    found = findings or Findings.of(store, study)
    with explaining_contradictions(study.name):
        path = write_report(found.inputs, folder, results=found.results, drawers=drawers)
    index_studies(store, locations)
    # Last, because nobody waits for them as for the report, which leads to them.
    write_trial_pages(found.inputs, folder)
    return path


@contextmanager
def explaining_contradictions(*names: str) -> Iterator[None]:
    """Turn a record of these studies that contradicts itself into an error that says how to look into it."""
    try:
        yield
    except AccountingError as error:
        checks = " and ".join(f"studies verify {name}" for name in names)
        raise StudiesError(
            f"no report of {' and '.join(names)}: {error}", f"Check what is recorded: {checks}"
        ) from error


def make_trial_page(store: Store, study: StudyRow, number: int, locations: Locations) -> Path:
    """Write the page of one trial; return its path. Raise UsageError that says which trials there are."""
    if store.trial(study.id, number) is None:
        first, last = store.first_number(study.id), store.last_number(study.id)
        known = f"it has trials {first} to {last}" if last else "it has no trials yet"
        raise UsageError(
            [f"--trial {number}: no such trial in {study.name}; {known}"],
            f"See the results by cell: studies show {study.name}",
        )
    inputs = report_inputs(store, study, trial=number)
    details, rows = frames.verdicts(store, study.id, number), inputs.replicates
    mine = rows["trial_number"] == number
    judged = [
        details.get(replicate) if is_mine else None
        for replicate, is_mine in zip(rows["replicate"], mine, strict=True)
    ]
    with_details = rows.assign(verdicts=pd.Series(judged, index=rows.index, dtype=object))
    return write_trial_page(
        replace(inputs, replicates=with_details), number, locations.make_folder(study.name)
    )


def make_comparison(store: Store, study: StudyRow, other: StudyRow, locations: Locations) -> Path:
    """Write the page that compares two studies, into a folder of its own; return its path."""
    if study.id == other.id:
        raise UsageError([f"{study.name} is named twice"], "Name two studies, or one for its own report.")
    first, second = report_inputs(store, study), report_inputs(store, other)
    folder = locations.make_folder(study.name, other.name)
    with explaining_contradictions(study.name, other.name):
        return write_comparison(first, second, folder)


def report_inputs(
    store: Store, study: StudyRow, *, whole: bool = False, trial: int | None = None
) -> ReportInputs:
    """Return everything that a study's report is made from, read from one snapshot: the study may be running.

    Of a very large study not every epoch and layer of the search is read, unless `whole`; those of `trial` are.
    """
    inputs = inputs_of(frames.snapshot(store, study.id, whole=whole, trial=trial))
    plan = Plan.from_dict(inputs.study, inputs.plan)
    return replace(inputs, importance=search_importance(plan, inputs.trials))


def load_report(path: Path) -> dict[str, Any]:
    """Return report.json beside the page at `path`."""
    report: dict[str, Any] = json.loads(path.with_name("report.json").read_text(encoding="utf-8"))
    return report
