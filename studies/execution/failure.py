"""A study of which nothing is left: every trial failed, so that what is wrong is the study and not a trial."""

import shlex
from pathlib import Path

from studies.base.errors import StudiesError
from studies.base.states import TrialState
from studies.base.wording import error_line
from studies.database.retry import outlast
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.storage.paths import Locations


def refuse_failure(store: Store, study: StudyRow, report: Path, locations: Locations) -> None:
    """Raise StudiesError with the first error, and where to see the whole of it, where every trial failed."""
    trials = outlast(lambda: store.trials(study.id))
    if not trials or any(trial.state is not TrialState.FAILED for trial in trials):
        return
    first = min(trials, key=lambda trial: trial.number)
    show = ("studies", "show", study.name, "--trial", str(first.number), *locations.arguments)
    raise StudiesError(
        f"every trial of {study.name} failed, trial {first.number} with: {error_line(first.error)}",
        f"See the whole error: {shlex.join(show)}\n"
        f"The report is {report}. Once the cause is mended, run the study under another --name.",
    )
