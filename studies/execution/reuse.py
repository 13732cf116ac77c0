"""Growing a study from another: what agrees in cell, data, seeds, rungs and versions is copied, not trained again."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from studies.base.errors import UsageError
from studies.base.messages import show
from studies.base.states import Phase, TrialState
from studies.database.copying import Copy, artifacts_of, copy_trials
from studies.database.lookup import find
from studies.database.rows import StudyRow, TrialRow
from studies.database.store import Store
from studies.definition import plan_versions
from studies.planning.plan import Cell, Plan
from studies.planning.trial_numbers import Numbering
from studies.run_log.reused import GROWN
from studies.storage.artifacts import write_artifact
from studies.storage.paths import Locations, below
from studies.storage.remembered import folders_of
from trainables.base.metrics import Direction

MAY_DIFFER = ("question", "factors", "looks", "smallest_effect", "error_shares", plan_versions.FIELD)
"""Fields of a plan that a trial of it does not depend on: all others must be the same for a trial of one to be a trial
of the other. Of factors the levels may differ, and versions where the numbers do not (`_of_other_numbers`)."""


@dataclass(frozen=True, kw_only=True)
class Growth:
    """What a study took over: the source's name, the cells copied, and how many trials they had."""

    source: str
    num_cells: int
    num_trials: int


def check_growth(store: Store, plan: Plan, name: str) -> StudyRow:
    """Return the row of the source; raise UsageError unless its trials can be trials of `plan`."""
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
    """Yield why trials of another version of plans have other numbers than trials of this plan.

    On the same data only those of a user's own train() have: its seeds and its random numbers were others. What else
    was changed shows in the data's fingerprint, or is refused before there are any trials.
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
    """Copy every cell of `source` that the plan has, too, and note it; return what was copied.

    A cell is copied where all its trials have ended under the same versions. Its confirm trial is copied unless the
    cell may turn out the best and its weights were not kept: then that trial is trained again, from the same seeds.
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
    """Say whether all of a cell's search trials have ended, and everything was trained under `versions`."""
    mine = [trial for trial in trials if trial.cell == cell.number]
    search = [trial for trial in mine if trial.phase is Phase.SEARCH]
    return (
        len(search) == past.study.search.trials_per_cell
        and all(trial.state.has_ended for trial in mine)
        and all(dict(trial.versions or {}) == dict(versions) for trial in mine)
    )


def _copies(plan: Plan, past: Plan, cell: Cell, old: Cell, trials: Sequence[TrialRow]) -> Iterator[Copy]:
    """Yield the trials of a cell with the numbers that they have in the new plan; looks must train the same blocks."""
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
            number = now.confirm(cell.number, look=look)
        yield Copy(source_number=trial.number, number=number, cell=cell.number)


def _best_cell(past: Plan, trials: Sequence[TrialRow], cells: Sequence[Cell]) -> int | None:
    """Return the number in the source of the copied cell whose chosen trial is best: the others cannot become it."""
    sign = 1 if past.study.direction is Direction.MIN else -1
    numbers = {cell.number for cell in cells}
    complete = [
        (sign * trial.objective, trial.number, trial.cell)
        for trial in trials
        if trial.phase is Phase.SEARCH and trial.state is TrialState.COMPLETE and trial.objective is not None
        if trial.cell in numbers
    ]
    return min(complete)[2] if complete else None


def _needs_weights(copy: Copy, best: int | None, trials: Sequence[TrialRow]) -> bool:
    """Say whether a copy is a confirm trial of the cell that may turn out the best."""
    (trial,) = (trial for trial in trials if trial.number == copy.source_number)
    return trial.phase is Phase.CONFIRM and trial.cell == best


def _copy_weights(store: Store, study: StudyRow, source: StudyRow, copy: Copy, locations: Locations) -> bool:
    """Copy the weights that a trial left, and say whether they were all there with their recorded hashes."""
    artifacts = artifacts_of(store, source.id, copy.source_number)
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
