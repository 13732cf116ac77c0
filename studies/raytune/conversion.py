"""Conversion of a worker's report to database records: the trial's state, its rung, its networks' outcomes."""

from studies.base.states import Decision, Outcome, TrialState
from studies.cluster.nodes import Node
from studies.database.results import Evaluation, RungResult
from studies.database.writer import Writer
from studies.forecast.gpu_fraction import PEAK_MEMORY, peak_detail
from studies.planning.planned_trial import PlannedTrial
from studies.run_log import run_events
from trainables.base.records import EvaluationRecord, Note, NoteKind, PeakMemory, ReplicateRecord, TrialReport
from trainables.trials.trial_spec import TrialSpec


def trial_state(trial_spec: TrialSpec, report: TrialReport, decision: Decision | None) -> TrialState | None:
    """Return the state in which the trial ends with this report, None if it goes on."""
    if report.error is not None:
        return TrialState.FAILED
    if report.epoch >= trial_spec.epochs:
        return TrialState.COMPLETE
    return TrialState.PRUNED if decision is Decision.STOP else None


def rung_result(trial_spec: TrialSpec, report: TrialReport, decision: Decision | None) -> RungResult | None:
    """Return the record of a rung, None between rungs; without a decision of ASHA's, as at the last one, CONTINUE."""
    if report.error is not None or report.epoch not in trial_spec.rungs:
        return None
    return RungResult(epoch=report.epoch, objective=report.objective, decision=decision or Decision.CONTINUE)


def stopped(record: ReplicateRecord) -> ReplicateRecord:
    """Return the record of a replicate whose trial was stopped: STOPPED, unless the network diverged or failed."""
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
    """Writes the events of one run; an event that would repeat for every trial is written once."""

    def __init__(self, writer: Writer, study_id: int) -> None:
        """Write events of one study."""
        self._writer, self._study_id = writer, study_id
        self._has_told_of_checkpoints = False
        self._peak_bytes, self._refusals = 0, set[str]()
        self._lost_nodes = set[str]()

    def add(self, kind: str, planned: PlannedTrial, detail: str) -> None:
        """Write an event of a trial, dated now."""
        self._writer.add_event(self._study_id, kind, planned.number, detail)

    def of_worker(self, planned: PlannedTrial, worker: str, note: Note) -> None:
        """Write a worker's note as an event; the reason why steps have no CUDA graph is written once, not per trial."""
        if note.kind is NoteKind.GRAPH_REFUSED:
            if note.text in self._refusals:
                return
            self._refusals.add(note.text)
        self.add(note.kind, planned, f"{worker}: {note.text}" if worker else note.text)

    def node_lost(self, node: Node) -> None:
        """Write an event of a lost node, once for all the trials that had workers there."""
        if node.node_id not in self._lost_nodes:
            run_events.note_lost_node(
                self._writer, self._study_id, address=node.address, host=node.host, node_id=node.node_id
            )
        self._lost_nodes.add(node.node_id)

    def peak(self, planned: PlannedTrial, memory: PeakMemory | None) -> None:
        """Write an event if a trial used more GPU memory than any before it in this run."""
        if memory is not None and memory.allocated_bytes > self._peak_bytes:
            self._peak_bytes = memory.allocated_bytes
            self.add(PEAK_MEMORY, planned, peak_detail(memory))

    def checkpoint_failed(self, planned: PlannedTrial, error: OSError) -> None:
        """Write an event that checkpoints cannot be written, once in a run."""
        if not self._has_told_of_checkpoints:
            self.add(CHECKPOINT_FAILED, planned, f"checkpoints cannot be written: {error}")
        self._has_told_of_checkpoints = True
