"""The states that a study and a trial go through, and the phases of a study."""

from enum import StrEnum

from trainables.base.records import Outcome

__all__ = ["Decision", "EventKind", "Outcome", "Phase", "StudyState", "TrialState", "Until"]


class StudyState(StrEnum):
    """State of a study; every state but `complete` can be resumed."""

    RUNNING = "running"
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


class Phase(StrEnum):
    """`search`: Optuna proposes, ASHA stops. `confirm`: fresh seeds, nothing is stopped."""

    SEARCH = "search"
    CONFIRM = "confirm"


class Until(StrEnum):
    """How far a run goes: `clear`, until every question is answered; `look`, until the look at hand is complete."""

    CLEAR = "clear"
    LOOK = "look"


class TrialState(StrEnum):
    """State of a trial; a resumed study runs the trials that are waiting or running."""

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
    """ASHA's decision about a trial at a rung."""

    CONTINUE = "continue"
    STOP = "stop"


class EventKind(StrEnum):
    """Kinds of events that the database writes itself; a driver adds its own."""

    CONFLICT = "conflict"
