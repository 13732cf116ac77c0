"""Growing a study from another: cells that agree in data, seeds, rungs and versions are copied, not trained again."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from studies.base.errors import UsageError
from studies.base.messages import show
from studies.base.states import Phase
from studies.database.copying import Copy, artifacts_of, copy_trials
from studies.database.lookup import find
from studies.database.rows import StudyRow, TrialRow
from studies.database.store import Store
from studies.definition import plan_versions
from studies.planning.plan import Cell, Plan
from studies.planning.trial_numbers import Numbering
from studies.run_log.reused import GROWN
from studies.search.best_trials import best_complete
from studies.storage.artifacts import write_artifact
from studies.storage.bringing import bring_models
from studies.storage.paths import Locations, below
from studies.storage.remembered import folders_of

MAY_DIFFER = ("question", "factors", "looks", "smallest_effect", "error_shares", plan_versions.FIELD)
"""Fields of a plan that do not influence a single trial; all others must be equal for a trial to be copied. Of factors
only the levels may differ, and plan versions only if they give the same numbers (`_of_other_numbers`)."""


@dataclass(frozen=True, kw_only=True)
class Growth:
    """What was copied: the source's name, and how many cells and trials."""

    source: str
    num_cells: int
    num_trials: int


def check_growth(store: Store, plan: Plan, name: str) -> StudyRow:
    """Return the row of the source study; raise UsageError unless its trials are valid trials of `plan`."""
    source = find(store, name)
    past = Plan.from_dict(name, source.plan)
    recorded, mine = past.to_dict(), plan.to_dict()
    mistakes = [
        f"--grow-from {name}: {field} is {show(recorded.get(field))} there, and {show(mine.get(field))} here"
        for field in dict.fromkeys([*mine, *recorded])
        if field not in MAY_DIFFER and recorded.get(field) != mine.get(field)
    ]
    mistakes += [f"--grow-from {name}: {reason}" for reason in _of_other_numbers(past, plan)]
    if list(recorded["factors"]) != list(mine["factors"]):
        mistakes.append(f"--grow-from {name}: it compares {', '.join(recorded['factors'])}, in this order")
    if not plan.cells:
        mistakes.append(f"--grow-from {name}: a study without cells cannot grow")
    if mistakes:
        raise UsageError(mistakes, "Levels may differ, and looks may be added; all else must agree.")
    return source


def _of_other_numbers(past: Plan, plan: Plan) -> Iterator[str]:
    """Yield why trials of another plan version have other numbers than trials of this plan.

    On the same data that concerns only the user's own train(), whose seeds changed. Other changes alter the data's
    fingerprint, or are refused before there are trials.
    """
    if plan.loop is not None and not plan_versions.trains_alike(past.version, plan.version):
        yield (
            f"its plan has version {past.version} and this one {plan.version}, between which the seeds of train() "
            "changed, so that its networks are not those of this plan"
        )


def grow(
    store: Store,
    study: StudyRow,
    plan: Plan,
    source: StudyRow,
    *,
    versions: Mapping[str, str],
    locations: Locations,
) -> Growth:
    """Copy every cell of `source` that the plan has, record that as an event, and return what was copied.

    A cell is copied if all its trials have ended under the same versions. Its confirm trial is not copied if the cell
    may be the best and its weights were not kept: it is trained again, from the same seeds.
    """
    past = Plan.from_dict(source.name, source.plan)
    trials = store.trials(source.id)
    theirs = {cell.key: cell for cell in past.cells}
    agreeing = {
        cell: theirs[cell.key]
        for cell in plan.cells
        if cell.key in theirs and _is_whole(past, theirs[cell.key], trials, versions)
    }
    copies = [copy for cell, old in agreeing.items() for copy in _copies(plan, past, cell, old, trials)]
    best = _best_cell(past, trials, list(agreeing.values()))
    kept = [copy for copy in copies if not _needs_weights(copy, best, trials)]
    weighty = [copy for copy in copies if copy not in kept]
    with_weights = [copy for copy in weighty if _copy_weights(store, study, source, copy, locations)]
    copied = [*kept, *with_weights]
    copy_trials(store, source_id=source.id, source_name=source.name, study_id=study.id, copies=copied)
    cells = [dict(cell.levels) for cell in agreeing]
    detail = {"source": source.name, "cells": cells, "trials": len(copied)}
    store.add_event(study.id, GROWN, None, json.dumps(detail, sort_keys=True))
    return Growth(source=source.name, num_cells=len(agreeing), num_trials=len(copied))


def _is_whole(past: Plan, cell: Cell, trials: Sequence[TrialRow], versions: Mapping[str, str]) -> bool:
    """Return whether all of a cell's search trials have ended, and all its trials ran under `versions`."""
    mine = [trial for trial in trials if trial.cell == cell.number]
    search = [trial for trial in mine if trial.phase is Phase.SEARCH]
    return (
        len(search) == past.study.search.trials_per_cell
        and all(trial.state.has_ended for trial in mine)
        and all(dict(trial.versions or {}) == dict(versions) for trial in mine)
    )


def _copies(plan: Plan, past: Plan, cell: Cell, old: Cell, trials: Sequence[TrialRow]) -> Iterator[Copy]:
    """Yield a cell's trials with their numbers in the new plan; confirm trials only if the looks have equal blocks.

    From version 4 on none of a later look is copied: which cells that trains follows from the new study's own
    questions, and a trial that it needs is trained again, from the same seeds.
    """
    before, now = Numbering.of(past), Numbering.of(plan)
    for trial in trials:
        if trial.cell != old.number:
            continue
        if trial.phase is Phase.SEARCH:
            number = now.search(cell.number, place=before.place(trial.number)[1])
        else:
            look = before.look(trial.number)
            if past.study.all_looks[: look + 1] != plan.study.all_looks[: look + 1]:
                continue
            if look > 0 and plan.version >= plan_versions.UNTIL_CLEAR:
                continue
            number = now.confirm(cell.number, look=look)
        yield Copy(source_number=trial.number, number=number, cell=cell.number)


def _best_cell(past: Plan, trials: Sequence[TrialRow], cells: Sequence[Cell]) -> int | None:
    """Return the number in the source of the copied cell whose chosen trial is best: the others cannot become it."""
    numbers = {cell.number for cell in cells}
    best = best_complete((trial for trial in trials if trial.cell in numbers), mode=str(past.study.direction))
    return None if best is None else best.cell


def _needs_weights(copy: Copy, best: int | None, trials: Sequence[TrialRow]) -> bool:
    """Return whether a copy is a confirm trial of the cell that may be the best."""
    (trial,) = (trial for trial in trials if trial.number == copy.source_number)
    return trial.phase is Phase.CONFIRM and trial.cell == best


def _copy_weights(store: Store, study: StudyRow, source: StudyRow, copy: Copy, locations: Locations) -> bool:
    """Copy a trial's weights; return False if a file is missing or does not match its recorded hash."""
    artifacts = artifacts_of(store, source.id, copy.source_number)
    bring_models(store, source, locations)
    folders = folders_of(store, source, locations)
    contents = [
        next(filter(_has(artifact.sha256), (_read(below(folder, artifact.path)) for folder in folders)), None)
        for artifact in artifacts
    ]
    found = [data for data in contents if data is not None]
    if not artifacts or len(found) < len(artifacts):
        return False
    for artifact, data in zip(artifacts, found, strict=True):
        write_artifact(locations.make_folder(study.name), Path(artifact.path), data)
        store.add_artifact(study.id, artifact, copy.number)
    return True


def _has(sha256: str) -> Callable[[bytes], bool]:
    return lambda data: hashlib.sha256(data).hexdigest() == sha256


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
