"""Ray Tune's callback that writes a worker's report to the database before Tune lets the worker go on."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ray import tune

from studies.base.errors import StudiesError
from studies.base.states import Decision, Outcome, Phase, TrialState
from studies.cluster.nodes import Node, lost_node
from studies.cluster.watchdog import Watchdog
from studies.database.results import Artifact, Ending, TrialResult, Verdicts
from studies.database.writer import HeldBackError, Writer
from studies.diagnosis.verdict_accumulator import VerdictAccumulator
from studies.planning.planned_trial import PlannedTrial
from studies.raytune.checkpoints import Checkpoints
from studies.raytune.conversion import (
    CHECKPOINT_REFUSED,
    CHECKPOINT_USED,
    WORKER_LOST,
    Notes,
    evaluation,
    rung_result,
    stopped,
    trial_state,
)
from studies.raytune.lost_worker import UNEXPLAINED, Loss, Treatment, loss_of
from studies.raytune.retries import Retries
from studies.raytune.worker_allocation import WorkerAllocation
from studies.search.progress import Progress, best_of
from studies.search.trial_queue import TrialQueue
from studies.storage.artifacts import BEST, write_models
from studies.storage.copier import Copying, NoCopying
from trainables.base.records import TrialReport
from trainables.trials.trial_spec import TrialSpec

if TYPE_CHECKING:
    from trainables.trials.checkpoint import CheckpointRef

T = TypeVar("T")


class Recorder(tune.Callback):
    """Writes each report, ASHA's decision on it and its trial's end in one transaction, then updates the queue.

    A checkpoint is kept once the epochs up to it are recorded. A trial whose worker was lost goes back to the queue.

    It never raises, because an exception here would kill the Tune run: it keeps the first error in `failure`, and the
    run is stopped; a resume trains again what was not recorded.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        study_id: int,
        folder: Path,
        queue: TrialQueue,
        decisions: dict[int, Decision],
        progress: Progress,
        accumulator: VerdictAccumulator,
        checkpoints: Checkpoints,
        versions: Mapping[str, str],
        retries: Retries,
        watchdog: Watchdog,
        allocation: WorkerAllocation,
        copying: Copying | None = None,
        find_lost_node: Callable[[str | None], Node | None] = lost_node,
    ) -> None:
        """Record for one study; the scheduler puts ASHA's decisions into `decisions`.

        A trial whose worker was lost is started again as often as `retries` allows; its own errors are not retried.
        `copying` has models copied to the place of the study's files before their rows are committed.
        `find_lost_node` returns the node that was lost with the worker of which it is given Ray's identifier.
        """
        self._writer, self._study_id, self._folder = writer, study_id, folder
        self._queue, self._decisions, self._progress = queue, decisions, progress
        self._accumulator, self._checkpoints, self._versions = accumulator, checkpoints, versions
        self._retries, self._find_lost_node = retries, find_lost_node
        self._notes = Notes(writer, study_id)
        self._watchdog, self._allocation = watchdog, allocation
        self._copying = copying or NoCopying()
        self._in_hand: dict[int, TrialSpec] = {}
        self._losses: dict[int, Loss] = {}
        self._num_stacks: dict[int, int] = {}
        self.num_reports = 0
        """Number of reports so far, by which progress of a Tune run is recognised."""
        self._failure: StudiesError | None = None
        self._is_closed = False

    @property
    def failure(self) -> StudiesError | None:
        """The error that ends the run: the first one here, or one of the writer's while it drained the spool."""
        return self._failure or self._writer.failure

    def close(self) -> None:
        """Record nothing more, even if an abandoned Tune run still calls."""
        self._is_closed = True

    def on_trial_start(self, iteration: int, trials: Sequence[Any], trial: Any, **info: Any) -> None:
        """Note the start of an attempt."""
        trial_spec: TrialSpec = trial.config["trial_spec"]
        checkpoint_ref: CheckpointRef | None = trial.config.get("checkpoint")
        self.attempt(lambda: self._start(trial_spec, checkpoint_ref))

    def _start(self, trial_spec: TrialSpec, checkpoint_ref: "CheckpointRef | None") -> None:
        planned = self._queue.trials[trial_spec.number]
        epoch = 0 if checkpoint_ref is None else checkpoint_ref.epoch
        self._progress.begin(planned, epoch=epoch, replicates=len(trial_spec.blocks))
        self._writer.start_trial(
            self._study_id,
            planned.number,
            worker="",
            started_at=datetime.now(UTC),
            versions=self._versions,
            attempt=self._queue.start(planned.number),
        )
        if checkpoint_ref is not None:
            checkpoint_ref.empty()
            self._notes.add(CHECKPOINT_USED, planned, f"goes on after epoch {epoch}")

    def on_trial_result(
        self, iteration: int, trials: Sequence[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Record a report."""
        trial_spec: TrialSpec = trial.config["trial_spec"]
        report: TrialReport = result["report"]
        # Tune keeps every trial's last result to the end; the report is large, so it is removed.
        del result["report"]
        decision = self._decisions.pop(trial_spec.number, None)
        planned = self._queue.trials[trial_spec.number]
        self.attempt(lambda: self._record(planned, trial_spec, report, decision))

    def note_loss(self, number: int, error: BaseException) -> None:
        """Keep the error that Ray raised about a trial's worker, for `on_trial_error`."""
        self._losses[number] = loss_of(error)

    def on_trial_error(self, iteration: int, trials: Sequence[Any], trial: Any, **info: Any) -> None:
        """Put a trial whose worker was lost back into the queue, or record it as failed if that happened too often.

        If Ray itself is lost, no trial is blamed, and a resume runs them all.
        """
        trial_spec: TrialSpec = trial.config["trial_spec"]
        planned = self._queue.trials[trial_spec.number]
        if planned.state.has_ended or self._watchdog.is_ray_lost():
            return
        loss = self._losses.pop(planned.number, UNEXPLAINED)
        hung = self._watchdog.words(planned.number)
        if hung is not None:
            loss = Loss(words=hung, full=hung)
        elif (node := self._find_lost_node(loss.actor_id)) is not None:
            loss = loss.with_node(node)
        self._lose(trial_spec, loss)

    def lose_all(self, error: BaseException) -> None:
        """Treat every worker as lost, after Tune itself failed with `error`."""
        said = loss_of(error).words
        words = f"Ray Tune failed and was started again: {said}"
        for trial_spec in list(self._in_hand.values()):
            self._decisions.pop(trial_spec.number, None)
            self._lose(trial_spec, Loss(words=words, full=words))

    def _lose(self, trial_spec: TrialSpec, loss: Loss) -> None:
        """Count a lost worker, and retry its trial or record it as failed."""
        planned = self._queue.trials[trial_spec.number]
        self._in_hand.pop(planned.number, None)
        if loss.node is not None:
            node = loss.node
            self.attempt(lambda: self._notes.node_lost(node))
        running = self._progress.running.get(planned.number)
        error = self._retries.blame(planned.number, loss, epoch=0 if running is None else running.epoch)
        if error is None:
            self._give_back(planned, trial_spec, loss)
            return
        from trainables.trials.reporting import failed_report  # which brings torch

        lost = failed_report(trial_spec, worker="", epoch=0, error=error)
        self.attempt(lambda: self._record(planned, trial_spec, lost, None))

    def _give_back(self, planned: PlannedTrial, trial_spec: TrialSpec, loss: Loss) -> None:
        """Put a trial back into the queue, treated as the loss of its worker requires."""
        is_begun = planned.number in self._progress.running
        attempt = f"attempt {planned.attempt}" if is_begun else f"before attempt {planned.attempt + 1}"
        detail = f"{attempt}: {loss.words}"
        if loss.treatment is Treatment.SMALLER:
            detail += f"\nIt is trained again {self._make_smaller(trial_spec)}"
        self._progress.lose(planned.number, replicates=len(trial_spec.blocks), why=loss.words)
        self._queue.give_back(planned.number)
        self.attempt(lambda: self._notes.add(WORKER_LOST, planned, detail))

    def _make_smaller(self, trial_spec: TrialSpec) -> str:
        """Halve the trial's stacks for its next attempt and use one worker less; return a description of that."""
        doubled = min(2 * self.num_stacks(trial_spec.number), len(trial_spec.seeds))
        self._num_stacks[trial_spec.number] = doubled
        return f"in {doubled} stack{'s' if doubled > 1 else ''}, on {self._allocation.give_up_one()}"

    def num_stacks(self, number: int) -> int:
        """Return into how many stacks a trial is split at first: more than 1 after memory ran low for it."""
        return self._num_stacks.get(number, 1)

    def _record(
        self, planned: PlannedTrial, trial_spec: TrialSpec, report: TrialReport, decision: Decision | None
    ) -> None:
        started = time.perf_counter()
        state = trial_state(trial_spec, report, decision)
        rung = rung_result(trial_spec, report, decision)
        self._accumulator.update(planned.number, report.epochs)
        verdicts = {} if state is None else self._judge(planned, state, report)
        result = TrialResult(
            epoch=report.epoch,
            busy_seconds=report.busy_seconds,
            epochs=report.epochs,
            rung=rung,
            ending=None if state is None else self._ending(planned, state, report, verdicts),
            worker=report.worker or None,
            attempt=planned.attempt,
        )
        self._writer.record_result(self._study_id, planned.number, result)
        if rung is not None:
            self._queue.reach(planned.number, epoch=report.epoch, objective=report.objective)
        if state is not None:
            self._queue.end(planned.number, state)
            self._in_hand.pop(planned.number, None)
        self._retries.note_report(planned.number, report.epoch)
        self._progress.advance(planned, report, state)
        self.num_reports += not report.error
        if planned.phase is Phase.SEARCH and state is TrialState.COMPLETE:
            self._progress.best = best_of(self._queue.best_search_trial())
        self._keep_checkpoint(planned, report, state)
        for note in report.notes:
            self._notes.of_worker(planned, report.worker, note)
        self._notes.peak(planned, report.memory)
        self._progress.recording_seconds += time.perf_counter() - started

    def _judge(self, planned: PlannedTrial, state: TrialState, report: TrialReport) -> dict[int, Verdicts]:
        return self._accumulator.judge(
            planned.number,
            trained=planned.phase is Phase.CONFIRM and state is TrialState.COMPLETE,
            diverged={r.replicate for r in report.replicates if r.outcome is Outcome.DIVERGED},
        )

    def _ending(
        self,
        planned: PlannedTrial,
        state: TrialState,
        report: TrialReport,
        verdicts: Mapping[int, Verdicts],
    ) -> Ending:
        is_stopped = state is TrialState.PRUNED
        return Ending(
            state=state,
            ended_at=datetime.now(UTC),
            stop_reason=f"ASHA at epoch {report.epoch}" if is_stopped else None,
            objective=None if state is TrialState.FAILED else report.objective,
            error=report.error,
            replicates=[stopped(record) for record in report.replicates] if is_stopped else report.replicates,
            evaluations=[evaluation(record) for record in report.evaluations],
            verdicts=verdicts,
            artifacts=self._artifacts(planned, report),
        )

    def _artifacts(self, planned: PlannedTrial, report: TrialReport) -> list[Artifact]:
        if not report.models:
            return []
        name = BEST if planned.cell is not None else f"trial-{planned.number}"
        blocks = [record.block for record in report.replicates]
        written = write_models(self._folder, name, dict(zip(blocks, report.models, strict=True)))
        self._copying.copy_models()
        return written

    def take_up(self, trial_spec: TrialSpec) -> "CheckpointRef | None":
        """Return the trial's newest valid checkpoint, and record an event for each newer one that is not valid.

        The trial counts as handed out until it ends or its worker is lost.
        """
        self._in_hand[trial_spec.number] = trial_spec
        checkpoint_ref, refused = self._checkpoints.newest(trial_spec)
        for why in refused:
            self._notes.add(CHECKPOINT_REFUSED, self._queue.trials[trial_spec.number], why)
        return checkpoint_ref

    def _keep_checkpoint(self, planned: PlannedTrial, report: TrialReport, state: TrialState | None) -> None:
        """Write the checkpoint of a report, or remove those of an ended trial; a failure to write is noted once."""
        if state is not None:
            self._checkpoints.drop(planned.number)
        elif report.checkpoint is not None:
            try:
                self._checkpoints.keep(planned.number, report.epoch, report.checkpoint)
            except OSError as error:
                self._notes.checkpoint_failed(planned, error)

    def attempt(self, action: Callable[[], T]) -> T | None:
        """Return what `action` returns; None if it fails, which sets `failure`, or if recording has ended already."""
        if self.failure is None and not self._is_closed:
            try:
                return action()
            except HeldBackError:
                pass  # the run is being stopped, and a resume trains this again
            except Exception as error:
                self._failure = _as_studies_error(error)
        return None

    def __getstate__(self) -> dict[str, Any]:
        """Pickle nothing: Tune pickles its callbacks to disk, where a store must not go."""
        return {}


def _as_studies_error(error: Exception) -> StudiesError:
    if isinstance(error, StudiesError):
        return error
    return StudiesError(
        f"a result could not be recorded: {type(error).__name__}: {error}",
        "Nothing that was recorded is lost; mend the cause and give the same command again.",
    )
