"""Ray Tune's searcher: hands out the agenda's next trial, its row committed first."""

from collections.abc import Callable
from typing import Any

from ray.tune.search import Searcher

from studies.base.errors import StudiesError
from studies.planning.planned_trial import PlannedTrial
from studies.raytune.worker_allocation import Sharing
from studies.search.trial_queue import Agenda, Nothing


class AgendaSearcher(Searcher):
    """Suggests what the agenda names next; Optuna learns of results through the recorder, after they are stored.

    It never raises, because an exception here would kill the Tune run: where the agenda has nothing left to propose
    it keeps the error in `failure`, and the run is stopped.
    """

    def __init__(
        self,
        agenda: Agenda,
        *,
        metric: str,
        mode: str,
        hand_out: Callable[[PlannedTrial], dict[str, Any] | None],
        sharing: Sharing,
    ) -> None:
        """`hand_out` commits a trial's row and returns the configuration that Tune carries to a worker.

        It returns None where the row could not be committed. Nothing is handed out while all workers are taken.
        """
        super().__init__(metric=metric, mode=mode)
        self._agenda = agenda
        self._hand_out, self._sharing = hand_out, sharing
        self.failure: StudiesError | None = None

    def suggest(self, trial_id: str) -> Any:
        """Return the next configuration, None while there is none yet, FINISHED after the last or a failure.

        With None and no trial running, Tune would ask again for ten minutes and hear nothing else meanwhile.
        """
        if self._sharing.is_full():
            return None
        try:
            trial = self._agenda.next_trial()
        except StudiesError as error:
            self.failure = error
            return Searcher.FINISHED
        if trial is Nothing.MORE:
            return Searcher.FINISHED
        if trial is Nothing.YET:
            return None
        assert isinstance(trial, PlannedTrial)
        return self._hand_out(trial) or Searcher.FINISHED

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Do nothing: the recorder has told the agenda."""

    def save(self, checkpoint_path: str) -> None:
        """Keep nothing: the database is the truth, and a snapshot is never read."""

    def restore(self, checkpoint_path: str) -> None:
        """Refuse: a study is resumed from the database."""
        raise NotImplementedError("a study is resumed by giving its command again")

    def __getstate__(self) -> dict[str, Any]:
        """Keep nothing."""
        return {}
