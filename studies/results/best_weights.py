"""Copies the best weights of a study without cells to models/best, where studies with cells have theirs."""

import hashlib
from pathlib import Path

from reports.results.best import best_configuration
from reports.results.results import compute
from studies.database.copying import artifacts_of
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.results.report_inputs import explaining_contradictions, report_inputs
from studies.storage.artifacts import BEST, write_artifact
from studies.storage.paths import below

MISSING = "models_missing"


def keep_best_models(store: Store, study: StudyRow, folder: Path) -> None:
    """Copy the weights of the configuration that the report calls best to `folder`/models/best.

    In a study without cells the best is known only after all are confirmed; with cells it is known before, and its
    trial writes there itself. If the weights are missing or damaged, an event is recorded.
    """
    inputs = report_inputs(store, study)
    with explaining_contradictions(study.name):
        best = best_configuration(inputs, compute(inputs))
    if best is None or best["trial_number"] is None:
        return
    for artifact in artifacts_of(store, study.id, best["trial_number"]):
        source, path = Path(artifact.path), below(folder, artifact.path)
        if source.parent.name == BEST:
            continue
        data = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(data).hexdigest() != artifact.sha256:
            detail = f"{artifact.path} is not what was written there; models/{BEST} is not complete"
            store.add_event(study.id, MISSING, best["trial_number"], detail)
            return
        copy = write_artifact(folder, source.parent.with_name(BEST) / source.name, data)
        store.add_artifact(study.id, copy, best["trial_number"])
