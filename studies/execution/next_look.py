"""What follows from a look: its decision is recorded, then the next look is opened where the run may go on."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from studies.base.durations import format_duration
from studies.base.errors import StudiesError
from studies.base.states import Until
from studies.base.wording import count
from studies.database.retry import retry
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.definition import plan_versions
from studies.forecast.pace import look_seconds
from studies.planning.plan import Plan
from studies.run_log import looks
from studies.run_log.run_events import Log
from studies.search.progress import Progress
from studies.search.trial_queue import TrialQueue


class Recording(Log, Protocol):
    """Records what was decided: a run's writer."""

    def settle(self) -> bool:
        """Wait until everything is in the storage; return False if it stays unreachable or the run is to stop."""

    def left_behind(self) -> StudiesError:
        """Return the error of a run that ends before everything is in the storage."""


@dataclass(frozen=True, kw_only=True)
class NextLook:
    """Opens a study's next look once all trials of the looks before have ended.

    `most_looks` is how many looks the run may complete (`looks_of_a_run`). `seconds_left` returns what is left of a
    budget, None without one: a look that is not predicted to fit into it is not begun.
    """

    plan: Plan
    store: Store
    study: StudyRow
    writer: Recording
    queue: TrialQueue
    progress: Progress
    most_looks: int
    num_workers: int
    seconds_left: Callable[[], float | None]
    should_stop: Callable[[], bool]

    def __call__(self) -> bool:
        """Decide what follows from the look that has ended, record it, and return whether a next look was opened.

        Raises StudiesError if the storage stays unreachable, or if what is recorded contradicts itself.
        """
        number, planned = self.queue.num_looks, self.plan.study.all_looks
        if len(planned) == 1 or self.should_stop():
            return False
        cells = self._decided(number)
        if not cells or number >= min(self.most_looks, len(planned)) or not self._fits(len(cells), number):
            return False
        self.queue.open_look(cells)
        self.progress.open_look(self.plan, len(cells), look=number)
        return True

    def _decided(self, number: int) -> Collection[int]:
        """Return the cells that the look after this one trains; what they are is recorded before any is trained."""
        if self.plan.version < plan_versions.UNTIL_CLEAR:
            return [cell.number for cell in self.plan.cells]
        events = retry(lambda: self.store.events(self.study.id), should_stop=self.should_stop)
        decided = {each["look"]: each for each in looks.decisions(events)}
        if number not in decided:
            if not self.writer.settle():
                raise self.writer.left_behind()  # what follows from a look is read from the storage
            # Imported here, because the statistics take as long to load as Ray to start, and are first needed now.
            from reports.results.results import decide
            from studies.results.report_inputs import explaining_contradictions
            from studies.search.decision_inputs import decision_inputs

            inputs = retry(lambda: decision_inputs(self.store, self.study), should_stop=self.should_stop)
            with explaining_contradictions(self.study.name):
                made = decide(inputs)
            if len(made) < number:
                raise StudiesError(
                    f"what follows from look {number} cannot be told: a decision before it is not the one that its "
                    "networks lead to",
                    f"Check what is recorded: studies verify {self.study.name}",
                )
            decided[number] = looks.note_decision(self.writer, self.study.id, made[number - 1])
        self.progress.look = looks.summary(self.plan, [decided[look] for look in sorted(decided)])
        return list(decided[number]["cells"])

    def _fits(self, num_cells: int, number: int) -> bool:
        """Return whether the next look is predicted to end within the budget; if not, note why it is not begun."""
        left = self.seconds_left()
        if left is None:
            return True
        networks = num_cells * self.plan.num_replicates(number)
        trials = retry(lambda: self.store.trials(self.study.id), should_stop=self.should_stop)
        needs = look_seconds(self.plan, trials, networks=networks, num_workers=self.num_workers)
        if needs <= left:
            return True
        blocks = self.plan.study.all_looks[number]
        self.progress.note = (
            f"the look at {blocks} blocks ({count(networks)} networks, about {format_duration(needs)}) does not fit "
            f"into what is left of the budget, {format_duration(max(0.0, left))}"
        )
        return False


def looks_of_a_run(plan: Plan, queue: TrialQueue, *, until: Until, decided: Collection[int]) -> int:
    """Return how many looks a run that begins now may complete; `decided` are the looks, from 1, that were decided.

    Until all is clear, all of them. Else the look at hand or, if what follows from it has been decided already, the
    next one: the command was given again. Plans before version 4 train one look a run.
    """
    if plan.version < plan_versions.UNTIL_CLEAR:
        return queue.num_looks + queue.is_finished
    if until is Until.CLEAR:
        return len(plan.study.all_looks)
    return queue.num_looks + (queue.is_finished and queue.num_looks in decided)
