"""The states that a study and a trial go through, and the phases of a study."""

from enum import StrEnum

from trainables.base.records import Outcome

__all__ = ["Decision", "EventKind", "Outcome", "Phase", "StudyState", "TrialState"]


class StudyState(StrEnum):
    """Where a study stands; everything but `complete` can be resumed."""

    RUNNING = "running"
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


class Phase(StrEnum):
    """`search`: Optuna proposes, ASHA stops. `confirm`: fresh seeds, nothing is stopped."""

    SEARCH = "search"
    CONFIRM = "confirm"


class TrialState(StrEnum):
    """Where a trial stands; the first two are run, or run again, by a resume."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"

    @property
    def has_ended(self) -> bool:
        """Whether the trial will not be run again."""
        return self not in (TrialState.WAITING, TrialState.RUNNING)


class Decision(StrEnum):
    """What ASHA said at a rung."""

    CONTINUE = "continue"
    STOP = "stop"


class EventKind(StrEnum):
    """Events that the database writes by itself; a driver adds kinds of its own."""

    CONFLICT = "conflict"
