"""Lost workers: what each of Ray's errors means, and what is done with the trial."""

import re
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from ray import exceptions
from ray.exceptions import RayActorError, RayError, RayTaskError

from studies.cluster.nodes import Node

COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
VANISHED: Final = "Worker exit type: SYSTEM_ERROR"
"""Ray's text for a worker whose process ended by itself without an error, or was killed by a signal."""
MAX_CHARACTERS: Final = 400
"""Longest line of Ray's text that is kept; its memory reports have thousands of characters."""


class Treatment(Enum):
    """What is done with a trial whose worker was lost; after too many losses the trial has failed."""

    AGAIN = auto()
    """It is trained again from its latest checkpoint."""
    SMALLER = auto()
    """The same, in stacks of half the size, and with one worker less at a time."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What one of Ray's errors means for a trial, what is done about it, and advice for the user."""

    meaning: str
    treatment: Treatment = Treatment.AGAIN
    advice: str | None = None


ENDED: Final = Cause(meaning="its process ended")
RAY_FAILED: Final = Cause(meaning="Ray failed")
"""If Ray no longer answers either, the run ends and no trial is blamed, which Liveness decides."""
LOST_DATA: Final = Cause(meaning="data that went to or came from it was lost")
NO_PLACE: Final = Cause(meaning="it lost its place on the cluster")
NOT_OURS: Final = Cause(meaning="Ray reported an error of a feature that a study does not use")
"""Errors of Ray features that Studies does not use (channels, streams, named actors, time limits)."""

CAUSES: Final[dict[type[RayError], Cause]] = {
    RayError: RAY_FAILED,
    # The process.
    exceptions.RayActorError: ENDED,
    exceptions.ActorDiedError: ENDED,
    exceptions.WorkerCrashedError: ENDED,
    exceptions.AsyncioActorExit: ENDED,
    # The worker may come back, but by then Tune has removed its placement group and another has its trial.
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
    # Data sent to it or by it.
    exceptions.ObjectLostError: LOST_DATA,
    exceptions.ObjectFetchTimedOutError: LOST_DATA,
    exceptions.ObjectFreedError: LOST_DATA,
    exceptions.ObjectReconstructionFailedError: LOST_DATA,
    exceptions.OwnerDiedError: LOST_DATA,
    exceptions.ReferenceCountingAssertionError: LOST_DATA,
    exceptions.UnserializableException: LOST_DATA,
    # Its resources on the cluster.
    exceptions.ActorUnschedulableError: NO_PLACE,
    exceptions.TaskUnschedulableError: NO_PLACE,
    exceptions.ActorPlacementGroupRemoved: NO_PLACE,
    exceptions.TaskPlacementGroupRemoved: NO_PLACE,
    exceptions.TaskCancelledError: Cause(meaning="its work was cancelled"),
    exceptions.RuntimeEnvSetupError: Cause(
        meaning="its runtime environment could not be set up",
        advice="Check the runtime environment that the job was submitted with.",
    ),
    # Python errors outside of a trial's own code; errors inside are caught there and fail the trial at once.
    exceptions.RayTaskError: Cause(meaning="it raised an error"),
    exceptions.UserCodeException: Cause(meaning="it raised an error"),
    exceptions.CrossLanguageError: Cause(meaning="it raised an error"),
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
    """Why a trial lost its worker: `words` in one or two lines, `full` with the traceback where Ray gives one."""

    words: str
    full: str
    treatment: Treatment = Treatment.AGAIN
    has_vanished: bool = False
    """Whether the process ended without an error on a node that lives."""
    actor_id: str | None = None
    """Ray's identifier of the worker that was lost, where its error has it: the trial's own or a helper."""
    node: Node | None = None
    """The node that was lost with it."""

    def with_node(self, node: Node) -> "Loss":
        """Return the loss of a worker together with its node, which is then the cause."""
        of_node = f"its node was lost, {node}: "
        return replace(
            self,
            words=f"{of_node}{self.words}",
            full=f"{of_node}{self.full}",
            treatment=Treatment.AGAIN,
            has_vanished=False,
            node=node,
        )


UNEXPLAINED: Final = Loss(words="Ray does not say why", full="Ray does not say why")


def loss_of(error: BaseException) -> Loss:
    """Return what `error` means; any error raised about a worker, even one that is not Ray's, is the loss of it."""
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
        actor_id=getattr(error, "actor_id", None),
    )


def as_lost_actor(error: Exception) -> RayActorError | RayTaskError:
    """Return an error that Tune takes for the loss of an actor; any other error would end the whole run."""
    if isinstance(error, RayActorError | RayTaskError):
        return error
    lost = RayActorError(error_msg=f"{type(error).__name__}: {error}")
    lost.__cause__ = error
    return lost


def _first_cause(error: BaseException) -> BaseException:
    """Return the original error: the one wrapped by `as_lost_actor`, or Ray's own error inside a worker's task."""
    if isinstance(error, RayTaskError) and isinstance(error.cause, RayError):
        return _first_cause(error.cause)
    if isinstance(error, RayActorError) and error.__cause__ is not None:
        return error.__cause__
    return error


def _cause(error: BaseException) -> Cause:
    known = (CAUSES[kind] for kind in type(error).__mro__ if kind in CAUSES)
    return next(known, RAY_FAILED)


def _brief(said: str) -> str:
    """Return the two most informative lines: the first two, or of a traceback the first and the last."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line[0].isspace()]
    if _has_traceback(said):
        lines = [line for line in lines if not line.startswith("Traceback (")]
        lines = [*lines[:1], *lines[1:][-1:]]
    return "\n".join(map(_shortened, lines[:2]))


def _shortened(line: str) -> str:
    return line if len(line) <= MAX_CHARACTERS else f"{line[:MAX_CHARACTERS]}..."


def _has_traceback(said: str) -> bool:
    return "\n  File " in said
