"""A worker's report as the database takes it: how its trial stands, what its rung came to, how its networks ended."""

from studies.base.states import Decision, Outcome, TrialState
from studies.database.results import Evaluation, RungResult
from studies.database.writer import Writer
from studies.forecast.gpu_fraction import PEAK_MEMORY, peak_detail
from studies.planning.planned_trial import PlannedTrial
from trainables.base.records import EvaluationRecord, Note, NoteKind, PeakMemory, ReplicateRecord, TrialReport
from trainables.trials.trial_spec import TrialSpec


def trial_state(trial_spec: TrialSpec, report: TrialReport, decision: Decision | None) -> TrialState | None:
    """Return how the trial ended with this report, None where it goes on."""
    if report.error is not None:
        return TrialState.FAILED
    if report.epoch >= trial_spec.epochs:
        return TrialState.COMPLETE
    return TrialState.PRUNED if decision is Decision.STOP else None


def rung_result(trial_spec: TrialSpec, report: TrialReport, decision: Decision | None) -> RungResult | None:
    """Return what is recorded of a rung; where ASHA is not asked, as at the last one, a trial goes on."""
    if report.error is not None or report.epoch not in trial_spec.rungs:
        return None
    return RungResult(epoch=report.epoch, objective=report.objective, decision=decision or Decision.CONTINUE)


def stopped(record: ReplicateRecord) -> ReplicateRecord:
    """Return a replicate of a stopped trial: stopped, unless it diverged before."""
    if record.outcome is not Outcome.COMPLETE:
        return record
    return ReplicateRecord(
        replicate=record.replicate,
        block=record.block,
        outcome=Outcome.STOPPED,
        val_loss=record.val_loss,
        val_accuracy=record.val_accuracy,
        metrics=record.metrics,
    )


def evaluation(record: EvaluationRecord) -> Evaluation:
    return Evaluation(
        replicate=record.replicate,
        confusion=record.confusion,
        calibration=[
            {
                "low": part.low,
                "high": part.high,
                "count": part.count,
                "confidence": part.confidence,
                "accuracy": part.accuracy,
            }
            for part in record.calibration
        ],
    )


WORKER_LOST = "worker_lost"
CHECKPOINT_USED = "checkpoint_used"
CHECKPOINT_REFUSED = "checkpoint_refused"
CHECKPOINT_FAILED = "checkpoint_failed"


class Notes:
    """Events of one run; what every trial would say again is kept once."""

    def __init__(self, writer: Writer, study_id: int) -> None:
        """Nothing has been noted."""
        self._writer, self._study_id = writer, study_id
        self._has_told_of_checkpoints = False
        self._peak_bytes, self._refusals = 0, set[str]()

    def add(self, kind: str, planned: PlannedTrial, detail: str) -> None:
        """Note something that happens now."""
        self._writer.add_event(self._study_id, kind, planned.number, detail)

    def of_worker(self, planned: PlannedTrial, worker: str, note: Note) -> None:
        """Keep what a worker notes; that no graph holds its steps it would say of every trial."""
        if note.kind is NoteKind.GRAPH_REFUSED:
            if note.text in self._refusals:
                return
            self._refusals.add(note.text)
        self.add(note.kind, planned, f"{worker}: {note.text}" if worker else note.text)

    def peak(self, planned: PlannedTrial, memory: PeakMemory | None) -> None:
        """Note a trial that took more of a GPU than any before it in this run."""
        if memory is not None and memory.allocated_bytes > self._peak_bytes:
            self._peak_bytes = memory.allocated_bytes
            self.add(PEAK_MEMORY, planned, peak_detail(memory))

    def checkpoint_failed(self, planned: PlannedTrial, error: OSError) -> None:
        """Note that checkpoints cannot be written, once in a run."""
        if not self._has_told_of_checkpoints:
            self.add(CHECKPOINT_FAILED, planned, f"checkpoints cannot be written: {error}")
        self._has_told_of_checkpoints = True
