"""How a study's trials stand, counted one by one from all of their rows."""

from collections.abc import Sequence

from studies.base.states import Phase, TrialState
from studies.database.rows import TrialRow, TrialsSoFar
from studies.search.best_trials import best_complete


def so_far(trials: Sequence[TrialRow], *, mode: str = "min") -> TrialsSoFar:
    """Return what `Store.trials_so_far` returns of a study with these trials."""
    kinds = [(trial.phase, trial.state) for trial in trials]
    ended = [trial for trial in trials if trial.phase is Phase.SEARCH and trial.state.has_ended]
    return TrialsSoFar(
        counts={phase: {state: kinds.count((phase, state)) for state in TrialState} for phase in Phase},
        search_epochs=sum(trial.epochs for trial in ended),
        confirm=[trial for trial in trials if trial.phase is Phase.CONFIRM],
        running=[trial for trial in trials if trial.state is TrialState.RUNNING],
        failed=[trial for trial in trials if trial.state is TrialState.FAILED],
        best=best_complete(trials, mode=mode),
    )
