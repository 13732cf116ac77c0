"""Queries of a store for studies, trials, ASHA's decisions and events; each returns rows of one snapshot."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager

from sqlalchemy import ColumnElement, Connection, func, select

from studies.base.states import Outcome, Phase, TrialState
from studies.database.rows import EventRow, RungRow, StudyRow, TrialRow, TrialsSoFar
from studies.database.schema import tables

_STUDY = [tables.study.c[name] for name in StudyRow.__dataclass_fields__]
_TRIAL = [tables.trial.c[name] for name in TrialRow.__dataclass_fields__]
_RUNG = [tables.rung_result.c[name] for name in RungRow.__dataclass_fields__]
_EVENT = [tables.event.c[name] for name in EventRow.__dataclass_fields__]


class Reader(ABC):
    """The queries of a store, which supplies the transaction."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]:
        """Open a transaction that sees one snapshot."""

    def find_study(self, name: str) -> StudyRow | None:
        """Return the study of that name, if there is one."""
        with self.reading() as connection:
            return read_study(connection, tables.study.c.name == name)

    def studies(self) -> list[StudyRow]:
        """Return every study, oldest first."""
        with self.reading() as connection:
            rows = connection.execute(select(*_STUDY).order_by(tables.study.c.id)).all()
        return [StudyRow(**row._mapping) for row in rows]

    def trials(self, study_id: int) -> list[TrialRow]:
        """Return the trials of a study by number."""
        with self.reading() as connection:
            return _trials(connection, study_id)

    def trial(self, study_id: int, number: int) -> TrialRow | None:
        """Return the trial of that number, if there is one."""
        with self.reading() as connection:
            return next(iter(_trials(connection, study_id, tables.trial.c.number == number)), None)

    def first_number(self, study_id: int) -> int:
        """Return the lowest number of a study's trials, 0 if it has none."""
        return self._number(study_id, func.min(tables.trial.c.number))

    def last_number(self, study_id: int) -> int:
        """Return the highest number of a study's trials, 0 if it has none."""
        return self._number(study_id, func.max(tables.trial.c.number))

    def _number(self, study_id: int, of_trials: ColumnElement[int]) -> int:
        query = select(of_trials).where(tables.trial.c.study_id == study_id)
        with self.reading() as connection:
            return int(connection.scalar(query) or 0)

    def trials_so_far(self, study_id: int, *, mode: str) -> TrialsSoFar:
        """Return what a study's progress is told from, without reading every trial; `mode` is "min" or "max"."""
        trial = tables.trial.c
        with self.reading() as connection:
            counts, epochs = _counted(connection, study_id)
            return TrialsSoFar(
                counts=counts,
                search_epochs=sum(epochs[state] for state in TrialState if state.has_ended),
                confirm=_trials(connection, study_id, trial.phase == Phase.CONFIRM),
                running=_trials(connection, study_id, trial.state == TrialState.RUNNING),
                failed=_trials(connection, study_id, trial.state == TrialState.FAILED),
                best=_best(connection, study_id, mode),
            )

    def trial_summary(self, study_id: int) -> dict[Phase, dict[TrialState, int]]:
        """Return how many trials of each phase are in each state, zeros included."""
        with self.reading() as connection:
            return _counted(connection, study_id)[0]

    def outcomes(self, study_id: int) -> dict[Outcome, int]:
        """Return how many networks of ended trials have each outcome, zeros included."""
        table = tables.replicate
        query = select(table.c.outcome, func.count()).where(table.c.study_id == study_id)
        with self.reading() as connection:
            rows = connection.execute(query.group_by(table.c.outcome)).all()
        counted: dict[Outcome, int] = {row[0]: row[1] for row in rows}
        return {outcome: counted.get(outcome, 0) for outcome in Outcome}

    def rung_results(self, study_id: int, *, trial_number: int | None = None) -> list[RungRow]:
        """Return every decision of ASHA, or those on one trial, in the order in which they were made."""
        table = tables.rung_result
        query = select(*_RUNG).where(table.c.study_id == study_id).order_by(table.c.sequence)
        if trial_number is not None:
            query = query.where(table.c.trial_number == trial_number)
        with self.reading() as connection:
            return [RungRow(**row._mapping) for row in connection.execute(query)]

    def events(self, study_id: int) -> list[EventRow]:
        """Return a study's events in order."""
        query = select(*_EVENT).where(tables.event.c.study_id == study_id).order_by(tables.event.c.sequence)
        with self.reading() as connection:
            return [EventRow(**row._mapping) for row in connection.execute(query)]


def _trials(connection: Connection, study_id: int, *conditions: ColumnElement[bool]) -> list[TrialRow]:
    """Return the trials that fulfil all conditions by number."""
    query = select(*_TRIAL).where(tables.trial.c.study_id == study_id, *conditions)
    return [TrialRow(**row._mapping) for row in connection.execute(query.order_by(tables.trial.c.number))]


def _counted(
    connection: Connection, study_id: int
) -> tuple[dict[Phase, dict[TrialState, int]], dict[TrialState, int]]:
    """Return how many trials of each phase are in each state, and the epochs of search trials by state."""
    trial = tables.trial.c
    query = select(trial.phase, trial.state, func.count(), func.sum(trial.epochs))
    summary = {phase: dict.fromkeys(TrialState, 0) for phase in Phase}
    epochs = dict.fromkeys(TrialState, 0)
    grouped = query.where(trial.study_id == study_id).group_by(trial.phase, trial.state)
    for phase, state, num_trials, num_epochs in connection.execute(grouped):
        summary[phase][state] = num_trials
        if phase is Phase.SEARCH:
            epochs[state] = int(num_epochs)
    return summary, epochs


def _best(connection: Connection, study_id: int, mode: str) -> TrialRow | None:
    """Return the trial that `studies.search.best_trials.best_complete` would choose among all."""
    trial = tables.trial.c
    objective = trial.objective.asc() if mode == "min" else trial.objective.desc()
    query = (
        select(*_TRIAL)
        .where(
            trial.study_id == study_id,
            trial.phase == Phase.SEARCH,
            trial.state == TrialState.COMPLETE,
            trial.objective.is_not(None),
        )
        .order_by(func.coalesce(trial.rung, 0).desc(), objective, trial.number)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else TrialRow(**row._mapping)


def read_study(connection: Connection, condition: ColumnElement[bool]) -> StudyRow | None:
    """Return the row of the study that fulfils `condition`, None if there is none."""
    row = connection.execute(select(*_STUDY).where(condition)).one_or_none()
    return None if row is None else StudyRow(**row._mapping)
