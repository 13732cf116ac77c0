"""Queries of a store for studies, trials, ASHA's decisions and events; each returns rows of one snapshot."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager

from sqlalchemy import ColumnElement, Connection, func, select

from studies.base.states import Outcome, Phase, TrialState
from studies.database.rows import EventRow, RungRow, StudyRow, TrialRow
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
        query = select(*_TRIAL).where(tables.trial.c.study_id == study_id).order_by(tables.trial.c.number)
        with self.reading() as connection:
            return [TrialRow(**row._mapping) for row in connection.execute(query)]

    def trial_summary(self, study_id: int) -> dict[Phase, dict[TrialState, int]]:
        """Return how many trials of each phase are in each state, zeros included."""
        kind = (tables.trial.c.phase, tables.trial.c.state)
        query = select(*kind, func.count()).where(tables.trial.c.study_id == study_id).group_by(*kind)
        summary = {phase: dict.fromkeys(TrialState, 0) for phase in Phase}
        with self.reading() as connection:
            for phase, state, num_trials in connection.execute(query):
                summary[phase][state] = num_trials
        return summary

    def outcomes(self, study_id: int) -> dict[Outcome, int]:
        """Return how many networks of ended trials have each outcome, zeros included."""
        table = tables.replicate
        query = select(table.c.outcome, func.count()).where(table.c.study_id == study_id)
        with self.reading() as connection:
            rows = connection.execute(query.group_by(table.c.outcome)).all()
        counted: dict[Outcome, int] = {row[0]: row[1] for row in rows}
        return {outcome: counted.get(outcome, 0) for outcome in Outcome}

    def rung_results(self, study_id: int) -> list[RungRow]:
        """Return every decision of ASHA in the order it was made."""
        table = tables.rung_result
        query = select(*_RUNG).where(table.c.study_id == study_id).order_by(table.c.sequence)
        with self.reading() as connection:
            return [RungRow(**row._mapping) for row in connection.execute(query)]

    def events(self, study_id: int) -> list[EventRow]:
        """Return a study's events in order."""
        query = select(*_EVENT).where(tables.event.c.study_id == study_id).order_by(tables.event.c.sequence)
        with self.reading() as connection:
            return [EventRow(**row._mapping) for row in connection.execute(query)]


def read_study(connection: Connection, condition: ColumnElement[bool]) -> StudyRow | None:
    """Return the row of the study that fulfils `condition`, None if there is none."""
    row = connection.execute(select(*_STUDY).where(condition)).one_or_none()
    return None if row is None else StudyRow(**row._mapping)
