"""What Ray says of a worker that was lost, and what is done about it: one table for everything that Ray can raise."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from ray import exceptions
from ray.exceptions import RayActorError, RayError, RayTaskError

COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
VANISHED: Final = "Worker exit type: SYSTEM_ERROR"
"""What Ray says of a worker whose process ended by itself and without a word, or was killed by a signal."""
MAX_CHARACTERS: Final = 400
"""Of a line of Ray's; what it says of memory takes thousands."""


class Treatment(Enum):
    """What is done with a trial whose worker was lost; each time is counted, and after the last one it has failed."""

    AGAIN = auto()
    """It is trained again, from its latest checkpoint."""
    SMALLER = auto()
    """So it is, in stacks of half the size, and with one worker less at a time."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What one of Ray's errors means for a trial, and what is done about it."""

    meaning: str
    treatment: Treatment = Treatment.AGAIN
    advice: str | None = None


ENDED: Final = Cause(meaning="its process ended")
RAY_FAILED: Final = Cause(meaning="Ray failed")
"""Where Ray does not answer any more either, nobody is blamed and the run ends: Liveness finds that out."""
LOST_DATA: Final = Cause(meaning="data that went to or came from it was lost")
NO_PLACE: Final = Cause(meaning="it lost its place on the cluster")
NOT_OURS: Final = Cause(meaning="Ray met with what a study never asks of it")
"""What Studies does not use (channels, streams, named actors, time limits): were it raised, a worker would be lost."""

CAUSES: Final[dict[type[RayError], Cause]] = {
    RayError: RAY_FAILED,
    # The process.
    exceptions.RayActorError: ENDED,
    exceptions.ActorDiedError: ENDED,
    exceptions.WorkerCrashedError: ENDED,
    exceptions.AsyncioActorExit: ENDED,
    # It may come back, but its trial has been given to another one by then: Tune removes its placement group.
    exceptions.ActorUnavailableError: Cause(meaning="it could not be reached"),
    exceptions.OutOfMemoryError: Cause(
        meaning="memory ran low on its machine",
        treatment=Treatment.SMALLER,
        advice="Use fewer --workers or a smaller width, depth or batch_size, or end what else takes memory there.",
    ),
    # The machine.
    exceptions.NodeDiedError: Cause(meaning="its machine was lost"),
    exceptions.LocalRayletDiedError: RAY_FAILED,
    exceptions.OutOfDiskError: Cause(meaning="the disk of its machine is full", advice="Make room there."),
    exceptions.ObjectStoreFullError: Cause(
        meaning="Ray's memory for shared data is full",
        advice="Use fewer --workers, or end what else uses this Ray.",
    ),
    # What it was sent, and what it sent.
    exceptions.ObjectLostError: LOST_DATA,
    exceptions.ObjectFetchTimedOutError: LOST_DATA,
    exceptions.ObjectFreedError: LOST_DATA,
    exceptions.ObjectReconstructionFailedError: LOST_DATA,
    exceptions.OwnerDiedError: LOST_DATA,
    exceptions.ReferenceCountingAssertionError: LOST_DATA,
    exceptions.UnserializableException: LOST_DATA,
    # Its place.
    exceptions.ActorUnschedulableError: NO_PLACE,
    exceptions.TaskUnschedulableError: NO_PLACE,
    exceptions.ActorPlacementGroupRemoved: NO_PLACE,
    exceptions.TaskPlacementGroupRemoved: NO_PLACE,
    exceptions.TaskCancelledError: Cause(meaning="its work was cancelled"),
    exceptions.RuntimeEnvSetupError: Cause(
        meaning="its runtime environment could not be set up",
        advice="Check the runtime environment that the job was submitted with.",
    ),
    # Python code in it, outside of what a trial does: that is caught there and is the trial's own failure at once.
    exceptions.RayTaskError: Cause(meaning="it met with an error"),
    exceptions.UserCodeException: Cause(meaning="it met with an error"),
    exceptions.CrossLanguageError: Cause(meaning="it met with an error"),
    # Ray.
    exceptions.RaySystemError: RAY_FAILED,
    exceptions.RpcError: RAY_FAILED,
    exceptions.AuthenticationError: RAY_FAILED,
    exceptions.PlasmaObjectNotAvailable: RAY_FAILED,
    exceptions.PendingCallsLimitExceeded: RAY_FAILED,
    exceptions.GetTimeoutError: NOT_OURS,
    exceptions.ObjectRefStreamEndOfStreamError: NOT_OURS,
    exceptions.StreamingGeneratorReplayInconsistentError: NOT_OURS,
    exceptions.OufOfBandObjectRefSerializationException: NOT_OURS,
    exceptions.RayChannelError: NOT_OURS,
    exceptions.RayChannelTimeoutError: NOT_OURS,
    exceptions.RayCgraphCapacityExceeded: NOT_OURS,
    exceptions.RayDirectTransportError: NOT_OURS,
    exceptions.ActorAlreadyExistsError: NOT_OURS,
    exceptions.ActorHandleNotFoundError: NOT_OURS,
}


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Why a trial lost its worker: in one or two lines, and in full where Ray's text has a traceback."""

    words: str
    full: str
    treatment: Treatment = Treatment.AGAIN
    has_vanished: bool = False
    """Whether its process ended without a word, on a node that lives."""


UNEXPLAINED: Final = Loss(words="Ray does not say why", full="Ray does not say why")


def loss_of(error: BaseException) -> Loss:
    """Return what `error` means; whatever is raised of a worker is the loss of it, an error that is not Ray's too."""
    error = _first_cause(error)
    said = COLOUR.sub("", str(error)).strip()
    cause = _cause(error)
    brief = _brief(said) or type(error).__name__
    full = said if _has_traceback(said) else brief
    advice = "" if cause.advice is None else f". {cause.advice}"  # on the last line, which a terminal shows
    return Loss(
        words=f"{cause.meaning}: {brief}",
        full=f"{cause.meaning}: {full.rstrip('.')}{advice}" if advice else f"{cause.meaning}: {full}",
        treatment=cause.treatment,
        has_vanished=VANISHED in said,
    )


def as_lost_actor(error: Exception) -> RayActorError | RayTaskError:
    """Return an error that Tune takes for the loss of an actor: of all others it makes the end of the run."""
    if isinstance(error, RayActorError | RayTaskError):
        return error
    lost = RayActorError(error_msg=f"{type(error).__name__}: {error}")
    lost.__cause__ = error
    return lost


def _first_cause(error: BaseException) -> BaseException:
    """Return what `as_lost_actor` was given, and of an error in a worker the one of Ray's that it met with there."""
    if isinstance(error, RayTaskError) and isinstance(error.cause, RayError):
        return _first_cause(error.cause)
    if isinstance(error, RayActorError) and error.__cause__ is not None:
        return error.__cause__
    return error


def _cause(error: BaseException) -> Cause:
    known = (CAUSES[kind] for kind in type(error).__mro__ if kind in CAUSES)
    return next(known, RAY_FAILED)


def _brief(said: str) -> str:
    """Return the two lines that say most: the first ones, or of a traceback the first and the last."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line[0].isspace()]
    if _has_traceback(said):
        lines = [line for line in lines if not line.startswith("Traceback (")]
        lines = [*lines[:1], *lines[1:][-1:]]
    return "\n".join(map(_shortened, lines[:2]))


def _shortened(line: str) -> str:
    return line if len(line) <= MAX_CHARACTERS else f"{line[:MAX_CHARACTERS]}..."


def _has_traceback(said: str) -> bool:
    return "\n  File " in said
