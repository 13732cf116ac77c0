"""What a study still has to train: search trials balanced over cells, then confirm trials of the best."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto
from heapq import heappop, heappush

from studies.base.states import Decision, Phase, TrialState
from studies.database.rows import RungRow, TrialRow
from studies.planning.plan import Cell, Plan
from studies.planning.planned_trial import PlannedTrial
from studies.planning.trial_numbers import Numbering
from studies.search.asha import Asha
from studies.search.best_trials import Configuration, Leaders, Numbered, of_cell, of_sweep
from studies.search.sampler import LEARNS, Proposals


class QueueStatus(Enum):
    """Why there is no trial to hand out."""

    WAITING = auto()
    FINISHED = auto()


class TrialQueue:
    """Decides which trial is trained next, from the plan and everything recorded so far.

    Its state, Optuna's history and ASHA's rungs among it, is rebuilt from the database rows alone. It depends on
    neither Ray nor the database.
    """

    def __init__(
        self,
        plan: Plan,
        trials: Sequence[TrialRow] = (),
        rungs: Sequence[RungRow] = (),
        later_looks: Sequence[Collection[int]] = (),
    ) -> None:
        """Rebuild the state from the rows of earlier runs; `rungs` are in the order of their decisions.

        `later_looks` holds the numbers of the cells that each look after the first trains, for those that have begun.
        The queue ends with the last of them; `open_look` adds one.
        """
        study = plan.study
        self._plan = plan
        self._numbering = Numbering.of(plan)
        self._groups: Sequence[Cell | None] = plan.cells or (None,)
        self.mode = str(study.direction)
        self._asha = Asha(
            rungs=study.search.rungs, reduction_factor=study.search.reduction_factor, mode=self.mode
        )
        self._proposals: dict[int | None, Proposals] = {}
        self._trials: dict[int, PlannedTrial] = {}
        self._numbers: dict[Phase, list[int]] = {phase: [] for phase in Phase}
        self._open: dict[Phase, set[int]] = {phase: set() for phase in Phase}
        self._resumed: list[int] = []
        self._lowest = 1
        self._leaders = Leaders(mode=self.mode)
        self._unsettled = {None if cell is None else cell.number: cell for cell in self._groups}
        self._ready: list[Numbered] = []
        self.changed_proposals: list[int] = []
        """Trials that today's sampler would propose differently, as after an update of Optuna."""
        self._replay(trials, rungs)
        self.num_looks = 1
        """How many looks are complete once the queue is finished."""
        for cells in later_looks:
            self.open_look(cells)

    @property
    def trials(self) -> Mapping[int, PlannedTrial]:
        """Every trial so far, by its number."""
        return self._trials

    def next_trial(self) -> PlannedTrial | QueueStatus:
        """Return the trial to train next, an interrupted one first, or why there is none."""
        if self._resumed:
            return self._trials[self._resumed.pop(0)]
        number = self._next_number(self._plan.num_search_trials)
        if number is not None:
            return self._add(self._new_search_trial(number))
        self._settle()
        while self._ready:
            number, configuration = heappop(self._ready)
            if number not in self._trials:
                return self._add(self._new_confirm_trial(number, configuration))
        return QueueStatus.WAITING if any(self._open.values()) else QueueStatus.FINISHED

    def next_ahead(self) -> PlannedTrial | None:
        """Return a new search trial that will be next, before a worker is free; None where there is none.

        There is none of a sampler that learns: what it proposes depends on results that are still to come.
        """
        number = self._next_number(self._plan.num_search_trials)
        if number is None or self._resumed or self._plan.study.search.sampler == LEARNS:
            return None
        return self._add(self._new_search_trial(number))

    def open_look(self, cells: Collection[int]) -> None:
        """Add the confirm trials of the next look, of the cells with these numbers; the search must have ended."""
        for cell in self._plan.cells:
            if cell.number in cells and (best := self.best_search_trial(cell)) is not None:
                heappush(self._ready, of_cell(self._numbering, cell, best, look=self.num_looks))
        self.num_looks += 1

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to hand out or running: every look that was opened is complete."""
        if (
            self._resumed
            or any(self._open.values())
            or self._next_number(self._plan.num_search_trials) is not None
        ):
            return False
        self._settle()
        return all(number in self._trials for number, _ in self._ready)

    def num_waiting(self) -> int:
        """Return how many trials could be handed out now."""
        searched = len(self._numbers[Phase.SEARCH])
        ready = sum(number not in self._trials for number, _ in self._ready)
        return len(self._resumed) + self._plan.num_search_trials - searched + ready

    def start(self, number: int) -> int:
        """Record that a trial is started, and return the number of this attempt, from 1."""
        trial = self._trials[number]
        self._trials[number] = replace(trial, attempt=trial.attempt + 1)
        return trial.attempt + 1

    def give_back(self, number: int) -> None:
        """Put a trial whose worker was lost back into the queue, before all new ones."""
        self._resumed.append(number)

    def decide(self, number: int, *, epoch: int, objective: float) -> Decision | None:
        """Return ASHA's decision on a result; None between rungs, at the last rung and in the confirm phase."""
        trial = self._trials[number]
        if trial.phase is Phase.CONFIRM or not self._asha.decides_at(epoch):
            return None
        return self._asha.decide(self._group(trial), number=number, epoch=epoch, objective=objective)

    def reach(self, number: int, *, epoch: int, objective: float) -> None:
        """Record that a trial reached a rung; nothing changes if it reached that rung in an earlier attempt."""
        trial = self._trials[number]
        if trial.rung >= epoch:
            return
        reached = self._trials[number] = replace(trial, rung=epoch, objective=objective)
        if trial.phase is Phase.SEARCH:
            self._leaders.reach(reached)
            self._proposals_of(trial).report(number, epoch=epoch, objective=objective)

    def end(self, number: int, state: TrialState) -> None:
        """Record that a trial has ended in `state`."""
        trial = self._trials[number] = replace(self._trials[number], state=state)
        self._open[trial.phase].discard(number)
        if trial.phase is Phase.CONFIRM:
            return
        proposals = self._proposals_of(trial)
        match state:
            case TrialState.COMPLETE:
                assert trial.objective is not None, f"trial {number} ended without a result"
                proposals.complete(number, trial.objective)
            case TrialState.PRUNED:
                proposals.prune(number)
            case _:
                self._leaders.fail(number)
                proposals.fail(number)

    def keeps_models(self, trial: PlannedTrial) -> bool:
        """Return whether the trial's weights are kept: those of the best cell, or of every trial without cells.

        Of the best cell they are those of the first look, whose networks all descriptions are of.
        """
        if trial.phase is Phase.SEARCH or trial.look > 0:
            return False
        if trial.cell is None:
            return True
        best = self.best_search_trial()
        return best is not None and best.cell is not None and best.cell.number == trial.cell.number

    def best_search_trial(self, cell: Cell | None = None) -> PlannedTrial | None:
        """Return the best search trial among those at the highest rung, of one cell if given; None if there is none."""
        number = self._leaders.first(cell)
        return None if number is None else self._trials[number]

    def _settle(self) -> None:
        """Queue the confirm trials whose configurations are known.

        While the search goes on, a cell whose own search has ended may start once it can no longer be the best. The
        best cell's confirm trial keeps its weights, so it waits until the best cell is certain; the others start
        earlier, so that no worker is idle.
        """
        if not self._unsettled or self._next_number(self._plan.num_search_trials) is not None:
            return
        searching = {self._group(self._trials[number]) for number in self._open[Phase.SEARCH]}
        best = self.best_search_trial()
        is_known = best is not None and best.rung == self._plan.study.search.rungs[-1]
        leading = self._group(best) if best is not None and is_known else None
        for key, cell in list(self._unsettled.items()):
            if not searching or (is_known and key not in searching and key != leading):
                del self._unsettled[key]
                for numbered in self._to_confirm(cell):
                    heappush(self._ready, numbered)

    def _to_confirm(self, cell: Cell | None) -> list[Numbered]:
        """Return a cell's confirm trial of the first look, none if all its search trials failed; without cells all."""
        if cell is not None:
            best = self.best_search_trial(cell)
            return [] if best is None else [of_cell(self._numbering, cell, best, look=0)]
        search = (self._trials[number] for number in self._numbers[Phase.SEARCH])
        return of_sweep(self._numbering, self._plan, search, mode=self.mode)

    def _next_number(self, last: int) -> int | None:
        """Return the lowest number up to `last` that no search trial has yet; None if there is none."""
        while self._lowest <= last and self._lowest in self._trials:
            self._lowest += 1
        return self._lowest if self._lowest <= last else None

    def _new_search_trial(self, number: int) -> PlannedTrial:
        group, place = self._numbering.place(number)
        cell = self._groups[group - 1]
        params = self._proposals_in(cell).ask(number, place=place)
        return PlannedTrial(number=number, phase=Phase.SEARCH, cell=cell, params=params)

    def _new_confirm_trial(self, number: int, configuration: Configuration) -> PlannedTrial:
        cell, params = configuration
        look = self._numbering.look(number)
        return PlannedTrial(number=number, phase=Phase.CONFIRM, cell=cell, params=params, look=look)

    def _add(self, trial: PlannedTrial) -> PlannedTrial:
        self._trials[trial.number] = trial
        self._numbers[trial.phase].append(trial.number)
        self._open[trial.phase].add(trial.number)
        return trial

    def _group(self, trial: PlannedTrial) -> int | None:
        return None if trial.cell is None else trial.cell.number

    def _proposals_of(self, trial: PlannedTrial) -> Proposals:
        return self._proposals_in(trial.cell)

    def _proposals_in(self, cell: Cell | None) -> Proposals:
        key = None if cell is None else cell.number
        if key not in self._proposals:
            self._proposals[key] = Proposals(self._plan.study, seed=self._plan.seed, cell=cell)
        return self._proposals[key]

    def _replay(self, rows: Sequence[TrialRow], rungs: Sequence[RungRow]) -> None:
        cells = {cell.number: cell for cell in self._plan.cells}
        for row in sorted(rows, key=lambda row: row.number):
            trial = PlannedTrial(
                number=row.number,
                phase=row.phase,
                cell=None if row.cell is None else cells[row.cell],
                params={n: tuple(v) if isinstance(v, list) else v for n, v in row.params.items()},
                look=self._numbering.look(row.number),
                attempt=row.attempt,
            )
            self._add(trial)
            if trial.phase is Phase.SEARCH:
                _, place = self._numbering.place(row.number)
                if not self._proposals_of(trial).replay(row.number, trial.params, place=place):
                    self.changed_proposals.append(row.number)
        for rung in rungs:
            self._replay_rung(rung)
        for row in sorted(rows, key=lambda row: row.number):
            if row.state.has_ended:
                self.end(row.number, row.state)
            else:
                self._resumed.append(row.number)

    def _replay_rung(self, rung: RungRow) -> None:
        if rung.objective is None:
            return
        self.decide(rung.trial_number, epoch=rung.epoch, objective=rung.objective)
        self.reach(rung.trial_number, epoch=rung.epoch, objective=rung.objective)
